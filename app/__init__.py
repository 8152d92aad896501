"""The panel. Empty on purpose: the factory lives in `app.factory`, so `import app.vcloud` loads no Flask."""

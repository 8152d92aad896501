"""The other clients, unmodified, each in an environment of its own that is made on first use and kept."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYVCLOUD, LIBCLOUD = "pyvcloud==23.0.4", "apache-libcloud==3.9.1"


def python_of(package: str) -> Path:
    """Return the interpreter that has this package; CalledProcessError if it cannot be installed."""
    folder = Path(os.environ.get("SKIFF_CLIENT_ENVS") or ROOT / ".cache" / "clients")
    home = folder / f"{package.replace('==', '-')}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        print(f"installing {package} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], check=True, stdout=sys.stderr)
        (home / "ready").touch()
    return python


def interpreter(client: str) -> str:
    """Return what runs scripts of "ours", "pyvcloud" or "libcloud"."""
    return {"ours": sys.executable, "pyvcloud": str(python_of(PYVCLOUD)), "libcloud": str(python_of(LIBCLOUD))}[client]

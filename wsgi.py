"""The WSGI entry: `gunicorn wsgi:app`."""

import sys

from app.factory import create_app
from config import Config, ConfigError

try:
    app = create_app(Config.from_env())
except ConfigError as error:
    sys.stderr.write(f"Skiff does not start: {error}\n")
    sys.exit(3)  # the status at which gunicorn gives up; at any other it would try again for ever

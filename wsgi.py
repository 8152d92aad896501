"""The WSGI entry: `gunicorn wsgi:app`."""

import sys

from app.factory import create_app
from config import Config, ConfigError

try:
    app = create_app(Config.from_env())
except ConfigError as error:
    sys.exit(f"Skiff does not start: {error}")

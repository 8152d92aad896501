"""How Alembic reaches the database: through the application, with its engine and its models."""

from alembic import context
from click import ClickException
from flask import current_app
from sqlalchemy.exc import OperationalError

from app.db import Base, db

arguments = current_app.extensions["migrate"].configure_args
try:
    connected = db.engine.connect()
except OperationalError as error:
    reason = " ".join(str(error.orig).split())
    raise ClickException(f"The database does not answer ({reason}). Start it, or correct DATABASE_URL.") from None
with connected as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, **arguments)
    with context.begin_transaction():
        context.run_migrations()

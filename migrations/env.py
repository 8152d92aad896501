"""How Alembic reaches the database: through the application, with its engine and its models."""

from alembic import context
from flask import current_app

from app.db import Base, db

arguments = current_app.extensions["migrate"].configure_args
with db.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, **arguments)
    with context.begin_transaction():
        context.run_migrations()

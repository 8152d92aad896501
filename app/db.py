"""The database: models' base, the one `transaction()`, column types, and all that differs between the engines.

SQLite (embedded) and PostgreSQL (a real installation) are both supported; nothing outside this module asks which.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Boolean, ColumnElement, DateTime, Dialect, MetaData, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column, registry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON, TypeDecorator, Uuid

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, so that a migration can change it on both engines."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on the way in and out; SQLite keeps it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without zone: it would be read back as another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone cannot be stored")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: UtcDateTime, uuid.UUID: Uuid, dict[str, Any]: JSON, list[Any]: JSON},
    )


class Row(Base):
    """A table whose primary key is a random id of ours, never vCloud's."""

    __abstract__ = True
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)

    def __init__(self, **values: Any) -> None:
        # The id exists before the row is written, because sealed values are bound to it.
        super().__init__(**{"id": uuid.uuid4(), **values})


def contains(column: ColumnElement[str] | InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """Whether the column has the text in it, in capital or small Latin letters."""
    escaped = re.sub("[/%_]", r"/\g<0>", text)
    return _like(column, f"%{escaped}%")


class _like(FunctionElement[bool]):  # noqa: N801  an SQL function, written like one
    """LIKE as SQLite has it, which is ILIKE in PostgreSQL. SQLAlchemy's makes all letters small, which takes longer."""

    type = Boolean()
    inherit_cache = True


@compiles(_like, "sqlite")
def _like_of_sqlite(element: _like, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} LIKE {text} ESCAPE '/')"


@compiles(_like, "postgresql")
def _like_of_postgresql(element: _like, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} ILIKE {text} ESCAPE '/')"


db = SQLAlchemy(model_class=Base)
migrate = Migrate(db=db, render_as_batch=True, compare_type=True)


def init(app: Flask, database_url: str) -> None:
    """Connect the application with its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    if database_url.startswith("postgresql"):
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True}
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _prepare_sqlite(db.engine)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin by itself; `begin` below does
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: a reader that upgrades later would be refused, not made to wait.
        writes = connection.get_execution_options().get("skiff_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction() -> Iterator[None]:
    """One unit of work: committed at the end, rolled back on any exception.

    A use case opens it, it is the outermost, and nothing slow (network, mail) happens inside. A second one inside
    raises RuntimeError, so that nobody commits half of somebody else's work. Objects read before are detached from
    it: use cases take ids and values.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("transaction() inside transaction()")
    session.rollback()  # a read transaction, such as the one that looked up the user, ends here
    session.info["in_transaction"] = True
    try:
        session.connection(execution_options={"skiff_writes": True})
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False

"""Transactions and column types, on whichever engine the suite runs."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click import ClickException
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from app.accounts.models import Account
from app.db import Base, db, transaction
from app.factory import create_app
from config import Config
from tests.support.ports import free_port
from tests.support.settings import settings
from tools.setup import ROOT


def _account(name: str, at: datetime) -> Account:
    return Account(name=name, timezone="UTC", created_at=at)


NOON = datetime(2026, 11, 12, 12, tzinfo=UTC)


def test_an_exception_undoes_the_whole_transaction(app: Flask) -> None:
    def fail_half_way() -> None:
        with transaction():
            db.session.add(_account("Acme", NOON))
            db.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert db.session.scalar(select(Account)) is None


def test_a_transaction_inside_a_transaction_is_refused(app: Flask) -> None:
    with transaction():
        with pytest.raises(RuntimeError, match="inside"), transaction():
            pass
        db.session.add(_account("Acme", NOON))
    assert db.session.scalar(select(Account.name)) == "Acme"


def test_a_transaction_may_follow_a_refused_one(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        raise ZeroDivisionError
    with transaction():
        db.session.add(_account("Acme", NOON))
    assert db.session.scalar(select(Account.name)) == "Acme"


def test_moments_come_back_as_the_same_moment_in_utc(app: Flask) -> None:
    with transaction():
        db.session.add(_account("Acme", NOON.astimezone(timezone(timedelta(hours=3)))))
    db.session.expire_all()
    assert db.session.scalar(select(Account.created_at)) == NOON


def test_a_moment_without_zone_is_refused(app: Flask) -> None:
    with pytest.raises(Exception, match="without time zone"), transaction():
        db.session.add(_account("Acme", datetime(2026, 11, 12)))  # noqa: DTZ001  the point of the test


def test_the_migrations_make_what_the_models_say(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_of_a_database_that_is_away_say_so_in_a_sentence(tmp_path: Path) -> None:
    away = create_app(Config.from_env(settings(tmp_path, DATABASE_URL=f"postgresql://x:y@127.0.0.1:{free_port()}/z")))
    with away.app_context(), pytest.raises(ClickException, match=r"does not answer .*correct DATABASE_URL\.$"):
        upgrade(str(ROOT / "migrations"))

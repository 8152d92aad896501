"""The fixtures that every test may use: the application, the cast, the clock, the simulated vCloud, a live panel."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import flask_migrate
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from app import clock as app_clock
from app.accounts import sign_in
from app.cloud import gateway, services
from app.db import db, transaction
from app.factory import create_app
from app.vcloud import wire
from config import Config
from tests.support.cast import PASSWORD, Cast
from tests.support.clock import Clock
from tests.support.kept import Kept, delete_all
from tests.support.live import LivePanel
from tests.support.settings import settings
from tests.support.vcloud_front import Front, Snapshot
from vcdsim import Simulator

pytest_plugins = ["tests.support.counts", "tests.support.garbage", "tests.support.no_skips", "tests.support.services"]


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Passwords of the tests are hashed with the least work: a real hash costs 140 ms, and every sign-in needs one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sign_in, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def config(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The settings of the application under test."""
    environ = settings(tmp_path_factory.mktemp("data"), DATABASE_URL=database_url, REDIS_URL=redis_url)
    return Config.from_env(environ)


@pytest.fixture(scope="session")
def panel(config: Config) -> Iterator[Flask]:
    """The application, made once; its database is migrated as an operator would do it."""
    app = create_app(config)
    with app.app_context():
        flask_migrate.upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(panel: Flask) -> Iterator[Flask]:
    """The application with its context pushed and an empty database."""
    with panel.app_context():
        yield panel
        db.session.rollback()
        with transaction():
            delete_all()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of a stranger; `cast.sign_in(client, ...)` makes it somebody's."""
    return app.test_client()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Thursday 12 November 2026, 14:20 UTC, standing still until it is moved; nobody waits between two attempts."""
    hands = Clock()
    monkeypatch.setattr(app_clock, "now", lambda: hands.at)
    monkeypatch.setattr(gateway, "TIMER", replace(gateway.TIMER, sleep=lambda _: None))
    return hands


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of the cast's password, made once because it is slow on purpose."""
    return sign_in.hash_password(PASSWORD)


@pytest.fixture(scope="session")
def kept_casts() -> Kept[Cast]:
    """The casts of this process."""
    return Kept()


@pytest.fixture
def cast(app: Flask, clock: Clock, password_hash: str, kept_casts: Kept[Cast]) -> Cast:
    """The people of every test: owner, technician and viewer of Acme, the stranger of Globex, support."""
    return kept_casts.again(clock.at, lambda: Cast.gather(password_hash))


@pytest.fixture(scope="session")
def front() -> Iterator[Front]:
    """Where the simulated vClouds of this process answer."""
    with Front().open() as front:
        yield front


@pytest.fixture(scope="session")
def kept_clouds() -> Kept[Snapshot]:
    """The simulated vClouds of this process as they are when they have just been attached."""
    return Kept()


@pytest.fixture
def cloud(cast: Cast, clock: Clock, front: Front, kept_clouds: Kept[Snapshot]) -> Simulator:
    """A simulated vCloud in its demo state, on its own clock, attached to Acme and Globex and read."""
    simulator = front.current = Simulator("demo", manual_clock=True)

    def attach() -> Snapshot:
        services.add_handler(name="Moscow", api_url=f"{front.url}/api")
        for account, org in (("Acme", "acme"), ("Globex", "globex")):
            services.attach(
                account=account,
                handler="Moscow",
                org=org,
                username=f"{org}-admin",
                password="secret",
                vdc=f"{org}-vdc",
            )
        return Snapshot.of(simulator)

    # What is read depends on the newest API version that the client knows, which tests change.
    kept_clouds.again((clock.at, wire._TOO_NEW), attach).put_into(simulator)
    return simulator


@pytest.fixture
def live_panel(tmp_path: Path, redis_url: str) -> Iterator[LivePanel]:
    """The whole panel as real processes: web, worker and clock, beside a simulator at 60 times the speed."""
    with LivePanel(tmp_path, redis_url) as running:
        yield running

"""Commands of the operator: what they say, and that they say what happened."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app.accounts.models import User
from app.cloud.models import Handler, Service
from app.db import db
from tests.support.cast import PASSWORD, Cast
from vcdsim import Simulator

Run = Callable[..., Result]
ATTACH = {
    "account": "Acme",
    "handler": "Moscow",
    "org": "acme",
    "vdc": "acme-vdc",
    "username": "acme-admin",
}


@pytest.fixture
def run(app: Flask) -> Run:
    """Runs `flask COMMAND --option value ...`."""

    def invoke(command: str, *flags: str, **options: str) -> Result:
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        return app.test_cli_runner().invoke(args=[command, *words, *flags])

    return invoke


def api_url() -> str:
    """Where the simulated vCloud of the test is."""
    return db.session.scalars(select(Handler.api_url)).one()


def test_a_vcloud_is_known_once_it_has_answered(run: Run, cloud: Simulator) -> None:
    done = run("handler-add", name="Second", url=api_url())
    assert done.exit_code == 0, done.output
    assert "answers" in done.output


def test_a_vcloud_that_does_not_answer_is_not_taken(run: Run, cloud: Simulator) -> None:
    assert run("handler-add", name="Wrong", url="http://127.0.0.1:1/api").exit_code != 0
    assert db.session.scalar(select(Handler).where(Handler.name == "Wrong")) is None


@pytest.mark.parametrize("url", ["not-an-url", "http://vcd.example/api", "https://u:p@vcd.example/api", "https://[bad"])
def test_an_address_that_cannot_be_right_is_named(run: Run, cast: Cast, url: str) -> None:
    refused = run("handler-add", name="Wrong", url=url)
    assert refused.exit_code != 0
    assert url in str(refused.exception or refused.output)


def test_a_known_vcloud_keeps_its_address_unless_told(run: Run, cloud: Simulator) -> None:
    before = api_url()
    assert run("handler-add", name="Moscow", url=f"{before}/").exit_code != 0
    assert api_url() == before
    assert run("handler-add", "--change", name="Moscow", url=f"{before}/").exit_code == 0
    assert api_url() == f"{before}/"


def test_a_data_center_is_attached_and_read(run: Run, cloud: Simulator) -> None:
    done = run("service-attach", **ATTACH, password="secret")
    assert done.exit_code == 0, done.output
    assert len(list(db.session.scalars(select(Service)))) == 2


def test_a_refused_login_says_what_to_check(run: Run, cloud: Simulator) -> None:
    refused = run("service-attach", **ATTACH, password="wrong")
    assert refused.exit_code != 0
    assert "Check the organization" in refused.output


def test_a_repeated_command_says_that_nothing_was_changed(run: Run, cast: Cast) -> None:
    wish = {"email": "new@example.com", "name": "New", "role": "support", "locale": "en", "password": PASSWORD}
    assert "can sign in as support" in run("create-staff", **wish).output
    assert "nothing was changed" in run("create-staff", **(wish | {"role": "admin"})).output


def test_a_person_is_kept_out_by_a_command(run: Run, cast: Cast) -> None:
    assert run("user-disable", email="owner@example.com").exit_code == 0
    assert db.session.get_one(User, cast.owner.user_id).disabled_at is not None


def test_no_command_prints_a_password(run: Run, cast: Cast) -> None:
    assert PASSWORD not in run("user-password", email="owner@example.com", password=PASSWORD).output


def test_demo_data_is_made_in_a_demo_only(run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "skiff_config", replace(app.extensions["skiff_config"], demo=False))
    assert "not a demo installation" in run("demo").output

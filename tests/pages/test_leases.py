"""A lease with an end is said where it matters: on the machine's page, and on the overview when it is near."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.accounts import members
from app.cloud.models import VApp
from app.db import db, transaction
from tests.pages.conftest import vm_id
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.page import Page, open_page, open_part
from vcdsim import Simulator

FAR = datetime(2026, 12, 3, 11, 0, tzinfo=UTC)
NEAR = datetime(2026, 11, 15, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def world(cloud: Simulator) -> None:
    """The demo world, whose vApps have no leases."""


def lease(name: str, *, runtime: datetime | None = None, storage: datetime | None = None) -> None:
    with transaction():
        values = {"runtime_ends_at": runtime, "storage_ends_at": storage}
        db.session.execute(update(VApp).where(VApp.name == name).values(**values))


def banners(page: Page) -> list[str]:
    return page.texts(".sk-banner")


def test_a_machine_of_a_vapp_without_lease_has_no_banner(owner: FlaskClient) -> None:
    assert banners(open_page(owner, f"/vms/{vm_id('terminal')}")) == []


def test_a_runtime_lease_is_told_with_its_end(owner: FlaskClient) -> None:
    lease("office", runtime=FAR)
    said = "This vApp is stopped by its lease on 3 December, 14:00. Ask your provider to lengthen it."
    assert banners(open_page(owner, f"/vms/{vm_id('terminal')}")) == [said]
    assert not open_page(owner, f"/vms/{vm_id('terminal')}").root.cssselect(".sk-banner--warn")


def test_a_lease_that_ends_soon_warns(owner: FlaskClient) -> None:
    lease("office", runtime=NEAR)
    assert open_page(owner, f"/vms/{vm_id('terminal')}").root.cssselect(".sk-banner--warn")


def test_a_lease_that_is_over_says_what_to_expect(owner: FlaskClient, clock: Clock) -> None:
    lease("office", runtime=clock.at - timedelta(minutes=1))
    [said] = banners(open_page(owner, f"/vms/{vm_id('terminal')}"))
    assert said.startswith("This vApp is stopped at any moment: its lease ended on 12 November, 17:19.")


@pytest.mark.parametrize(
    ("ends_at", "said"),
    [
        (FAR, "is locked or deleted by its storage lease on 3 December, 14:00 if it is off then."),
        (NEAR.replace(year=2025), "does not work any more and may be deleted: its storage lease ended on"),
    ],
)
def test_a_storage_lease_is_told_of_what_is_off(owner: FlaskClient, ends_at: datetime, said: str) -> None:
    lease("sandbox", storage=ends_at)
    assert said in banners(open_page(owner, f"/vms/{vm_id('sandbox')}"))[0]


def test_the_overview_names_leases_that_end_within_three_days(owner: FlaskClient) -> None:
    lease("office", runtime=NEAR)
    lease("shop", runtime=FAR)
    found = [line for line in open_page(owner, "/").texts(".sk-list li") if line.startswith("Lease")]
    [line] = found
    assert "office is stopped by its lease on 15 November, 14:00." in line


def test_a_new_lease_comes_with_the_live_part(owner: FlaskClient) -> None:
    path = f"/vms/{vm_id('terminal')}/live"
    etag = open_part(owner, path).response.headers["ETag"]
    lease("office", runtime=FAR)
    assert open_part(owner, path).response.headers["ETag"] != etag


def test_leases_speak_russian(owner: FlaskClient, cast: Cast) -> None:
    members.set_locale(cast.owner.user_id, "ru")
    lease("office", runtime=FAR)
    said = "Этот vApp будет остановлен по сроку аренды 3 декабря, 14:00. Попросите провайдера продлить её."
    assert banners(open_page(owner, f"/vms/{vm_id('terminal')}")) == [said]

"""A data center with several storage profiles: the one that disks go to decides, and is named when it is full."""

import pytest
from flask import Flask

from app.cloud import disks, offers, sync, vms
from app.cloud.models import Vdc
from app.cloud.sizes import Free
from app.db import db, transaction
from app.errors import AppError
from app.texts.errors import error_text
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.machines import vm_named
from tests.support.wishes import SMALL, wish
from vcdsim import Simulator

GB = 1024


@pytest.fixture(autouse=True)
def vdc(cast: Cast, cloud: Simulator) -> Vdc:
    """Acme's data center, with 3,000 GB of slow storage beside the standard one."""
    with transaction():
        row = vdc_of("acme-vdc")
        row.storage_limit_mb = 5000 * GB
        row.storage_profiles = [profile("slow", 3000, 0, is_default=False), profile("standard", 2000, 1990)]
    return vdc_of("acme-vdc")


def profile(name: str, limit_gb: int | None, used_gb: int, *, is_default: bool = True) -> dict[str, object]:
    limit_mb = None if limit_gb is None else limit_gb * GB
    return {"name": name, "is_default": is_default, "limit_mb": limit_mb, "used_mb": used_gb * GB}


def free(vdc: Vdc, storage_profile: str | None = None) -> Free:
    return offers.free_of(vdc.id, storage_profile)


def test_new_machines_get_what_the_default_profile_has_left(vdc: Vdc) -> None:
    assert (free(vdc).disk_gb, free(vdc).disk_profile) == (10, "standard")


def test_a_profile_that_is_not_tighter_than_the_sum_is_not_named(vdc: Vdc) -> None:
    with transaction():
        vdc.storage_profiles = [profile("standard", None, 1990)]
    room = free(vdc)
    assert room.disk_gb is not None
    assert room.disk_gb > 10
    assert room.disk_profile is None


def test_a_disk_of_a_machine_grows_on_the_profile_of_the_machine(vdc: Vdc) -> None:
    with transaction():
        vm_named("sandbox").storage_profile = "slow"
    assert disks.most_gb(vm_named("sandbox")) > 1000
    assert disks.most_gb(vm_named("terminal")) == 10


def test_machines_that_the_profile_does_not_count_yet_count(vdc: Vdc) -> None:
    with transaction():
        vdc.storage_profiles = [profile("standard", 2000, 0)]
        vm_named("sandbox").disk_mb = 1990 * GB
    left = free(vdc).disk_gb
    assert left is not None
    assert left < 10


def test_what_is_being_made_counts(cast: Cast, vdc: Vdc) -> None:
    with transaction():
        vdc.storage_profiles = [profile("standard", 2000, 1975)]
    vms.request_create(cast.owner, wish(), new_token())
    assert free(vdc).disk_gb == 25 - SMALL.disk_gb


def test_a_full_profile_is_named_as_the_reason(vdc: Vdc) -> None:
    with transaction():
        vdc.storage_profiles = [profile("standard", 2000, 1999)]
    reasons = [offer.reason for offer in offers.offers(vdc.id)]
    assert all(reason and reason.code == "profile_has_no_disk_gb" for reason in reasons)


def test_the_reason_tells_the_profile_and_what_it_has_left(app: Flask) -> None:
    error = AppError("profile_has_no_disk_gb", needs=10, free=1, profile="standard")
    with app.test_request_context():
        assert "the storage profile standard has 1\xa0GB left." in error_text(error)


def test_profiles_and_use_come_along_and_are_written_only_when_they_changed(cloud: Simulator, clock: Clock) -> None:
    clock.move(1800)
    sync.refresh(vdc_of("acme-vdc").service_id)
    db.session.rollback()
    (read,) = vdc_of("acme-vdc").storage_profiles
    assert (read["name"], read["limit_mb"]) == ("standard", 2_048_000)

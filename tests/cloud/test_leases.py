"""What a lease has stopped or deleted is named as such, and nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cloud import gateway, leases, mirror, sync, wishes
from app.cloud.models import VApp, Vm
from app.cloud.rules import Action
from app.cloud.sync_models import VmEvent
from app.db import db, transaction
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, pass_time, vdc_of
from vcdsim import Simulator
from vcdsim import leases as real_leases

HOUR_S = 3600
NOW = datetime(2026, 12, 3, 14, 0, tzinfo=UTC)
STOPPED = [{"what": "state", "before": "on", "after": "suspended"}]


@pytest.fixture
def agreed(cloud: Simulator, clock: Clock) -> None:
    """Both clocks show the same time, so that what vCloud says of moments is compared with ours rightly."""
    clock.at = datetime.fromtimestamp(cloud.clock.now(), UTC)


def lease(cloud: Simulator, name: str, *, runtime_s: int = 0, storage_s: int = 0) -> None:
    """Give a vApp leases, directly in vCloud, and read it."""
    vapp = next(vapp for vapp in cloud.world.vapps.values() if vapp.name == name)
    owner = cloud.world.users[vapp.owner_id]
    real_leases.renew(cloud.world, owner, vapp, deployment_s=runtime_s, storage_s=storage_s)
    cloud.settle()
    read()


def read() -> None:
    db.session.rollback()
    sync.refresh(vdc_of("acme-vdc").service_id)


def vapp_named(name: str) -> VApp:
    db.session.rollback()
    return db.session.scalars(select(VApp).where(VApp.name == name)).one()


def changes(name: str) -> list[dict[str, Any]]:
    """What the timeline of a machine holds, oldest first."""
    events = select(VmEvent.changes).join(VmEvent.vm).where(Vm.name == name).order_by(VmEvent.id)
    return [change for event in db.session.scalars(events) for change in event]


@pytest.mark.usefixtures("agreed")
def test_the_ends_of_leases_come_along(cloud: Simulator, clock: Clock) -> None:
    lease(cloud, "office", runtime_s=HOUR_S, storage_s=2 * HOUR_S)
    ends_at = vapp_named("office").runtime_ends_at
    assert ends_at is not None
    assert abs(ends_at - clock.at - timedelta(hours=1)) < timedelta(minutes=5)
    lease(cloud, "office")
    assert (vapp_named("office").runtime_ends_at, vapp_named("office").storage_ends_at) == (None, None)


@pytest.mark.usefixtures("agreed")
def test_a_stop_by_lease_is_named_in_the_run_that_sees_it(cloud: Simulator, clock: Clock) -> None:
    lease(cloud, "office", runtime_s=HOUR_S)
    ends_at = vapp_named("office").runtime_ends_at
    assert ends_at is not None
    pass_time(cloud, clock, 2 * HOUR_S)
    cloud.settle()
    read()
    assert changes("terminal") == [*STOPPED, {"what": "lease", "before": ends_at.isoformat(), "after": None}]


@pytest.mark.usefixtures("agreed")
def test_a_stop_before_the_end_of_the_lease_is_none_by_lease(cloud: Simulator, clock: Clock) -> None:
    lease(cloud, "office", runtime_s=HOUR_S)
    terminal = next(vm for vm in cloud.world.vms.values() if vm.name == "terminal")
    terminal.power, terminal.is_deployed = "suspended", False
    pass_time(cloud, clock, HOUR_S // 2)
    read()
    assert changes("terminal") == STOPPED


@pytest.mark.usefixtures("agreed")
def test_what_an_operation_of_ours_stops_is_not_stopped_by_lease(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    lease(cloud, "office", runtime_s=HOUR_S)
    terminal = db.session.scalars(select(Vm).where(Vm.name == "terminal")).one()
    with pytest.MonkeyPatch.context() as patch:  # the lease has ended, and vCloud has not come to it yet
        patch.setattr(real_leases, "_end", lambda *_: None)
        pass_time(cloud, clock, 2 * HOUR_S)
        wishes.ask(cast.owner, terminal.id, Action.SUSPEND, new_token())
        drain(cloud, clock)
    assert changes("terminal") == STOPPED


@pytest.mark.usefixtures("agreed")
def test_a_stop_by_lease_that_a_document_shows_first_is_named_as_well(cloud: Simulator, clock: Clock) -> None:
    lease(cloud, "shop", runtime_s=HOUR_S)
    pass_time(cloud, clock, 2 * HOUR_S)
    cloud.settle()
    shop = vapp_named("shop")
    with gateway.client(vdc_of("acme-vdc").service_id) as client:
        document = client.vapp(shop.urn)
    with transaction():  # as an operation on its neighbour reads the vApp back
        mirror.apply_vapp(shop.vdc_id, document, clock.at)
    read()
    assert [change["what"] for change in changes("shop-web-2")] == ["state", "lease"]


@pytest.mark.usefixtures("agreed")
def test_a_lock_by_the_storage_lease_is_told_and_so_is_its_end(cloud: Simulator, clock: Clock) -> None:
    lease(cloud, "sandbox", storage_s=HOUR_S)
    pass_time(cloud, clock, 2 * HOUR_S)
    read()
    read()
    locked = {"what": "expired", "before": False, "after": True}
    assert (changes("sandbox"), vapp_named("sandbox").is_expired) == ([locked], True)
    lease(cloud, "sandbox", storage_s=HOUR_S)
    assert changes("sandbox") == [locked, {"what": "expired", "before": True, "after": False}]
    assert not vapp_named("sandbox").is_expired


@pytest.mark.usefixtures("agreed")
def test_a_deletion_by_the_storage_lease_is_named(cloud: Simulator, clock: Clock) -> None:
    next(org for org in cloud.world.orgs.values() if org.name == "acme").is_deleted_at_end = True
    lease(cloud, "sandbox", storage_s=HOUR_S)
    ends_at = vapp_named("sandbox").storage_ends_at
    assert ends_at is not None
    pass_time(cloud, clock, 2 * HOUR_S)
    cloud.settle()
    pass_time(cloud, clock, HOUR_S)
    read()
    assert changes("sandbox") == [{"what": "lease", "before": ends_at.isoformat(), "after": None}]


def test_a_lease_is_a_matter_for_the_overview_three_days_before_its_end() -> None:
    far, near = VApp(is_deployed=True), VApp(is_deployed=True)
    far.runtime_ends_at, near.runtime_ends_at = NOW + timedelta(days=3, seconds=1), NOW + timedelta(days=3)
    ends = leases.next_end(far, NOW), leases.next_end(near, NOW)
    assert [lease and lease.is_soon for lease in ends] == [False, True]


def test_only_what_is_stopped_has_an_end_of_its_storage() -> None:
    vapp = VApp(is_deployed=True, storage_ends_at=NOW)
    assert leases.next_end(vapp, NOW) is None
    vapp.is_deployed = False
    assert leases.next_end(vapp, NOW) == leases.Lease(is_runtime=False, ends_at=NOW, is_over=True, is_soon=True)

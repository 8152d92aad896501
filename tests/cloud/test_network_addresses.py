"""The list of addresses is complete, whatever vCloud's own list leaves out, and read only when it may have changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cloud import addresses, services, sync, sync_runs
from app.cloud.models import Network
from app.cloud.sync_models import NetworkAddress
from app.db import db, transaction
from app.vcloud.query import version_key
from tests.support.addresses import crowded
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.statements import statements
from tests.support.vcloud_front import Front
from vcdsim import Simulator, error
from vcdsim.faults import FaultError

HALF_AN_HOUR_S = 1800
VERSIONS = ("5.5", "27.0", "36.0", "39.1")
LISTS = ("allocatedAddresses", "allocatedIpAddresses")


@pytest.fixture
def attach(cast: Cast, clock: Clock, front: Front) -> Callable[[Simulator], None]:
    """Give a vCloud to Acme and read it."""

    def attach(simulator: Simulator) -> None:
        front.current = simulator
        services.add_handler(name="Moscow", api_url=f"{front.url}/api")
        login = {"username": "acme-admin", "password": "secret"}
        services.attach(account="Acme", handler="Moscow", org="acme", vdc="acme-vdc", **login)

    return attach


def held(network: str | None = None) -> dict[str, str | None]:
    """By address who holds it, as the mirror says."""
    rows = select(NetworkAddress.ip, NetworkAddress.holder_urn).join(NetworkAddress.network)
    found = db.session.execute(rows.where(Network.name == network) if network else rows.order_by(NetworkAddress.ip))
    return {row.ip: row.holder_urn for row in found}


def in_use(cloud: Simulator, name: str) -> dict[str, str]:
    """By address who holds it, in the world of the simulator: machines, or vApps for their routers."""
    world = cloud.world
    network = next(one for one in world.networks.values() if one.name == name)
    routers = {one.id: vapp.id for vapp in world.vapps.values() for one in vapp.networks}
    return {
        ip: f"urn:vcloud:vm:{holder}" if holder in world.vms else f"urn:vcloud:vapp:{routers[holder]}"
        for ip, holder in network.used.items()
    }


def asked(cloud: Simulator, since: int = 0) -> list[str]:
    """The requests for lists of addresses."""
    return [path for _, path in cloud.requests[since:] if any(name in path for name in LISTS)]


def read_again(clock: Clock, seconds: float = HALF_AN_HOUR_S) -> None:
    clock.move(seconds)
    db.session.rollback()
    sync.refresh(vdc_of("acme-vdc").service_id)


def change_address(cloud: Simulator, name: str, ip: str) -> None:
    """Give the only card of a machine another address, directly in vCloud."""
    vm = next(vm for vm in cloud.world.vms.values() if vm.name == name)
    network, old = next((one, ip) for one in cloud.world.networks.values() for ip in one.used if ip == vm.nics[0].ip)
    del network.used[old]
    vm.nics[0].ip, network.used[ip] = ip, vm.id


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("version", "count", "cards"),
    [
        *[(version, 128, 2) for version in VERSIONS],
        *[(version, 129, 3) for version in VERSIONS],
        # One that gives a short list and one that gives pages; tests/vcloud has the versions between.
        ("5.5", 5000, 40),
        ("39.1", 5000, 40),
    ],
)
def test_every_address_is_in_the_list_on_every_version(
    attach: Callable[[Simulator], None], monkeypatch: pytest.MonkeyPatch, version: str, count: int, cards: int
) -> None:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(version), 1))
    cloud = crowded(count, cards, manual_clock=True)
    attach(cloud)
    assert len(held()) == count
    assert held() == in_use(cloud, "acme-net")


@pytest.mark.one_database
def test_an_old_vcloud_is_not_asked_for_vapps_that_the_mirror_knows(
    attach: Callable[[Simulator], None], monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (27, 0, 1))
    cloud = crowded(129, manual_clock=True)
    attach(cloud)
    change_address(cloud, next(iter(cloud.world.vms.values())).name, "10.200.0.1")
    before = len(cloud.requests)
    read_again(clock)
    assert held()["10.200.0.1"]
    assert len(asked(cloud, before)) == 1
    assert len([path for _, path in cloud.requests[before:] if "/vApp/vapp-" in path]) == 1  # the one that moved


@pytest.fixture
def distrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes an old vCloud's list count as cut off, however short it is. Name it before `cloud`."""
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (27, 0, 2))
    monkeypatch.setattr("app.vcloud.addresses.LIST_LIMIT", 1)


@pytest.mark.one_database
def test_the_mirror_alone_knows_routers_and_outer_addresses(distrusted: None, cloud: Simulator, clock: Clock) -> None:
    before = len(cloud.requests)
    read_again(clock, timedelta(days=1).total_seconds())
    assert held("acme-net") == in_use(cloud, "acme-net")
    documents = [path for _, path in cloud.requests[before:] if "/vApp/vapp-" in path]
    assert len(documents) == 1  # the one whose turn it is to be read again


def test_routers_are_in_the_list_with_their_vapp(cloud: Simulator) -> None:
    found = in_use(cloud, "acme-net")
    assert any(":vapp:" in holder for holder in found.values())
    assert held("acme-net") == found


def test_an_unchanged_run_does_not_ask_for_addresses(cloud: Simulator, clock: Clock) -> None:
    before = len(cloud.requests)
    read_again(clock)
    assert not asked(cloud, before)


def test_after_a_day_they_are_read_though_nothing_moved(cloud: Simulator, clock: Clock) -> None:
    before = len(cloud.requests)
    read_again(clock, timedelta(days=1).total_seconds())
    assert len(asked(cloud, before)) == 2  # of two networks


def test_an_address_that_changed_in_vcloud_changes_in_the_list(cloud: Simulator, clock: Clock) -> None:
    change_address(cloud, "sandbox", "203.0.113.99")
    read_again(clock)
    assert held("acme-net") | held("acme-internal") == in_use(cloud, "acme-net") | in_use(cloud, "acme-internal")
    assert "203.0.113.99" in held()


def test_an_address_that_passes_to_another_machine_changes_its_holder(cloud: Simulator, clock: Clock) -> None:
    ip, holder = next(iter(held("acme-net").items()))
    other = next(vm for vm in cloud.world.vms.values() if vm.name == "sandbox")
    network = next(one for one in cloud.world.networks.values() if one.name == "acme-net")
    network.used[ip] = other.id
    read_again(clock, timedelta(days=1).total_seconds())
    assert held("acme-net")[ip] == f"urn:vcloud:vm:{other.id}" != holder


def test_the_addresses_of_a_deleted_machine_are_free_again(cloud: Simulator, clock: Clock) -> None:
    sandbox = next(vapp for vapp in cloud.world.vapps.values() if vapp.name == "sandbox")
    gone = f"urn:vcloud:vm:{sandbox.vm_ids[0]}"
    assert gone in held().values()
    for network in cloud.world.networks.values():
        network.used = {ip: holder for ip, holder in network.used.items() if holder != sandbox.vm_ids[0]}
    del cloud.world.vms[sandbox.vm_ids[0]], cloud.world.vapps[sandbox.id]
    cloud.world.vdcs[sandbox.vdc_id].vapp_ids.remove(sandbox.id)
    read_again(clock)
    assert gone not in held().values()


def test_a_run_that_is_taken_over_reads_the_addresses_that_are_left(
    cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_id, before = vdc_of("acme-vdc").service_id, len(cloud.requests)
    with transaction():
        addresses.mark_due(vdc_of("acme-vdc").id)
    clock.move(HALF_AN_HOUR_S)
    sync_runs.ask(service_id, "now")
    with monkeypatch.context() as patch:
        patch.setattr(sync, "WORK", timedelta(seconds=-1))  # its time is over as soon as the listing is written
        assert sync.work(service_id)
    assert not asked(cloud, before)
    assert not sync.work(service_id)
    assert len(asked(cloud, before)) == 2


def test_addresses_that_are_as_before_are_not_written(cloud: Simulator, clock: Clock) -> None:
    with statements() as seen:
        read_again(clock, timedelta(days=1).total_seconds())
    assert not [text for text in seen if "network_addresses" in text and not text.startswith("SELECT")]


FORBIDDEN = error("ACCESS_TO_RESOURCE_IS_FORBIDDEN", "Either you need some or all of the following rights", 403)
OVERLOADED = error("INTERNAL_SERVER_ERROR", "Unable to perform this action.", 500)


@pytest.mark.parametrize(("refusal", "lists_next_time"), [(FORBIDDEN, 0), (OVERLOADED, 2)])
def test_without_a_list_everything_else_is_read_all_the_same(
    cloud: Simulator, clock: Clock, refusal: FaultError, lists_next_time: int
) -> None:
    known = held("acme-net")
    change_address(cloud, "sandbox", "203.0.113.99")
    for name in LISTS:
        cloud.faults.add(name, times=None, error=refusal)
    read_again(clock)
    assert (held("acme-net"), vdc_of("acme-vdc").seen_at) == (known, clock.at)
    before = len(cloud.requests)
    read_again(clock)
    assert len(asked(cloud, before)) == lists_next_time
    cloud.faults.clear()
    read_again(clock, timedelta(days=1).total_seconds())
    assert "203.0.113.99" in held()

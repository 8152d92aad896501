"""The mirror says what vCloud said."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import vcloud
from app.cloud import gateway, mirror, sync
from app.cloud.models import Network, Service, VApp, VappTemplate, Vm
from app.cloud.rules import VmState
from app.db import db, transaction
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.machines import real_vm, vm_named
from tests.vcloud.sockets import Server, say
from tests.vcloud.support import fixture
from vcdsim import Simulator


def acme() -> Service:
    """Acme's service."""
    return vdc_of("acme-vdc").service


def test_every_machine_of_the_world_is_in_the_mirror(cast: Cast, cloud: Simulator) -> None:
    real = {(vm.name, vm.cpu_count, vm.memory_mb, vm.is_deployed) for vm in cloud.world.vms.values()}
    mirrored = {(vm.name, vm.cpu_count, vm.memory_mb, vm.is_deployed) for vm in db.session.scalars(select(Vm))}
    assert mirrored == real


def test_each_account_sees_only_its_own_data_center(cast: Cast, cloud: Simulator) -> None:
    names = select(Vm.name).where(Vm.vdc_id == vdc_of("globex-vdc").id)
    assert set(db.session.scalars(names)) == {"portal-web", "portal-db"}


def test_templates_networks_and_limits_come_along(cast: Cast, cloud: Simulator) -> None:
    vdc = vdc_of("acme-vdc")
    templates = set(db.session.scalars(select(VappTemplate.name).where(VappTemplate.vdc_id == vdc.id)))
    networks = set(db.session.scalars(select(Network.name).where(Network.vdc_id == vdc.id)))
    assert templates == {"debian-12", "ubuntu-24.04", "windows-2022", "lamp"}
    assert networks == {"acme-net", "acme-internal"}
    assert (vdc.cpu_limit_mhz, vdc.memory_limit_mb, vdc.storage_limit_mb) == (80_000, 163_840, 2_048_000)


def test_reading_twice_changes_nothing_but_the_age(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    def rows() -> list[object]:
        columns = [column for column in Vm.__table__.columns if column.name != "seen_at"]
        return list(db.session.execute(select(*columns).order_by(Vm.urn)))

    before = rows()
    sync.refresh(acme().id)
    assert rows() == before


def test_a_machine_deleted_in_vcloud_is_marked_gone_not_removed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    sandbox = next(vapp for vapp in cloud.world.vapps.values() if vapp.name == "sandbox")
    del cloud.world.vms[sandbox.vm_ids[0]], cloud.world.vapps[sandbox.id]
    cloud.world.vdcs[sandbox.vdc_id].vapp_ids.remove(sandbox.id)
    clock.move(1800)
    sync.refresh(acme().id)
    vm = db.session.scalars(select(Vm).where(Vm.name == "sandbox")).one()
    assert (vm.state, vm.gone_at) == (VmState.GONE, clock.at)


def test_a_state_changed_in_vcloud_is_seen_with_its_time(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real = next(vm for vm in cloud.world.vms.values() if vm.name == "sandbox")
    real.power, real.is_deployed = "on", True
    clock.move(1800)
    sync.refresh(acme().id)
    vm = db.session.scalars(select(Vm).where(Vm.name == "sandbox")).one()
    assert (vm.state, vm.state_since) == (VmState.ON, clock.at)


def test_an_older_reading_does_not_overwrite_a_newer_one(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    service = acme()
    old_at = clock.at - timedelta(minutes=5)
    with gateway.client(service.id) as client:
        vapp_urn = next(row.urn for row in db.session.scalars(select(VApp).where(VApp.name == "sandbox")))
        db.session.rollback()
        vapp = client.vapp(vapp_urn)
    with transaction():
        row = vm_named("sandbox")
        row.name, row.vapp.name = "newer", "newer too"
        mirror.apply_vapp(vdc_of("acme-vdc").id, vapp, old_at)
    assert vm_named("newer").vapp.name == "newer too"


def test_a_half_read_inventory_is_not_applied(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("*", skip=4, times=None, drop_request=True)
    clock.move(1800)
    with pytest.raises(vcloud.Unavailable):
        sync.refresh(acme().id)
    assert db.session.scalar(select(func.count(Vm.id)).where(Vm.gone_at.is_not(None))) == 0


def test_a_silent_vcloud_is_noticed_and_its_return_as_well(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("*", times=None, drop_request=True)
    gateway.probe_all()
    assert acme().handler.silent_since == clock.at
    cloud.faults.clear()
    clock.move(30)
    db.session.rollback()
    gateway.probe_all()
    assert (acme().handler.silent_since, acme().handler.answered_at) == (None, clock.at)


def test_a_vcloud_that_speaks_no_api_of_ours_is_not_silent(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    body = fixture("versions-5.5").replace(">5.5<", ">1.0<").encode()
    vcloud_of_old = Server(say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    with transaction():
        acme().handler.api_url = vcloud_of_old.url
    clock.move(30)
    try:
        with pytest.raises(vcloud.Refused, match=r"no API version from 5\.5 to 39"):
            gateway.probe(acme().handler_id)
    finally:
        vcloud_of_old.close()
    assert (acme().handler.silent_since, acme().handler.answered_at) == (None, clock.at)


def test_one_reading_asks_for_the_data_center_itself_once(cast: Cast, cloud: Simulator) -> None:
    path = f"/api/vdc/{acme().vdc_urn[-36:]}"
    before = cloud.requests.count(("GET", path))
    sync.refresh(acme().id)
    assert cloud.requests.count(("GET", path)) == before + 1


def test_the_session_of_vcloud_is_kept_sealed_and_used_again(cast: Cast, cloud: Simulator) -> None:
    logins = [path for _, path in cloud.requests if "sessions" in path]
    sync.refresh(acme().id)
    assert [path for _, path in cloud.requests if "sessions" in path] == logins
    assert (acme().session_sealed or "").startswith("v1:")


def test_what_only_a_task_tells_of_is_read_again(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    sync.refresh(acme().id)  # once more, so that nothing waits for its document
    clock.move(1800)
    cloud.advance(1800)
    with gateway.client(acme().id) as client:
        urn = vm_named("sandbox").urn
        db.session.rollback()
        client.create_snapshot(urn)
        cloud.advance(60)
        clock.move(60)
    real_vm(cloud, "sandbox").last_task_id = None  # from API 35 on no document promises that listings name it
    sync.refresh(acme().id)
    assert vm_named("sandbox").has_snapshot

"""What the statistics packet of a service says: all that vCloud has, with what the panel alone knows."""

import uuid
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import Select, select

from app import clock as app_clock
from app import vcloud
from app.accounts.models import AuditEntry
from app.accounts.rules import Actor, StaffRole
from app.cloud import packet_source, vms
from app.cloud.models import Network, Service, VApp, VappTemplate, Vm, VmGuard
from app.cloud.packet import Packet, PacketState, PacketVm
from app.db import db, transaction
from app.errors import AppError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation, vdc_of
from tests.support.machines import real_vm, vm_named
from tests.support.statements import statements
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error


def acme() -> uuid.UUID:
    """Acme's service."""
    return vdc_of("acme-vdc").service_id


def machine(packet: Packet, name: str) -> PacketVm:
    return next(vm for vm in packet.vms if vm.name == name)


def admin(cast: Cast) -> Actor:
    """An administrator of the provider."""
    return replace(cast.support, staff_role=StaffRole.ADMIN)


def urns(of: Select[str]) -> set[uuid.UUID]:
    return {uuid.UUID(urn[-36:]) for urn in db.session.scalars(of)}


def test_a_packet_holds_the_data_center_with_all_that_is_in_it(cloud: Simulator) -> None:
    vdc, packet = vdc_of("acme-vdc"), packet_source.collect(acme())
    assert (packet.id, packet.is_enabled, str(packet.vdc_id)) == (str(vdc.service_id), True, vdc.urn[-36:])
    assert [net.name for net in packet.nets] == ["acme-internal", "acme-net"]
    assert {net.id for net in packet.nets} == urns(select(Network.urn).where(Network.vdc_id == vdc.id))
    assert {vapp.id for vapp in packet.vapps} == urns(select(VApp.urn).where(VApp.vdc_id == vdc.id))
    assert {vm.id for vm in packet.vms} == urns(select(Vm.urn).where(Vm.vdc_id == vdc.id))
    assert [vapp.name for vapp in packet.vapps] == sorted(vapp.name for vapp in packet.vapps)


def test_a_machine_is_told_with_its_sizes_and_addresses(cloud: Simulator) -> None:
    row = vm_named("shop-web-1")
    with transaction():
        db.session.get_one(Vm, row.id).outer_ip = "203.0.113.9"
    packet = packet_source.collect(acme())
    told = machine(packet, "shop-web-1")
    row = vm_named("shop-web-1")
    assert (told.state, told.ext_ip, told.int_ip) == (PacketState.ACTIVE, "203.0.113.9", row.inner_ip)
    assert (told.os, told.cpu_count, told.memory_mb) == (row.guest_os, row.cpu_count, row.memory_mb)
    assert [(disc.id, disc.reserved_mb) for disc in told.discs] == [("2000", row.disk_mb)]
    assert (told.template_id, told.password) == (None, "")
    assert machine(packet, "sandbox").ext_ip == ""


def states_of(name: str, vapp_status: int, *statuses: int) -> tuple[PacketState, ...]:
    """What the packet tells of a vApp and of its machines, when vCloud said this of them."""
    with transaction():
        vapp = db.session.scalars(select(VApp).where(VApp.name == name)).one()
        vapp.status = vapp_status
        for vm, status in zip(sorted(vapp.vms, key=lambda vm: vm.name), statuses, strict=True):
            vm.status = status
    told = next(vapp for vapp in packet_source.collect(acme()).vapps if vapp.name == name)
    return (told.state, *(vm.state for vm in told.vms))


def test_states_are_those_of_the_story(cloud: Simulator) -> None:
    active, suspended, stopped = PacketState.ACTIVE, PacketState.SUSPENDED, PacketState.STOPPED
    for status, state in ((4, active), (3, suspended), (8, stopped)):
        assert states_of("sandbox", status, status) == (state, state)
    for status in (-1, 0, 6, 9, 20):
        assert states_of("sandbox", status, status) == (PacketState.PROCESS, PacketState.PROCESS)
    is_empty = int(vcloud.VmStatus.RESOLVED)
    assert states_of("sandbox", is_empty, 8)[0] is stopped


def test_of_a_mixed_vapp_the_most_awake_machine_decides(cloud: Simulator) -> None:
    for statuses, state in (
        ((8, 3, 4), PacketState.ACTIVE),
        ((8, 3, 0), PacketState.SUSPENDED),
        ((0, 8, 8), PacketState.STOPPED),
        ((0, 0, 0), PacketState.PROCESS),
    ):
        assert states_of("shop", int(vcloud.VmStatus.MIXED), *statuses)[0] is state


def test_what_is_gone_is_left_out(cloud: Simulator) -> None:
    with transaction():
        vapp = db.session.scalars(select(VApp).where(VApp.name == "sandbox")).one()
        net = db.session.scalars(select(Network).where(Network.name == "acme-internal")).one()
        vapp.gone_at = vapp.vms[0].gone_at = net.gone_at = app_clock.now()
        db.session.scalars(select(Vm).where(Vm.name == "shop-web-1")).one().gone_at = app_clock.now()
    packet = packet_source.collect(acme())
    assert "sandbox" not in {vapp.name for vapp in packet.vapps}
    assert {"sandbox", "shop-web-1"}.isdisjoint(vm.name for vm in packet.vms)
    assert [net.name for net in packet.nets] == ["acme-net"]


def test_a_machine_in_the_recycle_bin_is_there_as_vcloud_has_it(cloud: Simulator) -> None:
    with transaction():
        vm = db.session.scalars(select(Vm).where(Vm.name == "sandbox")).one()
        vm.name, vm.guard = "sandbox-put-away", VmGuard(recycled_at=app_clock.now(), name_before="sandbox")
    recycled = machine(packet_source.collect(acme()), "sandbox-put-away")
    assert (recycled.state, len(recycled.discs)) == (PacketState.STOPPED, 1)


def test_a_machine_made_here_names_its_template_and_is_in_process_until_it_is_ready(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    spec = wish()
    template_id = uuid.UUID(db.session.get_one(VappTemplate, spec.template_id).urn[-36:])
    in_vapp = replace(spec, vapp_id=vm_named("sandbox").vapp_id, vm_name="web-04")
    asked = [vms.request_create(cast.owner, one, new_token()) for one in (spec, in_vapp)]
    told: dict[str, list[PacketState]] = {"web-03": [], "web-04": []}
    while any(operation(one).is_active for one in asked):
        with suppress(AssertionError):  # not at rest yet
            drain(cloud, clock, turns=1)
        for vm in packet_source.collect(acme()).vms:
            if vm.name in told and vm.state not in told[vm.name]:
                assert vm.template_id == template_id
                told[vm.name].append(vm.state)
    assert list(told.values()) == [[PacketState.PROCESS, PacketState.ACTIVE]] * 2


def test_a_packet_costs_the_same_for_every_number_of_machines(cloud: Simulator) -> None:
    counted = []
    for name in ("acme-vdc", "globex-vdc"):
        service_id = vdc_of(name).service_id
        with statements() as sent:
            packet_source.collect(service_id)
        counted.append(len([one for one in sent if one.startswith("SELECT")]))
    assert counted[0] == counted[1] <= 5


def test_a_service_that_was_not_read_yet_says_so(cloud: Simulator) -> None:
    with transaction():
        known = db.session.get_one(Service, acme())
        new = Service(**{name: getattr(known, name) for name in ("account_id", "handler_id", "org_name", "username")})
        new.vdc_urn, new.created_at = "urn:vcloud:vdc:00000000-0000-4000-8000-000000000000", app_clock.now()
        db.session.add(new)
        new_id = new.id
    with pytest.raises(AppError, match="packet_not_read"):
        packet_source.collect(new_id)


# ---- which service -------------------------------------------------------------------------------------------------


def test_a_service_is_found_by_its_id_or_by_the_name_of_its_data_center(cloud: Simulator) -> None:
    assert packet_source.service_of(str(acme())) == packet_source.service_of("acme-vdc") == acme()


def test_a_service_that_there_is_not_is_unknown(cloud: Simulator) -> None:
    for text in ("acme", "", str(uuid.uuid4())):
        with pytest.raises(AppError, match="service_unknown"):
            packet_source.service_of(text)


def test_a_name_that_two_data_centers_have_is_ambiguous(cloud: Simulator) -> None:
    ids = f"acme {acme()}, globex {vdc_of('globex-vdc').service_id}"
    with transaction():
        vdc_of("globex-vdc").name = "acme-vdc"
    with pytest.raises(AppError, match="service_ambiguous") as refused:
        packet_source.service_of("acme-vdc")
    assert refused.value.params["ids"] == ids


# ---- passwords -----------------------------------------------------------------------------------------------------


def audited() -> list[AuditEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "packet.passwords")))


def test_passwords_come_from_vcloud_on_request(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real_vm(cloud, "sandbox").customization.admin_password = " !R3!e3<C7"
    packet = packet_source.collect_with_passwords(admin(cast), acme(), " move to another panel ")
    assert {vm.name: vm.password for vm in packet.vms if vm.password} == {"sandbox": " !R3!e3<C7"}
    (entry,) = audited()
    assert (entry.user_id, entry.account_id, entry.object_id) == (cast.support.user_id, cast.owner.account_id, acme())
    assert entry.at == clock.at
    assert entry.details == {"reason": "move to another panel", "machines": len(packet.vms)}


def test_the_request_is_written_down_before_vcloud_is_asked(cast: Cast, cloud: Simulator) -> None:
    cloud.faults.add("*", times=None, error=error("BAD_REQUEST", "No."))
    with pytest.raises(vcloud.Refused):
        packet_source.collect_with_passwords(admin(cast), acme(), "a reason")
    assert len(audited()) == 1


def test_a_vapp_deleted_since_the_last_sync_tells_no_password(cast: Cast, cloud: Simulator) -> None:
    real_vm(cloud, "shop-web-1").customization.admin_password = "known"
    sandbox = next(vapp for vapp in cloud.world.vapps.values() if vapp.name == "sandbox")
    del cloud.world.vms[sandbox.vm_ids[0]], cloud.world.vapps[sandbox.id]
    cloud.world.vdcs[sandbox.vdc_id].vapp_ids.remove(sandbox.id)
    packet = packet_source.collect_with_passwords(admin(cast), acme(), "a reason")
    assert {vm.name: vm.password for vm in packet.vms if vm.password} == {"shop-web-1": "known"}


def test_nobody_but_an_administrator_of_the_provider_gets_them(cast: Cast, cloud: Simulator) -> None:
    before = len(cloud.requests)
    for who in (cast.owner, cast.support):
        with pytest.raises(AppError, match="packet_admin_only"):
            packet_source.collect_with_passwords(who, acme(), "a reason")
    assert (len(cloud.requests), audited()) == (before, [])


def test_a_reason_that_is_none_is_refused(cast: Cast, cloud: Simulator) -> None:
    before = len(cloud.requests)
    for reason in ("", "  ", "two\nlines", "x" * 201):
        with pytest.raises(AppError, match="packet_reason_bad"):
            packet_source.collect_with_passwords(admin(cast), acme(), reason)
    assert (len(cloud.requests), audited()) == (before, [])

"""A listing that does not say all: nothing is gone because of it, and what is gone was looked for twice more."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app import vcloud
from app.cloud import sync, sync_guard, sync_runs
from app.cloud.models import VApp, Vm
from app.cloud.rules import VmState
from app.cloud.sync import MOST_UNREAD
from app.cloud.sync_models import SyncRun
from app.db import db, transaction
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.machines import real_vm, vm_named
from vcdsim import Answer, Simulator
from vcdsim.faults import error

pytestmark = pytest.mark.one_database

IN_ACME = 12
BAD = ({"truncate_to": 0}, {"cut_after": 300}, {"http_status": 200})
BAD_NAMES = ("empty", "cut", "a page of HTML")
Handle = Callable[..., Answer]


def take_out(cloud: Simulator, *names: str) -> Callable[[], None]:
    """Have these machines of Acme away in vCloud, together with their vApps; returns what brings them back."""
    world = cloud.world
    acme = next(vdc for vdc in world.vdcs.values() if vdc.name == "acme-vdc")
    vapps = [world.vapps[vapp_id] for vapp_id in acme.vapp_ids]
    lost = [vapp for vapp in vapps if any(world.vms[vm_id].name in names for vm_id in vapp.vm_ids)]
    before = list(acme.vapp_ids)
    vms = {vm_id: world.vms.pop(vm_id) for vapp in lost for vm_id in vapp.vm_ids}
    for vapp in lost:
        del world.vapps[vapp.id]
        acme.vapp_ids.remove(vapp.id)

    def bring_back() -> None:
        world.vms.update(vms)
        world.vapps.update({vapp.id: vapp for vapp in lost})
        acme.vapp_ids[:] = before

    return bring_back


def names_of_acme(cloud: Simulator) -> list[str]:
    acme = next(vdc for vdc in cloud.world.vdcs.values() if vdc.name == "acme-vdc")
    return [cloud.world.vms[vm_id].name for vapp_id in acme.vapp_ids for vm_id in cloud.world.vapps[vapp_id].vm_ids]


def answer_with(
    cloud: Simulator, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Handle, int, tuple[Any, ...]], Answer]
) -> list[str]:
    """Have `answer` answer what lists machines or vApps, told how many of a kind were asked for; returns the paths."""
    handle, asked = cloud.handle, list[str]()

    def handle_listings(method: str, path: str, *rest: Any) -> Answer:
        kind = re.search("type=(vm|vApp)&", path)
        if kind is None:
            return handle(method, path, *rest)
        asked.append(path)
        return answer(handle, sum(kind[0] in one for one in asked), (method, path, *rest))

    monkeypatch.setattr(cloud, "handle", handle_listings)
    return asked


def gone() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Vm.name).where(Vm.gone_at.is_not(None))))


def last_run() -> SyncRun:
    db.session.rollback()
    return db.session.scalars(select(SyncRun).order_by(SyncRun.asked_at.desc()).limit(1)).one()


def test_most_of_a_data_center_goes_only_when_staff_confirm_it_and_that_counts_once(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    lost = set(names_of_acme(cloud)) - {"sandbox"}
    bring_back = take_out(cloud, *lost)
    for _ in range(2):
        elsewhere.read(clock)
        assert (gone(), last_run().counts["kept_back"]) == (set(), len(lost))
    clock.move(60)
    sync_guard.confirm_loss(cast.support, vdc_of("acme-vdc").service_id)
    db.session.rollback()
    while sync.work(vdc_of("acme-vdc").service_id):
        pass
    assert (gone(), last_run().counts["kept_back"]) == (lost, 0)
    bring_back()
    elsewhere.read(clock)
    assert gone() == set()
    take_out(cloud, *lost)
    elsewhere.read(clock)
    assert (gone(), last_run().counts["kept_back"]) == (set(), len(lost))


def test_what_is_still_listed_is_read_while_the_rest_is_held_back(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    take_out(cloud, *(set(names_of_acme(cloud)) - {"sandbox"}))
    elsewhere.read(clock)
    assert last_run().counts["kept_back"] == IN_ACME - 1
    assert vm_named("sandbox").cpu_count == 3


def test_the_only_two_machines_of_a_data_center_go_without_staff(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    world = cloud.world
    globex = next(vdc for vdc in world.vdcs.values() if vdc.name == "globex-vdc")
    for vapp_id in globex.vapp_ids:
        for vm_id in world.vapps.pop(vapp_id).vm_ids:
            del world.vms[vm_id]
    globex.vapp_ids.clear()
    clock.move(1800)
    db.session.rollback()
    sync.refresh(vdc_of("globex-vdc").service_id)
    assert gone() == {"portal-web", "portal-db"}


def test_pages_that_shift_while_they_are_read_are_read_again(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.vcloud.query.PAGE_SIZE", 5)

    def shift(handle: Handle, number: int, request: tuple[Any, ...]) -> Answer:
        if number == 2 and "type=vm&" in request[1]:  # after the first page
            take_out(cloud, "sandbox")
        return handle(*request)

    asked = answer_with(cloud, monkeypatch, shift)
    elsewhere.read(clock)
    assert sum("type=vm&" in path and "page=1&" in path for path in asked) == 3, "moved, again, and for the missing one"
    assert gone() == {"sandbox"}
    assert last_run().counts["gone"] == 1


def test_a_machine_that_one_listing_leaves_out_is_not_gone(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hide_once(handle: Handle, number: int, request: tuple[Any, ...]) -> Answer:
        bring_back = take_out(cloud, "sandbox") if number == 1 else None
        answer = handle(*request)
        if bring_back:
            bring_back()
        return answer

    asked = answer_with(cloud, monkeypatch, hide_once)
    before = len(cloud.requests)
    elsewhere.read(clock)
    assert sum("type=vm&" in path for path in asked) == 2
    direct = f"/api/vApp/vm-{real_vm(cloud, 'sandbox').id}"
    assert direct not in [path for _, path in cloud.requests[before:]]
    assert vm_named("sandbox").gone_at is None
    elsewhere.read(clock)
    assert (vm_named("sandbox").gone_at, vm_named("sandbox").missing_since) == (None, None)


@pytest.mark.parametrize("looked_at", [{}, *BAD], ids=["well", *BAD_NAMES])
def test_a_machine_that_no_listing_shows_stays_until_vcloud_says_that_it_is_not_there(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch, looked_at: dict[str, Any]
) -> None:
    def hide(handle: Handle, _number: int, request: tuple[Any, ...]) -> Answer:
        bring_back = take_out(cloud, "sandbox")
        answer = handle(*request)
        bring_back()
        return answer

    with monkeypatch.context() as patch:
        answer_with(cloud, patch, hide)
        if looked_at:
            cloud.faults.add("vm", times=None, **looked_at)
        for _ in range(2):
            with suppress(vcloud.Unavailable):
                elsewhere.read(clock)
            assert vm_named("sandbox").gone_at is None
            assert vm_named("sandbox").missing_since is not None
    cloud.faults.clear()
    elsewhere.read(clock)
    assert (vm_named("sandbox").gone_at, vm_named("sandbox").missing_since) == (None, None)


@pytest.mark.parametrize("total", [0, IN_ACME - 1, IN_ACME + 1])
def test_a_total_that_is_not_what_came_marks_nothing(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch, total: int
) -> None:
    def miscount(handle: Handle, _number: int, request: tuple[Any, ...]) -> Answer:
        answer = handle(*request)
        return replace(answer, body=answer.body.replace(b'total="%d"' % IN_ACME, b'total="%d"' % total))

    answer_with(cloud, monkeypatch, miscount)
    with pytest.raises(vcloud.Unavailable, match="did not stay the same"):
        elsewhere.read(clock)
    missing = select(func.count(Vm.id)).where(Vm.missing_since.is_not(None))
    assert (gone(), db.session.scalar(missing)) == (set(), 0)


@pytest.mark.parametrize(
    "fault",
    [{"error": error("ACCESS_TO_RESOURCE_IS_FORBIDDEN", "Forbidden", 403)}, *BAD],
    ids=["forbidden", *BAD_NAMES],
)
def test_whatever_is_answered_badly_from_whichever_request_on_nothing_is_gone_that_is_there(
    cast: Cast, cloud: Simulator, clock: Clock, fault: dict[str, Any]
) -> None:
    take_out(cloud, "sandbox")
    for number in range(12):
        cloud.faults.add("*", skip=number, times=None, **fault)
        with suppress(vcloud.VcloudError):
            elsewhere.read(clock)
        cloud.faults.clear()
        assert gone() <= {"sandbox"}
    elsewhere.read(clock)
    assert gone() == {"sandbox"}
    assert sync_runs.due() == []


def test_a_vapp_whose_document_cannot_be_read_fails_the_run_and_holds_up_nothing_else(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ci-runner-2", "accounting"):
        elsewhere.do(cloud, clock, name, elsewhere.add_disk(2048))
    take_out(cloud, "sandbox")
    handle, bad = cloud.handle, vm_named("ci-runner-2").vapp.urn.rpartition(":")[2]
    with monkeypatch.context() as patch:

        def handle_all_but_one(method: str, path: str, *rest: Any) -> Answer:
            return Answer(500) if path == f"/api/vApp/vapp-{bad}" else handle(method, path, *rest)

        patch.setattr(cloud, "handle", handle_all_but_one)
        with pytest.raises(vcloud.Unavailable):
            elsewhere.read(clock)
    assert (last_run().state, gone()) == ("failed", {"sandbox"})
    assert [len(vm_named(name).disks) for name in ("accounting", "ci-runner-2")] == [2, 1]
    elsewhere.read(clock)
    assert (last_run().state, len(vm_named("ci-runner-2").disks)) == ("done", 2)


def test_a_vcloud_that_ends_in_the_middle_of_the_documents_is_not_asked_for_each_of_them(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    with transaction():
        db.session.execute(update(VApp).values(read_key=None))
    clock.move(1800)
    cloud.faults.add("vapp", times=None, http_status=503)
    before = len(cloud.requests)
    with pytest.raises(vcloud.Unavailable):
        elsewhere.read(clock)
    asked = {path for _, path in cloud.requests[before:] if "/vApp/vapp-" in path}
    assert len(asked) == MOST_UNREAD + 1


def test_what_a_listing_tells_is_known_before_any_document_can_be_read(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    was = vm_named("sandbox").id
    for edit in (elsewhere.rename("theirs"), elsewhere.size(cpu_count=3, memory_mb=6144), elsewhere.switch_on()):
        elsewhere.do(cloud, clock, "sandbox", edit)
    cloud.faults.add("vapp", times=None, http_status=503)
    with pytest.raises(vcloud.Unavailable):
        elsewhere.read(clock)
    vm = vm_named("theirs")
    assert (vm.id, vm.cpu_count, vm.memory_mb, vm.state) == (was, 3, 6144, VmState.ON)

"""Runs of the synchronisation: one at work and one waiting, whoever asks how often, and no dead worker in the way."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.cloud import sync, sync_runs
from app.cloud.models import Vm
from app.cloud.sync_models import SyncRun, VmEvent
from app.cloud.sync_rules import MOST_LOST_PARTS
from app.db import db, transaction
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.doom import Death
from tests.support.engine import vdc_of
from tests.support.machines import vm_named
from vcdsim import Simulator


def live() -> list[str]:
    """The states of the runs that have not ended."""
    db.session.rollback()
    return sorted(db.session.scalars(select(SyncRun.state).where(SyncRun.state.in_(sync_runs.LIVE))))


def test_refresh_pressed_a_hundred_times_is_one_at_work_and_one_waiting(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    service_id = vdc_of("acme-vdc").service_id
    clock.move(60)
    for number in range(100):
        sync_runs.ask(service_id, "asked", user_id=cast.owner.user_id)
        clock.move(1)
        if number == 50:
            assert sync_runs.claim(service_id) is not None
    assert live() == ["running", "waiting"]


def test_one_run_is_held_by_one_worker(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    service_id = vdc_of("acme-vdc").service_id
    sync_runs.ask(service_id, "now")
    assert sync_runs.claim(service_id) is not None
    assert sync_runs.claim(service_id) is None


def test_a_frozen_worker_writes_nothing_any_more(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    service_id = vdc_of("acme-vdc").service_id
    sync_runs.ask(service_id, "now")
    frozen = sync_runs.claim(service_id)
    assert frozen is not None
    clock.move(sync_runs.LISTING_CLAIM.total_seconds() + 1)
    assert sync_runs.claim(service_id) is not None
    with pytest.raises(sync_runs.LostRunError), transaction():
        sync_runs.write(frozen, state="done")
    assert live() == ["running"]


def test_a_run_that_each_worker_dies_at_fails_and_the_next_one_is_tried(
    cast: Cast, cloud: Simulator, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service_id = vdc_of("acme-vdc").service_id
    run_id = sync_runs.ask(service_id, "schedule")
    for _ in range(MOST_LOST_PARTS):
        assert sync_runs.claim(service_id) is not None
        clock.move(sync_runs.LISTING_CLAIM.total_seconds() + 1)
    waiting_id = sync_runs.ask(service_id, "schedule")
    assert waiting_id != run_id
    next_one = sync_runs.claim(service_id)
    assert next_one is not None
    assert next_one.run_id == waiting_id
    given_up = sync_runs.get(run_id)
    assert (given_up.state, given_up.error_code, given_up.finished_at) == ("failed", "lost", clock.at)
    assert f"{MOST_LOST_PARTS} workers in a row" in given_up.error_params["text"]
    assert f"{MOST_LOST_PARTS} workers in a row" in caplog.text


def test_a_long_run_of_many_parts_is_not_given_up(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    service_id = vdc_of("acme-vdc").service_id
    sync_runs.ask(service_id, "schedule")
    for _ in range(2 * MOST_LOST_PARTS):
        part = sync_runs.claim(service_id)
        assert part is not None
        with transaction():
            sync_runs.let_go(part)


def test_the_newest_listing_is_never_forgotten(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.read(clock)
    seen_at = vdc_of("acme-vdc").seen_at
    clock.move((sync_runs.KEEP + timedelta(days=1)).total_seconds())
    sync_runs.forget_old()
    assert vdc_of("acme-vdc").seen_at == seen_at
    of_it = select(func.count(SyncRun.id)).where(SyncRun.service_id == vdc_of("acme-vdc").service_id)
    assert db.session.scalar(of_it) == 1


@pytest.mark.parametrize("number", range(1, 7))
def test_a_worker_that_is_killed_before_any_commit_leaves_a_right_mirror(
    cast: Cast, cloud: Simulator, clock: Clock, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    elsewhere.do(cloud, clock, "accounting", elsewhere.add_disk(2048))
    service_id, left = vdc_of("acme-vdc").service_id, number
    commit = db.session.registry().commit

    def dying() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Death
        commit()

    clock.move(1800)
    db.session.rollback()
    sync_runs.ask(service_id, "schedule")
    with monkeypatch.context() as patch:
        patch.setattr(db.session.registry(), "commit", dying)
        with pytest.raises(Death):
            sync.work(service_id)
    db.session.rollback()
    clock.move(sync_runs.LISTING_CLAIM.total_seconds() + 1)
    sync.refresh(service_id)
    assert (vm_named("sandbox").cpu_count, len(vm_named("accounting").disks)) == (3, 2)
    events = select(func.count(VmEvent.id)).join(Vm).where(Vm.name == "sandbox")
    assert db.session.scalar(events) == 1

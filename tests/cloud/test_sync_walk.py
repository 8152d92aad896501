"""A random walk on both sides: after one quiet run the mirror is the world, and another run changes nothing."""

from random import Random

import pytest
from sqlalchemy import select

from app import vcloud
from app.cloud import sync
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.db import db
from app.errors import AppError
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import drain, pass_time, vdc_of
from tests.support.kept import Rows, all_rows
from tests.support.machines import ask
from vcdsim import Simulator
from vcdsim.faults import error

NAMES = ("accounting", "ci-runner-2", "sandbox")
EDITS = ("cpu_count", "memory_mb", "disks", "nics", "state")
ACTIONS = (Action.START, Action.POWER_OFF, Action.SUSPEND, Action.RESET)


def world(cloud: Simulator) -> set[tuple[object, ...]]:
    """What vCloud has."""
    return {
        (vm.name, vm.cpu_count, vm.memory_mb, vm.is_deployed, tuple(sorted(disk.size_mb for disk in vm.disks)))
        for vm in cloud.world.vms.values()
    }


def mirror() -> set[tuple[object, ...]]:
    """What we say it has."""
    db.session.rollback()
    return {
        (vm.name, vm.cpu_count, vm.memory_mb, vm.is_deployed, tuple(sorted(disk["size_mb"] for disk in vm.disks)))
        for vm in db.session.scalars(select(Vm).where(Vm.gone_at.is_(None)))
    }


def rows() -> Rows:
    """Everything but the runs themselves and when vCloud last answered."""
    return [(table, its) for table, its in all_rows() if table.name not in ("sync_runs", "handlers")]


def step(random: Random, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    """One thing that happens on either side, or goes wrong in between."""
    name, what = random.choice(NAMES), random.choice(("edit", "ask", "read", "fault", "work"))
    if what == "edit":
        try:
            elsewhere.do(cloud, clock, name, elsewhere.any_edit(random, random.choice(EDITS)))
        except vcloud.VcloudError:  # what is on, or at work, cannot be changed so
            db.session.rollback()
    elif what == "ask":
        try:
            ask(cast, name, random.choice(ACTIONS))
        except AppError:
            db.session.rollback()
    elif what == "read":
        try:
            elsewhere.read(clock)
        except vcloud.VcloudError:
            db.session.rollback()
    elif what == "fault":
        cloud.faults.add("*", skip=random.randrange(4), times=1, error=error("BAD_REQUEST", "No."))
    else:
        drain(cloud, clock)


@pytest.mark.one_database
@pytest.mark.parametrize("seed", range(6))
def test_a_walk_on_both_sides_ends_with_the_mirror_equal_to_the_world(
    cast: Cast, cloud: Simulator, clock: Clock, seed: int
) -> None:
    random = Random(seed)
    for _ in range(15):
        step(random, cast, cloud, clock)
    cloud.faults.clear()
    drain(cloud, clock)
    pass_time(cloud, clock, 3600)
    elsewhere.read(clock)
    assert mirror() == world(cloud)
    clock.move(60)
    service_id = vdc_of("acme-vdc").service_id
    db.session.rollback()
    before = rows()
    sync.refresh(service_id)
    assert rows() == before

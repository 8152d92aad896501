"""A random walk on both sides: whatever order it happens in, one quiet reading later the mirror is the world.

The panel is asked for everything that it can do, somebody works in vCloud itself, vCloud fails in between, readings and
turns of operations fall into each other. After each step: what was done in vCloud and not asked to be changed is there.

SKIFF_WALKS=1000 plays so many walks instead of a few, and other ones each time.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from app.cloud import operations, rescue
from app.cloud.models import Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.steps import KINDS
from app.db import db
from app.errors import AppError
from tests.support import hands, straight
from tests.support.any_wish import ASKS
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.counts import COUNTED
from tests.support.walk import Stage, chance
from vcdsim import Simulator
from vcdsim.faults import error

pytestmark = pytest.mark.one_database

WALKS = int(os.environ.get("SKIFF_WALKS", "0"))
SETTINGS = settings(
    max_examples=WALKS or 10,
    stateful_step_count=60 if WALKS else 40,
    derandomize=not WALKS,
    database=None,
    deadline=None,
    print_blob=False,
    phases=(Phase.generate,),  # shrinking takes minutes, and a walk that failed comes again
    suppress_health_check=list(HealthCheck),
)
NUMBERS, FEW = st.integers(0, 999), st.integers(0, 5)
EDITS, KINDS_ASKED = st.sampled_from(sorted(hands.EDITS)), st.sampled_from(sorted(ASKS))
FAULTS = (
    {"error": error("BAD_REQUEST", "No.")},
    {"error": error("BUSY_ENTITY", "The entity is busy.")},
    {"http_status": 500},
    {"http_status": 503},
    {"drop_request": True},
    {"drop_answer": True},
    {"cut_after": 40},
    {"expire_session": True},
    {"task_error": error("INTERNAL_SERVER_ERROR", "It broke.")},
    {"abort_task": True},
    {"blocked_task": True},
    {"hides_it": True},
    {"hides_it": False},
)
STAGES: list[Stage] = []
"""The stage of the test that runs; hypothesis makes the machines by itself."""


class Walk(RuleBasedStateMachine):
    """One walk."""

    def __init__(self) -> None:
        super().__init__()
        [self.stage] = STAGES
        self.stage.put_back()

    @rule(kind=KINDS_ASKED, which=FEW, number=NUMBERS, turns=st.integers(0, 12))
    def ask(self, kind: str, which: int, number: int, turns: int) -> None:
        for vm in self.stage.machines_for(kind, which):
            vm_id = vm.id
            with suppress(AppError, IndexError):
                ASKS[kind](self.stage.cast, vm, number)
                db.session.rollback()
                self.stage.theirs.asked(db.session.get_one(Vm, vm_id), kind)
                break
            db.session.rollback()
        db.session.rollback()
        self.stage.turns(turns)

    @rule(kind=KINDS_ASKED, what=EDITS, which=FEW, number=NUMBERS, reads=st.booleans(), turns=st.integers(0, 6))
    def edit_what_is_asked_about(
        self, kind: str, what: str, which: int, number: int, *, reads: bool, turns: int
    ) -> None:
        found = self.stage.machines_for(kind, which)
        vm_id = found[0].urn.rpartition(":")[2] if found else None
        db.session.rollback()
        is_edited_first = number % 2 == 0
        if vm_id and is_edited_first:
            self.stage.edit(what, vm_id, number)
            self.stage.pass_time(90)
        self.ask(kind, which, number, turns)
        if vm_id and not is_edited_first:
            self.stage.edit(what, vm_id, number)
        if reads:
            self.stage.read()
        self.stage.turns(turns)

    @rule(number=NUMBERS, retries=st.booleans())
    def give_up_or_go_on(self, number: int, *, retries: bool) -> None:
        states = ("failed", "needs_attention") if retries else ACTIVE
        found = select(Operation).where(Operation.state.in_(states)).order_by(Operation.created_at)
        rows = list(db.session.scalars(found))
        with suppress(AppError, ZeroDivisionError):
            row = rows[number % len(rows)]
            vm_id, kind = row.vm_id, row.kind
            (rescue.retry if retries else rescue.cancel)(self.stage.cast.owner, row.id)
            if retries and vm_id is not None:
                self.stage.theirs.asked(db.session.get_one(Vm, vm_id), kind)
        db.session.rollback()

    @rule(what=EDITS, which=FEW, number=NUMBERS, waits=st.booleans())
    def edit(self, what: str, which: int, number: int, *, waits: bool) -> None:
        self.stage.edit(what, which, number)
        self.stage.pass_time(90 if waits else 0)

    @rule(fault=st.sampled_from(FAULTS), skip=st.integers(0, 12))
    def fail(self, fault: dict[str, object], skip: int) -> None:
        if "hides_it" in fault:
            self.stage.line.spoil_listing(hides_it=bool(fault["hides_it"]))
        else:
            self.stage.cloud.faults.add("*", skip=skip, **fault)  # type: ignore[arg-type]

    @rule(turns=st.integers(0, 40), seconds=st.sampled_from((1, 30, 91, 1800, 90_000)))
    def go_on(self, turns: int, seconds: float) -> None:
        self.stage.turns(turns)
        self.stage.pass_time(seconds)
        self.stage.erase_due()

    @rule(
        while_it=st.sampled_from(("rests", "is edited", "works")), before=st.integers(1, 12), what=EDITS, number=NUMBERS
    )
    def read(self, while_it: str, before: int, what: str, number: int) -> None:
        acts: dict[str, Callable[[], object]] = {
            "rests": lambda: None,
            "is edited": lambda: self.edit(what, number % 6, number, waits=True),
            "works": lambda: self.stage.turns(number % 20),
        }
        with self.stage.line.interrupted(before, acts[while_it]):
            self.stage.read()

    @rule(before=st.integers(1, 12), service=st.integers(0, 2))
    def work_while_it_is_read(self, before: int, service: int) -> None:
        with self.stage.line.interrupted(before, lambda: self.stage.read_one(self.stage.service_ids()[service])):
            self.stage.turns(3)

    @invariant()
    def nothing_is_overwritten_and_every_operation_has_ended_or_will_go_on(self) -> None:
        self.stage.theirs.watch()
        self.stage.theirs.assert_that_nothing_is_gone_that_is_there()
        rows = db.session.execute(select(Operation.state, Operation.next_at, Operation.finished_at)).all()
        db.session.rollback()
        assert all((row.finished_at is None) == (row.state in ACTIVE) for row in rows)

    def teardown(self) -> None:
        self.stage.end()


@pytest.fixture
def stage(app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> Iterator[Stage]:
    """The stage, with requests that need no sockets."""
    found = Stage(app, cast, cloud, clock)
    bell, operations.doorbell = operations.doorbell, lambda _: None
    STAGES.append(found)
    try:
        with straight.instead_of_sockets(found.send), chance(found.dice):
            yield found
    finally:
        operations.doorbell = bell
        STAGES.clear()


def test_a_walk_on_both_sides_ends_with_the_mirror_equal_to_the_world(
    stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    run_state_machine_as_test(Walk, settings=SETTINGS)
    for what in ("operations", "edits in vCloud", "readings"):
        record_property(f"{COUNTED}{what} of the walks on both sides", stage.reached[what])


def test_every_kind_of_operation_is_asked_for() -> None:
    assert set(ASKS) == set(KINDS)

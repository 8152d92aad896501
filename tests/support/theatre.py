"""A stage on which one wish is played again and again, each time from the same world, with another fate.

The world of the simulator and the rows of the database are put back before each play, which costs milliseconds. A play
with a fate begins where the undisturbed one stood right before the turn that the fate will meet: what comes before is
the same in all of them.
"""

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import select

from app.cloud import operations
from app.cloud.models import Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.db import db, transaction
from tests.support.cast import new_token
from tests.support.clock import Clock
from tests.support.doom import Death, Doom, Fate, SideEffect, number_of, tasks_take
from tests.support.engine import pass_time
from tests.support.kept import Rows, all_rows, delete_all, insert
from tests.support.vcloud_front import Snapshot
from vcdsim import Simulator

CLAIM_IS_OVER_S = 91
QUICK_S = 1.0
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Ask = Callable[[str], uuid.UUID]
"""Asks for something with a form token; returns the id of the operation."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What is so when all has come to rest: the operations, the machines on both sides, what vCloud had accepted."""

    operations: list[tuple[str, str, str | None, bool]]  # kind, state, error, whether nobody is at it
    world: list[Any]
    mirror: list[Any]
    commands: Counter[str]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Everything as it was, on both sides, and how far the play was: what had been accepted, which side effects met."""

    at: datetime
    cloud_s: float
    world: Snapshot
    rows: Rows
    accepted: list[str]
    met: Counter[SideEffect]


class Theatre:
    """Plays a wish to its end. Bells are never heard, so Redis plays no part: only the clock rings."""

    def __init__(
        self, app: Flask, cloud: Simulator, clock: Clock, *, meanwhile: Callable[[], None] | None = None
    ) -> None:
        self._app, self._cloud, self._clock = app, cloud, clock
        self._doom = Doom(cloud, partial(self._elsewhere, meanwhile) if meanwhile else self._second_worker)
        self._token = ""
        self._begin_here()

    def _begin_here(self) -> None:
        self._doom.forget()
        self._cloud.expire_sessions()  # so that a login, which is written down, is among the side effects
        self._moments = [self._moment()]

    def _moment(self) -> Moment:
        return Moment(
            at=self._clock.at,
            cloud_s=self._cloud.clock.now(),
            world=Snapshot.of(self._cloud),
            rows=all_rows(),
            accepted=list(self._doom.accepted),
            met=self._doom.met.copy(),
        )

    def prepare(self, ask: Ask) -> None:
        """Play a wish to its end; from now on every play begins after it."""
        self.play(ask)
        self._begin_here()

    @contextmanager
    def open(self) -> Iterator["Theatre"]:
        """While the block runs, requests go straight to the simulator."""
        bell, operations.doorbell = operations.doorbell, lambda _: None
        try:
            with self._doom.in_force(), tasks_take(QUICK_S):
                yield self
        finally:
            operations.doorbell = bell

    def play(self, ask: Ask) -> Ending:
        """Undisturbed, from the beginning to the end."""
        del self._moments[1:]
        self._put_back(self._moments[0])
        self._token = new_token()
        ask(self._token)
        self._work(between_turns=lambda: self._moments.append(self._moment()))
        return self._ending()

    def play_again(self, ask: Ask, fate: Fate, number: int, *, task_s: float | None = None) -> Ending | None:
        """The wish that was played undisturbed, with a fate at its `number`-th side effect; None with fewer of them.

        The click itself can meet it too: then the person sends the same form again.
        """
        before = [moment for moment in self._moments if number_of(fate, moment.met) < number][-1]
        self._put_back(before)
        self._doom.await_fate(fate, number - number_of(fate, before.met), task_s)
        try:
            if before is self._moments[0]:
                ask(self._token)
            self._work()
        except Death:
            db.session.remove()
            self._doom.rest()
            ask(self._token)
            self._second_worker()
        has_struck = self._doom.has_struck
        self._doom.rest()
        return self._ending() if has_struck else None

    def _work(self, *, between_turns: Callable[[], None] = lambda: None, rounds: int = 400) -> None:
        for _ in range(rounds):
            between_turns()
            for operation_id in operations.due():
                operations.advance(operation_id)
            active = [one.next_at for one in db.session.scalars(select(Operation).where(Operation.state.in_(ACTIVE)))]
            db.session.rollback()
            if not active:
                return
            pass_time(self._cloud, self._clock, max(0.0, (min(active) - self._clock.at).total_seconds()))
        raise AssertionError(f"operations were still at work after {rounds} rounds")

    def _elsewhere(self, act: Callable[[], None]) -> None:
        with self._app.app_context():
            act()

    def _second_worker(self) -> None:
        """Another process, which goes on when the claim of the first one is over."""
        with self._app.app_context():
            pass_time(self._cloud, self._clock, CLAIM_IS_OVER_S)
            self._work()

    def _put_back(self, moment: Moment) -> None:
        self._clock.at = moment.at
        self._cloud.clock._manual_now = moment.cloud_s  # the one time when it runs backwards
        moment.world.put_into(self._cloud)
        db.session.remove()
        with transaction():
            delete_all()
            insert(moment.rows)
        self._doom.forget()
        self._doom.accepted += moment.accepted
        self._doom.met += moment.met

    def _ending(self) -> Ending:
        db.session.rollback()
        rows = db.session.scalars(select(Operation).order_by(Operation.created_at))
        machines = db.session.scalars(select(Vm).where(Vm.gone_at.is_(None)))
        mirror = [
            (vm.vapp.name, vm.name, vm.state.value, vm.cpu_count, vm.memory_mb, [d["size_mb"] for d in vm.disks])
            for vm in machines
        ]
        return Ending(
            operations=[(row.kind, row.state, row.error_code, _is_at_rest(row)) for row in rows],
            world=_estate(self._cloud),
            mirror=sorted(mirror),
            commands=Counter(IDS.sub("*", one) for one in self._doom.accepted),
        )


def _is_at_rest(row: Operation) -> bool:
    """Whether no late write of a worker has left anything in the row."""
    return (row.task_urn, row.claimed_until, row.waiting_for, row.progress) == (None, None, None, None)


def _estate(cloud: Simulator) -> list[Any]:
    """Every vApp and machine as far as it does not depend on chance: without ids, moments and passwords."""
    world = cloud.world
    vapps = [
        (
            vapp.name,
            vapp.creation,
            IDS.sub("*", vapp.description),
            [(network.name, network.fence_mode) for network in vapp.networks],
            sorted(_machine(world.vms[vm_id]) for vm_id in vapp.vm_ids),
        )
        for vapp in world.vapps.values()
    ]
    return [*sorted(vapps), len(world.vms), len(world.disks)]


def _machine(vm: Any) -> tuple[Any, ...]:
    guest = vm.customization
    return (
        vm.name,
        vm.power,
        vm.is_deployed,
        vm.is_resolved,
        (vm.cpu_count, vm.cores_per_socket, vm.memory_mb),
        [(disk.instance_id, disk.size_mb) for disk in vm.disks],
        [(nic.index, nic.network, nic.mode, nic.is_connected, nic.ip is None) for nic in vm.nics],
        (guest.enabled, guest.computer_name, guest.admin_password_enabled, vm.customized_count),
        vm.snapshot is not None,
    )

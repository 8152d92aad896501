"""The stage of a random walk on both sides: a panel and a vCloud at work, put back to the beginning for each walk."""

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from sqlalchemy import func, select

from app import vcloud
from app.accounts.models import Account
from app.cloud import deletion, operations, services, sync, sync_guard, sync_runs, wishes
from app.cloud.models import Service, Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.rules import Action
from app.cloud.sync_models import SyncRun
from app.db import db, transaction
from tests.support import hands, sides
from tests.support.both_sides import Theirs, assert_equal
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import pass_time
from tests.support.kept import Rows, all_rows, delete_all, insert
from tests.support.line import Line
from vcdsim import Simulator, seeds, state
from vcdsim.entities import StorageProfile
from vcdsim.refusals import RefusalError

T = TypeVar("T")


class Stage:
    """Both sides, put back to the beginning for each walk."""

    def __init__(self, app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> None:
        self.app, self.cast, self.cloud, self.clock = app, cast, cloud, clock
        self.dice = random.Random(0)
        self._prepare()
        self._world, self._rows, self._begin = json.loads(cloud.dump()), all_rows(), clock.at
        self.theirs = Theirs(cloud)
        self.reached: Counter[str] = Counter()  # what has happened, in all walks
        self.line = Line(app, cloud, self.pass_time)

    def _prepare(self) -> None:
        """A second data center of Acme, and a second storage profile in each."""
        world = self.cloud.world
        acme = next(org for org in world.orgs.values() if org.name == "acme")
        there = seeds.add_vdc(world, acme, "acme-dr")
        seeds.add_network(world, there, "dr-net", "natRouted", subnet="192.0.2.0/24", pool_size=50)
        for vdc in [one for one in world.vdcs.values() if one.name in ("acme-vdc", "acme-dr")]:
            fast = StorageProfile(seeds.seeded_id("fast", vdc.name), "fast", vdc.id, is_default=False)
            world.storage_profiles[fast.id] = fast
            vdc.storage_profile_ids.append(fast.id)
        login = {"username": "acme-admin", "password": "secret"}
        services.attach(account="Acme", handler="Moscow", org="acme", vdc="acme-dr", **login)

    def send(self, adapter: HTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        """Answer a request of the panel."""
        return self.line.send(adapter, request)

    def put_back(self) -> None:
        """Everything as it was."""
        self.dice.seed(0)
        self.cloud.faults.clear()
        self.cloud.replace_world(state.from_data(self._world, self.cloud.clock))
        self.clock.at = self._begin
        db.session.remove()
        with transaction():
            delete_all()
            insert(self._rows)
        self.theirs = Theirs(self.cloud)
        self.line = Line(self.app, self.cloud, self.pass_time)

    # ---- time and work ---------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass on both sides, a little at a time where vCloud is at work."""
        until = self.cloud.clock.now() + seconds
        while (due := self.cloud.world.next_due()) is not None and due < until:
            self._pass(max(0.0, due - self.cloud.clock.now()))
            if self.cloud.world.next_due() == due:
                break
        self._pass(max(0.0, until - self.cloud.clock.now()))

    def _pass(self, seconds: float) -> None:
        pass_time(self.cloud, self.clock, seconds)
        self.theirs.watch()

    def turns(self, number: int) -> bool:
        """Give the operations so many turns; whether any is left."""
        for _ in range(number):
            for operation_id in operations.due():
                operations.advance(operation_id)
                self.theirs.watch()
            next_at = db.session.scalar(select(func.min(Operation.next_at)).where(Operation.state.in_(ACTIVE)))
            db.session.rollback()
            if next_at is None:
                return False
            self.pass_time(max(0.0, (next_at - self.clock.at).total_seconds()))
        return True

    def drain(self) -> None:
        """Give all operations their turns until they rest."""
        for _ in range(40):
            if not self.turns(20):
                return
        raise AssertionError("operations never came to rest")

    def machines_for(self, kind: str, which: int) -> list[Vm]:
        """The machines of Acme of which this can be asked now, beginning somewhere."""
        is_acme = select(Vm).join(Vm.vdc).join(Service).join(Account).where(Account.name == "Acme")
        vms = list(db.session.scalars(is_acme.where(Vm.gone_at.is_(None)).order_by(Vm.urn)))
        if kind in set(Action):
            vms = [vm for vm in vms if wishes.answers(vm, wishes.running_operation(vm.id))[Action(kind)] is None]
        return _turned(vms, which)

    def edit(self, what: str, which: int | str, number: int) -> None:
        """Begin an edit by hand, of this machine or of the first from somewhere on that lets it be done."""
        vms = sorted(self.cloud.world.vms.values(), key=lambda vm: vm.id)
        for vm in [vm for vm in vms if vm.id == which] if isinstance(which, str) else _turned(vms, which):
            with suppress(RefusalError):
                task = hands.edit(self.cloud.world, vm, what, number)
                self.theirs.edited(vm.id, what, task)
                self.reached["edits in vCloud"] += 1
                return

    def erase_due(self) -> None:
        """What the schedule does each minute."""
        with suppress(vcloud.VcloudError):
            deletion.erase_due()
        db.session.rollback()
        for vm in self.asked_to_erase():
            self.theirs.asked(vm, "erase")
        db.session.rollback()

    def asked_to_erase(self) -> list[Vm]:
        """The machines that are being erased."""
        return list(
            db.session.scalars(select(Vm).join(Operation, Operation.vm_id == Vm.id).where(Operation.kind == "erase"))
        )

    def read(self, *, raises: bool = False) -> None:
        """One reading of every data center."""
        for service_id in self.service_ids():
            self.read_one(service_id, raises=raises)

    def read_one(self, service_id: uuid.UUID, *, raises: bool = False) -> None:
        """One reading of a data center, or what is left of the one under way; it never waits."""
        self.reached["readings"] += 1
        sync_runs.ask(service_id, "now")
        try:
            while sync.work(service_id):
                pass
        except vcloud.VcloudError as error:
            db.session.rollback()
            self.reached[f"readings that failed: {type(error).__name__}"] += 1
            if raises:
                raise

    def service_ids(self) -> list[uuid.UUID]:
        """Every data center, in a lasting order."""
        found = list(db.session.scalars(select(Service.id).order_by(Service.vdc_urn)))
        db.session.rollback()
        return found

    # ---- the end ---------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Everything works again and comes to rest; then one quiet reading, and another."""
        self.cloud.faults.clear()
        self.line.spoil = None
        for task in list(self.cloud.world.tasks.values()):
            if task.is_blocked and not task.is_final:
                self.cloud.act_on_task(task.id, "resume")
        self.drain()
        self.pass_time(3600)
        self.drain()
        for kind, how, code in db.session.execute(select(Operation.kind, Operation.state, Operation.error_code)):
            self.reached.update(("operations", f"{kind} {how} {code or ''}"))
        db.session.rollback()
        for service_id in self.service_ids():
            self._read_quietly(service_id)
        assert_equal(sides.mirror(), sides.world(self.cloud))
        self.theirs.assert_that_only_it_is_told()
        self._assert_that_nothing_more_is_written()

    def _read_quietly(self, service_id: uuid.UUID) -> None:
        """One reading, looked at when the listing is written and no document is read yet."""
        vdc_urn = db.session.get_one(Service, service_id).vdc_urn
        db.session.rollback()

        def look() -> None:
            real, mirrored = sides.listed(sides.world(self.cloud)), sides.listed(sides.mirror(vdc_urn))
            here = {urn for urn, one in real.items() if one["vdc"] == vdc_urn}
            assert_equal({urn: mirrored.get(urn, {}) for urn in here}, {urn: real[urn] for urn in here})

        self.line.when_listed = self.clock.at, look
        self.read_one(service_id, raises=True)
        if self._is_kept_back(service_id):
            sync_guard.confirm_loss(self.cast.support, service_id)
            self.read_one(service_id, raises=True)
        if self.line.when_listed is not None:  # nothing was asked for after the listing
            self.line.when_listed = None
            look()

    def _is_kept_back(self, service_id: uuid.UUID) -> bool:
        last = select(SyncRun).where(SyncRun.service_id == service_id).order_by(SyncRun.asked_at.desc()).limit(1)
        kept_back = db.session.scalars(last).one().counts.get("kept_back", 0)
        db.session.rollback()
        return bool(kept_back > 0)

    def _assert_that_nothing_more_is_written(self) -> None:
        self.pass_time(60)
        before = self._kept_rows()
        self.read(raises=True)
        after = self._kept_rows()
        written = [
            (old[0].name, new) for old, now in zip(before, after, strict=True) for new in now[1] if new not in old[1]
        ]
        assert not written, f"a second reading wrote {written}"

    def _kept_rows(self) -> Rows:
        """Everything but the runs themselves, when vCloud last answered, and sessions.

        After a day things are read again only because it was long ago; then the moments of it are no matter.
        """
        is_old = self.clock.at - self._begin > timedelta(hours=22)
        aside = {"read_at", "seen_at", "addresses_at", "addresses_due_at"} if is_old else set()
        tables = [(table, its) for table, its in all_rows() if table.name not in ("sync_runs", "handlers", "services")]
        return [
            (table, [{name: value for name, value in row.items() if name not in aside} for row in its])
            for table, its in tables
        ]


def _turned(these: list[T], which: int) -> list[T]:
    start = which % len(these) if these else 0
    return these[start:] + these[:start]


@contextmanager
def chance(dice: random.Random) -> Iterator[None]:
    """Let ids and secrets come from these dice, so that what a walk finds can be found again."""
    usual: Any = os.urandom
    os.urandom = dice.randbytes
    try:
        yield
    finally:
        os.urandom = usual

"""Keeps the mirror equal to vCloud: collect -> compare -> write, one virtual data center at a time.

A run has five phases. *Listing*: the pages of the query service, whole or not at all, so that every machine is right
in state, name and sizes after one transaction. *Templates*: those of which a listing said something new. *Details*:
the documents of those vApps of which it said that something moved. *Missing*: what was not listed is looked for in a
second listing and then directly, before it is gone. *Addresses*: who holds which, if something moved or it is a day
old. Nothing but numbers in the database is kept between them, so any worker can go on with a run.
"""

import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, func, not_, or_, select, update

from app import clock, vcloud
from app.cloud import addresses, gateway, history, leases, mirror, moves, sync_runs, sync_templates
from app.cloud.models import Service, VApp, Vdc, Vm
from app.cloud.sync_listing import apply_listing
from app.cloud.sync_models import SyncRun
from app.cloud.sync_rules import Listed, by_vapp, due_for_rereading, too_many_missing, touched_vapps
from app.cloud.sync_runs import Held, LostRunError
from app.db import db, transaction

WORK = timedelta(seconds=40)
"""A job works this long at most, then it lets go of the run and the next one goes on."""
SKEW = timedelta(seconds=2)
"""What vCloud's clock may be off from what we know of it."""
LOOK_EVERY_S = 0.2
VAPPS_AT_ONCE, TEMPLATES_AT_ONCE = 20, 5
"""So many of them are read between two transactions."""
MOST_UNREAD = 2
"""If more vApps than these cannot be read, it is vCloud that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What the listings of one virtual data center said, from `started_at` on."""

    started_at: datetime
    vdc: vcloud.Vdc
    networks: list[vcloud.OrgVdcNetwork]
    templates: list[vcloud.TemplateRecord] | None  # None: they did not come
    listed: dict[str, Listed]
    touched: dict[str, datetime]  # vApps on which tasks worked lately, where the listings do not tell; until when


def refresh(service_id: uuid.UUID) -> None:
    """Read one data center now, to the end, or wait for the worker that does; raises the VcloudError that ended it."""
    run_id = sync_runs.ask(service_id, "now")
    while work(service_id):
        pass
    while (run := sync_runs.get(run_id)).state in sync_runs.LIVE:  # a worker was faster
        time.sleep(LOOK_EVERY_S)
        work(service_id)
    if run.state == "failed":
        raise vcloud.Unavailable(run.error_params["text"])


def work(service_id: uuid.UUID) -> bool:
    """Do a part of the run of a data center, if there is one that nobody holds; whether there is more to do.

    Raises the VcloudError that ended the run.
    """
    held = sync_runs.claim(service_id)
    if held is None:
        return False
    try:
        if held.may_be_skipped:
            _require_answering(service_id)
        with gateway.client(service_id) as client:
            return _Reading(held, client).work()
    except LostRunError:
        return False
    except Exception as error:  # whatever it was, the run has ended, and the next one begins anew
        _fail(held, error)
        raise


def _require_answering(service_id: uuid.UUID) -> None:
    """Refuse if vCloud is known not to answer: the many data centers of one must not hold up those of others."""
    silent_since = db.session.get_one(Service, service_id).handler.silent_since
    db.session.rollback()
    if silent_since is not None:
        raise vcloud.Unavailable("it does not answer, as others have found before")


def _fail(held: Held, error: Exception) -> None:
    with suppress(LostRunError), transaction():
        sync_runs.write(
            held,
            state="failed",
            finished_at=clock.now(),
            claimed_until=None,
            error_code=type(error).__name__,
            error_params={"text": str(error)},
        )


class _Reading:
    """The part of a run that one job does."""

    def __init__(self, held: Held, client: vcloud.Client) -> None:
        self.held = held
        self.client = client
        self.until = clock.now() + WORK
        self.vdc_urn = db.session.get_one(Service, held.service_id).vdc_urn
        self.vdc_id = db.session.scalar(select(Vdc.id).where(Vdc.service_id == held.service_id))
        self.unread: list[vcloud.VcloudError] = []  # what kept single vApps from being read
        self.asks_addresses = True  # unless the listing says that there is no need
        self.reads_templates = held.phase == "templates"
        self.templates: list[vcloud.TemplateRecord] | None = None  # what the listing said, if this job has read it
        db.session.rollback()

    def work(self) -> bool:
        """Go on with the phase at which the run is; whether there is more to do, be it another run."""
        if self.held.phase is None:
            self._list()
        steps = self._read_templates, self._read_details, self._look_for_missing, self._read_addresses
        if not all(step() for step in steps):
            with transaction():
                sync_runs.let_go(self.held)
            return True
        if self.unread:
            raise self.unread[0]
        with transaction():
            sync_runs.write(self.held, state="done", finished_at=clock.now(), claimed_until=None)
        return sync_runs.is_waiting(self.held.service_id)

    # Listing

    def _list(self) -> None:
        inventory = collect(self.client, self.vdc_urn, since=self._seen_at())
        is_first = self.vdc_id is None
        with transaction():
            self.vdc_id = mirror.apply_vdc(self.held.service_id, inventory.vdc)
            networks = mirror.apply_networks(self.vdc_id, inventory.networks, inventory.started_at)
            found = apply_listing(
                self.vdc_id, inventory.listed, inventory.started_at, self.held.run_id, is_first=is_first
            )
            self._mark_touched(inventory.touched)
            moved = {urn for urn, _ in self._pending()}
            pending = len(moved.union(self._mark_for_rereading(inventory.started_at)))
            if moved:
                addresses.mark_due(self.vdc_id)
            self.asks_addresses = bool(moved) or any(
                addresses.is_due(network, inventory.started_at) for network in networks
            )
            self.templates = inventory.templates
            self.reads_templates = self.templates is None or self._is_one_new(self.templates)
            sync_runs.write(
                self.held,
                phase="templates" if self.reads_templates else "details",
                listed_at=inventory.started_at,
                counts=found,
                vapps_total=pending,
            )

    def _seen_at(self) -> datetime | None:
        seen_at = db.session.scalar(select(Vdc.seen_at).where(Vdc.id == self.vdc_id))
        db.session.rollback()
        return seen_at

    def _mark_touched(self, touched: dict[str, datetime]) -> None:
        """Have the vApps read again that were read before the last task on them ended."""
        is_older = or_(VApp.read_at.is_(None), VApp.read_at < bindparam("until"))
        these = VApp.vdc_id == self.vdc_id, VApp.urn == bindparam("of_vapp"), is_older
        rows = [{"of_vapp": urn, "until": until + SKEW} for urn, until in touched.items()]
        if rows:
            db.session.connection().execute(update(VApp).where(*these).values(read_key=None), rows)

    def _mark_for_rereading(self, now: datetime) -> list[str]:
        at = select(VApp.urn, VApp.read_at).where(
            VApp.vdc_id == self.vdc_id, VApp.gone_at.is_(None), VApp.read_at.is_not(None)
        )
        old = due_for_rereading([(row.urn, row.read_at) for row in db.session.execute(at)], now)
        if old:
            these = VApp.vdc_id == self.vdc_id, VApp.urn.in_(old)
            db.session.execute(update(VApp).where(*these).values(read_key=None))
        return old

    # Templates

    def _is_one_new(self, records: list[vcloud.TemplateRecord]) -> bool:
        pending, is_one_gone = sync_templates.compare(self._vdc_id(), records, clock.now())
        return is_one_gone or bool(pending)

    def _read_templates(self) -> bool:
        """Read those of which the listing says something new; whether all of them were read."""
        if not self.reads_templates:
            return True
        records = self.client.template_records() if self.templates is None else self.templates
        present = {record.id for record in records}
        pending, is_one_gone = sync_templates.compare(self._vdc_id(), records, clock.now())
        db.session.rollback()
        for start in range(0, max(len(pending), int(is_one_gone)), TEMPLATES_AT_ONCE):
            at = clock.now()
            if at > self.until:
                return False
            some = pending[start : start + TEMPLATES_AT_ONCE]
            read = [(record, found) for record in some if (found := self.client.template(record))]
            with transaction():
                sync_runs.write(self.held)
                mirror.apply_templates(self._vdc_id(), read, present, at)
        with transaction():
            sync_runs.write(self.held, phase="details")
        return True

    # Details

    def _pending(self) -> list[tuple[str, str]]:
        """The vApps whose document is to be read, with the fingerprint that says so."""
        is_open = VApp.read_key.is_distinct_from(VApp.record_key)
        query = select(VApp.urn, VApp.record_key).where(
            VApp.vdc_id == self.vdc_id, VApp.gone_at.is_(None), VApp.record_key.is_not(None), is_open
        )
        return [(row.urn, row.record_key) for row in db.session.execute(query.order_by(VApp.read_at, VApp.id))]

    def _read_details(self) -> bool:
        """Read what moved; whether all of it was read."""
        pending = self._pending()
        db.session.rollback()
        for start in range(0, len(pending), VAPPS_AT_ONCE):
            if clock.now() > self.until:
                if self.unread:  # the next job would begin with them again, and so for ever
                    raise self.unread[0]
                return False
            some = pending[start : start + VAPPS_AT_ONCE]
            try:
                self._read_some(some)
            except vcloud.VcloudError:
                self._read_singly(some)
        return True

    def _read_singly(self, pending: list[tuple[str, str]]) -> None:
        """Let one vApp that cannot be read hold up nothing else; the run fails of it at its end."""
        for one in pending:
            try:
                self._read_some([one])
            except vcloud.VcloudError as error:
                self.unread.append(error)
                if len(self.unread) > MOST_UNREAD:
                    raise
                with transaction():
                    sync_runs.write(self.held)

    def _read_some(self, pending: list[tuple[str, str]]) -> None:
        at, keys = clock.now(), dict(pending)
        # One that is not there was deleted since the listing: the next one knows.
        found = self.client.whole_vapps(list(keys))
        read = [mirror.Document(vapp=vapp, at=at, key=keys.get(vapp.id)) for vapp in found]
        with transaction():
            sync_runs.write(self.held, vapps_done=SyncRun.vapps_done + len(pending))
            # What could not be read, or is older than what an operation has read, is not tried again in this run.
            these = VApp.vdc_id == self.vdc_id, VApp.urn.in_([urn for urn, _ in pending])
            db.session.execute(update(VApp).where(*these).values(read_key=VApp.record_key))
            # What vCloud did not show is read again when it is listed again, even if it is as it was.
            absent = VApp.urn.in_({urn for urn, _ in pending} - {document.vapp.id for document in read})
            db.session.execute(update(VApp).where(VApp.vdc_id == self.vdc_id, absent).values(record_key=None))
            mirror.apply_vapps(self._vdc_id(), read, run_id=self.held.run_id)

    # Missing

    def _look_for_missing(self) -> bool:
        """Settle what was not listed; whether all of it is settled."""
        missing = self._missing()
        if not missing:
            self._close_vapps()
            return True
        listed = {vm.id for vm in self.client.vms(self.vdc_urn)}
        absent = [urn for urn in missing if urn not in listed]
        if self._is_kept_back(missing, len(absent)):
            return True
        near = {self.vdc_urn, *moves.siblings(self._vdc_id()).values()}
        db.session.rollback()
        for urn in absent:
            if clock.now() > self.until:
                return False
            self._settle(urn, near)
        self._close_vapps()
        return True

    def _missing(self) -> dict[str, datetime]:
        query = select(Vm.urn, Vm.missing_since).where(
            Vm.vdc_id == self.vdc_id, Vm.missing_since.is_not(None), Vm.gone_at.is_(None)
        )
        found = {row.urn: row.missing_since for row in db.session.execute(query)}
        db.session.rollback()
        return found

    def _is_kept_back(self, missing: dict[str, datetime], absent: int) -> bool:
        """Whether so much is absent that staff must confirm it first."""
        known = db.session.scalar(select(func.count(Vm.id)).where(Vm.vdc_id == self.vdc_id, Vm.gone_at.is_(None)))
        confirmed_at = db.session.get_one(Service, self.held.service_id).loss_confirmed_at
        db.session.rollback()
        is_confirmed = confirmed_at is not None and confirmed_at >= max(missing.values())
        kept_back = absent if too_many_missing(absent, known or 0) and not is_confirmed else 0
        with transaction():
            run = db.session.get_one(SyncRun, self.held.run_id)
            sync_runs.write(self.held, phase="missing", counts={**run.counts, "kept_back": kept_back})
        return kept_back > 0

    def _settle(self, urn: str, near: Collection[str]) -> None:
        """Look at one machine directly: it is gone only if vCloud says so.

        In one of the data centers that are `near` it will be listed, here or there, or it will go.
        """
        at, found = clock.now(), [{"what": "existence", "before": True, "after": False}]
        with suppress(vcloud.NotFound):
            vm = self.client.vm(urn)
            vdc_urn = self.client.vapp(vm.vapp_id).vdc_id if vm.vapp_id else None
            if vdc_urn is None or vdc_urn in near:
                return
            found = [{"what": "vdc", "before": self.vdc_urn, "after": vdc_urn}]
        with transaction():
            row = db.session.scalars(select(Vm).where(Vm.vdc_id == self.vdc_id, Vm.urn == urn)).one()
            if row.seen_at > at or row.gone_at is not None:
                return
            run = db.session.get_one(SyncRun, self.held.run_id)
            sync_runs.write(self.held, counts={**run.counts, "gone": run.counts.get("gone", 0) + 1})
            row.gone_at = at
            at_work = history.at_work(self._vdc_id())
            cause = at_work.cause(row.id, found)
            moved = [change for change in found if change["what"] == "vdc"]
            why = moved + (leases.deletion(found, row.vapp, at) if cause is None else [])
            gone = history.Happened(vm_id=row.id, kind="gone", at=at, found=why, operation_id=cause)
            history.note(self._vdc_id(), [gone], at_work=at_work, run_id=self.held.run_id)
            self.asks_addresses = True
            addresses.mark_due(self._vdc_id())

    def _close_vapps(self) -> None:
        """A vApp that was not listed is gone when none of its machines is left."""
        with transaction():
            run = db.session.get_one(SyncRun, self.held.run_id)
            its_own = exists().where(Vm.vapp_id == VApp.id, Vm.gone_at.is_(None))
            unlisted = VApp.gone_at.is_(None), VApp.record_key.is_(None), VApp.seen_at < run.listed_at
            db.session.execute(
                update(VApp).where(VApp.vdc_id == self.vdc_id, *unlisted, not_(its_own)).values(gone_at=run.listed_at)
            )

    # Addresses

    def _read_addresses(self) -> bool:
        """Read those that are due; whether all of them were asked for."""
        if not self.asks_addresses:
            return True
        due = addresses.due(self._vdc_id(), clock.now())
        db.session.rollback()
        for network_id, urn in due:
            at = clock.now()
            if at > self.until:
                return False
            with transaction():
                sync_runs.write(self.held, phase="addresses", claimed_until=at + sync_runs.LISTING_CLAIM)
            holders, due_at = addresses.read(self.client, self._vdc_id(), urn, at)
            with transaction():
                sync_runs.write(self.held)
                addresses.apply(network_id, holders, at, due_at)
        return True

    def _vdc_id(self) -> uuid.UUID:
        if self.vdc_id is None:
            raise LookupError("this data center was never listed")
        return self.vdc_id


def collect(client: vcloud.Client, vdc_urn: str, *, since: datetime | None) -> Inventory:
    """Ask for everything; raises a VcloudError when any part of it is missing, so a half is never applied.

    `since` is when it was last done; tasks at work at that time may have changed something afterwards.
    """
    started_at = clock.now()
    said = client.inventory(vdc_urn, since=since and since - SKEW)
    listed = by_vapp(said.vapps, said.vms)
    return Inventory(
        started_at=started_at,
        vdc=said.vdc,
        networks=said.networks,
        templates=said.templates,
        listed=listed,
        touched=touched_vapps(listed, said.touched),
    )

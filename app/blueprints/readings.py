"""How far vCloud has been read, in words, and the near real time of an open page: it has vCloud read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from app import clock
from app.blueprints import account_view, filters, web
from app.blueprints.account_view import RunLine, VdcLine
from app.cloud import sync_runs

QUICK_S, IDLE_S = 2, 30
"""How often an open page asks: while something moves, and else."""
PATIENCE = timedelta(minutes=2)
"""A run that is not over after this time is not waited for in haste."""
SHOWN_FOR = timedelta(seconds=20)
"""So long the result of *Refresh* stays on the page."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A reading that somebody has asked for and that is at work."""

    text: str
    detail: str
    progress: int  # percent
    asked_at: datetime


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something to be said of the last reading; `kind` is that of a banner."""

    kind: str
    lead: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a page says about its data centers, and how soon it asks again. `seen_at` is that of the oldest."""

    seen_at: datetime | None
    strips: list[Strip]
    notes: list[Note]
    is_moving: bool

    @property
    def poll_s(self) -> int:
        """Seconds until the page asks again while nothing else moves."""
        return QUICK_S if self.is_moving else IDLE_S


def of(vdcs: Sequence[VdcLine]) -> Reading:
    """What is to be said of these data centers."""
    now = clock.now()
    ages = [vdc.seen_at for vdc in vdcs if vdc.seen_at is not None]
    asked = [(vdc, vdc.run) for vdc in vdcs if vdc.run and vdc.run.why == "asked" and _is_live(vdc.run)]
    return Reading(
        seen_at=min(ages, default=None),
        strips=[_strip(run, "" if len(vdcs) == 1 else vdc.name or "") for vdc, run in asked],
        notes=[note for vdc in vdcs for note in _notes(vdc, now)],
        is_moving=any(is_due(vdc, now) or _is_awaited(vdc.run, now) for vdc in vdcs),
    )


def keep_fresh(vdcs: Sequence[VdcLine]) -> None:
    """Have those read again that are old enough for somebody who looks at them; mostly that is none.

    Called when the answer is ready, because what was read from the database before is let go of.
    """
    now = clock.now()
    for vdc in vdcs:
        if is_due(vdc, now):
            sync_runs.ask(vdc.service_id, "page")


def is_due(vdc: VdcLine, now: datetime) -> bool:
    """Whether a page that is open wants this one read; a silent vCloud is not asked, its first answer starts a run."""
    last = vdc.run
    if vdc.silent_since is not None or (last is not None and _is_live(last)):
        return False
    if last is None or last.started_at is None:
        return True
    return now >= sync_runs.may_begin_at("page", last.started_at, last.finished_at)


def _is_live(run: RunLine) -> bool:
    return run.state in sync_runs.LIVE


def _is_awaited(run: RunLine | None, now: datetime) -> bool:
    return run is not None and _is_live(run) and now - run.asked_at < PATIENCE


# ---- in words ------------------------------------------------------------------------------------------------------


def _strip(run: RunLine, vdc_name: str) -> Strip:
    return Strip(
        text=gettext("Reading %(vdc)s", vdc=vdc_name) if vdc_name else gettext("Reading vCloud"),
        detail=_detail(run.state, run.phase, run.vapps_done, run.vapps_total),
        progress=100 * run.vapps_done // run.vapps_total if run.vapps_total else 0,
        asked_at=run.asked_at,
    )


def _detail(state: str, phase: str | None, done: int, total: int) -> str:
    if state == "waiting":
        return gettext("Waiting for its turn")
    if phase is None:
        return gettext("Listing…")
    if done < total:
        return ngettext("Details of %(done)s of %(num)d vApp", "Details of %(done)s of %(num)d vApps", total, done=done)
    return gettext("Comparing…")


def _notes(vdc: VdcLine, now: datetime) -> list[Note]:
    run = vdc.run
    notes = [_old(vdc, now)]
    if run is not None and run.counts.get("kept_back"):
        notes.append(_kept_back(run.counts["kept_back"]))
    if run is not None and run.state == "failed" and (run.why == "asked" or vdc.silent_since is None):
        notes.append(_failure(run, vdc.silent_since))
    if run is not None and run.why == "asked" and run.state == "done" and _is_fresh(run, now):
        notes.append(Note(kind="", lead=gettext("Up to date."), text=changed_words(run.counts)))
    return [note for note in notes if note is not None]


def _is_fresh(run: RunLine, now: datetime) -> bool:
    return run.finished_at is not None and now - run.finished_at < SHOWN_FOR


def changed_words(counts: dict[str, int]) -> str:
    """What a run has found: "3 changed, 1 new, 1 gone"."""
    changed, new, gone = (counts.get(name, 0) for name in ("changed", "new", "gone"))
    parts = [
        changed and ngettext("%(num)d changed", "%(num)d changed", changed),
        new and ngettext("%(num)d new", "%(num)d new", new),
        gone and ngettext("%(num)d gone", "%(num)d gone", gone),
    ]
    return ", ".join(str(part) for part in parts if part) or gettext("Nothing has changed.")


def _kept_back(count: int) -> Note:
    lead = ngettext(
        "%(num)d server is missing in vCloud's list.", "%(num)d servers are missing in vCloud's list.", count
    )
    return Note(
        kind="warn", lead=lead, text=gettext("So many at once are kept here until your provider has confirmed it.")
    )


def _old(vdc: VdcLine, now: datetime) -> Note | None:
    """What is older than two beats of the schedule is said to be old."""
    if vdc.seen_at is None:
        if vdc.run is not None and _is_live(vdc.run):
            return Note(kind="", lead=gettext("A data center is being read for the first time."), text="")
        return Note(kind="warn", lead=gettext("A data center has not been read yet."), text=tried_again())
    if now - vdc.seen_at <= 2 * _every():
        return None
    age = filters.duration(now - vdc.seen_at)
    lead = gettext("Data center %(vdc)s was last read %(age)s ago.", vdc=vdc.name, age=age)
    return Note(kind="warn", lead=lead, text=tried_again())


def _failure(run: RunLine, silent_since: datetime | None) -> Note:
    since = silent_since or run.finished_at
    if run.error_code == "Unavailable" and since is not None:
        lead = gettext("vCloud has not answered since %(time)s.", time=filters.short(since))
    else:
        lead = gettext("vCloud answered, but could not be read. Your provider sees why.")
    return Note(kind="warn", lead=lead, text=tried_again())


def tried_again() -> str:
    """When a data center that could not be read will be."""
    minutes = web.config().sync_every_min
    return ngettext(
        "It is tried again by itself every minute and as soon as vCloud answers.",
        "It is tried again by itself every %(num)d minutes and as soon as vCloud answers.",
        minutes,
    )


def _every() -> timedelta:
    return timedelta(minutes=web.config().sync_every_min)


def shown() -> Reading:
    """What is to be said of all data centers of the account."""
    return of(account_view.vdcs())

"""The parts of System health in words: our own programs, Redis, the consoles. For each: how it is and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, ngettext

from app import clock
from app.blueprints import console as console_page
from app.blueprints import filters, web
from app.cloud import console
from app.cloud.health import Facts
from app.cloud.heartbeats import ALIVE

ASK_S = 0.3
"""So long the console gateway is waited for: the page is there within a second whatever is away."""
MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Item:
    """One part. `kind` is the glyph: "on" and "off" want nobody; `at` is the age of what `text` says.

    `todo` is the next step, `command` what to type for it, `url` the page on which it is done.
    """

    name: str
    kind: str
    state: str
    text: str = ""
    at: datetime | None = None
    todo: str = ""
    command: str = ""
    url: str = ""
    button: str = ""

    @property
    def wants_somebody(self) -> bool:
        """Whether it does not go on by itself."""
        return self.kind in ("bad", "warn")


def own(facts: Facts, *, has_redis: bool) -> Iterator[Item]:
    yield _clock(facts)
    yield _workers(facts, has_redis=has_redis)


def _clock(facts: Facts) -> Item:
    late = facts.overdue
    kind, state = _sign(facts.clock_at)
    if kind == "on" and late.number:
        kind, state = "bad", gettext("Late")
    text = gettext("Nothing is overdue.")
    if late.number and late.since:
        text = ngettext(
            "%(num)d operation is overdue by %(time)s.",
            "%(num)d operations are overdue, the first by %(time)s.",
            late.number,
            time=ago(late.since),
        )
    return Item(
        name=gettext("Clock"),
        kind=kind,
        state=state,
        text=text,
        at=facts.clock_at,
        todo=gettext("Start the clock: without it nothing begins or goes on by itself. Its log says why it stopped."),
        command="systemctl restart skiff-clock",
    )


def _workers(facts: Facts, *, has_redis: bool) -> Item:
    waits = facts.unheard
    kind, state = _sign(facts.worker_at)
    if kind == "on" and waits.number:
        kind, state = "warn", gettext("Behind")
    texts = [ngettext("%(num)d process.", "%(num)d processes.", facts.workers)]
    if waits.number and waits.since:
        texts.append(
            ngettext(
                "%(num)d task waits for one, for %(time)s.",
                "%(num)d tasks wait for one, the first for %(time)s.",
                waits.number,
                time=ago(waits.since),
            )
        )
    todo, command = _for_workers(facts, has_redis=has_redis, is_behind=kind == "warn")
    return Item(
        name=gettext("Workers"),
        kind=kind,
        state=state,
        text=" ".join(texts),
        at=facts.worker_at,
        todo=todo,
        command=command,
    )


def _for_workers(facts: Facts, *, has_redis: bool, is_behind: bool) -> tuple[str, str]:
    """What to mend first, and how."""
    if not has_redis:
        return gettext("Mend Redis first: workers get their work from it."), ""
    if is_behind and _sign(facts.clock_at)[0] != "on":
        return gettext("Mend the clock first: it brings workers what was left."), ""
    if is_behind:
        todo = gettext("Start one more worker, or look into their log for what holds them up.")
        return todo, f"systemctl enable --now skiff-worker@{facts.workers + 1}"
    todo = gettext("Start a worker: without one nothing is done. Their log says why they stopped.")
    return todo, "systemctl restart 'skiff-worker@*'"


def _sign(seen_at: datetime | None) -> tuple[str, str]:
    """Glyph and word for a program that left its last sign then."""
    if seen_at is None:
        return "bad", gettext("Never seen")
    return ("on", gettext("In order")) if clock.now() - seen_at < ALIVE else ("bad", gettext("Silent"))


def redis(*, has_redis: bool) -> Item:
    return Item(
        name="Redis",
        kind="on" if has_redis else "bad",
        state=gettext("Answers") if has_redis else gettext("Does not answer"),
        text="" if has_redis else gettext("Nothing is lost, but nothing is done until it is back."),
        todo=gettext("Start Redis, or mend REDIS_URL."),
        command="systemctl restart redis-server",
    )


# ---- Consoles ------------------------------------------------------------------------------------------------------


def gateway(facts: Facts) -> Item:
    name = gettext("Console gateway")
    if facts.vclouds and not any(one.has_gateway for one in facts.vclouds):
        return Item(
            name=name, kind="off", state=gettext("Not needed"), text=gettext("Browsers go to the cells themselves.")
        )
    figures = console.figures(web.config().console_port, timeout_s=ASK_S)
    if figures is None:
        return Item(
            name=name,
            kind="bad",
            state=gettext("Does not answer"),
            text=gettext("Nobody gets a screen."),
            todo=gettext("Start the gateway; CONSOLE_PORT must be the same for it and the panel."),
            command="systemctl restart skiff-console",
        )
    return Item(name=name, kind="on", state=gettext("Answers"), text=_figures(figures))


def _figures(figures: console.Figures) -> str:
    refused = ", ".join(f"{reason} {number}" for reason, number in sorted(figures.refused.items()))
    texts = [
        ngettext("%(num)d console open.", "%(num)d consoles open.", figures.open),
        gettext("Since its start: %(opened)s opened, %(mb)s MB.", opened=figures.opened, mb=_mb(figures)),
    ]
    if refused:
        texts.append(gettext("Refused: %(reasons)s.", reasons=refused))
    return " ".join(texts)


def _mb(figures: console.Figures) -> str:
    return str(round((figures.bytes_to_browsers + figures.bytes_to_cells) / MB))


def program() -> Item:
    client = console_page.client()
    wanted = "noVNC" if web.config().console_client == "novnc" else "WMKS"
    return Item(
        name=gettext("Console program"),
        kind="on" if client else "bad",
        state=gettext("Installed") if client else gettext("Missing"),
        text=client.name if client else wanted,
        todo=gettext("Fetch it again, or put your own file there; until then nobody gets a screen."),
        command="./run --setup-only",
    )


def ago(at: datetime) -> str:
    """How long ago it was: "6 min"."""
    return filters.duration(clock.now() - at)

"""The parts of System health in words: the vClouds, and the work that waits for somebody."""

import shlex
from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext, ngettext

from app.blueprints import filters
from app.blueprints.health_parts import Item, ago
from app.cloud.health import Facts, Vcloud


def work(facts: Facts, explained: tuple[int, int]) -> Iterator[Item]:
    for vcloud in facts.vclouds:
        yield _vcloud(vcloud)
    if not facts.vclouds:
        todo = gettext("None is attached yet: flask handler-add.")
        yield Item(name="vCloud", kind="off", state=gettext("None yet"), text=todo)
    yield _held_back(facts)
    yield _drift(facts)
    yield _operations(facts)
    yield _errors(facts, explained)
    yield _leases(facts)


def _vcloud(one: Vcloud) -> Item:
    texts = [ngettext("%(num)d data center.", "%(num)d data centers.", one.vdcs)]
    if one.seen_at is not None:
        texts.append(gettext("The oldest was read %(time)s ago.", time=ago(one.seen_at)))
    if one.failing:
        texts.append(ngettext("%(num)d cannot be read.", "%(num)d cannot be read.", one.failing))
    if one.late:
        texts.append(ngettext("%(num)d is late.", "%(num)d are late.", one.late))
    kind, state, todo = _reading(one)
    return Item(
        name=f"vCloud {one.name}",
        kind=kind,
        state=state,
        text=" ".join(texts),
        at=one.silent_since or one.answered_at,
        todo=todo,
        command=f"flask handler-check {shlex.quote(one.name)}" if one.silent_since else "",
        url="" if one.silent_since else url_for("staff_sync.index"),
        button=gettext("Sync"),
    )


def _reading(one: Vcloud) -> tuple[str, str, str]:
    if one.silent_since is not None:
        todo = gettext("Look at vCloud and the way there. What customers ask for waits and goes on when it is back.")
        return "bad", gettext("Does not answer"), todo
    if one.failing:
        return "bad", gettext("Cannot be read"), gettext("See what it said; mostly a login or a right has changed.")
    if one.late:
        return "warn", gettext("Late"), gettext("See which data center; it should be read with the others.")
    if one.answered_at is None:
        return "off", gettext("Not asked yet"), ""
    return "on", gettext("Answers"), ""


def _held_back(facts: Facts) -> Item:
    number = facts.kept_back
    return Item(
        name=gettext("Readings held back"),
        kind="bad" if number else "on",
        state=gettext("Held back") if number else gettext("In order"),
        text=ngettext("%(num)d waits for your word.", "%(num)d wait for your word.", number) if number else _none(),
        todo=gettext("Most servers of a data center were not listed. Look into vCloud, then say if they are gone."),
        url=url_for("staff_sync.index"),
        button=gettext("Sync"),
    )


def _drift(facts: Facts) -> Item:
    is_alarm = facts.drift_alarms > 0
    number = facts.drift.number
    return Item(
        name=gettext("Drift"),
        kind="bad" if is_alarm else "on",
        state=gettext("Older than 24 hours") if is_alarm else gettext("In order"),
        text=ngettext("%(num)d difference to decide.", "%(num)d differences to decide.", number) if number else _none(),
        at=facts.drift.since,
        todo=gettext("Its customer decides; ask whether the change in vCloud was meant."),
        url=url_for("staff_drift.index", show="old"),
        button=gettext("Drift"),
    )


def _operations(facts: Facts) -> Item:
    number = facts.stopped.number
    return Item(
        name=gettext("Operations"),
        kind="warn" if number else "on",
        state=gettext("Needs attention") if number else gettext("In order"),
        text=ngettext("%(num)d has stopped.", "%(num)d have stopped.", number)
        if number
        else gettext("None has stopped."),
        at=facts.stopped.since,
        todo=gettext("See what vCloud said, then let it go on or tell the customer."),
        url=url_for("staff_operations.index"),
        button=gettext("Operations"),
    )


def _errors(facts: Facts, explained: tuple[int, int]) -> Item:
    number = facts.unexplained
    texts = [ngettext("%(num)d without a rule.", "%(num)d without a rule.", number)] if number else []
    known, failures = explained
    if failures:
        texts.append(
            ngettext(
                "%(share)s %% of the last %(num)d failure is explained.",
                "%(share)s %% of the last %(num)d failures are explained.",
                failures,
                share=100 * known // failures,
            )
        )
    return Item(
        name=gettext("Unexplained errors"),
        kind="warn" if number else "on",
        state=gettext("No rule") if number else gettext("In order"),
        text=" ".join(texts) or _none(),
        todo=gettext("Write the rule that is offered, so that customers read what to do."),
        url=url_for("staff_errors.index"),
        button=gettext("Unexplained errors"),
    )


def _leases(facts: Facts) -> Item:
    number, ends_at = facts.leases
    text = _none()
    if number and ends_at:
        text = ngettext(
            "%(num)d vApp, on %(time)s.", "%(num)d vApps, the first on %(time)s.", number, time=filters.precise(ends_at)
        )
    return Item(
        name=gettext("Leases"),
        kind="warn" if number else "on",
        state=gettext("End soon") if number else gettext("In order"),
        text=text,
        todo=gettext("vCloud stops, locks or deletes these vApps then. Lengthen their leases in vCloud."),
    )


def _none() -> str:
    return gettext("None.")

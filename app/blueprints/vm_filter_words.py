"""The filter language in words: its examples, and what is wrong with a part of a filter."""

from flask_babel import gettext

from app.cloud.vm_filter import FIELDS, STATES, Problem


def examples() -> list[tuple[str, str]]:
    """The language by examples: what is typed, what it means."""
    return [
        ("10.0.", gettext("a word: in the name, an address, the vApp or the system")),
        ("status:on,partly", gettext("one of these states: %(states)s", states=", ".join(STATES))),
        ('vapp:shop name:web os:"windows server"', gettext("a part of that name")),
        ("ip:10.0. net:dmz", gettext("an address that begins so, a network")),
        ("cpu:>2 ram:>=8gb disk:<100gb", gettext("a size")),
        ("snapshot:yes vdc:moscow", gettext("with a snapshot, in a data center")),
    ]


def problem_words(problem: Problem) -> str:
    """What is wrong with a part of the filter, and what would be right."""
    part = f"{problem.field}:{problem.value}"
    if problem.code == "field":
        known = ", ".join(FIELDS)
        return gettext("There is no field “%(field)s”. Known are: %(known)s.", field=problem.field, known=known)
    if problem.code == "state":
        known = ", ".join(STATES)
        return gettext("“%(part)s”: there is no such state. Known are: %(known)s.", part=part, known=known)
    if problem.code == "number":
        return gettext("“%(part)s” is not a size. Write cpu:4, ram:>=8gb or disk:<100gb.", part=part)
    if problem.code == "flag":
        return gettext("“%(part)s” is neither yes nor no. Write %(field)s:yes.", part=part, field=problem.field)
    if problem.code == "empty":
        return gettext("Nothing stands after “%(part)s”.", part=part)
    return gettext("The filter is too long: from “%(part)s” on it was not read.", part=problem.value)

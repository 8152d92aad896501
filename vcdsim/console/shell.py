"""The small shell of a simulated guest: its facts are those of the simulated VM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vcdsim.console.machine import Facts
from vcdsim.console.terminal import Line

#: What follows a command.
CLEAR, LOG_OUT, RESTART, POWER_OFF = "clear", "log out", "restart", "power off"

_USED_SHARE = 0.17
_ROOT_GB_LEAST = 1


@dataclass
class Outcome:
    """What a command writes, and what follows."""

    lines: list[str | Line] = field(default_factory=list)
    then: str = ""


@dataclass(frozen=True)
class _Call:
    """A command with what it may want to know."""

    words: list[str]
    facts: Facts
    user: str
    history: list[str]


def run(line: str, facts: Facts, user: str, history: list[str]) -> Outcome:
    """One command line."""
    words = line.split()
    if not words:
        return Outcome()
    call = _Call(words, facts, user, history)
    if words[0] in _ENDINGS:
        return Outcome(then=_ENDINGS[words[0]])
    if words[0] == "echo":
        return Outcome([line.strip().removeprefix("echo").strip().replace('"', "")])
    if words[0] in _COMMANDS:
        return Outcome([*_COMMANDS[words[0]](call)])
    return Outcome([f"{words[0]}: command not found"])


def completion(begun: str) -> str:
    """What the only command with this beginning lacks; nothing when there are several or none."""
    fitting = [name for name in (*_COMMANDS, *_ENDINGS, "echo") if name.startswith(begun)]
    return fitting[0][len(begun) :] + " " if begun and len(fitting) == 1 else ""


def _help(_call: _Call) -> list[str]:
    names = sorted({*_COMMANDS, *_ENDINGS, "echo"})
    return [
        "This shell knows:",
        *("  " + "  ".join(f"{one:<10}" for one in names[at : at + 6]) for at in range(0, len(names), 6)),
    ]


def _uname(call: _Call) -> list[str]:
    if call.words[1:] != ["-a"]:
        return ["Linux"]
    return [f"Linux {call.facts.host_name} 6.1.0-sim-amd64 #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux"]


def _free(call: _Call) -> list[str]:
    total = call.facts.memory_mb
    used = int(total * _USED_SHARE)
    return [f"{'':<8}{'total':>9}{'used':>9}{'free':>9}  (MB)", f"{'Mem:':<8}{total:>9}{used:>9}{total - used:>9}"]


def _df(call: _Call) -> list[str]:
    rows = [f"{'Filesystem':<12}{'Size':>7}{'Used':>7}{'Avail':>7}{'Use%':>6} Mounted on"]
    for place, size in enumerate(call.facts.disks_gb):
        used = max(_ROOT_GB_LEAST, int(size * _USED_SHARE))
        where = "/" if not place else f"/data{place}"
        name = f"/dev/{_disk(place)}1"
        rows.append(f"{name:<12}{size:>6}G{used:>6}G{size - used:>6}G{100 * used // max(1, size):>5}% {where}")
    return rows


def _lsblk(call: _Call) -> list[str]:
    rows = [f"{_disk(place):<8}{size:>6}G disk" for place, size in enumerate(call.facts.disks_gb)]
    return [f"{'NAME':<8}{'SIZE':>7} TYPE", *rows]


def _ip(call: _Call) -> list[str]:
    if call.words[1:2] and call.words[1][0] == "r":
        return [f"default via {one.gateway} dev eth{place}" for place, one in enumerate(call.facts.interfaces[:1])]
    rows = ["1: lo: <LOOPBACK,UP> mtu 65536", "    inet 127.0.0.1/8 scope host lo"]
    for place, one in enumerate(call.facts.interfaces):
        rows += [f"{place + 2}: eth{place}: <BROADCAST,MULTICAST,UP> mtu 1500", f"    link/ether {one.mac}"]
        if one.address:
            rows.append(f"    inet {one.address}/{one.prefix} scope global eth{place}")
    return rows


def _uptime(call: _Call) -> list[str]:
    now = datetime.fromtimestamp(call.facts.now, UTC)
    minutes = int(call.facts.now - call.facts.booted_at) // 60
    days, rest = divmod(minutes, 24 * 60)
    up = f"{days} days, " * (days > 0) + f"{rest // 60}:{rest % 60:02}"
    return [f" {now:%H:%M:%S} up {up},  1 user,  load average: 0.08, 0.03, 0.01"]


def _history(call: _Call) -> list[str]:
    return [f"{number:>5}  {line}" for number, line in enumerate(call.history, 1)]


def _disk(place: int) -> str:
    return f"sd{chr(ord('a') + place)}"


_COMMANDS: dict[str, Callable[[_Call], list[str]]] = {
    "date": lambda call: [f"{datetime.fromtimestamp(call.facts.now, UTC):%a %b %d %H:%M:%S UTC %Y}"],
    "df": _df,
    "free": _free,
    "help": _help,
    "history": _history,
    "hostname": lambda call: [call.facts.host_name],
    "ip": _ip,
    "lsblk": _lsblk,
    "nproc": lambda call: [str(call.facts.cpu_count)],
    "pwd": lambda call: ["/root" if call.user == "root" else f"/home/{call.user}"],
    "uname": _uname,
    "uptime": _uptime,
    "whoami": lambda call: [call.user],
}
_ENDINGS = {
    "clear": CLEAR,
    "exit": LOG_OUT,
    "logout": LOG_OUT,
    "reboot": RESTART,
    "shutdown": POWER_OFF,
    "poweroff": POWER_OFF,
    "halt": POWER_OFF,
}

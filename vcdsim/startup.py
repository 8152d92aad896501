"""The order in which a vApp starts and stops: what its StartupSection says (OVF 1.1, section 9.8).

VMs of one `order` go together, lower orders start first and stop last. Before the next ones go, the
longest delay of those before is waited for. Stages are (seconds after the beginning, ids of VMs),
without the last one, which is the end of the task.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from vcdsim.entities import Task, VApp, Vm
from vcdsim.people import User
from vcdsim.refusals import RefusalError
from vcdsim.tasks import effect, require_idle_vapp, start
from vcdsim.world import World

Stages = list[tuple[float, list[str]]]

_ACTIONS = {"startAction": ("powerOn", "none"), "stopAction": ("powerOff", "guestShutdown", "none")}
_END = 2**16
#: What a VM does that no item speaks of.
DEFAULTS = {
    "order": "0",
    "startAction": "powerOn",
    "startDelay": "0",
    "stopAction": "powerOff",
    "stopDelay": "0",
}


def item(vapp: VApp, vm: Vm) -> dict[str, str]:
    """Order, actions and delays of the VM, the defaults where nothing was said."""
    return {**DEFAULTS, **vapp.startup.get(vm.name, {})}


def update(world: World, actor: User, vapp: VApp, items: list[dict[str, str]]) -> Task:
    """Set what the items say; VMs that none of them names keep theirs."""
    require_idle_vapp(world, vapp)
    names = [vm.name for vm in world.vms_of(vapp)]
    for one in items:
        if one["id"] not in names or not _is_valid(one):
            raise RefusalError(f'The startup item of "{one["id"]}" is not valid.')  # INF
    args = {"startup": {one["id"]: {key: one[key] for key in DEFAULTS if key in one} for one in items}}
    return start(world, actor, vapp, "vdcUpdateVapp", "update_startup", args=args)


def _is_valid(one: dict[str, str]) -> bool:
    """Actions of OVF, and numbers that fit its xs:unsignedShort."""
    is_known = all(one.get(key, DEFAULTS[key]) in words for key, words in _ACTIONS.items())
    numbers = [one.get(key, "0") for key in ("order", "startDelay", "stopDelay")]
    return is_known and all(text.isdecimal() and int(text) < _END for text in numbers)


@effect("update_startup")
def _updated(world: World, task: Task) -> None:
    world.vapps[task.owner_id].startup |= task.args["startup"]


def starts(vapp: VApp, vm: Vm) -> bool:
    """False for a VM that stays off when its vApp is started."""
    return item(vapp, vm)["startAction"] != "none"


def shuts_down(vapp: VApp, vm: Vm) -> bool:
    """True for a VM whose guest is asked to stop, which takes its time."""
    return item(vapp, vm)["stopAction"] == "guestShutdown"


def starting(vapp: VApp, vms: list[Vm], takes_s: float) -> tuple[Stages, float]:
    """(stages, seconds on top of `takes_s`) of a start in which each VM takes `takes_s`."""
    return _stages(vapp, vms, "startDelay", lambda _: takes_s, is_reversed=False)


def stopping(vapp: VApp, vms: list[Vm], shutdown_s: float) -> tuple[Stages, float]:
    """The same of a stop in which a guest's shutdown takes `shutdown_s`, a power off no time."""

    def takes_s(group: list[Vm]) -> float:
        return shutdown_s if any(shuts_down(vapp, vm) for vm in group) else 0.0

    stages, waits_s = _stages(vapp, vms, "stopDelay", takes_s, is_reversed=True)
    return stages, waits_s + max((takes_s([vm]) for vm in vms), default=0.0)


def _stages(
    vapp: VApp, vms: list[Vm], delay: str, takes_s: Callable[[list[Vm]], float], *, is_reversed: bool
) -> tuple[Stages, float]:
    def order(vm: Vm) -> int:
        return int(item(vapp, vm)["order"])

    groups = [list(one) for _, one in groupby(sorted(vms, key=order, reverse=is_reversed), key=order)]
    stages, begins_s = [], 0.0
    for group in groups[:-1]:
        stages.append((begins_s + takes_s(group), [vm.id for vm in group]))
        begins_s += max(int(item(vapp, vm)[delay]) for vm in group)
    return sorted(stages), begins_s

"""A panel and a vCloud that both are worked on, and what must be so whatever order it happens in.

`Theirs` remembers what was last done in vCloud itself and was not asked to be changed since: it must stay.
"""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import select

from app.cloud.models import Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.cloud.sync_models import VmEvent
from app.db import db
from tests.support import sides
from vcdsim import Simulator
from vcdsim.entities import Task
from vcdsim.entities import Vm as RealVm

_POWER = frozenset({"state"})
MAY_OVERWRITE: dict[str, AbstractSet[str]] = {
    **dict.fromkeys(("start", "resume", "shut_down", "restart", "suspend", "power_off", "reset"), _POWER),
    "resize": {"cpu_count", "memory_mb", "state"},
    **dict.fromkeys(("grow_disk", "remove_disk"), frozenset({"disks"})),
    "add_disk": set(),
    "change_network": {"nics"},
    "take_snapshot": {"snapshot"},
    "remove_snapshot": {"snapshot"},
    "revert_snapshot": {"state", "cpu_count", "memory_mb", "disks"},
    "rename": {"name"},
    "reset_password": _POWER,
    "delete": {"name", "vapp_name", "state"},
    "restore": {"name", "vapp_name"},
    "erase": {"name", "vapp_name", "state"},
}
"""What of a machine each kind is asked to change. What else somebody did in vCloud must outlive it."""
WHOLLY = {"revert_snapshot": {"cpu_count", "memory_mb", "disks"}, "delete": {"name", "vapp_name"}}
"""What is asked for whatever it is now."""
CHANGES: dict[str, AbstractSet[str]] = {
    "cpu": {"cpu_count"},
    "memory": {"memory_mb"},
    "description": set(),
    "rename": {"name"},
    **dict.fromkeys(("grow_disk", "add_disk", "remove_disk"), frozenset({"disks"})),
    **dict.fromkeys(("wire", "add_card"), frozenset({"nics"})),
    "other_profile": {"storage_profile"},
    **dict.fromkeys(("switch_on", "power_off", "suspend", "undeploy", "guest_stops"), _POWER),
    **dict.fromkeys(("take_snapshot", "remove_snapshot"), frozenset({"snapshot"})),
    "revert_snapshot": {"state", "cpu_count", "memory_mb", "disks"},
    "rename_vapp": {"vapp_name"},
    "move_to_vapp": {"vapp", "vapp_name", "nics"},
    "move_to_vdc": {"vdc_id", "nics", "disks", "storage_profile"},
}
"""What each edit by hand changes of a machine."""


def fact(cloud: Simulator, vm: RealVm, what: str) -> Any:
    """One thing of a machine as vCloud has it."""
    facts: dict[str, Any] = {
        "disks": {str(disk.instance_id): disk.size_mb for disk in vm.disks},
        "nics": {nic.index: (nic.network, nic.mode, nic.is_connected) for nic in vm.nics},
        "snapshot": vm.snapshot and int(vm.snapshot.created_at),
        "state": (vm.power, vm.is_deployed),
        "vapp": vm.container_id,
        "vapp_name": cloud.world.vapps[vm.container_id].name,
        "storage_profile": vm.storage_profile_id,
    }
    return facts[what] if what in facts else getattr(vm, what)


def seen(vm: Vm, what: str) -> Any:
    """The same as the mirror has it."""
    facts: dict[str, Any] = {
        "disks": {disk["instance_id"]: disk["size_mb"] for disk in vm.disks},
        "nics": {nic["index"]: (nic["network"] or "none", nic["mode"], nic["is_connected"]) for nic in vm.nics},
        "snapshot": vm.snapshot_at and int(vm.snapshot_at.timestamp()),
        "vapp_name": vm.vapp.name,
    }
    return facts[what] if what in facts else getattr(vm, what)


class Theirs:
    """What was done in vCloud itself."""

    def __init__(self, cloud: Simulator) -> None:
        self.cloud = cloud
        self.touched: set[tuple[str, str]] = set()  # (id of the machine, what), ever
        self._stands: dict[tuple[str, str], Any] = {}
        self._tasks: list[tuple[Task, str, dict[str, Any]]] = []
        self._may_go: set[str] = set()
        self._first, self._known = set(cloud.world.vms), set(cloud.world.vms)

    def edited(self, vm_id: str, what: str, task: Task | None) -> None:
        """An edit was accepted; what it changes stands from the end of its task on."""
        vapp = self.cloud.world.vapps.get(self.cloud.world.vms[vm_id].container_id)
        beside = vapp.vm_ids if vapp and what in ("rename_vapp", "delete_vapp", "move_to_vdc") else [vm_id]
        for one in beside:
            changed = CHANGES.get(what, set())
            self.touched |= {(one, each) for each in changed | ({"existence"} if what.startswith("delete") else set())}
            if what.startswith("delete"):
                self._may_go.add(one)
                continue
            now = {each: fact(self.cloud, self.cloud.world.vms[one], each) for each in changed}
            if task is None:
                self._stand(one, dict.fromkeys(now))
            else:
                self._tasks.append((task, one, now))

    def watch(self) -> None:
        """Look what has become of the edits under way, and that everything else still is as it was made."""
        for task, vm_id, changed in [one for one in self._tasks if one[0].is_final]:
            if task.status == "success":
                self._stand(vm_id, changed)
        self._tasks = [one for one in self._tasks if not one[0].is_final]
        for (vm_id, what), value in self._stands.items():
            vm = self.cloud.world.vms.get(vm_id)
            if vm is not None:
                now = fact(self.cloud, vm, what)
                kept = {key: now.get(key) for key in value} if isinstance(value, dict) else now
                assert kept == value, f"{what} of {vm.name} was overwritten: {value} became {now}"
        lost = self._known - set(self.cloud.world.vms) - self._may_go
        assert not lost, f"deleted without being asked: {lost}"

    def assert_that_nothing_is_gone_that_is_there(self) -> None:
        """The mirror calls no machine gone that vCloud has, whoever has moved it about."""
        gone = set(db.session.scalars(select(Vm.urn).where(Vm.gone_at.is_not(None))))
        db.session.rollback()
        wrongly = {urn.rpartition(":")[2] for urn in gone} & set(self.cloud.world.vms)
        assert not wrongly, f"{wrongly} are called gone and are there"

    def assert_that_only_it_is_told(self) -> None:
        """The timeline calls nothing a change in vCloud that the panel has done, unless that had not ended well."""
        bad = select(Operation.vm_id).where(Operation.state.in_(("failed", "cancelled", "needs_attention")))
        unclear = set(db.session.scalars(bad))
        foreign = select(VmEvent).where(VmEvent.operation_id.is_(None), VmEvent.kind == "changed")
        for event in [one for one in db.session.scalars(foreign) if one.vm_id not in unclear]:
            vm_id = event.vm.urn.rpartition(":")[2]
            theirs = {
                what.replace("vapp_name", "vapp").replace("vdc_id", "vdc") for one, what in self.touched if one == vm_id
            }
            told = {change["what"] for change in event.changes} - {"lease"}
            told -= {"nics"} if "state" in theirs else set()  # addresses come and go with it
            # What somebody did in the same moment makes the whole event theirs.
            assert not told or told & theirs or vm_id not in self._first, (
                f"{event.vm.name}: {event.changes} was the panel's doing"
            )
        returned = select(Vm.urn).join(VmEvent, VmEvent.vm_id == Vm.id).where(VmEvent.kind == "returned")
        wrongly = list(db.session.scalars(returned))
        assert not wrongly, f"{wrongly} had never been away"
        db.session.rollback()

    def asked(self, vm: Vm, kind: str) -> None:
        """The panel was asked for something, and had seen what the mirror shows."""
        vm_id = vm.urn.rpartition(":")[2]
        for what in MAY_OVERWRITE.get(kind, ()):
            key = vm_id, what
            is_known = (
                what == "state" or what in WHOLLY.get(kind, ()) or _is_seen(self._stands.get(key), seen(vm, what))
            )
            if is_known:
                self._stands.pop(key, None)
        if kind == "erase":
            self._may_go.add(vm_id)

    def _stand(self, vm_id: str, before: dict[str, Any]) -> None:
        """What an edit has changed stands from now on; of disks and cards those that it has changed."""
        vm = self.cloud.world.vms.get(vm_id)
        if vm is None or self._is_in_work(vm):
            return
        self._known.add(vm_id)
        for what, was in before.items():
            now = fact(self.cloud, vm, what)
            if isinstance(now, dict):
                kept = {key: value for key, value in self._stands.get((vm_id, what), {}).items() if key in now}
                now = kept | {key: value for key, value in now.items() if (was or {}).get(key) != value}
            if what == "state" and _is_at_work(vm_id):
                self._stands.pop((vm_id, what), None)  # whoever comes last wins, and what they did before is over
            else:
                self._stands[vm_id, what] = now

    def _is_in_work(self, vm: RealVm) -> bool:
        """Whether the panel is still making it: until it is ready, it is the panel's."""
        marks = vm.description, self.cloud.world.vapps[vm.container_id].description
        return any(mark.startswith("skiff:") for mark in marks) and vm.id not in self._known


def _is_at_work(vm_id: str) -> bool:
    """Whether an operation may be switching the machine."""
    found = select(Operation.id).join(Operation.vm).where(Vm.urn.endswith(vm_id), Operation.state.in_(ACTIVE))
    is_at_work = db.session.scalar(found.limit(1)) is not None
    db.session.rollback()
    return is_at_work


def _is_seen(stands: Any, seen_value: Any) -> bool:
    return stands.items() <= seen_value.items() if isinstance(stands, dict) else bool(stands == seen_value)


def assert_equal(mirrored: sides.Facts, real: sides.Facts) -> None:
    """Fail with what differs, and nothing else."""
    differing = {urn for urn in {*mirrored, *real} if mirrored.get(urn) != real.get(urn)}
    assert not differing, "\n".join(
        f"{urn}\n  mirror {mirrored.get(urn)}\n  vCloud {real.get(urn)}" for urn in sorted(differing)
    )

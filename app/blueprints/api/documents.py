"""What the API answers about machines."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from app.blueprints.api.schema import Note, properties
from app.cloud.models import Vm
from app.cloud.rules import Action, Blocked, VmState
from app.texts.labels import ACTIONS, BLOCKED, VM_STATES


@dataclass(frozen=True, kw_only=True)
class Named:
    """Another object, by id and name."""

    id: uuid.UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A disk of a machine."""

    instance_id: str
    name: str
    size_mb: int
    independent: Annotated[bool, Note(about="It belongs to the data center and cannot be changed here.")]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A network card of a machine."""

    index: int
    network: str | None
    mode: str
    ip: str | None
    external_ip: str | None
    mac: str | None
    is_connected: bool
    primary: bool


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Protection against deletion, and the time in the recycle bin."""

    is_protected: bool
    recycled_at: datetime | None
    erase_at: Annotated[datetime | None, Note(about="When it is deleted for good.")]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An action and whether it can be asked for now."""

    action: Action
    href: Annotated[str, Note(about="Where to ask for it.")]
    title: str
    is_allowed: bool
    reason: Annotated[Blocked | None, Note(about="Why not.")]
    detail: Annotated[str | None, Note(about="The reason in words.")]


@dataclass(frozen=True, kw_only=True)
class MachineLine:
    """A machine as it stands in the list."""

    id: uuid.UUID
    name: str
    vapp: Named
    vdc: Named
    state: VmState
    state_title: str
    state_since: Annotated[datetime | None, Note(about="Null: it was so when it was first seen.")]
    seen_at: Annotated[datetime, Note(about="When all this was last found to be so in vCloud.")]
    guest_os: str
    cpu_count: int
    memory_mb: int
    disk_mb: int
    inner_ip: str | None
    outer_ip: str | None
    operation_id: Annotated[uuid.UUID | None, Note(about="The operation at work on it.")]


@dataclass(frozen=True, kw_only=True)
class Machine(MachineLine):
    """A machine."""

    cores_per_socket: int | None
    cpu_hot_add: bool
    memory_hot_add: bool
    storage_profile: str | None
    disks: tuple[Disk, ...]
    nics: tuple[Card, ...]
    has_snapshot: bool
    snapshot_at: datetime | None
    guard: Guard
    actions: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Machines:
    """One page of machines; the header Link names its neighbours."""

    items: tuple[MachineLine, ...]
    total: int
    page: int
    pages: int


# ---- from rows -----------------------------------------------------------------------------------------------------


def machine_line(vm: Vm, operation_id: uuid.UUID | None) -> MachineLine:
    """A machine in the list."""
    return MachineLine(**_line(vm, operation_id))


def _line(vm: Vm, operation_id: uuid.UUID | None) -> dict[str, Any]:
    plain = ("id", "state", "state_since", "guest_os", "cpu_count", "memory_mb", "disk_mb")
    return {
        **{name: getattr(vm, name) for name in (*plain, "inner_ip", "outer_ip")},
        "name": vm.shown_name,
        "seen_at": vm.checked_at,
        "vapp": Named(id=vm.vapp.id, name=vm.vapp.name),
        "vdc": Named(id=vm.vdc.id, name=vm.vdc.name),
        "state_title": str(VM_STATES[vm.state]),
        "operation_id": operation_id,
    }


def machine(vm: Vm, operation_id: uuid.UUID | None, answers: Mapping[Action, Blocked | None]) -> Machine:
    """A machine with all that is known of it; `answers` are those of `wishes.answers`."""
    plain = ("cores_per_socket", "cpu_hot_add", "memory_hot_add", "storage_profile", "has_snapshot", "snapshot_at")
    guard = vm.guard
    return Machine(
        **_line(vm, operation_id),
        **{name: getattr(vm, name) for name in plain},
        disks=tuple(Disk(**_part(Disk, disk)) for disk in vm.disks),
        nics=tuple(Card(**_part(Card, nic)) for nic in vm.nics),
        guard=Guard(
            is_protected=guard is not None and guard.is_protected,
            recycled_at=guard.recycled_at if guard else None,
            erase_at=guard.erase_at if guard else None,
        ),
        actions=tuple(_choice(vm, action, blocked) for action, blocked in answers.items()),
    )


def in_address(action: Action) -> str:
    """The name of an action as it stands in addresses."""
    return action.value.replace("_", "-")


def _part(model: type, mirrored: dict[str, Any]) -> dict[str, Any]:
    return {one.name: mirrored[one.name] for one in properties(model)}


def _choice(vm: Vm, action: Action, blocked: Blocked | None) -> Choice:
    return Choice(
        action=action,
        href=f"/api/v1/vms/{vm.id}/actions/{in_address(action)}",
        title=str(ACTIONS[action]),
        is_allowed=blocked is None,
        reason=blocked,
        detail=str(BLOCKED[blocked]) if blocked else None,
    )

"""What can be asked of a machine: each action with the body that it takes and the use case behind it, a line each."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from app.accounts.rules import Actor, Permission
from app.blueprints import web
from app.blueprints.api.documents import in_address
from app.blueprints.api.endpoints import Nothing, endpoint
from app.blueprints.api.operations import OperationState, operation_state
from app.blueprints.api.schema import WHOLE_MOST, NewPassword, Note
from app.cloud import deletion, disks, naming, networks, passwords, resize, snapshots, wishes
from app.cloud.networks import CardWish
from app.cloud.rules import Action

InstanceId = Annotated[str, Note(about="As in the machine's `disks`.", most=100)]
DiskSize = Annotated[int, Note(least=1, most=WHOLE_MOST)]


@dataclass(frozen=True, kw_only=True)
class NewSize:
    """Other processors and memory."""

    cpu_count: Annotated[int, Note(least=1, most=WHOLE_MOST)]
    memory_mb: Annotated[int, Note(about="A multiple of 4.", least=4, most=WHOLE_MOST)]
    restart: Annotated[
        bool, Note(about="Whether the machine is restarted for it; `plan_changed` says that it is the other way.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class NewDisk:
    """A disk to be added."""

    size_gb: DiskSize


@dataclass(frozen=True, kw_only=True)
class GrownDisk:
    """A disk to be made larger."""

    instance_id: InstanceId
    size_gb: DiskSize


@dataclass(frozen=True, kw_only=True)
class DoomedDisk:
    """A disk to be deleted with its data."""

    instance_id: InstanceId


class AddressMode(StrEnum):
    """Where the address of a card comes from."""

    POOL = "POOL"
    DHCP = "DHCP"
    MANUAL = "MANUAL"
    NONE = "NONE"


@dataclass(frozen=True, kw_only=True)
class WantedCard:
    """How one card shall be; an index that the machine does not have adds a card."""

    index: Annotated[int, Note(least=0, most=networks.MOST_CARDS - 1)]
    network_id: Annotated[uuid.UUID | None, Note(about="Null: not connected.")] = None
    mode: AddressMode = AddressMode.POOL
    ip: Annotated[str | None, Note(about="With the mode MANUAL.", most=45)] = None
    is_removed: bool = False


@dataclass(frozen=True, kw_only=True)
class WantedCards:
    """Cards to be changed; the others stay."""

    cards: Annotated[tuple[WantedCard, ...], Note(least=1, most=100)]


@dataclass(frozen=True, kw_only=True)
class WantedSnapshot:
    """How a snapshot is taken; `memory` keeps that of the running guest, `replace` agrees to lose the one there is."""

    memory: bool = False
    replace: bool = False


@dataclass(frozen=True, kw_only=True)
class NewName:
    """The name that a machine shall have."""

    vm_name: Annotated[str, Note(most=200)]


@dataclass(frozen=True, kw_only=True)
class WantedPassword:
    """The new password."""

    password: NewPassword = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """The consent to a deletion."""

    typed_name: Annotated[str, Note(about="The machine's name, so that the wrong one is not hit.", most=200)]


Ask = Callable[[Actor, uuid.UUID, str, Any], uuid.UUID]


def _plain(action: Action) -> Ask:
    return lambda actor, vm_id, token, _: wishes.ask(actor, vm_id, action, token)


def _change_network(actor: Actor, vm_id: uuid.UUID, token: str, body: WantedCards) -> uuid.UUID:
    return networks.request_change(actor, vm_id, token, [CardWish(**vars(card)) for card in body.cards])


def _rename(actor: Actor, vm_id: uuid.UUID, token: str, body: NewName) -> uuid.UUID:
    return naming.request_rename(actor, vm_id, token, name=body.vm_name)


def _delete(actor: Actor, vm_id: uuid.UUID, token: str, body: Deletion) -> uuid.UUID:
    return deletion.request_delete(actor, vm_id, token, typed_name=body.typed_name, keep_h=web.config().recycle_hours)


def _with(request: Callable[..., uuid.UUID]) -> Ask:
    """A use case whose arguments are the properties of the body."""
    return lambda actor, vm_id, token, body: request(actor, vm_id, token, **vars(body))


ACTIONS: dict[Action, tuple[str, type, Ask]] = {
    Action.START: ("Switch the machine on.", Nothing, _plain(Action.START)),
    Action.RESUME: ("Let a suspended machine go on.", Nothing, _plain(Action.RESUME)),
    Action.SHUT_DOWN: ("Ask the system inside to shut down.", Nothing, _plain(Action.SHUT_DOWN)),
    Action.RESTART: ("Ask the system inside to restart.", Nothing, _plain(Action.RESTART)),
    Action.SUSPEND: ("Freeze the machine; resume lets it go on.", Nothing, _plain(Action.SUSPEND)),
    Action.POWER_OFF: ("Switch the machine off like by the plug.", Nothing, _plain(Action.POWER_OFF)),
    Action.RESET: ("Restart the machine like by the reset button.", Nothing, _plain(Action.RESET)),
    Action.RESIZE: ("Change processors and memory.", NewSize, _with(resize.request_resize)),
    Action.ADD_DISK: ("Add a disk.", NewDisk, _with(disks.request_add)),
    Action.GROW_DISK: ("Make a disk larger.", GrownDisk, _with(disks.request_grow)),
    Action.REMOVE_DISK: ("Delete a disk with its data.", DoomedDisk, _with(disks.request_remove)),
    Action.CHANGE_NETWORK: ("Connect, change and remove network cards.", WantedCards, _change_network),
    Action.TAKE_SNAPSHOT: ("Take a snapshot.", WantedSnapshot, _with(snapshots.request_snapshot)),
    Action.REVERT_SNAPSHOT: ("Go back to the snapshot.", Nothing, _plain(Action.REVERT_SNAPSHOT)),
    Action.REMOVE_SNAPSHOT: ("Remove the snapshot.", Nothing, _plain(Action.REMOVE_SNAPSHOT)),
    Action.RENAME: ("Give the machine another name.", NewName, _rename),
    Action.RESET_PASSWORD: ("Set a new password.", WantedPassword, _with(passwords.request_new_password)),
    Action.DELETE: ("Put the machine into the recycle bin.", Deletion, _delete),
    Action.RESTORE: ("Take the machine out of the recycle bin.", Nothing, _plain(Action.RESTORE)),
    Action.ERASE: ("Delete the machine in the recycle bin for good.", Nothing, _plain(Action.ERASE)),
}
"""Action -> (what it does, body, use case). The address is its name with hyphens."""


def _declare(action: Action, summary: str, body: type, ask: Ask) -> None:
    def view(vm_id: uuid.UUID, form_token: str, body: Any) -> OperationState:
        operation_id = ask(web.actor(), vm_id, form_token, body)
        return operation_state(web.get_operation(operation_id))

    view.__doc__ = summary
    declare = endpoint(
        "POST",
        f"/vms/<uuid:vm_id>/actions/{in_address(action)}",
        name=action.value,
        tag="Actions",
        answer=OperationState,
        permission=Permission.VM_CHANGE,
        status=202,
        body=body,
        is_asked=True,
    )
    declare(view)


for _action, (_summary, _body, _ask) in ACTIONS.items():
    _declare(_action, _summary, _body, _ask)

"""Asking the panel for anything that it can do: every kind of operation, with whatever a number makes of it."""

import uuid
from collections.abc import Callable

from app.cloud import deletion, disks, naming, networks, passwords, resize, sizes, snapshots, vms, wishes
from app.cloud.models import Vm
from app.cloud.networks import CardWish
from app.cloud.rules import Action
from app.cloud.steps import KINDS
from tests.support.cast import Cast, new_token
from tests.support.wishes import wish

Ask = Callable[[Cast, Vm, int], uuid.UUID]


def _resize(cast: Cast, vm: Vm, number: int) -> uuid.UUID:
    cpu_count = vm.cpu_count if number % 3 == 0 else number % 6 + 1
    memory_mb = vm.memory_mb if number % 3 == 1 else 1024 * (number % 8 + 1)
    restart = sizes.plan(resize.shape_of(vm), cpu_count, memory_mb) is sizes.Plan.RESTART
    return resize.request_resize(
        cast.owner, vm.id, new_token(), cpu_count=cpu_count, memory_mb=memory_mb, restart=restart
    )


def _grow_disk(cast: Cast, vm: Vm, number: int) -> uuid.UUID:
    disk = vm.disks[number % len(vm.disks)]
    size_gb = disk["size_mb"] // 1024 + number % 4 + 1
    return disks.request_grow(cast.owner, vm.id, new_token(), instance_id=disk["instance_id"], size_gb=size_gb)


def _remove_disk(cast: Cast, vm: Vm, number: int) -> uuid.UUID:
    disk = vm.disks[number % len(vm.disks)]
    return disks.request_remove(cast.owner, vm.id, new_token(), instance_id=disk["instance_id"])


def _change_network(cast: Cast, vm: Vm, number: int) -> uuid.UUID:
    network = wish(network=("acme-net", "acme-internal")[number % 2]).network_id if number % 5 else None
    card = CardWish(index=0 if number % 4 else len(vm.nics), network_id=network, mode=("POOL", "DHCP")[number % 2])
    return networks.request_change(cast.owner, vm.id, new_token(), [card])


def _take_snapshot(cast: Cast, vm: Vm, number: int) -> uuid.UUID:
    return snapshots.request_snapshot(cast.owner, vm.id, new_token(), memory=number % 3 == 0, replace=number % 2 == 0)


def _create(cast: Cast, _vm: Vm, number: int) -> uuid.UUID:
    name = f"ours-{number}"
    spec = wish(vapp_name=name) if number % 3 else wish(template="lamp", size=None, vapp_name=name)
    return vms.request_create(cast.owner, spec, new_token())


def _create_in_vapp(cast: Cast, vm: Vm, number: int) -> uuid.UUID:
    spec = wish(vapp_name="", vm_name=f"box-{number}", vapp_id=vm.vapp_id, vdc=vm.vdc.name)
    return vms.request_create(cast.owner, spec, new_token())


def _plain(kind: str) -> Ask:
    return lambda cast, vm, _: wishes.ask(cast.owner, vm.id, Action(kind), new_token())


ASKS: dict[str, Ask] = {
    "resize": _resize,
    "grow_disk": _grow_disk,
    "add_disk": lambda cast, vm, number: disks.request_add(cast.owner, vm.id, new_token(), size_gb=number % 4 + 1),
    "remove_disk": _remove_disk,
    "change_network": _change_network,
    "take_snapshot": _take_snapshot,
    "rename": lambda cast, vm, number: naming.request_rename(cast.owner, vm.id, new_token(), name=f"ours-{number}"),
    "reset_password": lambda cast, vm, _: passwords.request_new_password(cast.owner, vm.id, new_token()),
    "delete": lambda cast, vm, number: deletion.request_delete(
        cast.owner, vm.id, new_token(), typed_name=vm.name, keep_h=number % 3
    ),
    "create": _create,
    "create_in_vapp": _create_in_vapp,
}
"""How each kind is asked for; the others need nothing but a machine."""
ASKS |= {kind: _plain(kind) for kind in KINDS if kind not in ASKS}

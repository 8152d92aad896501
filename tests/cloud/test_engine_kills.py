"""Fail at the k-th side effect, for every k: one effect, the right end, and nothing left over.

Each kind of operation is played undisturbed, then once for each of its side effects with each fate (see
`tests.support.doom`); another worker goes on where the first one fell. Dying after a write is the same as dying before
the side effect that follows, so every moment of a worker's life is among these. How it must end is what the undisturbed
play says, down to the number of commands that vCloud has accepted. `pytest` prints how many lives were played.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import select

from app.cloud import deletion, disks, naming, networks, passwords, resize, sizes, snapshots, vms, wishes
from app.cloud.models import Vm
from app.cloud.networks import CardWish
from app.cloud.rules import Action
from app.cloud.steps import KINDS
from app.db import db
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.counts import COUNTED
from tests.support.doom import Fate
from tests.support.machines import vm_named
from tests.support.theatre import Ending, Theatre
from tests.support.wishes import wish
from vcdsim import Simulator

pytestmark = pytest.mark.one_database  # what a second worker finds after a death is tested on both by its neighbours


def on(name: str, action: Action) -> Callable[[Cast, str], uuid.UUID]:
    """An action that needs nothing but a machine."""
    return lambda cast, token: wishes.ask(cast.owner, vm_named(name).id, action, token)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A wish, after what must have happened `before`.

    `repeatable`: commands that state a whole wish and that may be sent again when an answer was lost.
    """

    ask: Callable[[Cast, str], uuid.UUID]
    before: tuple[Callable[[Cast, str], uuid.UUID], ...] = ()
    repeatable: frozenset[str] = field(default_factory=frozenset)


def _first_disk(name: str) -> str:
    return str(vm_named(name).disks[0]["instance_id"])


def _create(cast: Cast, token: str) -> uuid.UUID:
    return vms.request_create(cast.owner, wish(), token)


def _create_in_vapp(cast: Cast, token: str) -> uuid.UUID:
    vapp_id = vm_named("wiki").vapp_id
    return vms.request_create(cast.owner, wish(vapp_name="", vapp_id=vapp_id), token)


def _create_several(cast: Cast, token: str) -> uuid.UUID:
    return vms.request_create(cast.owner, wish(template="lamp", size=None), token)


def _add_disk(cast: Cast, token: str) -> uuid.UUID:
    return disks.request_add(cast.owner, vm_named("sandbox").id, token, size_gb=5)


def _delete(cast: Cast, token: str) -> uuid.UUID:
    return deletion.request_delete(cast.owner, _ours(), token, typed_name="web-03", keep_h=24)


def _from_the_bin(action: Action) -> Callable[[Cast, str], uuid.UUID]:
    return lambda cast, token: wishes.ask(cast.owner, _ours(), action, token)


def _ours() -> uuid.UUID:
    """The machine "web-03", which has another name while it is in the recycle bin."""
    return db.session.scalars(select(Vm.id).where(Vm.name.startswith("web-03"))).one()


def _resize(cast: Cast, token: str) -> uuid.UUID:
    vm = vm_named("terminal")
    restart = sizes.plan(resize.shape_of(vm), 2, 6144) is sizes.Plan.RESTART
    return resize.request_resize(cast.owner, vm.id, token, cpu_count=2, memory_mb=6144, restart=restart)


def _rename(cast: Cast, token: str) -> uuid.UUID:
    return naming.request_rename(cast.owner, vm_named("shop-web-2").id, token, name="box")


def _take_snapshot(cast: Cast, token: str) -> uuid.UUID:
    return snapshots.request_snapshot(cast.owner, vm_named("terminal").id, token)


INNER = "acme-internal"
# vCloud does not tell passwords, so one whose answer was lost is set again.
SETS_PASSWORD = frozenset({"POST /api/vApp/vm-*/action/reconfigureVm"})
SCENES = {
    "create": Scene(ask=_create, repeatable=SETS_PASSWORD),
    "create_in_vapp": Scene(ask=_create_in_vapp, repeatable=SETS_PASSWORD),
    "create of several": Scene(ask=_create_several, repeatable=SETS_PASSWORD),
    "start": Scene(ask=on("sandbox", Action.START)),
    "resume": Scene(ask=on("legacy-erp", Action.RESUME)),
    "shut_down": Scene(ask=on("terminal", Action.SHUT_DOWN)),
    "power_off": Scene(ask=on("terminal", Action.POWER_OFF)),
    "power_off_suspended": Scene(ask=on("legacy-erp", Action.POWER_OFF)),
    "grow_disk": Scene(
        ask=lambda cast, token: disks.request_grow(
            cast.owner, vm_named("sandbox").id, token, instance_id=_first_disk("sandbox"), size_gb=60
        )
    ),
    "add_disk": Scene(ask=_add_disk),
    "remove_disk": Scene(
        before=(_add_disk,),
        ask=lambda cast, token: disks.request_remove(
            cast.owner, vm_named("sandbox").id, token, instance_id=str(vm_named("sandbox").disks[1]["instance_id"])
        ),
    ),
    "change_network": Scene(
        ask=lambda cast, token: networks.request_change(
            cast.owner, vm_named("sandbox").id, token, [CardWish(index=0, network_id=wish(network=INNER).network_id)]
        )
    ),
    "resize": Scene(ask=_resize),
    "restart": Scene(ask=on("terminal", Action.RESTART)),
    "reset": Scene(ask=on("terminal", Action.RESET)),
    "suspend": Scene(ask=on("terminal", Action.SUSPEND)),
    "rename": Scene(ask=_rename),
    "reset_password": Scene(
        ask=lambda cast, token: passwords.request_new_password(cast.owner, vm_named("sandbox").id, token),
        repeatable=SETS_PASSWORD,
    ),
    "take_snapshot": Scene(ask=_take_snapshot),
    "revert_snapshot": Scene(before=(_take_snapshot,), ask=on("terminal", Action.REVERT_SNAPSHOT)),
    "remove_snapshot": Scene(before=(_take_snapshot,), ask=on("terminal", Action.REMOVE_SNAPSHOT)),
    "delete": Scene(before=(_create,), ask=_delete),
    "restore": Scene(before=(_create, _delete), ask=_from_the_bin(Action.RESTORE)),
    "erase": Scene(before=(_create, _delete), ask=_from_the_bin(Action.ERASE)),
}
"""What is played; a new kind of operation joins by a line here."""
FATES = tuple(fate for fate in Fate if fate not in (Fate.HELD_UP, Fate.PASSED))
EVERY_FATE = {"create", "create_in_vapp", "resize", "grow_disk", "delete", "revert_snapshot", "reset"}
WORST_FATE = Fate.ANSWER_LOST
"""What the others are spared is a matter of the engine, which does not know kinds."""
# None: the task of the struck command ends quickly. Else it is still running when somebody looks what became of it,
# which is after 30 s where an answer was lost and after 91 s where a worker was.
TASK_S: dict[Fate, tuple[float | None, ...]] = {Fate.ANSWER_LOST: (None, 40.0), Fate.KILLED_AFTER: (None, 100.0)}


@pytest.fixture
def theatre(app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> Iterator[Theatre]:
    """The stage, with the demo world on it."""
    with Theatre(app, cloud, clock).open() as stage:
        yield stage


@pytest.mark.parametrize(
    ("name", "fate"), [(name, fate) for name in SCENES for fate in (FATES if name in EVERY_FATE else (WORST_FATE,))]
)
def test_whatever_happens_at_whichever_side_effect_it_ends_as_if_nothing_had_happened(
    cast: Cast, theatre: Theatre, name: str, fate: Fate, record_property: Callable[[str, object], None]
) -> None:
    for earlier in SCENES[name].before:
        theatre.prepare(partial(earlier, cast))
    undisturbed = theatre.play(partial(SCENES[name].ask, cast))
    assert {(state, is_at_rest) for _, state, _, is_at_rest in undisturbed.operations} == {("succeeded", True)}
    for task_s in TASK_S.get(fate, (None,)):
        lives = 0
        for number in count(1):
            ending = theatre.play_again(partial(SCENES[name].ask, cast), fate, number, task_s=task_s)
            if ending is None:
                break
            _forgive(SCENES[name].repeatable, ending, undisturbed)
            assert ending == undisturbed, f"{fate} at side effect {number}, its task takes {task_s} s"
            lives = number
        assert lives > 0, "the fate never struck"
        record_property(f"{COUNTED}lives of an operation with '{fate}'", lives)


@pytest.mark.parametrize("name", ["create", "create_in_vapp", "resize", "grow_disk", "delete"])
def test_a_command_that_arrives_after_another_worker_has_done_it_all_changes_nothing(
    cast: Cast, theatre: Theatre, name: str
) -> None:
    """Frozen on the very way to the socket, past every check of ours: what vCloud refuses or has already must do."""
    for earlier in SCENES[name].before:
        theatre.prepare(partial(earlier, cast))
    undisturbed = theatre.play(partial(SCENES[name].ask, cast))
    for number in count(1):
        ending = theatre.play_again(partial(SCENES[name].ask, cast), Fate.HELD_UP, number)
        if ending is None:
            break
        assert replace(ending, commands=undisturbed.commands) == undisturbed, f"command {number}"
    assert number > 1, "the fate never struck"


def _forgive(repeatable: frozenset[str], ending: Ending, undisturbed: Ending) -> None:
    """Overlook that a command which states a whole wish was sent once more."""
    for command in repeatable:
        assert 0 <= ending.commands[command] - undisturbed.commands[command] <= 1
        ending.commands[command] = undisturbed.commands[command]


def test_every_kind_of_operation_is_played() -> None:
    assert set(SCENES) >= set(KINDS)

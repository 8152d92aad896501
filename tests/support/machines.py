"""Machines of the demo world: found by name, in the mirror and in the simulated vCloud; asked as the owner."""

import uuid
from typing import Any

from sqlalchemy import select

from app.cloud import wishes
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.db import db
from tests.support.cast import Cast, new_token
from vcdsim import Simulator, entities


def vm_named(name: str) -> Vm:
    """The mirrored machine as it is now."""
    db.session.rollback()
    return db.session.scalars(select(Vm).where(Vm.name == name)).one()


def real_vm(cloud: Simulator, name: str) -> entities.Vm:
    """The machine itself."""
    return next(vm for vm in cloud.world.vms.values() if vm.name == name)


def ask(cast: Cast, name: str, action: Action, **asked: Any) -> uuid.UUID:
    """Ask for an action as the owner."""
    return wishes.ask(cast.owner, vm_named(name).id, action, new_token(), asked=asked)


def accepted(cloud: Simulator, operation_name: str) -> int:
    """How many tasks of this name vCloud has begun."""
    return sum(task.operation_name == operation_name for task in cloud.world.tasks.values())

"""Creating a server of the demo world, and what of it reached the simulated vCloud."""

from typing import Any

from app.cloud import vms
from app.cloud.operation_models import Operation
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation
from tests.support.wishes import wish
from vcdsim import Simulator


def made(cloud: Simulator, name: str = "shop-3") -> list[str]:
    """Ids of the vApps of that name in the simulated vCloud."""
    return [vapp.id for vapp in cloud.world.vapps.values() if vapp.name == name]


def instantiations(cloud: Simulator) -> int:
    """How many requests to create have reached the simulated vCloud."""
    return sum(path.endswith("/action/instantiateVAppTemplate") for _, path in cloud.requests)


def create(cast: Cast, cloud: Simulator, clock: Clock, **changes: Any) -> Operation:
    """Ask for a server and let everything come to rest."""
    operation_id = vms.request_create(cast.owner, wish(**changes), new_token())
    drain(cloud, clock)
    return operation(operation_id)

"""What the tests ask for: a server from a template of the demo world."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.cloud.models import Network, VappTemplate
from app.cloud.sizes import Size
from app.cloud.vms import VmSpec
from app.db import db
from tests.support.engine import vdc_of

SMALL = Size(cpu_count=2, memory_mb=2048, disk_gb=20)


def wish(
    vdc: str = "acme-vdc", template: str = "debian-12", network: str | None = "acme-net", **changes: Any
) -> VmSpec:
    """A server `web-03` in a new vApp `shop-3`, unless `changes` say otherwise."""
    vdc_id = vdc_of(vdc).id
    of_vdc = select(VappTemplate.id).where(VappTemplate.vdc_id == vdc_id, VappTemplate.name == template)
    network_id = select(Network.id).where(Network.vdc_id == vdc_id, Network.name == network)
    spec = VmSpec(
        vdc_id=vdc_id,
        template_id=db.session.scalars(of_vdc).one(),
        network_id=db.session.scalars(network_id).one() if network else None,
        vapp_name="shop-3",
        vm_name="web-03",
        size=SMALL,
    )
    return replace(spec, **changes)

"""Media: the ISO images of catalogs. Plain records as in `entities`."""

from __future__ import annotations

from dataclasses import dataclass, field

from vcdsim.entities import Metadata


@dataclass
class Media:
    """An ISO image in a catalog; `vm_ids` are the VMs it is inserted in."""

    id: str
    name: str
    vdc_id: str
    org_id: str
    owner_id: str
    catalog_id: str
    item_id: str
    storage_profile_id: str
    created_at: float
    size_bytes: int
    description: str = ""
    vm_ids: list[str] = field(default_factory=list)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    last_task_id: str | None = None

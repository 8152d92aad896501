"""Attributes of the records of media."""

from __future__ import annotations

from vcdsim.api.context import moment
from vcdsim.api.query_columns import Column, constant, owner_name, plain
from vcdsim.entities import Template
from vcdsim.estate import Media

MEDIA = {
    "ownerName": Column(owner_name),
    "catalogName": Column(lambda world, one: world.catalogs[one.catalog_id].name),
    "isPublished": Column(lambda world, one: world.catalogs[one.catalog_id].is_public),
    "name": plain("name"),
    "vdc": plain("vdc_id", kind="vdc"),
    "vdcName": Column(lambda world, one: world.vdcs[one.vdc_id].name),
    "org": plain("org_id", kind="org"),
    "creationDate": Column(lambda _, one: moment(one.created_at)),
    "isBusy": Column(lambda world, one: world.active_task(one.id) is not None),
    "storageB": plain("size_bytes"),
    "owner": plain("owner_id", kind="user"),
    "catalog": plain("catalog_id", kind="catalog"),
    "catalogItem": plain("item_id", kind="catalogitem"),
    "status": Column(constant("RESOLVED")),
    "storageProfileName": Column(lambda world, one: world.storage_profiles[one.storage_profile_id].name, (5, 1)),
    "version": Column(constant(1), (30, 0)),
}
ADMIN_MEDIA = {
    **{key: column for key, column in MEDIA.items() if key != "version"},
    "isVdcEnabled": Column(lambda world, one: world.vdcs[one.vdc_id].is_enabled),
}


def item_kind(entity: Template | Media) -> str:
    """What a catalog item stands for."""
    return "media" if isinstance(entity, Media) else "vapptemplate"

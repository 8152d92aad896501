"""Addresses and media types of entities; the only place that knows how a path is made."""

from __future__ import annotations

import re

from vcdsim.refusals import RefusalError

_PATHS = {
    "vm": "vApp/vm-",
    "vapp": "vApp/vapp-",
    "vapptemplate": "vAppTemplate/vappTemplate-",
    "templatevm": "vAppTemplate/vm-",
    "vdc": "vdc/",
    "org": "org/",
    "catalog": "catalog/",
    "catalogitem": "catalogItem/",
    "network": "network/",
    "vdcstorageProfile": "vdcStorageProfile/",
    "task": "task/",
    "user": "admin/user/",
    "disk": "disk/",
    "media": "media/",
    "adminorg": "admin/org/",
    "adminvdc": "admin/vdc/",
    "admincatalog": "admin/catalog/",
    "adminnetwork": "admin/network/",
    "role": "admin/role/",
    "providervdc": "admin/providervdc/",
    "gateway": "admin/edgeGateway/",
    "event": "event/",
}
_URN_KINDS = {
    "templatevm": "vm",
    "adminorg": "org",
    "adminvdc": "vdc",
    "admincatalog": "catalog",
    "adminnetwork": "network",
}
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


def media(name: str) -> str:
    """`application/vnd.vmware.vcloud.vApp+xml` for `vApp`; `admin.user` keeps its branch."""
    branch = "" if name.startswith("admin.") else "vcloud."
    return f"application/vnd.vmware.{branch}{name}+xml"


MEDIA = {
    "vm": media("vm"),
    "vapp": media("vApp"),
    "vapptemplate": media("vAppTemplate"),
    "templatevm": media("vm"),
    "vdc": media("vdc"),
    "org": media("org"),
    "catalog": media("catalog"),
    "catalogitem": media("catalogItem"),
    "network": media("orgVdcNetwork"),
    "vdcstorageProfile": media("vdcStorageProfile"),
    "task": media("task"),
    "user": media("admin.user"),
    "disk": media("disk"),
    "media": media("media"),
    "adminorg": media("admin.organization"),
    "adminvdc": media("admin.vdc"),
    "admincatalog": media("admin.catalog"),
    "adminnetwork": media("admin.network"),
    "role": media("admin.role"),
    "providervdc": media("admin.providervdc"),
    "gateway": media("admin.edgeGateway"),
    "event": media("event"),
}


def href(base: str, kind: str, entity_id: str) -> str:
    """Absolute address; `base` ends without a slash, such as `http://127.0.0.1:8081`."""
    return f"{base}/api/{_PATHS[kind]}{entity_id}"


def urn(kind: str, entity_id: str) -> str:
    """`urn:vcloud:vm:UUID`."""
    return f"urn:vcloud:{_URN_KINDS.get(kind, kind)}:{entity_id}"


def id_in(address: str | None) -> str:
    """The UUID an href or urn of a request ends with."""
    found = _UUID.search((address or "").rstrip("/"))
    if found is None:
        raise RefusalError(f'The reference "{address}" is not valid.')
    return found[0].lower()

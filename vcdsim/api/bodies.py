"""Which Content-Type a request body has to come with.

A wrong or empty one is refused with 415 (fog/fog#1879: an empty one for a `rasdItem`). None at all
passes, as some bodies of pyvcloud come without and work; so do the general types of XML that the
Go clients send. Case and parameters do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping

from vcdsim.api import hrefs
from vcdsim.refusals import RefusalError

_GENERAL = ("application/xml", "text/xml", "application/*+xml")
#: Where the name is not that of the element with its first letter small.
_NAMES = {
    "AdminOrg": "admin.organization",
    "AdminVdc": "admin.vdc",
    "ControlAccessParams": "controlAccess",
    "CreateVdcParams": "admin.createVdcParams",
    "Item": "rasdItem",
    "MetadataValue": "metadata.value",
    "ProductSectionList": "productSections",
    "Role": "admin.role",
    "User": "admin.user",
    "VAppLeaseSettings": "admin.vAppLeaseSettings",
    "VmCapabilities": "vmCapabilitiesSection",
}


def check_type(headers: Mapping[str, str], expected: str) -> None:
    """Refuse a Content-Type that is not the one of the element `expected` (words INF)."""
    given = headers.get("content-type")
    if given is None:
        return
    kind = given.partition(";")[0].strip().lower()
    local = expected.rpartition(":")[2]
    own = hrefs.media(_NAMES.get(local, _small(local)))
    if kind not in (own.lower(), *_GENERAL):
        raise RefusalError(
            f'The Content-Type "{given}" is not supported here: it must be {own}.',
            minor_code="UNSUPPORTED_MEDIA_TYPE",
            status=415,
        )


def _small(name: str) -> str:
    """`vApp` for `VApp`, `instantiateVAppTemplateParams` for `InstantiateVAppTemplateParams`."""
    return name[0].lower() + name[1:]

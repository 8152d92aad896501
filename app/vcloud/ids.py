"""Identity: urns, and hrefs reduced to urns.

A href in an answer may name any host. We take only the id from it, check its form, and build every address ourselves
from the configured base; so no answer can make us send our token elsewhere.
"""

import re
from functools import lru_cache

from app.vcloud.errors import UUID

# Real servers give UUIDs. Examples in manuals have numbers, and answers made anonymous have any word; both are taken,
# for what consists of letters, digits and hyphens can not lead a path astray.
_ID = r"[0-9A-Za-z][0-9A-Za-z-]{0,39}"
_URN = re.compile(rf"urn:vcloud:([A-Za-z]+):({_ID})")
# Path as it stands in hrefs -> kind as it stands in urns. Template VMs are `vm` too, under another path.
_KINDS = {
    "vApp/vapp-": "vapp",
    "vApp/vm-": "vm",
    "vAppTemplate/vappTemplate-": "vapptemplate",
    "vAppTemplate/vm-": "vm",
    "vdc/": "vdc",
    "org/": "org",
    "network/": "network",
    "task/": "task",
    "catalog/": "catalog",
    "catalogItem/": "catalogitem",
    "disk/": "disk",
    "vdcStorageProfile/": "vdcstorageprofile",
    "user/": "user",
}
_PATHS = {kind: path for path, kind in _KINDS.items() if path != "vAppTemplate/vm-"}
_UUID, _UUID_LENGTH = re.compile(UUID), 36
_START = re.compile(rf"[^?#]*/api/(?:v[0-9]\.[0-9]/)?(?:admin/)?({'|'.join(map(re.escape, _KINDS))})")
_UNUSUAL = re.compile(rf"({_START.pattern})({_ID})")


def urn_from_href(href: str) -> str | None:
    """Return `urn:vcloud:kind:id` for a href of a known kind of object, None for everything else."""
    href = href.removesuffix("/")
    start, uuid = _urn_start(href[:-_UUID_LENGTH]), href[-_UUID_LENGTH:]
    if start and _UUID.fullmatch(uuid):
        return start + uuid.lower()
    unusual = _UNUSUAL.fullmatch(href)
    return f"urn:vcloud:{_KINDS[unusual.group(2)]}:{unusual.group(3).lower()}" if unusual else None


@lru_cache(256)  # a listing of 10,000 VMs holds 40,000 hrefs, and all but their last part is the same few texts
def _urn_start(before_uuid: str) -> str | None:
    found = _START.fullmatch(before_uuid)
    return f"urn:vcloud:{_KINDS[found.group(1)]}:" if found else None


def urn_from_text(text: str) -> str | None:
    """Return the urn in lower case if this is one, else None."""
    found = _URN.fullmatch(text)
    return f"urn:vcloud:{found.group(1).lower()}:{found.group(2).lower()}" if found else None


def urn_named(pointer: str) -> str | None:
    """Return the urn of what a row of a listing points to: by its href, or by its urn in `idrecords`."""
    return (urn_from_href(pointer) or urn_from_text(pointer)) if pointer else None


def split_urn(urn: str) -> tuple[str, str]:
    """Return (kind, id) of a urn that the caller gives us; ValueError if it is none, for that is our own bug."""
    found = _URN.fullmatch(urn)
    if not found:
        raise ValueError(f"not a vCloud urn: {urn!r}")
    return found.group(1).lower(), found.group(2).lower()


def path_of(urn: str, *kinds: str) -> str:
    """Return the path under the API base, `/vApp/vm-…`; ValueError unless the urn is of one of the kinds."""
    kind, uuid = split_urn(urn)
    if kind not in kinds:
        raise ValueError(f"expected a urn of {' or '.join(kinds)}, got {urn!r}")
    return f"/{_PATHS[kind]}{uuid}"


def template_vm_path(urn: str) -> str:
    """Return the path of a VM inside a vApp template: it has the urn of a VM but lives elsewhere."""
    kind, uuid = split_urn(urn)
    if kind != "vm":
        raise ValueError(f"expected a urn of vm, got {urn!r}")
    return f"/vAppTemplate/vm-{uuid}"

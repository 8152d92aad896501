"""Where the official files lie: VMware's schemas and the tables of what later versions changed.

They are not part of the repository. VCLOUD_SCHEMAS names the folder of the schemas, by default the one beside the
repository; the tables lie next to it.
"""

import csv
import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]

Version = tuple[int, int]
Lifetime = tuple[Version, Version | None]  # added in, removed in


def schemas() -> Path:
    """The folder with `1.5/` and `schemas/` in it, there or not."""
    return Path(os.environ.get("VCLOUD_SCHEMAS") or ROOT.parent / "shared" / "vcloud" / "schemas")


@cache
def record_attributes() -> dict[str, dict[str, Version]]:
    """Attributes of query records by record: the version that brought each, from the reference up to 39.1."""
    found: dict[str, dict[str, Version]] = {}
    with (schemas().parent / "tables" / "query_record_attributes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["record"], {})[row["attribute"]] = number(row["added_in_api"])
    return found


#: Names the schemas and tables use for a version, by the first version whose reference shows the thing. The name of
#: the last one tells when what only API 1.5 and 5.1 had could go; a recording of 9.0 still has such an element.
_FEATURES: dict[str, Version] = {
    "AUTO_DISCOVER_VM_SETTINGS": (27, 0),
    "CREATE_BLANK_VM": (29, 0),
    "DYNAMIC_HW_VERSION_SUPPORT": (29, 0),
    "INSTANTIATE_VM_TEMPLATE": (29, 0),
    "JWT_LOGIN_SUPPORT": (30, 0),
    "MULTI_SITE": (29, 0),
    "ORG_LEASE_EXPIRE": (25, 0),
    "REGENERATE_BIOS_UUID": (29, 0),
    "VAPP_AUTO_NATURE": (22, 0),
    "ORG_RIGHTS_ROLES": (27, 0),
    "REMOVED_VERSION_15_51": (30, 0),
    "VDC_ADOPT_RP": (27, 0),
    "VDC_PERMISSIONS": (27, 0),
}


def number(text: str) -> Version:
    """`5.10` is (5, 10), `<=1.5` is (1, 5); a feature whose version we do not know counts as new in 30.0."""
    major, dot, minor = text.removeprefix("<=").partition(".")
    return (int(major), int(minor)) if dot and major.isdigit() else _FEATURES.get(text, (30, 0))

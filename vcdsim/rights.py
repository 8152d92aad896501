"""What users may do with vApps: by the rights of their role, and by what was shared with them.

Administrators, and roles somebody made (what those allow is only remembered), see all vApps of
their organization and may do everything. The other predefined roles see their own vApps and those
shared with them; their rights are the defaults that vCD gives them, and `ReadOnly`, `Change` and
`FullControl` limit them further (administrator's guide of 8.20, sections on roles and on sharing).
"""

from __future__ import annotations

from dataclasses import dataclass

from vcdsim.entities import VApp
from vcdsim.people import User
from vcdsim.refusals import RefusalError

LEVELS = ("ReadOnly", "Change", "FullControl")
_CATALOG_AUTHOR, _AUTHOR, _USER, _CONSOLE = "Catalog Author", "vApp Author", "vApp User", "Console Access Only"
_MAKERS = (_CATALOG_AUTHOR, _AUTHOR)
_KEEPERS = (*_MAKERS, _USER)
#: Roles that see only what is theirs or shared with them.
LIMITED_ROLES = (*_KEEPERS, _CONSOLE)


@dataclass(frozen=True)
class Right:
    """A right by its name in vCD, who of the limited roles has it, and the level a shared vApp asks for."""

    name: str
    operation: str
    roles: tuple[str, ...]
    level: str = "Change"


CONSOLE = Right("vApp: Use Console", "VAPP_USE_CONSOLE", LIMITED_ROLES, "ReadOnly")
POWER = Right("vApp: Power Operations", "VAPP_POWER_OPERATIONS", _KEEPERS)
SNAPSHOT = Right("vApp: Snapshot Operations", "VAPP_SNAPSHOT_OPERATIONS", _KEEPERS)
EDIT = Right("vApp: Edit Properties", "VAPP_EDIT", _KEEPERS)
HARDWARE = Right("vApp: Edit VM CPU", "VAPP_EDIT_VM_HARDWARE", _MAKERS)
DELETE = Right("vApp: Delete", "VAPP_DELETE", _KEEPERS, "FullControl")
SHARE = Right("vApp: Sharing", "VAPP_SHARE", _KEEPERS, "FullControl")
OWNER = Right("vApp: Change Owner", "VAPP_CHANGE_OWNER", (), "FullControl")
CREATE = Right("vApp: Create / Reconfigure", "VAPP_CREATE", _MAKERS)
COPY = Right("vApp: Copy", "VAPP_COPY", _KEEPERS, "ReadOnly")


def is_limited(user: User) -> bool:
    """True for a user who does not see all of the organization."""
    return user.role in LIMITED_ROLES


def level_of(user: User, vapp: VApp) -> str | None:
    """What a limited user may do with the vApp at most, None when it is not even seen."""
    if vapp.owner_id == user.id:
        return LEVELS[-1]
    if vapp.access is None:
        return None
    found = [one for one in (vapp.access.everyone, vapp.access.users.get(user.id)) if one is not None]
    return max(found, key=LEVELS.index, default=None)


def allows(user: User, right: Right, vapp: VApp | None) -> bool:
    """Whether the user's role has the right and the vApp, if there is one yet, is shared far enough."""
    if not is_limited(user):
        return True
    if user.role not in right.roles:
        return False
    level = LEVELS[-1] if vapp is None else level_of(user, vapp)
    return level is not None and LEVELS.index(level) >= LEVELS.index(right.level)


def lacking(right: Right, entity_id: str) -> RefusalError:
    """The refusal that names the right; the sentence is one of vCD 10.3, the names of operations are INF."""
    return RefusalError(
        f"Either you need some or all of the following rights [{right.name}] to perform operations "
        f"[{right.operation}] for {entity_id} or the target entity is invalid.",
        minor_code="ACCESS_TO_RESOURCE_IS_FORBIDDEN",
        status=403,
    )

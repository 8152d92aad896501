"""Who may do what. Pure: no database, no clock, no web."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member is in one account."""

    OWNER = "owner"
    TECHNICIAN = "technician"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"


class StaffRole(StrEnum):
    """What a person of the provider is."""

    SUPPORT = "support"
    ADMIN = "admin"


class TokenScope(StrEnum):
    """What an API token may do, within its person's role."""

    READ = "read"
    CHANGE = "change"


class Permission(StrEnum):
    """One thing that a page or a use case may require."""

    ACCOUNT_SEE = "account.see"
    VM_SEE = "vm.see"
    VM_CREATE = "vm.create"
    VM_CHANGE = "vm.change"
    STAFF_SEE = "staff.see"
    PASSWORDS_READ = "passwords.read"


_MACHINES = {Permission.ACCOUNT_SEE, Permission.VM_SEE, Permission.VM_CREATE, Permission.VM_CHANGE}
_OF_ROLE = {
    Role.OWNER: _MACHINES,
    Role.TECHNICIAN: _MACHINES,
    Role.ACCOUNTANT: {Permission.ACCOUNT_SEE},
    Role.VIEWER: {Permission.ACCOUNT_SEE, Permission.VM_SEE},
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts now: the user, in which account and as what. Use cases take it, so every record names the person."""

    user_id: uuid.UUID
    account_id: uuid.UUID | None = None
    role: Role | None = None
    staff_role: StaffRole | None = None


def can(actor: Actor, permission: Permission) -> bool:
    """Whether the actor may do this in the account that he acts in."""
    if permission is Permission.STAFF_SEE:
        return actor.staff_role is not None
    if permission is Permission.PASSWORDS_READ:  # those that vCloud keeps, in clear
        return actor.staff_role is StaffRole.ADMIN
    return actor.account_id is not None and actor.role is not None and permission in _OF_ROLE[actor.role]

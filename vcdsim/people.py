"""Organizations, their users and roles, and how those come in. Plain records as in `entities`."""

from __future__ import annotations

from dataclasses import dataclass, field

from vcdsim.entities import Metadata


@dataclass
class Org:
    """An organization: owns users, VDCs, catalogs and networks."""

    id: str
    name: str
    full_name: str = ""
    description: str = ""
    is_enabled: bool = True
    #: What its new vApps get; 0 means for ever.
    deployment_lease_s: int = 0
    storage_lease_s: int = 0
    #: At the end of the runtime lease vApps are powered off, not suspended.
    is_powered_off_at_end: bool = False
    #: At the end of the storage lease vApps are deleted, not only marked as expired.
    is_deleted_at_end: bool = False
    #: Most VMs that a member whose own quota says nothing may have, and may have deployed; 0: no limit.
    stored_vm_quota: int = 0
    deployed_vm_quota: int = 0
    metadata: dict[str, Metadata] = field(default_factory=dict)
    last_task_id: str | None = None

    @property
    def org_id(self) -> str:
        """It belongs to itself."""
        return self.id


@dataclass
class User:
    """Somebody who may log in; what a `role` allows stands in `rights`."""

    id: str
    name: str
    org_id: str
    password: str = field(repr=False)
    role: str = "Organization Administrator"
    full_name: str = ""
    email: str = ""
    description: str = ""
    telephone: str = ""
    is_enabled: bool = True
    is_deleted: bool = False
    stored_vm_quota: int = 0
    deployed_vm_quota: int = 0
    last_task_id: str | None = None


@dataclass
class Role:
    """A role of users; what it allows is only remembered."""

    id: str
    name: str
    description: str = ""
    rights: list[str] = field(default_factory=list)


@dataclass
class ApiToken:
    """A token to log in with; `secret` is empty until it has been fetched."""

    id: str
    name: str
    user_id: str
    created_at: float
    secret: str = field(default="", repr=False)


@dataclass
class Session:
    """A login under one of its tokens. `expires_at` is absolute for a JWT, None for the older, idle-renewed token."""

    token: str = field(repr=False)
    id: str = ""
    user_id: str = ""
    org_id: str = ""
    used_at: float = 0.0
    expires_at: float | None = None
    #: Made from an API token: it may not manage users or tokens.
    is_of_token: bool = False
    #: The same login under its other token, where it has two.
    twin: Session | None = field(default=None, repr=False, compare=False)

"""Refusals: what the simulated vCloud says no to, in the words vCloud Director uses.

Texts marked INF are not recorded anywhere public and follow the recorded style.
"""

from __future__ import annotations


class RefusalError(Exception):
    """A request, or the work of a task, that vCloud turns down."""

    def __init__(self, message: str, *, minor_code: str = "BAD_REQUEST", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.minor_code = minor_code
        self.status = status


def no_access(kind: str, entity_id: str) -> RefusalError:
    """Unknown and foreign ids look the same, as in the real thing: 403, never 404."""
    return RefusalError(
        f'No access to entity "com.vmware.vcloud.entity.{kind}:{entity_id}".',
        minor_code="ACCESS_TO_RESOURCE_IS_FORBIDDEN",
        status=403,
    )


def not_found() -> RefusalError:
    """A path this vCloud does not serve."""
    return RefusalError("The requested resource does not exist.", minor_code="RESOURCE_NOT_FOUND", status=404)


def duplicate_name(name: str) -> RefusalError:
    """The name is taken within its VDC (vApp) or vApp (VM)."""
    return RefusalError(f"The VCD entity {name} already exists.", minor_code="DUPLICATE_NAME")


def busy(kind: str, entity_id: str, operation_name: str, task_id: str) -> RefusalError:
    """Another task works on the entity."""
    shouted = "".join("_" + letter if letter.isupper() else letter for letter in operation_name).upper()
    return RefusalError(
        f"The entity Ref: com.vmware.vcloud.entity.{kind}:{entity_id} is busy completing an operation {shouted}. "
        f"{shouted}(com.vmware.vcloud.entity.task:{task_id})",
        minor_code="BUSY_ENTITY",
    )


def storage_quota() -> RefusalError:
    """More disk than the storage profile has left."""
    return RefusalError("The requested operation will exceed the VDC's storage quota.")


def compute_quota() -> RefusalError:
    """More CPU or memory than the VDC has left; said by the power-on task."""
    return RefusalError("There are insufficient CPU or memory resources to complete the operation.")


def user_quota(kind: str, user_name: str) -> RefusalError:
    """More VMs than a user may have, `kind` is `stored` or `deployed` (INF)."""
    return RefusalError(f'The requested operation will exceed the {kind} VM quota of user "{user_name}".')


def still_running(label: str, name: str) -> RefusalError:
    """Delete of something deployed, `label` is `vApp` or `VM`."""
    return RefusalError(
        f'The requested operation could not be executed on {label} "{name}". Stop the {label} and try again.'
    )


def not_running(label: str, name: str) -> RefusalError:
    """Undeploy or power off of something that is not running."""
    return RefusalError(f'The requested operation could not be executed since {label} "{name}" is not running.')


def already_running(label: str, name: str) -> RefusalError:
    """Power on of something that is on (INF)."""
    return RefusalError(f'The requested operation could not be executed since {label} "{name}" is already running.')


def nothing_powered_on(label: str, name: str) -> RefusalError:
    """Reset, reboot, shutdown or suspend with no VM on."""
    return RefusalError(
        f'The requested operation could not be executed since {label} "{name}" does not have any powered on VMs.'
    )


def no_vms(name: str) -> RefusalError:
    """Power or deploy of an empty vApp (INF)."""
    return RefusalError(f'The requested operation could not be executed since vApp "{name}" does not have any VMs.')


def expired(name: str) -> RefusalError:
    """Power, deploy or recompose of a vApp whose storage lease has ended (INF)."""
    return RefusalError(f'The requested operation could not be executed since vApp "{name}" has expired.')


def lease_invalid(seconds: int) -> RefusalError:
    """A lease that is negative or does not fit the schema (INF)."""
    return RefusalError(f"The lease of {seconds} seconds is not valid.")


def address_taken(ip: str) -> RefusalError:
    """A MANUAL address somebody else holds."""
    return RefusalError(
        "The following IP/MAC addresses have already been used by running virtual machines: "
        f"MAC addresses: IP addresses: {ip}"
    )


def no_free_address(network: str) -> RefusalError:
    """The static pool has run out (INF)."""
    return RefusalError(f'There are no available IP addresses in the static IP pool of network "{network}".')

"""States, as enums that tolerate words and numbers they do not know: a newer vCloud must not stop us."""

from enum import IntEnum, StrEnum


class VmStatus(IntEnum):
    """State of a VM, vApp or template. Entity documents say the number, query records the name."""

    FAILED_CREATION = -1
    UNRESOLVED = 0
    RESOLVED = 1
    DEPLOYED = 2
    SUSPENDED = 3
    POWERED_ON = 4
    WAITING_FOR_INPUT = 5
    UNKNOWN = 6
    UNRECOGNIZED = 7
    POWERED_OFF = 8
    INCONSISTENT_STATE = 9
    MIXED = 10
    DESCRIPTOR_PENDING = 11
    COPYING_CONTENTS = 12
    DISK_CONTENTS_PENDING = 13
    QUARANTINED = 14
    QUARANTINE_EXPIRED = 15
    REJECTED = 16
    TRANSFER_TIMEOUT = 17
    VAPP_UNDEPLOYED = 18
    VAPP_PARTIALLY_DEPLOYED = 19
    PARTIALLY_POWERED_OFF = 20
    PARTIALLY_SUSPENDED = 21

    @classmethod
    def _missing_(cls, _: object) -> "VmStatus":
        return cls.UNKNOWN

    @classmethod
    def from_word(cls, word: str | None) -> "VmStatus":
        """Return the state a query record names; UNKNOWN for a word that is new to us."""
        return _BY_WORD.get(word or "", cls.UNKNOWN)


_BY_WORD = {status.name: status for status in VmStatus}  # much cheaper to ask than the class


class TaskStatus(StrEnum):
    """State of a task. Only four are final; `preRunning` may last for days (a provider has to approve)."""

    QUEUED = "queued"
    PRE_RUNNING = "preRunning"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    CANCELED = "canceled"
    ABORTED = "aborted"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> "TaskStatus":
        """Return the state whose name differs only in case, else UNKNOWN."""
        return next((known for known in cls if known.lower() == str(value).lower()), cls.UNKNOWN)

    @property
    def final(self) -> bool:
        """Whether nothing will change any more; a status unknown to us is not final."""
        return self in {TaskStatus.SUCCESS, TaskStatus.ERROR, TaskStatus.CANCELED, TaskStatus.ABORTED}

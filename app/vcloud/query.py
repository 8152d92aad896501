"""The query service: filters, pages that prove they are complete, and rows to values of `types`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import quote

from app.vcloud import xml
from app.vcloud.errors import Unavailable
from app.vcloud.ids import urn_from_href, urn_from_text, urn_named
from app.vcloud.statuses import TaskStatus, VmStatus
from app.vcloud.types import OrgVdcNetwork, StorageProfile, TaskRecord, VAppRecord, VmRecord
from app.vcloud.xml import Element, MalformedError, boolean, integer, moment

PAGE_SIZE = 128  # vCloud's documented maximum; it answers no more to those who ask for more
_ROWS_LIMIT = 200_000
_PAGES_LIMIT = 1_600  # enough for all these rows; a server that gives single rows may not make us ask 200,000 times
_FENCE_MODES = {"0": "bridged", "1": "natRouted", "2": "isolated"}
_SINGLE_ENCODING_SINCE = (35,)
_ESCAPED = str.maketrans({character: f"\\{character}" for character in ",;()"})

T = TypeVar("T")
_container_urn = lru_cache(4096)(urn_named)  # the same few VDCs and vApps stand in row after row


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a filter: `name==web`. All conditions of a filter are joined with AND."""

    attribute: str
    value: str
    operator: str = "=="

    def text(self, *, single: bool) -> str:
        """Return it as it stands in a filter, its value encoded once or twice."""
        return f"{self.attribute}{self.operator}{_encoded(self.value, single=single)}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Comparisons of which one is enough: `(objectType==vm,objectType==vApp)`."""

    conditions: tuple[Condition, ...]

    def text(self, *, single: bool) -> str:
        """Return it as it stands in a filter."""
        return f"({','.join(condition.text(single=single) for condition in self.conditions)})"


Conditions = tuple[Condition | AnyOf, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of rows, and how many the server says there are in all. MalformedError if nobody could have as many.

    How long pages are is seen by the rows of the first; what the server writes about it need not be true.
    """

    total: int
    rows: tuple[T, ...]

    def __post_init__(self) -> None:
        """Refuse a listing that would not end."""
        if not 0 <= self.total <= _ROWS_LIMIT:
            raise MalformedError(f"a listing with a total of {self.total}"[:80])


def version_key(number: str) -> tuple[int, ...]:
    """Return what API versions are compared by: 5.10 is above 5.9."""
    return tuple(int(part) for part in number.split("."))


def path(kind: str, page: int, conditions: Conditions, version: str) -> str:
    """Return the path of one page, with its encoded parameters.

    Below 35 a value is encoded twice and the server is told so; from 35 on it is encoded once, and the characters
    that mean something in a filter are escaped with a backslash instead.
    """
    found = f"/query?type={kind}&format=records&page={page}&pageSize={PAGE_SIZE}"
    if not conditions:
        return found
    single = version_key(version) >= _SINGLE_ENCODING_SINCE
    parts = ";".join(condition.text(single=single) for condition in conditions)
    return f"{found}&filter={parts}" + ("" if single else "&filterEncoded=true")


def _encoded(value: str, *, single: bool) -> str:
    if single:
        return quote(value.translate(_ESCAPED), safe="")
    return quote(quote(value, safe=""), safe="")


def page(root: Element, to_value: Callable[[Element], T]) -> Page[T]:
    """Read QueryResultRecords. Rows are all its children but links: their names differ between kinds."""
    total = integer(root.get("total"))
    if total is None:
        raise MalformedError("a listing without a total")
    link = f"{{{xml.VCLOUD}}}Link"
    return Page(total, tuple(to_value(row) for row in root if row.tag != link))


def page_count(first: Page[T]) -> int:
    """Return how many pages there are, by the first of them; Unavailable when there would be too many.

    We count them and ignore links to the next one, so a listing can not send us in circles or to another host.
    """
    count = -(-first.total // max(1, len(first.rows)))
    if count > _PAGES_LIMIT:
        raise Unavailable(f"a listing of {first.total} rows in pages of {len(first.rows)} has no end")
    return count


def _text(value: str | None) -> str | None:
    """Return a text of a row; None if it is absent or the single blank that old servers write for an empty one."""
    return None if value is None else value.strip() or None


def vm_record(row: Element) -> VmRecord:
    """Read VMRecord or AdminVMRecord."""
    get = row.get  # a row has some 40 attributes: asking for ours is much cheaper than taking all
    return VmRecord(
        id=xml.required(urn_from_href(get("href", "")) or urn_from_text(get("id", "")), "id in a row"),
        name=xml.required(get("name"), "name in a row"),
        vapp_id=_container_urn(get("container", "")),
        vapp_name=get("containerName"),
        vdc_id=_container_urn(get("vdc", "")),
        status=VmStatus.from_word(get("status")),
        deployed=get("isDeployed") == "true",
        busy=get("isBusy") == "true",
        cpu_count=integer(get("numberOfCpus")),
        memory_mb=integer(get("memoryMB")),
        storage_mb=integer(get("totalStorageAllocatedMb")),
        guest_os=_text(get("guestOs")) or "",
        ip=_text(get("ipAddress")),
        network_name=_text(get("networkName")),
        storage_profile_name=_text(get("storageProfileName")),
        task_id=urn_named(get("task", "")),
    )


def vapp_record(row: Element) -> VAppRecord:
    """Read VAppRecord or AdminVAppRecord."""
    said = row.attrib
    return VAppRecord(
        id=xml.required_urn(row),
        name=xml.required(said.get("name"), "name in a row"),
        vdc_id=urn_named(said.get("vdc", "")),
        status=VmStatus.from_word(said.get("status")),
        deployed=said.get("isDeployed") == "true",
        busy=said.get("isBusy") == "true",
        owner_name=_text(said.get("ownerName")),
        created_at=moment(said.get("creationDate")),
        task_id=urn_named(said.get("task", "")),
        expired=said.get("isExpired") == "true",
    )


def task_record(row: Element) -> TaskRecord:
    """Read TaskRecord or AdminTaskRecord; its `name` is the operation's."""
    said = row.attrib
    return TaskRecord(
        id=xml.required_urn(row),
        operation_name=said.get("name", ""),
        status=TaskStatus(said.get("status", "")),
        object_id=urn_named(said.get("object", "")),
        object_name=said.get("objectName", ""),
        object_type=said.get("objectType", ""),
        started_at=moment(said.get("startDate")),
        ended_at=moment(said.get("endDate")),
    )


def storage_profile(row: Element) -> StorageProfile:
    """Read OrgVdcStorageProfileRecord; a limit of 0 is "no limit"."""
    said = row.attrib
    return StorageProfile(
        id=xml.required_urn(row),
        name=said.get("name", ""),
        is_default=boolean(said.get("isDefaultStorageProfile")) or False,
        limit_mb=integer(said.get("storageLimitMB")) or None,
        used_mb=integer(said.get("storageUsedMB")),
    )


def org_network(row: Element) -> OrgVdcNetwork:
    """Read OrgVdcNetworkRecord; `fence_mode` is empty if the row does not tell, then the document does."""
    said = row.attrib
    return OrgVdcNetwork(
        id=xml.required_urn(row),
        name=said.get("name", ""),
        fence_mode=_FENCE_MODES.get(said.get("linkType", ""), ""),
        gateway=_text(said.get("defaultGateway")),
        netmask=_text(said.get("netmask")),
        dns1=_text(said.get("dns1")),
        dns2=_text(said.get("dns2")),
        is_shared=said.get("isShared") == "true",
    )

"""The rules of the sync, without database and web."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import vcloud
from app.cloud.sync_rules import by_vapp, due_for_rereading, is_given_up, too_many_missing

NOW = datetime(2026, 11, 12, 14, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("missing", "known", "is_doubtful"), [(0, 0, False), (3, 6, False), (3, 5, True), (5, 10, False), (6, 10, True)]
)
def test_more_than_half_missing_is_doubtful(missing: int, known: int, is_doubtful: bool) -> None:  # noqa: FBT001
    assert too_many_missing(missing, known) is is_doubtful


@pytest.mark.parametrize(("missing", "known"), [(1, 1), (2, 2), (2, 3)])
def test_one_or_two_missing_machines_are_not_doubted_however_few_there_are(missing: int, known: int) -> None:
    assert not too_many_missing(missing, known)


def test_three_missing_machines_of_three_are_doubted() -> None:
    assert too_many_missing(3, 3)


def test_a_run_that_three_workers_in_a_row_died_at_is_given_up() -> None:
    assert [is_given_up(lost) for lost in range(5)] == [False, False, False, True, True]


def test_a_48th_part_is_read_again_in_one_run_the_oldest_first() -> None:
    ages_h = {f"vapp-{number}": 24 + number for number in range(96)}
    read_at = [(urn, NOW - timedelta(hours=age_h)) for urn, age_h in ages_h.items()]
    assert due_for_rereading(read_at, NOW) == ["vapp-95", "vapp-94"]


def test_what_was_read_within_a_day_is_not_read_again() -> None:
    assert due_for_rereading([("vapp-1", NOW - timedelta(hours=23, minutes=59))], NOW) == []


VAPP = vcloud.VAppRecord(
    id="vapp", name="shop", vdc_id="vdc", status=vcloud.VmStatus.POWERED_OFF, deployed=False, busy=False,
    owner_name="anna", created_at=NOW, task_id=None, expired=False,
)  # fmt: skip
VM = vcloud.VmRecord(
    id="vm", name="web", vapp_id="vapp", vapp_name="shop", vdc_id="vdc", status=vcloud.VmStatus.POWERED_OFF,
    deployed=False, busy=False, cpu_count=1, memory_mb=1024, storage_mb=20_480, guest_os="Debian", ip="10.0.0.2",
    network_name="acme-net", storage_profile_name="standard", task_id=None,
)  # fmt: skip
SAID_OF_BOTH: dict[str, Any] = {
    "name": "theirs", "status": vcloud.VmStatus.POWERED_ON, "deployed": True, "busy": True, "task_id": "task",
}  # fmt: skip
SAID_OF_VM = SAID_OF_BOTH | {
    "cpu_count": 2, "memory_mb": 2048, "storage_mb": 40_960, "ip": None, "network_name": None,
    "storage_profile_name": "fast",
}  # fmt: skip


def key(vapp: vcloud.VAppRecord, *vms: vcloud.VmRecord) -> str:
    """The fingerprint of a vApp."""
    return by_vapp([vapp], vms)["vapp"].key


@pytest.mark.parametrize("what", SAID_OF_VM)
def test_whatever_a_listing_says_otherwise_of_a_machine_moves_the_fingerprint(what: str) -> None:
    assert key(VAPP, VM._replace(**{what: SAID_OF_VM[what]})) != key(VAPP, VM)


@pytest.mark.parametrize("what", [*SAID_OF_BOTH, "owner_name", "expired"])
def test_whatever_a_listing_says_otherwise_of_a_vapp_moves_the_fingerprint(what: str) -> None:
    other = SAID_OF_BOTH | {"owner_name": "boris", "expired": True}
    assert key(replace(VAPP, **{what: other[what]}), VM) != key(VAPP, VM)


def test_the_order_of_a_listing_moves_no_fingerprint() -> None:
    other = VM._replace(id="other", name="db")
    assert key(VAPP, VM, other) == key(VAPP, other, VM)

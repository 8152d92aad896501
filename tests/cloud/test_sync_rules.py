"""The rules of the sync, without database and web."""

from datetime import UTC, datetime, timedelta

import pytest

from app.cloud.sync_rules import due_for_rereading, is_given_up, too_many_missing

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

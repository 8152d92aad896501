"""Which test plays which fault of workers and queue (A), tasks (D), people (E). Each name is checked: none can rot."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
EVERY_SIDE_EFFECT = (
    "cloud/test_engine_kills.py::test_whatever_happens_at_whichever_side_effect_it_ends_as_if_nothing_had_happened"
)
FAULTS: dict[str, tuple[str, ...]] = {
    "A1 job killed before or after each side effect": (EVERY_SIDE_EFFECT,),
    "A2 worker killed, its job must not go on beside the next": (
        "whole/test_crash.py::test_a_worker_killed_in_the_middle_leaves_one_server",
        "whole/test_crash.py::test_a_worker_killed_at_a_resize_a_disk_and_a_deletion_does_each_once",
    ),
    "A3 both killed": ("whole/test_crash.py::test_servers_survive_workers_killed_at_random",),
    "A4 frozen past the claim: before sending, after it, in between": (
        EVERY_SIDE_EFFECT,
        "cloud/test_engine_kills.py::test_a_command_that_arrives_after_another_worker_has_done_it_all_changes_nothing",
    ),
    "A5 out of memory, again and again": (
        "cloud/test_engine_rescue.py::test_what_breaks_off_each_time_is_brought_to_staff",
    ),
    "A6 Redis restarted without its memory": (
        "whole/test_crash.py::test_a_click_while_redis_is_away_is_carried_out_later",
    ),
    "A7 Redis wiped": (
        "whole/test_crash.py::test_a_wiped_redis_loses_nothing",
        "cloud/test_create_faults.py::test_a_bell_that_is_never_heard_only_delays",
    ),
    "A8 Redis down at the click": ("whole/test_crash.py::test_a_click_while_redis_is_away_is_carried_out_later",),
    "A9 one job delivered several times at once": (
        "cloud/test_engine_doubles.py::test_many_workers_at_one_operation_are_one",
    ),
    "A10 jobs in another order": ("cloud/test_engine_queue.py::test_of_two_that_wait_the_older_one_goes_first",),
    "A11 workers restarted under load": ("whole/test_crash.py::test_servers_survive_workers_killed_at_random",),
    "D1 a task that never ends": (
        "cloud/test_create_faults.py::test_a_task_that_never_ends_is_brought_to_staff_at_the_deadline",
    ),
    "D2 a task that fails when the machine exists": (
        "cloud/test_create_faults.py::test_a_task_that_fails_is_explained_and_the_half_made_server_is_removed",
    ),
    "D3 a task that is aborted": (
        "cloud/test_engine_rescue.py::test_a_creation_whose_task_is_aborted_in_vcloud_fails_and_leaves_nothing",
    ),
    "D4 a task that vCloud has forgotten": (EVERY_SIDE_EFFECT,),
    "D5 a task that ends well and has changed something else": (
        "cloud/test_resize.py::test_what_vcloud_made_otherwise_is_told",
    ),
    "D7 a task that waits for the provider": (
        "cloud/test_engine_rescue.py::test_a_creation_that_stands_still_goes_on_when_vcloud_does",
    ),
    "D8 a task that ended while nobody asked": (
        "cloud/test_engine_rescue.py::test_what_only_waits_for_a_worker_goes_on_however_late",
    ),
    "E1 double click": (
        "whole/test_crash.py::test_a_double_click_makes_one_server_and_shows_it_twice",
        "cloud/test_engine_doubles.py::test_one_form_sent_many_times_at_once_makes_one_server_and_answers_all_alike",
    ),
    "E2 back, and sent once more": (
        "cloud/test_create.py::test_the_same_form_sent_twice_makes_one_server",
        "cloud/test_create.py::test_the_same_form_with_another_content_is_refused",
    ),
    "E3 two tabs": ("cloud/test_engine_doubles.py::test_two_tabs_with_one_name_make_one_server_and_tell_the_other",),
    "E4 two people at one machine": (
        "cloud/test_engine_doubles.py::test_two_members_who_press_one_button_start_the_server_once",
    ),
    "E5 staff and customer at once": (
        "cloud/test_engine_doubles.py::test_cancelled_by_two_and_let_go_on_by_two_at_once",
    ),
    "E6 deletion pressed while resizing": (
        "cloud/test_resize.py::test_a_machine_is_not_deleted_while_it_is_being_resized",
    ),
    "E7 rights lost between page and click": (
        "pages/test_vms.py::test_a_button_pressed_after_the_role_was_taken_away_does_nothing",
    ),
    "E8 session over between page and click": (
        "pages/test_vms.py::test_a_button_pressed_after_the_session_has_ended_does_nothing",
    ),
    "E9 many creations at once against a limit": (
        "cloud/test_create.py::test_many_wishes_at_once_do_not_take_more_than_there_is",
    ),
}
LEFT_OUT = {
    "D6": "a percentage is shown as vCloud says it, and nothing is decided by it",
}


def test_every_fault_has_its_line() -> None:
    wanted = [f"{part}{number}" for part, most in (("A", 11), ("D", 8), ("E", 9)) for number in range(1, most + 1)]
    assert sorted([line.partition(" ")[0] for line in FAULTS] + list(LEFT_OUT)) == sorted(wanted)


@pytest.mark.parametrize("test", sorted({test for tests in FAULTS.values() for test in tests}))
def test_every_test_that_is_named_exists(test: str) -> None:
    file, _, name = test.partition("::")
    names = {node.name for node in ast.parse((TESTS / file).read_text()).body if isinstance(node, ast.FunctionDef)}
    assert name in names

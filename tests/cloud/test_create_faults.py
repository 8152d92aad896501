"""What may happen while a server is created: refusals, lost answers, silent vClouds, workers that stop."""

import pytest
from sqlalchemy import select

from app.cloud import operations, outcomes, turns, vms
from app.cloud.models import VApp
from app.cloud.steps import KINDS, Wait
from app.db import db, transaction
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.creating import create, instantiations, made
from tests.support.engine import drain, operation, pass_time, vdc_of
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.faults import error


def test_a_template_deleted_in_vcloud_fails_in_its_words_and_leaves_nothing(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    cloud.world.templates.clear()
    drain(cloud, clock)
    failed = operation(operation_id)
    assert failed.state == "failed"
    assert failed.error_code == "refused"
    assert made(cloud) == []


def test_a_name_taken_in_vcloud_meanwhile_fails_and_spares_the_other_one(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    with transaction():
        db.session.scalars(select(VApp).where(VApp.name == "office")).one().gone_at = clock.at
    failed = create(cast, cloud, clock, vapp_name="office")
    assert (failed.state, failed.error_code) == ("failed", "vapp_name_taken")
    assert len(made(cloud, "office")) == 1


@pytest.mark.parametrize("step", ["instantiate", "reconfigure", "deploy"])
def test_a_command_whose_answer_is_lost_has_one_effect(cast: Cast, cloud: Simulator, clock: Clock, step: str) -> None:
    cloud.faults.add(step, drop_answer=True)
    done = create(cast, cloud, clock)
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    assert len(made(cloud)) == 1
    assert instantiations(cloud) == 1


@pytest.mark.parametrize("step", ["instantiate", "reconfigure", "deploy", "task", "query"])
def test_a_command_that_does_not_arrive_is_sent_again(cast: Cast, cloud: Simulator, clock: Clock, step: str) -> None:
    cloud.faults.add(step, drop_request=True, times=3)
    done = create(cast, cloud, clock)
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    assert len(made(cloud)) == 1


@pytest.mark.parametrize("step", ["instantiate", "reconfigure", "deploy"])
def test_a_busy_entity_is_waited_for(cast: Cast, cloud: Simulator, clock: Clock, step: str) -> None:
    cloud.faults.add(step, times=2, error=error("BUSY_ENTITY", "The entity is busy completing an operation."))
    assert create(cast, cloud, clock).state == "succeeded"
    assert len(made(cloud)) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_html_page_instead_of_an_answer_is_waited_out(
    cast: Cast, cloud: Simulator, clock: Clock, status: int
) -> None:
    cloud.faults.add("*", times=6, http_status=status)
    assert create(cast, cloud, clock).state == "succeeded"
    assert len(made(cloud)) == 1


@pytest.mark.parametrize("step", ["instantiate", "reconfigure", "deploy"])
def test_a_task_that_fails_is_explained_and_the_half_made_server_is_removed(
    cast: Cast, cloud: Simulator, clock: Clock, step: str
) -> None:
    words = "The requested operation will exceed the VDC's storage quota."
    cloud.faults.add(step, task_error=error("VDC_STORAGE_QUOTA", words))
    failed = create(cast, cloud, clock)
    assert (failed.state, failed.error_code) == ("failed", "task_failed")
    assert words in failed.error_params["message"]
    assert made(cloud) == []
    assert failed.password_sealed is None
    assert failed.vm_id is None


def test_a_session_that_expires_on_the_way_is_renewed(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    operations.advance(operation_id)
    cloud.expire_sessions()
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    assert len(made(cloud)) == 1


def test_a_task_that_never_ends_is_brought_to_staff_at_the_deadline(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("instantiate", stuck_task=True)
    stuck = create(cast, cloud, clock)
    assert (stuck.state, stuck.error_code) == ("needs_attention", "deadline")


def test_vcloud_away_for_a_while_delays_and_the_row_says_why(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("*", times=None, drop_request=True)
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    operations.advance(operation_id)
    waiting = operation(operation_id)
    assert (waiting.state, waiting.waiting_for) == ("running", "unavailable")
    assert vdc_of("acme-vdc").service.handler.silent_since == clock.at
    cloud.faults.clear()
    pass_time(cloud, clock, 60)
    drain(cloud, clock)
    assert operation(operation_id).state == "succeeded"
    assert vdc_of("acme-vdc").service.handler.silent_since is None


def test_a_worker_that_was_frozen_past_its_claim_writes_nothing(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    frozen = turns.claim(operation_id)
    assert frozen is not None
    clock.move(91)
    drain(cloud, clock)
    with pytest.raises(outcomes.LostClaimError):
        turns.take(frozen)
    assert operation(operation_id).state == "succeeded"
    assert len(made(cloud)) == 1


def test_a_turn_that_another_one_has_followed_writes_nothing(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    frozen = turns.claim(operation_id)
    assert frozen is not None
    clock.move(91)
    operations.advance(operation_id)
    before = operation(operation_id).moved_at
    clock.move(1)
    with pytest.raises(outcomes.LostClaimError):
        outcomes.settle(frozen, KINDS[frozen.kind], Wait())
    assert (operation(operation_id).state, operation(operation_id).moved_at) == ("running", before)


def test_two_workers_do_not_hold_one_operation(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    assert turns.claim(operation_id) is not None
    assert turns.claim(operation_id) is None


def test_a_bell_that_is_never_heard_only_delays(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    assert operations.due() == [operation_id]
    assert operations.due() == []
    pass_time(cloud, clock, 11)
    assert operations.due() == [operation_id]

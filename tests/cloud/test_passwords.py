"""A new password for an existing machine."""

import uuid

import pytest

from app.cloud import operations, passwords, rescue, vms
from app.cloud.rules import VmState
from app.errors import AppError, NotFoundError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, drain_late, operation, pass_time
from tests.support.machines import accepted, real_vm, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator
from vcdsim.entities import ON
from vcdsim.faults import error


def ask(cast: Cast, password: str | None = None, name: str = "sandbox") -> uuid.UUID:
    """Ask for a new password as the owner."""
    return passwords.request_new_password(cast.owner, vm_named(name).id, new_token(), password)


def test_the_guest_takes_the_new_password_when_it_starts(
    generation: str, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = ask(cast)
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    vm = real_vm(cloud, "sandbox")
    assert vm.customization.admin_password == passwords.take_password(cast.owner, asked)
    assert (vm.customized_count, vm.needs_customization) == (2, False)
    assert vm_named("sandbox").state is VmState.ON


def test_nothing_else_of_the_customization_changes(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = real_vm(cloud, "sandbox")
    vm.customization.change_sid = True
    vm.customization.computer_name = "sandbox-inside"
    ask(cast)
    drain(cloud, clock)
    assert vm.customization.computer_name == "sandbox-inside"
    assert vm.customization.change_sid is False  # or Windows would become another machine


def test_a_password_of_ones_own_is_set(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    ask(cast, "Adm!n_42")
    drain(cloud, clock)
    assert real_vm(cloud, "sandbox").customization.admin_password == "Adm!n_42"


def test_a_bad_password_is_refused_at_its_field(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="vm_password_length") as refused:
        ask(cast, "short")
    assert refused.value.field == "password"


def test_a_machine_that_is_on_must_be_switched_off_first(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="action_blocked") as refused:
        ask(cast, name="terminal")
    assert refused.value.params["reason"] == "switch_off_first"


def test_the_password_is_shown_to_nobody_else(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast)
    drain(cloud, clock)
    with pytest.raises(NotFoundError):
        passwords.take_password(cast.technician, asked)


def test_no_password_stays_where_the_guest_did_not_take_it(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("deploy", error=error("BAD_REQUEST", "There are insufficient CPU or memory resources."))
    asked = ask(cast, "Adm!n_42")
    drain(cloud, clock)
    assert operation(asked).state == "failed"
    assert operation(asked).password_sealed is None
    assert "Adm!n_42" not in repr([event.text for event in operation(asked).events])


def test_a_start_by_somebody_else_does_not_pass_for_ours(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    asked = ask(cast)
    operations.advance(asked)
    pass_time(cloud, clock, 60)
    vm = real_vm(cloud, "sandbox")
    vm.power, vm.is_deployed = ON, True
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).error_code) == ("failed", "started_meanwhile")


@pytest.mark.parametrize("command", ["reconfigure", "deploy"])
@pytest.mark.parametrize("fault", ["drop_answer", "drop_request"])
def test_a_lost_line_changes_nothing_about_the_end(
    cast: Cast, cloud: Simulator, clock: Clock, command: str, fault: str
) -> None:
    cloud.faults.add(command, drop_answer=fault == "drop_answer", drop_request=fault == "drop_request")
    asked = ask(cast, "Adm!n_42")
    drain(cloud, clock)
    assert operation(asked).state == "succeeded"
    vm = real_vm(cloud, "sandbox")
    assert (vm.customization.admin_password, vm.customized_count, vm.power) == ("Adm!n_42", 2, ON)
    assert accepted(cloud, "vappDeploy") == 1


# ---- an operation that has stopped -------------------------------------------------------------------------------


def stopped(cast: Cast, cloud: Simulator, clock: Clock) -> uuid.UUID:
    """A new password that vCloud has never finished to set."""
    cloud.faults.add("reconfigure", stuck_task=True)
    asked = ask(cast, "Adm!n_42")
    drain_late(cloud, clock, asked)
    assert operation(asked).state == "needs_attention"
    return asked


def test_the_password_of_a_stopped_operation_is_erased_in_bounded_time(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    asked = stopped(cast, cloud, clock)
    clock.move(passwords.STOPPED_STAYS.total_seconds())
    passwords.forget_old_passwords()
    assert operation(asked).password_sealed is not None
    assert rescue.may_retry(operation(asked))
    clock.move(1)
    passwords.forget_old_passwords()
    assert operation(asked).password_sealed is None
    for actor in (cast.owner, cast.support):
        with pytest.raises(AppError, match="retry_impossible"):
            rescue.retry(actor, asked)


def test_a_stopped_clean_up_keeps_no_password_and_goes_on_without(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("deploy", error=error("BAD_REQUEST", "No."))
    cloud.faults.add("delete", error=error("BAD_REQUEST", "Not that either."))
    asked = vms.request_create(cast.owner, wish(), new_token())
    drain(cloud, clock)
    assert (operation(asked).state, operation(asked).password_sealed) == ("needs_attention", None)
    assert not rescue.is_too_late(operation(asked))
    rescue.retry(cast.support, asked)
    drain(cloud, clock)
    assert operation(asked).state == "failed"

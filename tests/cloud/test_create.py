"""Creating a server: exactly one, as asked, whatever happens in between."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.cloud import offers, passwords, vms
from app.cloud.models import VappTemplate
from app.cloud.operation_models import Operation
from app.cloud.rules import VmState
from app.cloud.sizes import Size
from app.db import db, transaction
from app.errors import AppError, NotFoundError
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.creating import create, made
from tests.support.engine import drain, operation, vdc_of
from tests.support.wishes import wish
from vcdsim import Simulator


def test_the_server_runs_with_the_size_name_and_addresses_that_were_asked(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    done = create(cast, cloud, clock)
    assert done.state == "succeeded", (done.step, done.error_code, done.error_params)
    vm = done.vm
    assert vm is not None
    assert (vm.name, vm.vapp.name, vm.state) == ("web-03", "shop-3", VmState.ON)
    assert (vm.cpu_count, vm.memory_mb, vm.disk_gb) == (2, 2048, 20)
    assert vm.inner_ip is not None
    assert vm.inner_ip.startswith("192.168.100.")
    assert vm.outer_ip is not None
    assert vm.outer_ip.startswith("203.0.113.")
    assert "Debian" in vm.guest_os


def test_the_mirror_says_what_vcloud_has(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = create(cast, cloud, clock).vm
    assert vm is not None
    real = cloud.world.vms[vm.urn.rpartition(":")[2]]
    assert (real.name, real.cpu_count, real.memory_mb, real.power) == ("web-03", 2, 2048, "on")
    assert real.customization.computer_name == "web-03"


def test_the_guest_gets_the_password_that_is_shown(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    password = passwords.take_password(cast.owner, done.id)
    (vapp_id,) = made(cloud)
    (vm_id,) = cloud.world.vapps[vapp_id].vm_ids
    assert cloud.world.vms[vm_id].customization.admin_password == password


def test_a_lost_answer_does_not_lose_the_password(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    first = passwords.take_password(cast.owner, done.id)
    clock.move(9 * 60)
    assert passwords.take_password(cast.owner, done.id) == first


def test_a_password_that_was_shown_is_erased_ten_minutes_later(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    passwords.take_password(cast.owner, done.id)
    clock.move(10 * 60 + 1)
    with pytest.raises(AppError, match="password_taken"):
        passwords.take_password(cast.owner, done.id)
    passwords.forget_old_passwords()
    assert operation(done.id).password_sealed is None


def test_a_password_that_was_saved_is_erased_at_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    passwords.take_password(cast.owner, done.id)
    passwords.forget_password(cast.owner, done.id)
    assert operation(done.id).password_sealed is None
    with pytest.raises(AppError, match="password_taken"):
        passwords.take_password(cast.owner, done.id)


def test_a_password_nobody_has_seen_stays(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    clock.move(24 * 3600)
    passwords.forget_old_passwords()
    assert passwords.take_password(cast.owner, done.id)


def test_a_password_of_ones_own_is_used(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock, password="Adm!n_42")
    assert passwords.take_password(cast.owner, done.id) == "Adm!n_42"


def test_the_password_is_shown_to_nobody_else(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock)
    for other in (cast.technician, cast.stranger):
        with pytest.raises(NotFoundError):
            passwords.take_password(other, done.id)
        with pytest.raises(NotFoundError):
            passwords.forget_password(other, done.id)


def test_the_password_waits_until_the_server_is_ready(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    with pytest.raises(AppError, match="password_not_ready"):
        passwords.take_password(cast.owner, operation_id)


def test_no_secret_stands_in_the_row_its_events_or_the_audit(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    done = create(cast, cloud, clock, password="Adm!n_42")
    tables = [Operation.__table__, AuditEntry.__table__, *[Operation.events.property.mapper.local_table]]
    everything = str([list(db.session.execute(select(table))) for table in tables])
    assert done.state == "succeeded"
    assert "Adm!n_42" not in everything


def test_a_server_without_a_network_has_no_address(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = create(cast, cloud, clock, network=None).vm
    assert vm is not None
    assert (vm.inner_ip, vm.outer_ip) == (None, None)


def test_an_isolated_network_gives_an_inner_address_only(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vm = create(cast, cloud, clock, network="acme-internal").vm
    assert vm is not None
    assert vm.outer_ip is None
    assert vm.inner_ip is not None
    assert vm.inner_ip.startswith("10.0.0.")


def test_the_same_form_sent_twice_makes_one_server(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    token = new_token()
    first = vms.request_create(cast.owner, wish(), token)
    assert vms.request_create(cast.owner, wish(), token) == first
    drain(cloud, clock)
    assert vms.request_create(cast.owner, wish(), token) == first
    assert len(made(cloud)) == 1


def test_the_same_form_with_another_content_is_refused(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    token = new_token()
    vms.request_create(cast.owner, wish(), token)
    with pytest.raises(AppError, match="form_reused"):
        vms.request_create(cast.owner, wish(vm_name="other"), token)


def test_two_forms_for_one_name_make_one_server(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vms.request_create(cast.owner, wish(), new_token())
    with pytest.raises(AppError, match="vapp_name_taken") as refused:
        vms.request_create(cast.technician, wish(), new_token())
    assert refused.value.field == "vapp_name"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"size": Size(cpu_count=0, memory_mb=2048, disk_gb=20)}, "cpu_count_too_small", "cpu_count"),
        ({"size": Size(cpu_count=2, memory_mb=2**30, disk_gb=20)}, "memory_mb_too_large_template", "memory_mb"),
        ({"size": Size(cpu_count=2, memory_mb=2048, disk_gb=1)}, "disk_gb_too_small", "disk_gb"),
        ({"vm_name": "no spaces"}, "vm_name_bad", "vm_name"),
        ({"vapp_name": "office"}, "vapp_name_taken", "vapp_name"),
        ({"password": "short"}, "vm_password_length", "password"),
        ({"template": "lamp"}, "template_of_many_has_sizes", "cpu_count"),
    ],
)
def test_bad_input_is_refused_at_its_field_and_asks_nothing_of_vcloud(
    cast: Cast, cloud: Simulator, clock: Clock, changes: dict[str, Any], code: str, field: str
) -> None:
    before = len(cloud.requests)
    with pytest.raises(AppError, match=code) as refused:
        vms.request_create(cast.owner, wish(**changes), new_token())
    assert refused.value.field == field
    assert db.session.scalar(select(func.count(Operation.id))) == 0
    assert len(cloud.requests) == before


def test_all_errors_of_a_form_are_told_at_once(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    errors = vms.check(cast.owner, wish(vm_name="", size=Size(cpu_count=0, memory_mb=2048, disk_gb=1)))
    assert [error.field for error in errors] == ["cpu_count", "disk_gb", "vm_name"]


def test_somebody_elses_data_center_does_not_exist(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(NotFoundError):
        vms.request_create(cast.stranger, wish(), new_token())


def test_somebody_elses_network_is_refused_in_ones_own_data_center(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    foreign = wish("globex-vdc", network="globex-net").network_id
    with pytest.raises(AppError, match="network_gone"):
        vms.request_create(cast.owner, wish(network_id=foreign), new_token())


def test_a_viewer_may_not_create(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with pytest.raises(AppError, match="not_permitted"):
        vms.request_create(cast.viewer, wish(), new_token())


def test_what_is_being_created_counts_as_taken(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    vdc_id = vdc_of("acme-vdc").id
    before = offers.free_of(vdc_id)
    vms.request_create(cast.owner, wish(), new_token())
    after = offers.free_of(vdc_id)
    assert before.memory_mb is not None
    assert after.memory_mb == before.memory_mb - 2048


def test_a_template_that_no_longer_fits_comes_last_with_its_reason(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with transaction():
        vdc_of("acme-vdc").storage_limit_mb = 1024
    found = offers.offers(vdc_of("acme-vdc").id)
    assert {offer.reason.code for offer in found if offer.reason} == {"template_needs_disk_gb"}


def test_a_template_that_left_the_catalog_is_refused(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    with transaction():
        template = db.session.scalars(select(VappTemplate).where(VappTemplate.name == "debian-12").limit(1)).one()
        template.gone_at = clock.at
        vdc_id, template_id = template.vdc_id, template.id
    errors = vms.errors_of(wish(template="ubuntu-24.04", vdc_id=vdc_id, template_id=template_id))
    assert "template_gone" in [error.code for error in errors]


def test_many_wishes_at_once_do_not_take_more_than_there_is(
    app: Flask, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    vdc_id = vdc_of("acme-vdc").id
    specs = [wish(vm_name=f"race-{number}", vapp_name=f"race-{number}") for number in range(8)]
    with transaction():
        vdc_of("acme-vdc").vm_quota = 12 + 1  # the demo world has twelve

    def ask(spec: vms.VmSpec) -> str:
        with app.app_context():
            try:
                vms.request_create(cast.owner, spec, new_token())
            except AppError as refused:
                return refused.code
            return "taken"

    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(ask, specs)) == {"taken": 1, "template_needs_vms": 7}
    assert offers.free_of(vdc_id).vm_count == 0

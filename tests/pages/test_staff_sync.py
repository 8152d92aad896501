"""The page on which staff see how the readings go, and confirm that machines are gone."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import vcloud
from app.accounts.models import AuditEntry
from app.cloud import sync, sync_guard, sync_runs
from app.cloud.models import Service, Vm
from app.cloud.sync_models import SyncRun
from app.db import db, transaction
from app.errors import AppError
from tests.pages.conftest import Browser
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.page import Page, open_page
from tests.support.statements import statements
from vcdsim import Simulator

PATH = "/staff/sync"


@pytest.fixture
def support(browser: Browser, cast: Cast) -> FlaskClient:
    """The browser of support."""
    return browser(cast.support)


def line(page: Page, vdc: str) -> str:
    return next(text for text in page.texts("main tbody tr") if text.startswith(vdc))


def lose_most(cloud: Simulator) -> None:
    """Nearly all machines of Acme are away in vCloud."""
    world = cloud.world
    vapps = [vapp for vapp in world.vapps.values() if world.vdcs[vapp.vdc_id].name == "acme-vdc"]
    for vapp in vapps[1:]:
        for vm_id in vapp.vm_ids:
            del world.vms[vm_id]
        del world.vapps[vapp.id]
        world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)


def gone() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(Vm.id)).where(Vm.gone_at.is_not(None))) or 0


def test_each_data_center_says_when_it_was_read_and_how_much(
    support: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.read(clock)
    clock.move(60)
    text = line(open_page(support, PATH), "acme-vdc")
    assert "Acme, Moscow" in text
    assert "In order 1 min ago" in text
    assert text.endswith("12")


def test_a_reading_that_failed_says_why_in_the_words_of_vcloud(
    support: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("*", times=None, drop_request=True)
    with pytest.raises(vcloud.Unavailable):
        elsewhere.read(clock)
    page = open_page(support, PATH)
    assert "Failed" in line(page, "acme-vdc")
    assert page.texts("main tbody [lang=en]")[0]
    assert page.texts("main tbody th b")[0] == "acme-vdc"


def test_a_login_that_fails_is_told_with_its_next_step_and_the_age_of_what_is_known(
    support: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    next(user for user in cloud.world.users.values() if user.name == "acme-admin").password = "another"
    cloud.expire_sessions()
    with pytest.raises(vcloud.VcloudError):
        elsewhere.read(clock)
    text = line(open_page(support, PATH), "acme-vdc")
    assert "Failed" in text
    assert "Check the administrator's login and rights in vCloud; flask service-attach takes a new login." in text
    assert "It is tried again by itself every 30 minutes" in text
    assert "30 min ago" in text


@pytest.mark.parametrize(
    ("code", "todo"), [("lost", "broke off at it again and again"), ("LookupError", "The fault is ours.")]
)
def test_a_fault_of_ours_is_called_ours(
    support: FlaskClient, cloud: Simulator, clock: Clock, code: str, todo: str
) -> None:
    elsewhere.read(clock)
    with transaction():
        run = db.session.scalars(select(SyncRun).order_by(SyncRun.asked_at.desc()).limit(1)).one()
        run.state, run.error_code, run.error_params = "failed", code, {"text": "what went wrong"}
    assert todo in line(open_page(support, PATH), "acme-vdc")


def test_what_was_not_read_for_hours_is_late(browser: Browser, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    clock.move(3 * 3600)
    assert "Late" in line(open_page(browser(cast.support), PATH), "globex-vdc")


def test_a_reading_at_work_says_how_far_it_is(support: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    clock.move(60)
    service_id = vdc_of("acme-vdc").service_id
    sync_runs.ask(service_id, "schedule")
    assert "waits for its turn" in line(open_page(support, PATH), "acme-vdc")
    sync_runs.claim(service_id)
    page = open_page(support, PATH)
    assert "reads the list" in line(page, "acme-vdc")
    assert "1 data center is being read now." in page.text


def test_a_data_center_that_lost_most_is_held_back_until_staff_confirm(
    support: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    lose_most(cloud)
    elsewhere.read(clock)
    page = open_page(support, PATH)
    assert "acme-vdc: 9 of 12 servers were not listed; nothing was marked." in page.text
    assert gone() == 0
    service_id = vdc_of("acme-vdc").service_id
    answer = page.send(f"{PATH}/{service_id}/confirm-loss")
    assert (answer.status_code, answer.location) == (303, PATH)
    assert "They are gone: confirm" not in open_page(support, PATH).text
    while sync.work(service_id):
        pass
    assert gone() == 9
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "sync.confirm_loss")).one()
    assert (entry.user_id, entry.object_id) == (cast.support.user_id, service_id)


def test_customers_neither_see_it_nor_confirm_anything(owner: FlaskClient, cast: Cast, cloud: Simulator) -> None:
    service_id = vdc_of("acme-vdc").service_id
    open_page(owner, PATH, status=404)
    token = open_page(owner, "/").root.cssselect("input[name=csrf_token]")[0].get("value")
    assert owner.post(f"{PATH}/{service_id}/confirm-loss", data={"csrf_token": token}).status_code == 404
    with pytest.raises(AppError, match="not_permitted"):
        sync_guard.confirm_loss(cast.owner, service_id)
    db.session.rollback()
    assert db.session.get_one(Service, service_id).loss_confirmed_at is None


def test_it_sends_the_same_statements_after_many_runs(support: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    counted = []
    for _ in range(2):
        elsewhere.read(clock)
        with statements() as sent:
            open_page(support, PATH)
        counted.append(len(sent))
    assert counted[0] == counted[1] <= 15

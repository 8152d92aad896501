"""System health: whether the panel runs by itself, in one page for staff."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app import jobs, vcloud
from app.accounts import members
from app.cloud import gateway, health, heartbeats, outcomes, sync, sync_runs, unexplained, wishes
from app.cloud.console_rules import ConsoleMode
from app.cloud.heartbeats import Heartbeat
from app.cloud.models import Handler, VApp
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support import elsewhere
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.drift import drifted
from tests.support.engine import vdc_of
from tests.support.page import Page, open_page, open_part
from tests.support.servers import RedisServer
from tests.support.statements import statements
from vcdsim import Simulator

PATH = "/staff/health"
DAY_S = 24 * 3600


def set_up(app: Flask, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    changed = replace(app.extensions["skiff_config"], **settings)
    monkeypatch.setitem(app.extensions, "skiff_config", changed)


@pytest.fixture(autouse=True)
def _no_gateway_elsewhere(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the gateway should be, whatever else runs on this machine."""
    set_up(app, monkeypatch, console_port=1)


@pytest.fixture
def support(browser: Browser, cast: Cast) -> FlaskClient:
    """The browser of support."""
    return browser(cast.support)


@pytest.fixture
def console_gateway(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that answers as the gateway does; what the real one says is tested in `tests/gateway`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            figures = b'{"open": 2, "opened": 7, "refused": {"unknown_id": 3}, "bytes_to_browsers": 5200000, '
            self.send_response(200)
            self.end_headers()
            self.wfile.write(figures + b'"bytes_to_cells": 1000}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        set_up(app, monkeypatch, console_port=server.server_address[1])
        yield
        server.shutdown()


@pytest.fixture
def at_work(cloud: Simulator, console_gateway: None) -> None:
    """A clock and two workers that have just left a sign, beside a vCloud that answers and a gateway."""
    for program, process in (("clock", "clock 1"), ("worker", "worker 1"), ("worker", "worker 2")):
        heartbeats.beat(program, process)


def line(page: Page, part: str) -> str:
    return next(text for text in page.texts("main tbody tr") if text.startswith(part))


def todo(page: Page) -> list[str]:
    return page.texts("main .sk-list > li")


def badge(page: Page) -> str:
    return page.texts("#health-count")[0]


def test_all_well_is_one_sentence(support: FlaskClient, at_work: None) -> None:
    page = open_page(support, PATH)
    assert "Everything runs by itself" in page.text
    assert (todo(page), badge(page)) == ([], "")
    assert line(page, "Clock") == "ClockIn orderNothing is overdue.0 s ago"
    assert line(page, "Workers").startswith("WorkersIn order2 processes.")
    assert not page.root.cssselect("main .sk-state--warn, main .sk-state--bad")


def test_a_program_that_never_left_a_sign_is_told_with_what_to_type(support: FlaskClient, cloud: Simulator) -> None:
    page = open_page(support, PATH)
    assert "systemctl restart skiff-clock" in next(text for text in todo(page) if "Clock" in text)
    assert "systemctl restart 'skiff-worker@*'" in next(text for text in todo(page) if "Workers" in text)


def test_a_program_is_silent_after_two_minutes_whatever_it_has_left(
    support: FlaskClient, at_work: None, clock: Clock
) -> None:
    clock.move(119)
    assert todo(open_page(support, PATH)) == []
    clock.move(1)
    heartbeats.beat("worker", "worker 1")
    page = open_page(support, PATH)
    assert line(page, "Clock").startswith("ClockSilent")
    assert line(page, "Workers").startswith("WorkersIn order1 process.")
    assert (len(todo(page)), badge(page)) == (1, "1")


def test_a_process_keeps_one_row_and_is_forgotten_after_a_day(cloud: Simulator, clock: Clock) -> None:
    for _ in range(2):
        heartbeats.beat("worker", "worker 1")
        clock.move(30)
    clock.move(DAY_S)
    heartbeats.beat("worker", "worker 2")
    assert db.session.scalars(db.select(Heartbeat.process)).all() == ["worker 2"]


def test_what_the_clock_should_have_rung_a_minute_ago_is_overdue(
    support: FlaskClient, cast: Cast, at_work: None, clock: Clock
) -> None:
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    clock.move(60)
    assert line(open_page(support, PATH), "Clock").startswith("ClockIn order")
    clock.move(1)
    page = open_page(support, PATH)
    assert line(page, "Clock").startswith("ClockLate1 operation is overdue by 1 min.")


def test_work_that_no_worker_takes_up_is_counted_with_its_age(
    support: FlaskClient, cast: Cast, at_work: None, clock: Clock
) -> None:
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    clock.move(60)
    sync_runs.ask(vdc_of("acme-vdc").service_id, "schedule")
    clock.move(4 * 60)
    for program, process in (("clock", "clock 1"), ("worker", "worker 1")):
        heartbeats.beat(program, process)
    page = open_page(support, PATH)
    assert "Behind1 process. 2 tasks wait for one, the first for 5 min." in line(page, "Workers")
    assert "systemctl enable --now skiff-worker@2" in next(text for text in todo(page) if "Workers" in text)


def test_redis_that_is_away_is_said_at_once_and_is_to_be_mended_first(
    app: Flask, support: FlaskClient, at_work: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = RedisServer()
    own.start()
    monkeypatch.setattr(health, "doorbell_answers", health.doorbell_answers)
    monkeypatch.setitem(app.extensions, "skiff_redis", app.extensions["skiff_redis"])
    jobs.init(app, own.url)
    assert line(open_page(support, PATH), "Redis").startswith("RedisAnswers")
    own.remove()
    clock.move(300)
    page = open_page(support, PATH)
    assert line(page, "Redis").startswith("RedisDoes not answer")
    assert "Mend Redis first" in next(text for text in todo(page) if "Workers" in text)


def test_it_opens_although_redis_and_gateway_take_a_call_and_say_nothing(
    app: Flask, support: FlaskClient, at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        set_up(app, monkeypatch, console_port=port)
        monkeypatch.setattr(health, "doorbell_answers", health.doorbell_answers)
        monkeypatch.setitem(app.extensions, "skiff_redis", app.extensions["skiff_redis"])
        jobs.init(app, f"redis://127.0.0.1:{port}/0")
        page = open_page(support, PATH)
    assert line(page, "Redis").startswith("RedisDoes not answer")
    assert line(page, "Console gateway").startswith("Console gatewayDoes not answer")


def test_a_vcloud_that_is_silent_says_since_when_and_how_old_what_is_shown_is(
    support: FlaskClient, at_work: None, cloud: Simulator, clock: Clock
) -> None:
    clock.move(600)
    cloud.faults.add("*", times=None, drop_request=True)
    gateway.probe_all()
    clock.move(60)
    page = open_page(support, PATH)
    text = "vCloud MoscowDoes not answer2 data centers. The oldest was read 11 min ago.1 min ago"
    assert line(page, "vCloud Moscow") == text
    assert "flask handler-check Moscow" in next(text for text in todo(page) if "Moscow" in text)


def test_a_data_center_that_cannot_be_read_is_counted_at_its_vcloud(
    support: FlaskClient, at_work: None, cloud: Simulator, clock: Clock
) -> None:
    next(user for user in cloud.world.users.values() if user.name == "acme-admin").password = "another"
    cloud.expire_sessions()
    with pytest.raises(vcloud.VcloudError):
        elsewhere.read(clock)
    page = open_page(support, PATH)
    assert line(page, "vCloud Moscow").startswith("vCloud MoscowCannot be read2 data centers.")
    assert "1 cannot be read." in line(page, "vCloud Moscow")
    assert page.links()["Sync"] == "/staff/sync"


def test_a_data_center_that_two_beats_of_the_schedule_left_out_is_late(
    browser: Browser, cast: Cast, at_work: None, clock: Clock
) -> None:
    clock.move(3601)
    sync.refresh(vdc_of("acme-vdc").service_id)
    text = line(open_page(browser(cast.support), PATH), "vCloud Moscow")
    assert text.startswith("vCloud MoscowLate2 data centers. The oldest was read 1 h ago. 1 is late.")


def test_a_reading_that_is_held_back_waits_for_staff(
    support: FlaskClient, at_work: None, cloud: Simulator, clock: Clock
) -> None:
    world = cloud.world
    for vapp in [vapp for vapp in world.vapps.values() if world.vdcs[vapp.vdc_id].name == "acme-vdc"][1:]:
        for one in vapp.vm_ids:
            del world.vms[one]
        del world.vapps[vapp.id]
        world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)
    elsewhere.read(clock)
    page = open_page(support, PATH)
    assert line(page, "Readings held back").startswith("Readings held backHeld back1 waits for your word.")
    open_page(support, "/staff/sync").send(f"/staff/sync/{vdc_of('acme-vdc').service_id}/confirm-loss")
    assert line(open_page(support, PATH), "Readings held back").startswith("Readings held backIn order")


def test_drift_is_an_alarm_when_it_is_older_than_a_day(
    browser: Browser, cast: Cast, at_work: None, clock: Clock
) -> None:
    drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    clock.move(DAY_S)
    drifted(vm_id("wiki"), "cpu_count", 2, 3)
    support = browser(cast.support)
    assert line(open_page(support, PATH), "Drift") == "DriftIn order2 differences to decide.24 h ago"
    clock.move(1)
    page = open_page(support, PATH)
    assert line(page, "Drift").startswith("DriftOlder than 24 hours")
    assert page.links()["Drift"] == "/staff/drift?show=old"


def test_operations_that_stopped_and_errors_without_a_rule_are_counted(
    support: FlaskClient, cast: Cast, at_work: None
) -> None:
    stop(cast, "sandbox", "The flux is too high.")
    stop(cast, "wiki", "There are insufficient CPU or memory resources to complete the operation.")
    page = open_page(support, PATH)
    assert line(page, "Operations").startswith("OperationsNeeds attention2 have stopped.")
    text = "Unexplained errorsNo rule1 without a rule. 50 % of the last 2 failures are explained."
    assert line(page, "Unexplained errors") == text
    assert badge(page) == "2"
    assert badge(open_page(support, "/staff/accounts")) == "2"


def stop(cast: Cast, name: str, message: str) -> None:
    """An operation of this machine stops because of what vCloud said."""
    operation_id = wishes.ask(
        cast.owner, vm_id(name), Action.SHUT_DOWN if name == "wiki" else Action.START, new_token()
    )
    with transaction():
        row = db.session.get_one(Operation, operation_id)
        row.error_code, row.error_params = "refused", {"message": message, "minor_code": "BAD_REQUEST"}
        unexplained.gather("BAD_REQUEST", message, row.id)
        outcomes.finish(row, "needs_attention")


def test_a_lease_that_ends_soon_is_told_with_its_day(support: FlaskClient, at_work: None, clock: Clock) -> None:
    with transaction():
        ends_at = clock.at + timedelta(days=2)
        one = db.select(VApp.id).where(VApp.is_deployed).limit(1).scalar_subquery()
        db.session.execute(update(VApp).where(VApp.id == one).values(runtime_ends_at=ends_at))
    assert line(open_page(support, PATH), "Leases") == "LeasesEnd soon1 vApp, on 14 November, 14:20."


def test_the_gateway_says_what_it_counts(support: FlaskClient, at_work: None) -> None:
    figures = "2 consoles open. Since its start: 7 opened, 5 MB. Refused: unknown_id 3."
    assert line(open_page(support, PATH), "Console gateway") == f"Console gatewayAnswers{figures}"


def test_a_gateway_that_is_away_is_counted_here_and_needs_nobody_where_consoles_are_direct(
    support: FlaskClient, cloud: Simulator
) -> None:
    page = open_page(support, PATH)
    assert line(page, "Console gateway").startswith("Console gatewayDoes not answer")
    assert (badge(page), badge(open_page(support, "/staff/accounts"))) == ("3", "2"), "other pages do not ask for it"
    with transaction():
        db.session.execute(update(Handler).values(console_mode=ConsoleMode.DIRECT))
    page = open_page(support, PATH)
    assert line(page, "Console gateway").startswith("Console gatewayNot needed")
    assert not [text for text in todo(page) if "gateway" in text]


def test_a_missing_console_program_is_told_with_the_command_that_fetches_it(
    app: Flask, support: FlaskClient, at_work: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "static_folder", str(tmp_path))
    page = open_page(support, PATH)
    assert line(page, "Console program").startswith("Console programMissingWMKS")
    assert "./run --setup-only" in todo(page)[0]
    (tmp_path / "wmks").mkdir()
    (tmp_path / "wmks" / "wmks.min.js").touch()
    assert line(open_page(support, PATH), "Console program") == "Console programInstalledWMKS (VMware)"
    set_up(app, monkeypatch, console_client="novnc")
    assert line(open_page(support, PATH), "Console program").startswith("Console programMissingnoVNC")


def test_without_any_vcloud_the_first_step_is_told(support: FlaskClient, cast: Cast) -> None:
    text = line(open_page(support, PATH), "vCloud")
    assert text == "vCloudNone yetNone is attached yet: flask handler-add."


def test_it_comes_again_by_itself_with_the_counter(support: FlaskClient, at_work: None, clock: Clock) -> None:
    part = open_page(support, PATH).root.get_element_by_id("system-health")
    assert (part.get("hx-get"), part.get("hx-trigger")) == (f"{PATH}/live", "every 10s")
    first = support.get(f"{PATH}/live")
    again = support.get(f"{PATH}/live", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    clock.move(200)
    moved = open_part(support, f"{PATH}/live")
    assert moved.texts("#health-count[hx-swap-oob]") == ["2"]
    assert "2 parts need you" in moved.texts("h2")


def test_it_sends_few_statements_however_much_there_is(
    support: FlaskClient, at_work: None, cloud: Simulator, clock: Clock
) -> None:
    counted = []
    for names in (("sandbox",), ("wiki", "mail", "terminal")):
        for name in names:
            drifted(vm_id(name), "cpu_count", 1, 3)
        elsewhere.read(clock)
        with statements() as sent:
            open_page(support, PATH)
        counted.append(len(sent))
    assert counted[0] == counted[1] <= 12


def test_it_speaks_russian(support: FlaskClient, cast: Cast, cloud: Simulator) -> None:
    members.set_locale(cast.support.user_id, "ru")
    page = open_page(support, PATH)
    assert page.h1 == "Состояние системы"
    assert "Вас ждут 3 части" in page.text


def test_customers_have_no_such_page(owner: FlaskClient, client: FlaskClient, cloud: Simulator) -> None:
    for path in (PATH, f"{PATH}/live"):
        assert owner.get(path).status_code == 404
        assert client.get(path).status_code == 302
    assert not open_page(owner, "/").root.cssselect("#health-count")

"""The console as a page asks for it: who gets a screen, why there is none, and what is kept of a ticket."""

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import AuditEntry, UserSession
from app.accounts.rules import Actor
from app.accounts.sign_in import SessionLimits
from app.accounts.sign_in import sign_in as open_session
from app.cloud import console, console_seats
from app.cloud.console import ConsoleAccess, Gateway
from app.cloud.console_models import ConsoleGrant
from app.cloud.console_rules import ConsoleBlock, ConsoleMode
from app.cloud.console_seats import ConsoleEnd, ConsoleEndedError, Upstream
from app.cloud.models import Handler
from app.cloud.rules import Action
from app.db import Base, db, transaction
from app.errors import AppError, NotFoundError
from tests.support.cast import PASSWORD, Cast, email_of
from tests.support.clock import Clock
from tests.support.machines import ask, real_vm, vm_named
from vcdsim import Simulator
from vcdsim.faults import error

ON, OFF = "wiki", "sandbox"


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/console/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def health() -> Iterator[int]:
    """The port of something that says that it is a gateway."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Health) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def way(health: int, cloud: Simulator) -> Gateway:
    """A gateway, and a handler whose consoles may be where tickets of the simulator lead."""
    _set_up(console_hosts=["127.0.0.1"])
    return Gateway(scheme="wss", host="panel.example/console/ws", port=health)


@pytest.fixture
def session(cast: Cast, cloud: Simulator) -> uuid.UUID:
    """The owner is signed in."""
    return _session(cast.owner)


def test_a_page_gets_five_values_of_which_the_ticket_is_a_one_time_id(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID, clock: Clock
) -> None:
    access = _grant(cast, session, way)
    assert (access.vm_name, access.host, access.port) == (ON, "panel.example/console/ws", 902)
    assert (access.vmx, access.scheme, access.mode) == ("", "wss", ConsoleMode.GATEWAY)
    assert access.ticket not in _tickets(cloud)
    assert access.expires_at == clock.at + timedelta(seconds=25)


def test_the_way_to_the_cell_is_taken_once_and_trusts_what_the_handler_trusts(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID
) -> None:
    access = _grant(cast, session, way)
    _set_up(proxy="http://proxy.example:3128")
    upstream = console_seats.take(access.ticket, session)
    assert upstream.address == f"wss://127.0.0.1/902;{_tickets(cloud)[-1]}"
    assert upstream.proxy == "http://proxy.example:3128"
    assert upstream.ca_file is not None
    assert upstream.ca_file.endswith(".pem")
    assert _end_of(access, session) is ConsoleEnd.UNKNOWN_ID


def test_two_who_take_the_same_id_at_once_do_not_both_get_it(
    app: Flask, cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID
) -> None:
    access = _grant(cast, session, way)
    results: list[Upstream | ConsoleEnd] = []
    together = threading.Barrier(4)

    def take() -> None:
        together.wait(5)
        with app.app_context():
            try:
                results.append(console_seats.take(access.ticket, session))
            except ConsoleEndedError as ended:
                results.append(ended.end)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in results) == ["ConsoleEnd", "ConsoleEnd", "ConsoleEnd", "Upstream"]


def test_neither_the_ticket_nor_the_id_stands_in_the_database_a_log_or_a_representation(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    access = _grant(cast, session, way)
    everything = [str(row) for table in Base.metadata.sorted_tables for row in db.session.execute(table.select())]
    everything += [caplog.text, repr(access), repr(console_seats.take(access.ticket, session))]
    for secret in (_tickets(cloud)[-1], access.ticket):
        assert [one for one in everything if secret in one] == []


def test_the_record_tells_who_opened_which_console(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID
) -> None:
    _grant(cast, session, way)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "console.open")).one()
    assert (entry.user_id, entry.account_id) == (cast.owner.user_id, cast.owner.account_id)
    assert (entry.object_id, entry.details) == (vm_named(ON).id, {"name": ON, "mode": "gateway"})


@pytest.mark.parametrize("mode", list(ConsoleMode))
def test_a_ticket_that_leads_elsewhere_is_not_followed(
    cast: Cast, way: Gateway, session: uuid.UUID, mode: ConsoleMode
) -> None:
    _set_up(console_mode=mode, console_hosts=["127.0.0.1:8443", "vcd.example"])
    assert _reason(cast.owner, session, way) is ConsoleBlock.HOST_UNKNOWN
    assert db.session.scalar(select(ConsoleGrant.id)) is None


def test_directly_a_page_gets_what_vcloud_said_and_nothing_is_kept(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID
) -> None:
    _set_up(console_mode=ConsoleMode.DIRECT)
    access = _grant(cast, session, Gateway(scheme="ws", host="127.0.0.1:1/console/ws", port=1))
    assert (access.scheme, access.host, access.ticket) == ("wss", "127.0.0.1", _tickets(cloud)[-1])
    assert db.session.scalar(select(ConsoleGrant.id)) is None


def test_a_page_may_open_sockets_to_the_gateway_or_to_the_cells(cast: Cast, way: Gateway) -> None:
    vm_id = vm_named(ON).id
    assert console.sockets(vm_id, way) == ["wss://panel.example"]
    _set_up(console_mode=ConsoleMode.DIRECT, api_url="https://vcd.example/api", console_hosts=["10.0.0.1:8443"])
    assert console.sockets(vm_id, way) == ["wss://10.0.0.1:8443", "wss://vcd.example"]


def test_a_machine_that_is_off_is_not_asked_for(cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID) -> None:
    cloud.requests.clear()
    assert _reason(cast.owner, session, way, OFF) is ConsoleBlock.OFF
    assert cloud.requests == []


def test_a_machine_that_is_being_switched_off_has_no_console(cast: Cast, way: Gateway, session: uuid.UUID) -> None:
    ask(cast, ON, Action.POWER_OFF)
    assert _reason(cast.owner, session, way) is ConsoleBlock.STOPPING


def test_a_machine_that_went_off_behind_our_back_is_explained(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID
) -> None:
    real_vm(cloud, ON).power = real_vm(cloud, OFF).power
    assert _reason(cast.owner, session, way) is ConsoleBlock.REFUSED


def test_a_gateway_that_does_not_answer_is_told_before_vcloud_is_asked(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID
) -> None:
    cloud.requests.clear()
    assert _reason(cast.owner, session, Gateway(scheme="ws", host="h/console/ws", port=1)) is ConsoleBlock.GATEWAY_DOWN
    assert cloud.requests == []


@pytest.mark.parametrize(
    ("fault", "block"),
    [
        ({"http_status": 503}, ConsoleBlock.VCLOUD_AWAY),
        ({"drop_answer": True}, ConsoleBlock.VCLOUD_AWAY),
        ({"error": error("BUSY_ENTITY", "The entity is busy completing an operation.")}, ConsoleBlock.VCLOUD_BUSY),
        ({"error": error("RESOURCE_NOT_FOUND", "Gone.", 404)}, ConsoleBlock.GONE),
        ({"error": error("BAD_REQUEST", "No.")}, ConsoleBlock.REFUSED),
    ],
)
def test_what_vcloud_answers_instead_of_a_ticket_is_explained(
    cast: Cast, cloud: Simulator, way: Gateway, session: uuid.UUID, fault: dict[str, object], block: ConsoleBlock
) -> None:
    cloud.faults.add("console", times=None, **fault)  # type: ignore[arg-type]  # one of its options
    assert _reason(cast.owner, session, way) is block


def test_who_may_only_look_and_who_is_of_another_account_get_none(cast: Cast, way: Gateway, session: uuid.UUID) -> None:
    with pytest.raises(AppError, match="not_permitted"):
        console.grant(cast.viewer, session, vm_named(ON).id, way)
    for ask_for in (console.grant, lambda actor, _, vm_id, way: console.preflight(actor, vm_id, way)):
        with pytest.raises(NotFoundError):
            ask_for(cast.stranger, session, vm_named(ON).id, way)


def test_a_person_may_open_a_dozen_in_a_minute(cast: Cast, way: Gateway, session: uuid.UUID, clock: Clock) -> None:
    for _ in range(12):
        _grant(cast, session, way)
    assert _reason(cast.owner, session, way) is ConsoleBlock.TOO_MANY
    console.grant(cast.technician, _session(cast.technician), vm_named(ON).id, way)
    clock.move(60)
    assert console.preflight(cast.owner, vm_named(ON).id, way) is None


def test_what_nobody_takes_is_worth_nothing_after_25_seconds_and_is_deleted(
    cast: Cast, way: Gateway, session: uuid.UUID, clock: Clock
) -> None:
    early, late = _grant(cast, session, way), _grant(cast, session, way)
    clock.move(24.9)
    console_seats.forget_expired()
    console_seats.take(early.ticket, session)
    clock.move(0.1)
    assert _end_of(late, session) is ConsoleEnd.UNKNOWN_ID
    _grant(cast, session, way)
    clock.move(25)
    console_seats.forget_expired()
    assert db.session.scalar(select(ConsoleGrant.id)) is None


def test_nobody_else_can_take_it_and_who_tried_has_spoilt_it(cast: Cast, way: Gateway, session: uuid.UUID) -> None:
    access = _grant(cast, session, way)
    assert _end_of(access, _session(cast.technician)) is ConsoleEnd.UNKNOWN_ID
    assert _end_of(access, session) is ConsoleEnd.UNKNOWN_ID


def _grant(cast: Cast, session: uuid.UUID, way: Gateway) -> ConsoleAccess:
    return console.grant(cast.owner, session, vm_named(ON).id, way)


def _reason(actor: Actor, session: uuid.UUID, way: Gateway, vm: str = ON) -> ConsoleBlock:
    with pytest.raises(AppError, match="console_blocked") as caught:
        console.grant(actor, session, vm_named(vm).id, way)
    return ConsoleBlock(str(caught.value.params["reason"]))


def _end_of(access: ConsoleAccess, session: uuid.UUID) -> ConsoleEnd:
    with pytest.raises(ConsoleEndedError) as caught:
        console_seats.take(access.ticket, session)
    return caught.value.end


def _tickets(cloud: Simulator) -> list[str]:
    return list(cloud.console._tickets._out)


def _session(actor: Actor) -> uuid.UUID:
    limits = SessionLimits(idle_min=60, max_h=12)
    open_session(email_of(actor), PASSWORD, address="127.0.0.1", user_agent="test", limits=limits)
    return db.session.scalars(select(UserSession.id).where(UserSession.user_id == actor.user_id)).one()


def _set_up(**values: object) -> None:
    with transaction():
        handler = db.session.scalars(select(Handler)).one()
        for name, value in values.items():
            setattr(handler, name, value)

"""Consoles that are open and must not stay so: withdrawn rights, machines that go, idleness, an end of the gateway."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import clock as app_clock
from app.accounts.models import Membership, User, UserSession
from app.accounts.rules import Role
from app.cloud.console_models import ConsoleGrant
from app.cloud.models import Service, Vm, VmGuard
from app.console_gateway import server
from app.db import db, transaction
from config import Config
from tests.gateway.conftest import Person, address_of
from tests.support.clock import Clock
from tests.support.console import Booth, Cell, Loop, booth, ending, granted
from tests.support.machines import vm_named
from tests.support.waiting import wait_until


def _set(model: type[Membership | Service | User | UserSession | Vm], *where: object, **values: object) -> None:
    db.session.rollback()
    with transaction():
        for row in db.session.scalars(select(model).where(*where)):  # type: ignore[arg-type]
            for name, value in values.items():
                setattr(row, name, value)


def _recycle() -> None:
    db.session.rollback()
    with transaction():
        for vm in db.session.scalars(select(Vm)):
            vm.guard = VmGuard(vm_id=vm.id, is_protected=False, recycled_at=app_clock.now())


def _swap_services() -> None:
    db.session.rollback()
    with transaction():
        one, other = db.session.scalars(select(Service))
        one.account_id, other.account_id = other.account_id, one.account_id


def test_looking_round_ends_nobody_who_may_stay(gate: Booth, owner: Person, one_time_id: str, clock: Clock) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        clock.move(3600 * 2)  # the session idles, its limit of twelve hours is not reached
        gate.look_round()
        browser.send("still here")
        assert browser.recv(5) == "still here"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda: _set(UserSession, ended_at=app_clock.now()), 4401),
        (lambda: _set(UserSession, ends_at=app_clock.now()), 4401),
        (lambda: _set(User, disabled_at=app_clock.now()), 4401),
        (lambda: _set(Membership, role=Role.VIEWER), 4403),
        (lambda: _set(Membership, role=Role.ACCOUNTANT), 4403),
        (lambda: _set(Vm, gone_at=app_clock.now()), 4410),
        (_recycle, 4410),
        (_swap_services, 4410),
    ],
    ids=["signed out", "session too long", "kept out", "viewer", "accountant", "gone", "deleted", "moved"],
)
def test_what_is_lost_while_a_console_is_open_closes_it_and_the_cell(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str, change: Callable[[], None], code: int
) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        change()
        gate.look_round()
        assert ending(browser)[0] == code
    gate.empties()
    wait_until(lambda: not cell.open, "the cell has no socket left")


def test_only_those_who_lost_it_go(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    other = replace(owner.seat, vm_id=vm_named("shop-db").id)
    other_id = granted(other, address_of(cell))
    with gate.connect(one_time_id, owner.cookie) as goes, gate.connect(other_id, owner.cookie) as stays:
        _set(Vm, Vm.id == owner.seat.vm_id, gone_at=app_clock.now())
        gate.look_round()
        assert ending(goes)[0] == 4410
        stays.send("here")
        assert stays.recv(5) == "here"


def test_an_idle_console_is_closed(gate: Booth, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        [sitting] = gate.sittings
        sitting.moved_at -= 30 * 60 - 5
        gate.look_round()
        browser.send("moves")
        browser.recv(5)
        assert time.monotonic() - sitting.moved_at < 60
        sitting.moved_at -= 30 * 60
        gate.look_round()
        assert ending(browser)[0] == 4408


def test_a_console_is_not_open_for_ever(gate: Booth, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        [sitting] = gate.sittings
        sitting.opened_at -= 8 * 3600
        gate.look_round()
        assert ending(browser)[0] == 4440


def test_rights_that_cannot_be_checked_for_a_minute_end_everything(
    gate: Booth, owner: Person, one_time_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    with gate.connect(one_time_id, owner.cookie) as browser:
        monkeypatch.setattr(gate.gateway._door, "look_round", away)
        gate.look_round()
        browser.send("still here")
        assert browser.recv(5) == "still here"
        gate.gateway._checked_at -= server.UNCHECKED_MOST_S
        gate.look_round()
        assert ending(browser) == (1011, "rights cannot be checked")


def test_the_gateway_looks_round_by_itself(
    app: Flask, config: Config, loop: Loop, cell: Cell, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LOOKS_EVERY_S", 0.01)
    with booth(app, config, loop) as gate, gate.connect(granted(owner.seat, address_of(cell)), owner.cookie) as browser:
        _set(UserSession, ended_at=app_clock.now())
        assert ending(browser)[0] == 4401


def test_looking_round_deletes_tickets_that_are_too_old(gate: Booth, one_time_id: str, clock: Clock) -> None:
    clock.move(25)
    gate.look_round()
    assert db.session.scalar(select(ConsoleGrant.id)) is None


def test_a_gateway_that_stops_says_so_to_both_sides(
    app: Flask, config: Config, loop: Loop, cell: Cell, owner: Person, one_time_id: str
) -> None:
    with ExitStack() as stack:
        gate = stack.enter_context(booth(app, config, loop))
        with gate.connect(one_time_id, owner.cookie) as browser:
            stack.close()
            assert ending(browser)[0] == 1012
    assert not gate.sittings
    wait_until(lambda: not cell.open, "the cell has no socket left")


def test_a_browser_that_is_cut_off_leaves_no_socket(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    browser = gate.connect(one_time_id, owner.cookie)
    browser.socket.close()
    gate.empties()
    wait_until(lambda: not cell.open, "the cell has no socket left")


def test_a_browser_that_leaves_during_the_upgrade_leaves_no_socket(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str
) -> None:
    cell.hesitates = asyncio.Event()
    with pytest.raises(TimeoutError):
        gate.connect(one_time_id, owner.cookie, open_timeout=0.2)
    wait_until(lambda: cell.requests, "the cell was asked")
    cell.hesitates.set()
    wait_until(lambda: gate.gateway.figures()["opened"] == 1, "the cell has answered")
    gate.empties()
    wait_until(lambda: not cell.open, "the cell has no socket left")


def test_a_slow_browser_slows_the_cell_down(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie, max_queue=1) as browser:
        browser.send(b"flood")
        seen: list[int] = []

        def rests() -> bool:
            seen.append(cell.sent)
            return seen[-1] > 0 and len(seen) > 10 and seen[-1] == seen[-10]

        wait_until(rests, "the cell does not get on any more")
        assert seen[-1] < 1000
        for _ in range(1999):
            assert len(browser.recv(5)) == 64 * 1024
    assert cell.sent == 1999


def test_the_figures_tell_what_was_opened_refused_and_moved(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str
) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send(b"12345")
        browser.recv(5)
        gate.ending(one_time_id, owner.cookie)
        assert gate.health() == {
            "open": 1,
            "opened": 1,
            "refused": {"unknown_id": 1},
            "bytes_to_browsers": 5,
            "bytes_to_cells": 5,
        }

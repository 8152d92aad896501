"""The whole path against the simulator's console: ask for a screen, open it, see the first words of the cell."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.cloud import console
from app.cloud.console import ConsoleAccess, Gateway
from app.cloud.models import Handler
from app.db import db, transaction
from config import Config
from tests.gateway.conftest import VM, Person
from tests.support.cast import Cast
from tests.support.console import Booth, Loop, booth, ending
from tests.support.machines import real_vm, vm_named
from vcdsim import Simulator
from vcdsim.console import LEGACY, MODERN

pytestmark = pytest.mark.one_database


@pytest.fixture
def cell(cloud: Simulator, cell_certificate: Path) -> Iterator[str]:
    """The simulator's own cell, in the place of ours; its address."""
    with cloud.console.serve(certificate=cell_certificate) as address:
        with transaction():
            handler = db.session.scalars(select(Handler)).one()
            handler.ca_file, handler.console_hosts = str(cell_certificate), [address.removeprefix("wss://")]
        yield address


@pytest.fixture
def gate(app: Flask, config: Config, loop: Loop, cell: str) -> Iterator[Booth]:
    """The gateway."""
    with booth(app, config, loop) as running:
        yield running


def _open(gate: Booth, cast: Cast, owner: Person) -> ConsoleAccess:
    way = Gateway(scheme="ws", host=f"127.0.0.1:{gate.port}/console/ws", port=gate.port)
    return console.grant(cast.owner, owner.seat.session_id, vm_named(VM).id, way)


@pytest.mark.parametrize("generation", [LEGACY, MODERN])
def test_both_generations_begin_as_they_do_and_no_log_holds_the_ticket(
    cloud: Simulator, cast: Cast, gate: Booth, owner: Person, generation: str, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.console.options.generation = generation
    caplog.set_level("DEBUG")
    access = _open(gate, cast, owner)
    [ticket] = cloud.console._tickets._out
    with gate.connect(access.ticket, owner.cookie) as browser:
        if generation == LEGACY:
            assert (browser.subprotocol, browser.recv(5)) == ("uint8utf8", "connect info vmx\n")
            browser.send(access.vmx)
            assert browser.recv(5) == "RFB 003.008\n"
        else:
            assert (browser.subprotocol, browser.recv(5), access.vmx) == ("binary", b"RFB 003.008\n", "")
    assert f"console of vm {owner.seat.vm_id} opened" in caplog.text
    ours = [record for record in caplog.records if not record.name.startswith("vcdsim")]
    assert [record for record in ours if ticket in record.getMessage()] == []


def test_a_ticket_that_is_too_old_for_the_cell_is_explained(
    cloud: Simulator, cast: Cast, gate: Booth, owner: Person
) -> None:
    access = _open(gate, cast, owner)
    cloud.advance(31)
    assert gate.ending(access.ticket, owner.cookie)[0] == 4503


def test_a_machine_that_goes_off_closes_its_console_as_the_cell_says(
    cloud: Simulator, cast: Cast, gate: Booth, owner: Person
) -> None:
    access = _open(gate, cast, owner)
    with gate.connect(access.ticket, owner.cookie) as browser:
        browser.recv(5)
        cloud.console.close(real_vm(cloud, VM).id, 1001, "powered off")
        assert ending(browser) == (1001, "powered off")

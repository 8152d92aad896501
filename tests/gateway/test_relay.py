"""What goes through an open console, and how it ends."""

import pytest

from tests.gateway.conftest import Person
from tests.support.console import Booth, Cell, ending

pytestmark = pytest.mark.one_database


def test_messages_pass_whole_and_as_they_are(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        for message in (b"RFB 003.008\n", "connect info vmx\n", bytes(range(256)) * 4000, "ё", b""):
            browser.send(message)
            assert browser.recv(5) == message


def test_the_ticket_reaches_the_cell_letter_by_letter(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie):
        assert cell.requests[0].path == "/902;cst-secret//ticket+/=--tp-AB:CD--"


def test_the_cell_learns_nothing_of_the_panel(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie):
        headers = cell.requests[0].headers
    assert "Cookie" not in headers
    assert headers["Origin"] == f"https://127.0.0.1:{headers['Host'].partition(':')[2]}"


def test_the_cell_chooses_the_subprotocol_and_is_not_offered_vvc(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str
) -> None:
    cell.speaks = ("vmware-vvc", "uint8utf8")
    with gate.connect(one_time_id, owner.cookie, offers=("vmware-vvc", "binary", "uint8utf8")) as browser:
        assert browser.subprotocol == "uint8utf8"
    assert cell.requests[0].headers["Sec-WebSocket-Protocol"] == "binary, uint8utf8"


def test_the_code_of_a_cell_that_closes_is_carried_after_its_last_words(
    gate: Booth, cell: Cell, owner: Person, one_time_id: str
) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send(b"close 1001 cell goes away")
        assert browser.recv(5) == b"last words"
        assert ending(browser) == (1001, "cell goes away")


def test_a_cut_line_to_the_cell_is_told(gate: Booth, cell: Cell, owner: Person, one_time_id: str) -> None:
    with gate.connect(one_time_id, owner.cookie) as browser:
        browser.send(b"drop")
        assert ending(browser)[0] == 4504

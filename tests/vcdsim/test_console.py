"""The wire of the console: tickets, both generations, the protocol byte by byte."""

import hashlib
import re
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.vcdsim.talk import Talk
from tests.vcdsim.viewer import (
    CAPS_LOCK,
    DESKTOP_SIZE,
    EVERYTHING,
    LED_STATE,
    NUM_LOCK,
    RAW,
    SERVER_CAPS,
    SHIFT,
    TIGHT_PNG,
    Viewer,
    ticket_for,
    upgraded,
    viewing,
)
from vcdsim import Simulator

GENERATIONS = ["legacy", "modern"]
SQUARES = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]


@pytest.fixture
def console(sim: Simulator) -> Iterator[Simulator]:
    """The demo world with its console on a free port, without TLS: that has a test of its own."""
    with sim.console.serve(tls=False):
        yield sim


def received(talk: Talk, name: str) -> str:
    return talk.sim.console.received(talk.vm(name).rpartition("vm-")[2])


def squares(viewer: Viewer) -> list[object]:
    """The colours of the four squares of a login."""
    return [viewer.screen.getpixel((14 + 28 * place, 58)) for place in range(4)]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_login_is_seen_and_what_is_typed_arrives_exactly(console: Simulator, talk: Talk, generation: str) -> None:
    console.console.options.generation = generation
    with viewing(talk, "wiki") as viewer:
        viewer.until("wiki login:")
        assert squares(viewer) == SQUARES
        viewer.type('Admin_42{~|"}')
        viewer.until('wiki login: Admin_42{~|"}')
        assert viewer.socket.subprotocol == {"legacy": "uint8utf8", "modern": "binary"}[generation]
    assert received(talk, "wiki") == 'Admin_42{~|"}'


def test_a_ticket_looks_like_those_of_vcd(console: Simulator, talk: Talk) -> None:
    ticket = ticket_for(talk, "wiki")
    assert re.fullmatch(r"127\.0\.0\.1:\d+", ticket.host)
    assert re.fullmatch(r"cst-[A-Za-z0-9+/=]{100,}--tp-([0-9A-F]{2}:){19}[0-9A-F]{2}--", ticket.ticket)
    assert "//" in ticket.ticket
    assert (ticket.vmx, ticket.port) == ("", "902")
    console.console.options.generation = "legacy"
    assert re.fullmatch(r"/vmfs/volumes/.+/wiki \(.+\)/wiki\.vmx", ticket_for(talk, "wiki").vmx)


def test_a_ticket_is_good_once(console: Simulator, talk: Talk) -> None:
    ticket = ticket_for(talk, "wiki")
    with upgraded(console, ticket) as socket:
        assert socket.recv(10) == b"RFB 003.008\n"
    with pytest.raises(InvalidStatus, match="403"), upgraded(console, ticket):
        pass


@pytest.mark.parametrize("age_s", [29, 31])
def test_a_ticket_is_good_for_30_seconds(console: Simulator, talk: Talk, age_s: int) -> None:
    ticket = ticket_for(talk, "wiki")
    console.advance(age_s)
    if age_s < 30:
        with upgraded(console, ticket):
            return
    with pytest.raises(InvalidStatus, match="403"), upgraded(console, ticket):
        pass


def test_an_unknown_ticket_and_one_whose_slashes_were_merged_are_refused(console: Simulator, talk: Talk) -> None:
    for old, new in (("cst-", "cst-x"), ("//", "/")):
        ticket = ticket_for(talk, "wiki")
        ticket.ticket = ticket.ticket.replace(old, new)
        with pytest.raises(InvalidStatus, match="403"), upgraded(console, ticket):
            pass


def test_a_ticket_of_a_vm_that_went_off_is_refused(console: Simulator, talk: Talk) -> None:
    ticket = ticket_for(talk, "wiki")
    talk.do("POST", f"{talk.vm('wiki')}/power/action/powerOff")
    with pytest.raises(InvalidStatus, match="403"), upgraded(console, ticket):
        pass


def test_the_console_is_served_over_tls_that_can_be_verified(sim: Simulator, talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "console.pem"
    with sim.console.serve(certificate=file):
        ticket = ticket_for(talk, "wiki")
        der = ssl.PEM_cert_to_DER_cert(file.read_text())
        assert hashlib.sha1(der).hexdigest() == ticket.ticket.partition("--tp-")[2].replace(":", "").lower().strip("-")
        with viewing(talk, "wiki") as viewer:
            viewer.until("wiki login:")
    with sim.console.serve(certificate=file):
        assert ssl.PEM_cert_to_DER_cert(file.read_text()) == der
    assert (tmp_path / "console.pem.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("host", "public_name", "named"),
    [
        ("127.0.0.1", "", "127.0.0.1:{}"),
        ("::1", "", "[::1]:{}"),
        ("0.0.0.0", "", "vcdsim.test:{}"),
        ("127.0.0.1", "console.example:8443", "console.example:8443"),
    ],
)
def test_tickets_name_an_address_that_the_client_reaches(
    sim: Simulator, talk: Talk, host: str, public_name: str, named: str
) -> None:
    with sim.console.serve(host=host, tls=False, public_name=public_name) as address:
        assert ticket_for(talk, "wiki").host == named.format(address.rpartition(":")[2])


@pytest.mark.parametrize(("offered", "status"), [(["vmware-vvc"], 400), (["uint8utf8"], 400), (["x", "binary"], 101)])
def test_the_modern_console_speaks_binary_or_not_at_all(
    console: Simulator, talk: Talk, offered: list[str], status: int
) -> None:
    ticket = ticket_for(talk, "wiki")
    if status == 101:
        with upgraded(console, ticket, offered) as socket:
            assert socket.subprotocol == "binary"
        return
    with pytest.raises(InvalidStatus, match=str(status)), upgraded(console, ticket, offered):
        pass


def test_the_legacy_console_speaks_binary_to_who_has_no_text(console: Simulator, talk: Talk) -> None:
    console.console.options.generation = "legacy"
    vm = console.world.vms[talk.vm("wiki").rpartition("vm-")[2]]
    vm.name = "вики"
    ticket = ticket_for(talk, "вики")
    with upgraded(console, ticket, ["binary"]) as socket:
        assert socket.recv(10) == b"connect info vmx\n"
        socket.send(bytes(ord(letter) & 0xFF for letter in ticket.vmx))
        assert socket.recv(10) == b"RFB 003.008\n"


def test_a_vmx_path_that_is_not_the_tickets_is_refused(console: Simulator, talk: Talk) -> None:
    console.console.options.generation = "legacy"
    with upgraded(console, ticket_for(talk, "wiki")) as socket:
        viewer = Viewer(socket)
        assert viewer.message() == b"connect info vmx\n"
        socket.send("/vmfs/volumes/other.vmx")
        assert viewer.closed() == (1002, "the vmx path is not that of the ticket")


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_handshake_can_be_left_out(console: Simulator, talk: Talk, generation: str) -> None:
    console.console.options.change({"generation": generation, "is_rfb_spoken": False})
    ticket = ticket_for(talk, "wiki")
    with upgraded(console, ticket) as socket:
        viewer = Viewer(socket)
        if ticket.vmx:
            assert viewer.message() == b"connect info vmx\n"
            socket.send(ticket.vmx)
        assert viewer.server_init() == "wiki"


def test_a_client_that_says_nothing_is_not_waited_for(
    console: Simulator, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcdsim.console.session._HANDSHAKE_S", 0.05)
    with upgraded(console, ticket_for(talk, "wiki")) as socket:
        assert Viewer(socket).closed() == (1002, "no handshake in time")


def test_a_sign_of_life_comes_while_nothing_changes(
    console: Simulator, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcdsim.console.session._BEAT_EVERY_S", 0.05)
    with viewing(talk, "wiki") as viewer:
        viewer.update()
        assert viewer.message() == bytes.fromhex("7f 04 0006 0078")


def test_messages_may_come_in_parts_and_together(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        keys = b"".join(struct.pack(">BBHH?x", 127, 0, 8, code, down) for code in (30, 48) for down in (True, False))
        for byte in keys[:13]:
            viewer.send(bytes([byte]))
        viewer.send(keys[13:])
        viewer.until("login: ab")


def test_an_update_comes_only_when_asked_for_and_only_of_what_changed(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        first = viewer.update(asking=False)
        assert len(first) > 20
        viewer.type("a")
        viewer.accept((SERVER_CAPS, *EVERYTHING))  # answered at once, and nothing comes before
        assert viewer.message() == bytes.fromhex("7f 00 0008 0000038a")
        viewer.ask()
        assert viewer.update() == [TIGHT_PNG]
        viewer.ask(is_full=True)
        assert len(viewer.update()) == len(first) - 1  # the lock keys are known


@pytest.mark.parametrize("way", ["option", "client"])
def test_pixels_come_raw_on_wish(console: Simulator, talk: Talk, way: str) -> None:
    if way == "option":
        console.console.options.encoding = "raw"
    with viewing(talk, "wiki", EVERYTHING if way == "option" else (SERVER_CAPS,)) as viewer:
        assert set(viewer.update()) - {LED_STATE} == {RAW}
        viewer.until("wiki login:")
        assert squares(viewer) == SQUARES


@pytest.mark.parametrize(
    ("shifts", "is_big", "order"),
    [((0, 8, 16), False, "RGBX"), ((16, 8, 0), True, "XRGB"), ((24, 16, 8), False, "XBGR")],
)
def test_raw_pixels_come_in_the_order_the_client_wants(
    console: Simulator, talk: Talk, shifts: tuple[int, int, int], *, is_big: bool, order: str
) -> None:
    with viewing(talk, "wiki", ()) as viewer:
        viewer.until("wiki login:")
        viewer.send(struct.pack(">B3xBB??HHHBBB3x", 0, 32, 24, is_big, True, 255, 255, 255, *shifts))
        viewer.raw_order = order
        viewer.ask(is_full=True)
        viewer.update()
        assert squares(viewer) == SQUARES


def test_a_pixel_format_of_fewer_colours_is_refused(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        viewer.send(struct.pack(">B3xBB??HHHBBB3x", 0, 16, 16, False, True, 31, 63, 31, 11, 5, 0))
        assert viewer.closed() == (1002, "only 32 bits of true colour are served")


def test_the_guest_takes_the_size_it_is_asked_for(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        viewer.until("wiki login:")
        assert viewer.screen.size == (1120, 600)
        viewer.send(struct.pack(">BBHHH", 127, 5, 8, 1041, 707))
        assert viewer.update()[0] == DESKTOP_SIZE
        assert viewer.screen.size == (1041, 707)
        viewer.until("wiki login:")
    assert console.console.events(talk.vm("wiki").rpartition("vm-")[2])[-1] == ("resize", "1041x707")


def test_a_client_that_knows_no_other_size_keeps_its_own(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki", (TIGHT_PNG,)) as viewer:
        viewer.until("wiki login:")
        viewer.send(struct.pack(">BBHHH", 127, 5, 8, 2000, 1000))
        viewer.type("a")
        viewer.until("wiki login: a")
        assert viewer.screen.size == (1120, 600)


def test_the_state_of_the_lock_keys_is_told_and_counts(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        viewer.until("wiki login:")
        viewer.press(CAPS_LOCK)
        viewer.type("aB1")
        viewer.until("login: Ab1")
        assert viewer.locks == 4
    assert received(talk, "wiki") == "Ab1"


def test_the_keypad_writes_numbers_under_its_lock_and_moves_without(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        viewer.type("ab")
        viewer.press(71)  # Home
        viewer.press(NUM_LOCK)
        viewer.press(71)
        viewer.press(SHIFT, 77)  # Right
        viewer.press(55)
        viewer.until("login: 7a*█")
        assert viewer.locks == 2
    assert received(talk, "wiki") == "ab7*"


def test_characters_and_javascript_codes_are_keys_too(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        for code, is_js in ((0x41, 0), (0x20AC, 0), (0x7A, 0), (8, 1), (16, 1), (13, 1)):
            for down in (1, 0):
                viewer.send(struct.pack(">BBHIBB", 127, 6, 10, code, down, is_js))
        viewer.until("Password:")
    assert received(talk, "wiki") == "A€z\b\n"


def test_keysyms_are_keys_too(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        for symbol in (0xFFE1, ord("Q"), ord("@"), 0x010020AC, 0xFF0D):
            for down in (True, False):
                viewer.send(struct.pack(">B?xxI", 4, down, symbol))
        viewer.until("Password:")
    assert received(talk, "wiki") == "Q@€\n"


def test_messages_without_a_meaning_here_are_skipped(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        viewer.send(struct.pack(">B3xI", 6, 5) + b"hello")
        viewer.send(struct.pack(">B9x", 150))
        viewer.send(struct.pack(">BBH5x", 127, 99, 9))
        viewer.send(struct.pack(">BBHH", 5, 1, 10, 20))
        viewer.type("a")
        viewer.until("login: a")


@pytest.mark.parametrize("message", [b"\x63", b"\x7f\x00\x00\x02", b"\x7f\x00\x00\x06\x00\x00"])
def test_what_is_no_protocol_ends_the_connection(sim: Simulator, talk: Talk, message: bytes) -> None:
    with sim.console.serve(tls=False), viewing(talk, "wiki") as viewer:
        viewer.send(message)
        assert viewer.closed()[0] == 1002
    assert [(one.state, one.close_code) for one in sim.console.connections] == [("closed", 1002)]

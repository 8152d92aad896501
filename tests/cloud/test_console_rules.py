"""When a machine has a screen, and which addresses a console may lead to."""

import pytest

from app.cloud.console_rules import Address, ConsoleBlock, address_of, allowed_addresses, block_of
from app.cloud.rules import Action, VmState


@pytest.mark.parametrize(
    ("state", "running", "block"),
    [
        (VmState.ON, None, None),
        (VmState.ON, Action.RESIZE, None),
        (VmState.ON, Action.SHUT_DOWN, None),
        (VmState.ON, Action.POWER_OFF, ConsoleBlock.STOPPING),
        (VmState.ON, Action.SUSPEND, ConsoleBlock.STOPPING),
        (VmState.ON, Action.DELETE, ConsoleBlock.STOPPING),
        (VmState.OFF, None, ConsoleBlock.OFF),
        (VmState.OFF, Action.START, ConsoleBlock.STARTING),
        (VmState.OFF, Action.RESIZE, ConsoleBlock.OFF),
        (VmState.PARTLY_OFF, None, ConsoleBlock.OFF),
        (VmState.SUSPENDED, None, ConsoleBlock.SUSPENDED),
        (VmState.SUSPENDED, Action.RESUME, ConsoleBlock.STARTING),
        (VmState.BUILDING, None, ConsoleBlock.NOT_READY),
        (VmState.FAILED, None, ConsoleBlock.NOT_READY),
        (VmState.UNKNOWN, None, ConsoleBlock.NOT_READY),
        (VmState.RECYCLED, Action.ERASE, ConsoleBlock.GONE),
        (VmState.GONE, None, ConsoleBlock.GONE),
    ],
)
def test_a_machine_has_a_screen_while_it_is_on_and_stays_so(
    state: VmState, running: Action | None, block: ConsoleBlock | None
) -> None:
    assert block_of(state, running) is block


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("vcd.example", Address("vcd.example", 443)),
        ("VCD.Example.:8443", Address("vcd.example", 8443)),
        ("10.0.0.1:443", Address("10.0.0.1", 443)),
        ("2001:db8::1", Address("2001:db8::1", 443)),
        ("[2001:DB8:0::1]", Address("2001:db8::1", 443)),
        ("[2001:db8::1]:8443", Address("2001:db8::1", 8443)),
    ],
)
def test_hosts_of_tickets_are_understood(text: str, address: Address) -> None:
    assert address_of(text) == address
    assert address_of(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":443",
        "host:",
        "host:0",
        "host:65536",
        "host:http",
        "host:1:2",
        "[host]:1",
        "user@host",
        "host/path",
        "host#",
        "host?x",
        "ho st",
        "-host",
        "host\n",
        "хост",
        "a." * 128,
        "host:４４３",
        "[::1",
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        address_of(text)


def test_consoles_may_be_where_the_api_is_and_where_staff_said_on_that_port_alone() -> None:
    allowed = allowed_addresses("https://VCD.example/api", ["console.example:8443", "10.1.1.1"])
    assert allowed == {Address("vcd.example", 443), Address("console.example", 8443), Address("10.1.1.1", 443)}
    assert allowed_addresses("http://[::1]:8081/api", []) == {Address("::1", 8081)}

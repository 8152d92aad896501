"""The guests behind the console: they boot and stop with their VM, and know what they run on."""

import contextlib
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosedOK

from tests.vcdsim.talk import Talk
from tests.vcdsim.viewer import ALT, CTRL, DELETE, Viewer, viewing
from vcdsim import Simulator
from vcdsim.entities import OFF, ON, Vm

UP, ESCAPE, CTRL_ALT_DEL = 328, 1, (CTRL, ALT, DELETE)
#: Longer than a guest takes to stop and to start.
AGES_S = 300


@pytest.fixture
def console(sim: Simulator) -> Iterator[Simulator]:
    """The demo world with its console on a free port."""
    with sim.console.serve(tls=False):
        yield sim


def vm_of(sim: Simulator, name: str) -> Vm:
    return next(vm for vm in sim.world.vms.values() if vm.name == name)


def kinds(sim: Simulator, name: str) -> list[str]:
    """What happened to the guest beside keys."""
    return [kind for kind, _ in sim.console.events(vm_of(sim, name).id) if kind != "key"]


def log_in(viewer: Viewer, name: str = "wiki", password: str = "x") -> None:
    viewer.until(f"{name} login:")
    viewer.type(f"root\n{password}\n")
    viewer.until(f"root@{name}:~#")


def asked(viewer: Viewer, command: str, answer: str) -> str:
    """Type a command; the screen that shows its answer."""
    viewer.type(f"clear\n{command}\n")
    return viewer.until(answer)


def test_ctrl_alt_del_restarts_a_text_guest(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        viewer.until("wiki login:")
        viewer.press(*CTRL_ALT_DEL)
        viewer.until("Stopped Getty on tty1")
        console.advance(16)
        viewer.until("VMware, Inc.")
        console.advance(45)
        viewer.until("Booting Ubuntu Linux")
        assert "login:" not in viewer.text()
        console.advance(AGES_S)
        viewer.until("wiki login:")
    assert kinds(console, "wiki") == ["boot"]
    assert ("key", "scan 339 down") in console.console.events(vm_of(console, "wiki").id)


def test_a_guest_boots_when_its_vm_is_switched_on(console: Simulator, talk: Talk) -> None:
    talk.do("POST", f"{talk.vm('sandbox')}/power/action/powerOn")
    with viewing(talk, "sandbox") as viewer:
        viewer.until("VMware, Inc.")
        console.advance(AGES_S)
        viewer.until("sandbox login:")


@pytest.mark.parametrize("action", ["reset", "reboot"])
def test_a_guest_begins_anew_when_vcloud_restarts_it(console: Simulator, talk: Talk, action: str) -> None:
    with viewing(talk, "wiki") as viewer:
        log_in(viewer)
        talk.do("POST", f"{talk.vm('wiki')}/power/action/{action}")
        viewer.until("VMware, Inc.")
        console.advance(AGES_S)
        viewer.until("wiki login:")


@pytest.mark.parametrize("action", ["powerOff", "suspend"])
def test_the_socket_is_closed_when_the_vm_goes_off(console: Simulator, talk: Talk, action: str) -> None:
    with viewing(talk, "wiki") as viewer, viewing(talk, "shop-db") as other:
        viewer.until("wiki login:")
        talk.do("POST", f"{talk.vm('wiki')}/power/action/{action}")
        assert viewer.closed() == (1000, "the virtual machine is off")
        other.until("shop-db login:")


def test_the_socket_is_closed_on_time_when_nobody_asks_vcloud() -> None:
    sim = Simulator("demo", speed=100)
    with sim.console.serve(tls=False), viewing(Talk(sim), "wiki") as viewer:
        Talk(sim).send("POST", f"{Talk(sim).vm('wiki')}/power/action/powerOff")
        assert viewer.closed() == (1000, "the virtual machine is off")


def test_a_guest_that_was_suspended_goes_on_where_it_was(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        log_in(viewer)
    talk.do("POST", f"{talk.vm('wiki')}/power/action/suspend")
    talk.do("POST", f"{talk.vm('wiki')}/power/action/powerOn")
    with viewing(talk, "wiki") as viewer:
        viewer.until("root@wiki:~#")


def test_a_guest_that_is_shut_down_from_within_switches_its_vm_off(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        log_in(viewer)
        viewer.type("shutdown -h now\n")
        viewer.until("Stopped")
        assert vm_of(console, "wiki").power == ON
        console.advance(16)
        assert viewer.closed()[0] == 1000
    assert (vm_of(console, "wiki").power, vm_of(console, "wiki").is_deployed) == (OFF, True)
    assert talk.get(talk.vm("wiki")).get("status") == "8"


def test_two_who_look_at_one_guest_see_the_same(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as one, viewing(talk, "wiki") as other:
        one.type("a")
        other.until("login: a")
        other.type("b")
        one.until("login: ab")


def test_the_shell_knows_the_vm(console: Simulator, talk: Talk) -> None:
    vm = vm_of(console, "shop-db")
    with viewing(talk, "shop-db") as viewer:
        log_in(viewer, "shop-db")
        assert "8192" in asked(viewer, "free", "Mem:")
        assert "4" in asked(viewer, "nproc", "nproc\n4").splitlines()
        assert "/data1" in asked(viewer, "df", "100G")
        assert f"inet {vm.nics[0].ip}/24" in asked(viewer, "ip addr", f"link/ether {vm.nics[0].mac}")
        assert "up 100 days" in asked(viewer, "uptime", "load average")
        asked(viewer, "uname -a", "Linux shop-db ")
        asked(viewer, "nonsense -x", "nonsense: command not found")


def test_lines_can_be_edited_and_called_back(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        log_in(viewer)
        viewer.type("echo onx")
        viewer.press(14)
        viewer.type("e\n")
        viewer.until("echo one\none")
        viewer.press(UP)
        viewer.until("root@wiki:~# echo one█")
        for _ in "one":
            viewer.press(331)
        viewer.type("no")
        viewer.until("root@wiki:~# echo no█ne")
        viewer.press(CTRL, 46)
        viewer.type("hist\t\n")
        viewer.until("  1  echo one")


def test_what_does_not_fit_is_wrapped_and_scrolled(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        log_in(viewer)
        viewer.type(f"{'a' * 70}\n")
        lines = viewer.until(f"{'a' * 70}: command not found"[:79]).splitlines()
        assert f"root@wiki:~# {'a' * 67}" in lines
        viewer.type("help\n" * 10)
        assert "Welcome" in viewer.text()
        while "Welcome" in viewer.text():
            viewer.update()
        assert len(viewer.until("exit").splitlines()) == 25


def test_what_is_typed_stays_in_sight(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "wiki") as viewer:
        log_in(viewer)
        viewer.type(f"echo {'b' * 85}\n")
        for _ in range(6):
            viewer.press(UP)
            viewer.type("\n")
        viewer.type("a" * 70)
        while not viewer.text().endswith("\naaa█"):
            viewer.update()
        assert "b" * 80 in viewer.text()


def test_the_password_is_that_of_guest_customization(console: Simulator, talk: Talk) -> None:
    custom = vm_of(console, "wiki").customization
    custom.enabled, custom.admin_password_enabled, custom.admin_password = True, True, "S3cret-one"
    with viewing(talk, "wiki") as viewer:
        viewer.until("wiki login:")
        viewer.type("root\nwrong\n")
        viewer.until("Login incorrect")
        viewer.type("root\nS3cret-one\n")
        viewer.until("root@wiki:~#")
        assert "S3cret-one" not in viewer.text()


def test_windows_waits_for_ctrl_alt_del_and_shuts_down(console: Simulator, talk: Talk) -> None:
    with viewing(talk, "terminal") as viewer:
        first = viewer.update()
        assert len(first) == 4  # the lock keys and three bands
        before = viewer.screen.copy()
        viewer.press(*CTRL_ALT_DEL)
        viewer.update()
        assert viewer.screen.tobytes() != before.tobytes()
        viewer.type("secret\n")
        viewer.press(*CTRL_ALT_DEL)
        viewer.type("s")
        with contextlib.suppress(ConnectionClosedOK):
            while viewer.update():
                console.advance(10)
    assert vm_of(console, "terminal").power == OFF


def test_windows_stays_locked_for_a_wrong_password(console: Simulator, talk: Talk) -> None:
    custom = vm_of(console, "terminal").customization
    custom.enabled, custom.admin_password_enabled, custom.admin_password = True, True, "right"
    with viewing(talk, "terminal") as viewer:
        viewer.press(*CTRL_ALT_DEL)
        viewer.type("wrong\n")
        viewer.press(*CTRL_ALT_DEL)  # does nothing here, so that what follows is a letter
        viewer.type("s")
        viewer.press(ESCAPE)
        viewer.press(*CTRL_ALT_DEL)
        viewer.type("right\n")
        viewer.press(*CTRL_ALT_DEL)
        viewer.type("r")
        console.advance(AGES_S)
        while "boot" not in kinds(console, "terminal"):
            viewer.update()
    assert kinds(console, "terminal") == ["boot"]

"""A guest in text mode: it boots, asks for a name and a password, and has a small shell."""

from __future__ import annotations

from collections.abc import Callable

from vcdsim.console import shell
from vcdsim.console.keyboard import CTRL_ALT_DEL, ENTER, TAB
from vcdsim.console.machine import Facts
from vcdsim.console.system import Power, Timed
from vcdsim.console.terminal import BLUE, GREEN, GREY, RED, SOFT_BLUE, SOFT_GREEN, WHITE, YELLOW, Line, Terminal
from vcdsim.console.tiles import BLOCK, Span, Tile

#: Nominal seconds from the first line to the login.
BOOT_S, STOP_S = 90.0, 15.0


class Linux:
    """One run of the guest, from power on to power off."""

    def __init__(self, facts: Facts, power: Power) -> None:
        self._facts = facts
        self._power = power
        self._terminal = Terminal()
        self._user = ""
        self._on_line: Callable[[str], None] = self._name_given
        self._script: Timed | None = None
        self._play(_boot_lines(facts), facts.booted_at, self._greet)

    def tiles(self, width: int, height: int) -> list[Tile]:
        """The screen."""
        return self._terminal.tiles(width, height)

    def look(self, facts: Facts) -> None:
        """What the clock brings."""
        self._facts = facts
        while self._script is not None:
            script = self._script
            self._terminal.write(*script.due(facts))
            if not script.is_over(facts):
                return
            self._script = None
            script.then()

    def press(self, key: str) -> None:
        """A key; while the guest starts or stops it is lost."""
        if self._script is not None:
            return
        if key == CTRL_ALT_DEL:
            self.restart()
        elif key == ENTER:
            self._on_line(self._terminal.enter())
        elif key == "Ctrl+C":
            self._terminal.enter()
        elif key == "Ctrl+L":
            self._terminal.clear()
        elif key == "Ctrl+D" and self._user and not self._terminal.editor.text:
            self._greet()
        elif key == TAB:
            self._complete()
        else:
            self._terminal.editor.press(key)

    def restart(self) -> None:
        """Stop everything, begin anew."""
        self._stop("reboot: Restarting system", self._power.restart)

    def _stop(self, last: str, then: Callable[[], None]) -> None:
        lines = [
            _task("Stopped", "Getty on tty1"),
            _task("Stopped", "OpenBSD Secure Shell server"),
            _task("Reached target", "Unmount All Filesystems"),
            (Span(last, GREY),),
        ]
        self._play(lines, self._facts.now, then, lasts_s=STOP_S)

    def _play(self, lines: list[Line], from_at: float, then: Callable[[], None], *, lasts_s: float = BOOT_S) -> None:
        self._terminal.prompt = None
        self._script = Timed(lines, from_at, lasts_s, then)

    def _greet(self) -> None:
        self._user = ""
        self._terminal.clear()
        self._terminal.editor.history.clear()
        squares = tuple(Span(BLOCK * 2, colour) for colour in (RED, GREEN, BLUE, YELLOW))
        self._terminal.write(
            f"{self._facts.os} {self._facts.host_name} tty1", "", (*squares, Span(_hint(self._facts), GREY)), ""
        )
        self._ask(f"{self._facts.host_name} login: ", self._name_given)

    def _ask(self, prompt: str, then: Callable[[str], None], *, is_secret: bool = False) -> None:
        self._terminal.prompt = (Span(prompt, GREY),)
        self._terminal.is_secret = is_secret
        self._on_line = then

    def _name_given(self, name: str) -> None:
        if not name.strip():
            return
        self._user = name.strip()
        self._ask("Password: ", self._password_given, is_secret=True)

    def _password_given(self, password: str) -> None:
        if self._facts.password not in ("", password):
            self._user = ""
            self._terminal.write("", "Login incorrect")
            self._ask(f"{self._facts.host_name} login: ", self._name_given)
            return
        self._terminal.write("", (Span("Welcome to the simulated guest.", WHITE), Span(" Try: help", GREY)), "")
        self._terminal.is_secret = False
        self._show_prompt()

    def _show_prompt(self) -> None:
        sign = "#" if self._user == "root" else "$"
        who = Span(f"{self._user}@{self._facts.host_name}", SOFT_GREEN)
        self._terminal.prompt = (who, Span(":", GREY), Span("~", SOFT_BLUE), Span(f"{sign} ", GREY))
        self._on_line = self._command_given

    def _command_given(self, line: str) -> None:
        history = self._terminal.editor.history
        if line.strip() and history[-1:] != [line]:
            history.append(line)
        outcome = shell.run(line, self._facts, self._user, history)
        self._terminal.write(*outcome.lines)
        if outcome.then == shell.CLEAR:
            self._terminal.clear()
        elif outcome.then == shell.LOG_OUT:
            self._greet()
        elif outcome.then == shell.RESTART:
            self.restart()
        elif outcome.then == shell.POWER_OFF:
            self._stop("reboot: Power down", self._power.off)

    def _complete(self) -> None:
        editor = self._terminal.editor
        if self._on_line == self._command_given:
            for letter in shell.completion(editor.text):
                editor.press(letter)


def _hint(facts: Facts) -> str:
    if facts.password:
        return "  Simulated guest: any name, and the password of its guest customization"
    return "  Simulated guest: any name and password will do"


def _task(verb: str, what: str) -> Line:
    return (Span("[", GREY), Span("  OK  ", SOFT_GREEN), Span(f"] {verb} {what}.", GREY))


def _boot_lines(facts: Facts) -> list[Line]:
    gigabytes = [f"sd{chr(ord('a') + place)}: {size} GB" for place, size in enumerate(facts.disks_gb)]
    cards = [f"eth{place}: {one.mac}" for place, one in enumerate(facts.interfaces)]
    plain = [
        "VMware, Inc. VMware20,1",
        f"CPU: {facts.cpu_count} virtual, memory: {facts.memory_mb} MB",
        *gigabytes,
        *cards,
        "Loading Linux ...",
        f"Booting {facts.os}",
    ]
    tasks = [
        _task("Mounted", "Root and Kernel File Systems"),
        _task("Started", "Load Kernel Modules"),
        _task("Started", "VMware Tools"),
        _task("Reached target", "Network"),
        _task("Started", "OpenBSD Secure Shell server"),
        _task("Started", "Getty on tty1"),
        _task("Reached target", "Multi-User System"),
    ]
    return [*((Span(line, GREY),) for line in plain), *tasks]

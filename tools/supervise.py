"""Our own supervisor: starts children in order, shows what they say, starts the dead again, stops all.

Each child has a session of its own, so Ctrl-C reaches only the supervisor: the worker's warm stop is not doubled into
a cold one. Children are tethered (tools/tether.py), so none outlives a killed supervisor. All of it is one thread
around one selector; `pump` is the loop's body and everything else calls it while it waits.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

from tools.terminal import Trouble, say
from tools.tether import tethered

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 10.0)
STEADY_AFTER_S = 30.0  # a child that lived this long begins again with the shortest pause
PATIENCE_S = 6.0
READY_WITHIN_S = 45.0
TICK_S = 0.1
COLOURS = (36, 33, 35, 32, 34, 31)
NAME_WIDTH = 9


class Stopped(Exception):  # noqa: N818 - not an error: the person asked for it
    """SIGINT, SIGTERM or SIGHUP came; everything is to be stopped in order."""


@dataclass
class Child:
    """A process that is to run until everything stops, or once to its end."""

    name: str
    command: Sequence[str]
    leaned_on: bool = False  # others need it to end well, so it stops after them
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float | None = None
    deaths: int = 0  # in a row, each before it was steady
    unfinished_line: bytes = field(default=b"", repr=False)


class Supervisor:
    """Children in the order of their start; as a context manager it stops them all, whatever happened."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stop_asked = False
        self._stopping = False

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is
            signal.signal(signal.SIGHUP, self._ask_to_stop)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop_all()
        self._selector.close()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        is_ready: Callable[[], bool] | None = None,
        leaned_on: bool = False,
    ) -> None:
        """Start a child and wait until `is_ready`; raises Trouble when it does not get ready in time."""
        child = Child(name, [str(word) for word in command], leaned_on=leaned_on)
        self._children.append(child)
        self._launch(child)
        end = time.monotonic() + READY_WITHIN_S
        while is_ready is not None and not is_ready():
            if time.monotonic() > end or child.deaths >= len(PAUSES_S):
                raise Trouble(f"{name} does not get ready; its own words are above.")
            self.pump()

    def run_once(self, name: str, command: Sequence[str | Path]) -> None:
        """Run a command to its end beside the children; raises Trouble when it fails."""
        child = Child(name, [str(word) for word in command], once=True)
        self._children.append(child)
        self._launch(child)
        while child.process is not None and child.process.poll() is None:
            self.pump()
        code = self._bury(child)
        self._children.remove(child)
        if code != 0:
            raise Trouble(f"`{' '.join(child.command[1:])}` failed (exit {code}); its own words are above.")

    def watch(self) -> None:
        """Keep everything running until somebody asks to stop."""
        while True:
            self.pump()

    def pump(self) -> None:
        """One turn: pass on what the children said, start the dead again. Raises Stopped when that was asked for."""
        if self._stop_asked and not self._stopping:
            raise Stopped
        for key, _ in self._selector.select(TICK_S):
            self._read(key.data)
        for child in self._children:
            if not child.once and not self._stopping:
                self._look_after(child)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            lived_s = now - child.started_at
            code = self._bury(child)
            child.deaths = 1 if lived_s >= STEADY_AFTER_S else child.deaths + 1
            pause_s = PAUSES_S[min(child.deaths, len(PAUSES_S)) - 1]
            child.restart_at = now + pause_s
            self._show(child, f"ended ({_ending(code)}); starting it again in {pause_s:.0f} s")
        elif child.restart_at is not None and now >= child.restart_at:
            self._launch(child)

    def _launch(self, child: Child) -> None:
        child.process = subprocess.Popen(
            tethered(child.command),
            cwd=self._folder,
            env=self._environ,
            umask=0o077,  # what Skiff writes, a database above all, is nobody else's to read
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        child.started_at, child.restart_at = time.monotonic(), None
        stream = child.process.stdout
        assert stream is not None  # noqa: S101 - stdout=PIPE above
        os.set_blocking(stream.fileno(), False)
        self._selector.register(stream, selectors.EVENT_READ, child)

    def _bury(self, child: Child) -> int:
        """Show the last words of a child that has ended, end what it left behind, and return its exit code."""
        process, child.process = child.process, None
        if process is None:
            return 0
        code = process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # orphans of its session, say a web worker that holds the port
        stream = process.stdout
        if stream is not None and not stream.closed:
            while self._read(child, stream.fileno()):
                pass
            with contextlib.suppress(KeyError):
                self._selector.unregister(stream)
            stream.close()
        if child.unfinished_line:
            self._show(child, child.unfinished_line.decode(errors="replace"))
            child.unfinished_line = b""
        return code

    def _read(self, child: Child, descriptor: int | None = None) -> bool:
        """Pass on what a child has said; False when there is nothing more."""
        if descriptor is None:
            if child.process is None or child.process.stdout is None:
                return False
            descriptor = child.process.stdout.fileno()
        try:
            said = os.read(descriptor, 65536)
        except BlockingIOError:
            return False
        if not said:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(descriptor)
            return False
        *lines, child.unfinished_line = (child.unfinished_line + said).split(b"\n")
        for line in lines:
            self._show(child, line.decode(errors="replace").rstrip("\r"))
        return True

    def _stop_all(self) -> None:
        """Those that nobody leans on together, then the others one by one in reverse order, so Redis last."""
        self._stopping = True
        backwards = self._children[::-1]
        self._stop([child for child in backwards if not child.leaned_on])
        for child in backwards:
            if child.leaned_on:
                self._stop([child])

    def _stop(self, children: list[Child]) -> None:
        """Ask them to stop, kill what is deaf, and see them off."""
        running = [(child, child.process) for child in children if child.process is not None]
        for _, process in running:
            process.terminate()
        end = time.monotonic() + PATIENCE_S
        while any(process.poll() is None for _, process in running) and time.monotonic() < end:
            self.pump()
        for child, process in running:
            if process.poll() is None:
                self._show(child, f"did not stop within {PATIENCE_S:.0f} s and is killed")
                os.killpg(process.pid, signal.SIGKILL)
            self._bury(child)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked = True

    def _show(self, child: Child, line: str) -> None:
        name = f"{child.name:<{NAME_WIDTH}}|"
        if sys.stdout.isatty():
            name = f"\033[{COLOURS[sum(child.name.encode()) % len(COLOURS)]}m{name}\033[0m"
        try:
            say(f"{name} {line}")
        except OSError:  # the terminal is gone; the children must still be stopped well
            self._stop_asked = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ending(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name

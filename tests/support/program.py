"""A real program under test: started with its output in a file, watched by polling, ended with the test."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import wait_until
from tools.setup import ROOT
from tools.tether import tethered


class Program:
    """A Python program of this repository, started in its root; leaving the context stops it."""

    def __init__(self, arguments: Sequence[str], output: Path, environ: Mapping[str, str] | None = None) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                tethered([sys.executable, *arguments]),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    @property
    def said(self) -> str:
        """Everything it has printed so far."""
        return self._output.read_text(errors="replace")

    def wait_for(self, text: str, *, times: int = 1, deadline_s: float = 20.0) -> None:
        """Wait until it has printed `text` so many times; fail at once when it ends without."""

        def has_said() -> bool:
            ended = self.process.poll() is not None
            enough = self.said.count(text) >= times
            assert enough or not ended, f"ended with {self.process.returncode} before it said {text!r}:\n{self.said}"
            return enough

        wait_until(has_said, f"it says {text!r}", deadline_s=deadline_s)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, deadline_s: float = 20.0) -> int:
        """Send it a signal and return its exit status; a deaf one is killed, and that fails the test."""
        self.process.send_signal(number)
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

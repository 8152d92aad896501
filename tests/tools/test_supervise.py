"""The supervisor with real processes: children that die, are deaf, chatter, or are left behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.program import Program, is_alive
from tests.support.waiting import wait_until
from tools.setup import ROOT

STAND_IN = Path(__file__).with_name("stand_in.py")

# A supervisor with short pauses; the lines are the test's.
SCRIPT = """
import os, sys
from pathlib import Path
from tools import supervise
from tools.terminal import Trouble
supervise.PAUSES_S, supervise.PATIENCE_S, supervise.READY_WITHIN_S = (0.05, 0.1), 0.5, 0.5
def child(*arguments): return [sys.executable, "{stand_in}", *arguments]
try:
    with supervise.Supervisor(Path.cwd(), os.environ) as supervisor:
        {lines}
        supervisor.watch()
except supervise.Stopped:
    print("stopped", flush=True)
except Trouble as trouble:
    print("trouble:", trouble, flush=True)
    sys.exit(1)
"""
POLITE_REDIS = "supervisor.start('redis', child('polite'), leaned_on=True)"
POLITE_WEB = "supervisor.start('web', child('polite'))"


def script(*lines: str) -> str:
    return SCRIPT.format(stand_in=STAND_IN, lines="; ".join(lines))


def supervising(tmp_path: Path, *lines: str) -> Program:
    return Program(["-c", script(*lines)], tmp_path / "output")


def pids_of(program: Program, name: str) -> list[int]:
    return [int(pid) for pid in re.findall(rf"^{name} *\| pid (\d+)", program.said, re.MULTILINE)]


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    with supervising(tmp_path, POLITE_WEB) as program:
        program.wait_for("pid")
        os.kill(pids_of(program, "web")[0], signal.SIGKILL)
        program.wait_for("pid", times=2)
        first, second = pids_of(program, "web")
        assert not is_alive(first)
        assert is_alive(second)
        assert "web      | ended (SIGKILL); starting it again" in program.said


def test_sigterm_stops_all_children_and_those_others_lean_on_last(tmp_path: Path) -> None:
    with supervising(tmp_path, POLITE_REDIS, POLITE_WEB) as program:
        program.wait_for("pid", times=2)
        pids = pids_of(program, "redis") + pids_of(program, "web")
        assert program.stop(signal.SIGTERM) == 0
        assert re.findall(r"^(\w+) *\| good bye", program.said, re.MULTILINE) == ["web", "redis"]
        assert not any(map(is_alive, pids))


def test_ctrl_c_stops_as_sigterm_does(tmp_path: Path) -> None:
    with supervising(tmp_path, POLITE_WEB) as program:
        program.wait_for("pid")
        assert program.stop(signal.SIGINT) == 0
        assert "good bye" in program.said


def test_a_deaf_child_is_killed_after_the_patience(tmp_path: Path) -> None:
    with supervising(tmp_path, "supervisor.start('deaf', child('deaf'))") as program:
        program.wait_for("pid")
        assert program.stop() == 0
        assert "did not stop within" in program.said
        assert not is_alive(pids_of(program, "deaf")[0])


def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with supervising(tmp_path, "supervisor.start('deaf', child('deaf'))", POLITE_WEB) as program:
        program.wait_for("pid", times=2)
        pids = pids_of(program, "deaf") + pids_of(program, "web")
        program.stop(signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, pids)), "the children end with their supervisor")


def test_what_a_dead_child_left_in_its_group_is_ended_before_the_next_start(tmp_path: Path) -> None:
    # Like a killed gunicorn whose worker still holds the port.
    with supervising(tmp_path, "supervisor.start('web', child('parent'))") as program:
        program.wait_for("orphan")
        program.wait_for("pid")
        orphan = int(re.findall(r"orphan (\d+)", program.said)[0])
        os.kill(pids_of(program, "web")[0], signal.SIGKILL)
        wait_until(lambda: not is_alive(orphan), "the orphan is ended")
        program.wait_for("pid", times=2)


def test_a_command_that_fails_stops_everything_and_is_named(tmp_path: Path) -> None:
    lines = (
        "supervise.READY_WITHIN_S = 20",
        f"note = Path('{tmp_path / 'note'}')",
        "supervisor.start('redis', child('polite', str(note)), leaned_on=True, is_ready=note.exists)",
        "supervisor.run_once('seed', child('failing'))",
    )
    with supervising(tmp_path, *lines) as program:
        assert program.process.wait(30) == 1
        assert "seed     | half a line\n" in program.said
        assert "failed (exit 3)" in program.said
        assert not is_alive(pids_of(program, "redis")[0])


def test_a_child_that_never_gets_ready_is_named(tmp_path: Path) -> None:
    with supervising(tmp_path, "supervisor.start('web', child('polite'), is_ready=lambda: False)") as program:
        assert program.process.wait(10) == 1
        assert "trouble: web does not get ready" in program.said


def test_a_closed_terminal_stops_the_children_well(tmp_path: Path) -> None:
    note = tmp_path / "note"
    lines = (f"supervisor.start('web', child('polite', '{note}'))", "supervisor.start('clock', child('chatty'))")
    with subprocess.Popen([sys.executable, "-c", script(*lines)], cwd=ROOT, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        started = 0
        while started < 2:
            started += b"pid" in supervisor.stdout.readline()
        supervisor.stdout.close()
        supervisor.wait(10)
    assert note.read_text() == "ended well"

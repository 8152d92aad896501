"""The gateway as a process: it says when it cannot start, and stops when it is told to."""

import urllib.request
from pathlib import Path

import pytest

from app.console_gateway.__main__ import main
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.settings import settings
from tests.support.waiting import wait_until

COMMAND = ["-m", "app.console_gateway"]


def test_it_answers_refuses_a_second_one_on_its_port_and_stops_at_once_when_asked(tmp_path: Path) -> None:
    port = free_port()
    environ = settings(tmp_path, CONSOLE_PORT=str(port))
    with (
        Program(COMMAND, tmp_path / "first", environ) as one,
        Program(COMMAND, tmp_path / "second", environ) as other,
    ):
        wait_until(
            lambda: other.process.poll() is not None or one.process.poll() is not None, "one ends", deadline_s=30
        )
        first, second = (one, other) if one.process.poll() is None else (other, one)
        assert second.process.returncode == 1
        assert f"console gateway: CONSOLE_PORT={port}: " in second.said
        assert "Traceback" not in second.said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/console/health", timeout=5) as answer:
            assert answer.status == 200
        first.process.terminate()
        assert first.process.wait(10) == 0
        assert "stopped" in first.said


def test_a_wrong_setting_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in settings(tmp_path, CONSOLE_PORT="many").items():
        monkeypatch.setenv(name, value)
    assert main([]) == 2
    assert "console gateway: CONSOLE_PORT is 'many'" in capsys.readouterr().err


def test_asked_how_it_is_used_it_says_so_instead_of_starting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "usage: python -m app.console_gateway" in capsys.readouterr().out

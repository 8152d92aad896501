"""Keys are made once and only for us; two starts on one folder, or on a taken port, end in a sentence."""

import base64
import socket
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.program import Program
from tools import data_folder
from tools.start import settings
from tools.terminal import Trouble


def test_keys_are_written_on_the_first_start_for_their_owner_alone(tmp_path: Path) -> None:
    data_folder.ensure_keys(tmp_path, {})
    assert len(bytes.fromhex((tmp_path / "session.key").read_text())) == 32
    key_id, _, encoded = (tmp_path / "sealing.keys").read_text().strip().partition(":")
    assert (key_id, len(base64.b64decode(encoded, validate=True))) == ("k1", 32)
    assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
        "session.key": 0o600,
        "sealing.keys": 0o600,
    }


def test_keys_that_are_there_stay(tmp_path: Path) -> None:
    data_folder.ensure_keys(tmp_path, {})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    data_folder.ensure_keys(tmp_path, {})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_keys_given_as_settings_are_not_written(tmp_path: Path) -> None:
    data_folder.ensure_keys(tmp_path, {"SKIFF_SESSION_KEY": "given", "SKIFF_SEALING_KEYS": "given"})
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_cannot_be_made_is_refused_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match="SKIFF_DATA"):
        data_folder.make(tmp_path / "file" / "below")


def test_a_second_run_on_the_same_folder_names_the_address_of_the_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data_folder.make(data)
    with (
        data_folder.held(data, "http://127.0.0.1:9999"),
        Program(["run"], tmp_path / "output", {"SKIFF_DATA": str(data)}) as second,
    ):
        assert second.process.wait(20) == 1
        assert "already running" in second.said
        assert "http://127.0.0.1:9999" in second.said
    with data_folder.held(data, "free again"):
        pass


PORTS = ("PORT", "SIM_PORT", "CONSOLE_PORT", "SIM_CONSOLE_PORT")


@pytest.mark.parametrize("setting", PORTS)
def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environ = {"SKIFF_DATA": str(tmp_path / "data")} | {name: str(free_port()) for name in PORTS} | {setting: port}
        with Program(["run"], tmp_path / "output", environ) as program:
            assert program.process.wait(20) == 1
            assert f"port {port} is taken" in program.said
            assert f"{setting}=" in program.said


def test_a_wrong_setting_ends_in_the_sentence_of_the_config(tmp_path: Path) -> None:
    with Program(["run"], tmp_path / "output", {"PORT": "many", "SKIFF_DATA": str(tmp_path / "data")}) as program:
        assert program.process.wait(20) == 1
        assert "PORT is 'many'" in program.said
        assert "Traceback" not in program.said


@pytest.mark.parametrize(
    ("environ", "demo"),
    [
        ({}, "1"),
        ({"DATABASE_URL": "postgresql://db/skiff"}, "0"),
        ({"SKIFF_DEMO": "0"}, "0"),
        ({"DATABASE_URL": "postgresql://db/skiff", "SKIFF_DEMO": "1"}, "1"),
    ],
)
def test_it_is_a_demo_unless_a_database_is_named(environ: dict[str, str], demo: str) -> None:
    assert settings(environ)["SKIFF_DEMO"] == demo

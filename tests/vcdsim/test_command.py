"""`python -m vcdsim` as a process: its options, its state file, how it ends."""

import http.client
import re
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vcdsim.talk import basic
from tests.vcdsim.test_serving import get
from vcdsim import Simulator

ROOT = Path(__file__).parents[2]


def run(*arguments: str, port: str = "0") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "vcdsim", "--port", port, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def refused(*arguments: str, port: str = "0") -> tuple[int, str]:
    """The status it ends with and the last line it says."""
    with run(*arguments, port=port) as process:
        _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors
    return process.returncode, errors.splitlines()[-1]


def end(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_is_saves_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with run("--world", "demo", "--state", str(tmp_path / "w.json")) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(r"vcdsim: world demo at (http://127\.0\.0\.1:\d+/api)\n", line)
        assert match is not None, line
        assert get(match[1]) == 200
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == ""
    assert len(Simulator("demo", state_file=tmp_path / "w.json").world.vms) == 14


def test_the_command_serves_the_console_over_tls(tmp_path: Path) -> None:
    file = tmp_path / "console.pem"
    with run("--console-port", "0", "--console-certificate", str(file)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        match = re.fullmatch(r"vcdsim: console at wss://127\.0\.0\.1:(\d+)\n", process.stdout.readline())
        assert match is not None
        tls = ssl.create_default_context(cafile=file)
        line = http.client.HTTPSConnection("127.0.0.1", int(match[1]), timeout=10, context=tls)
        line.request("GET", "/902;cst-x")
        assert line.getresponse().status == 403
        line.close()
        assert end(process) == 0


@pytest.mark.parametrize("options", ["nonsense", '{"generation": "old"}'])
def test_wrong_options_of_the_console_are_refused(options: str) -> None:
    status, words = refused("--console-port", "0", "--console-options", options)
    assert (status, words.partition(": ")[2].partition(":")[0]) == (1, "--console-options")


def test_an_unknown_world_is_refused_with_and_without_a_saved_one(tmp_path: Path) -> None:
    words = "vcdsim: unknown world 'nowhere': demo, small, a number of VMs, or VMs/VDCs such as 500/4"
    assert refused("--world", "nowhere") == (1, words)
    Simulator("demo").save(tmp_path / "w.json")
    assert refused("--world", "nowhere", "--state", str(tmp_path / "w.json")) == (1, words)


def test_it_says_when_the_world_comes_from_the_file(tmp_path: Path) -> None:
    Simulator("demo").save(tmp_path / "w.json")
    with run("--world", "small", "--state", str(tmp_path / "w.json")) as process:
        assert first_line(process).startswith(f"vcdsim: world loaded from {tmp_path / 'w.json'} at http")
        assert end(process) == 0


def test_one_file_keeps_the_world_of_one_simulator(tmp_path: Path) -> None:
    with run("--state", str(tmp_path / "w.json")) as process:
        first_line(process)
        second = refused("--state", str(tmp_path / "w.json"))
        assert end(process) == 0
    assert second == (1, f"vcdsim: another vcdsim keeps its world in {tmp_path / 'w.json'}")


def test_a_file_that_cannot_be_written_is_said_before_it_listens(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "w.json"
    assert refused("--state", str(path)) == (1, f"vcdsim: cannot save the world to {path}: No such file or directory")


def test_it_serves_on_when_the_folder_of_the_file_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with run("--state", str(folder / "w.json"), "--control") as process:
        url = first_line(process).split()[-1].removesuffix("/api")
        shutil.rmtree(folder)
        change(url)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"vcdsim: cannot save the world to {folder / 'w.json'}: ")
        assert get(f"{url}/api") == 200
        assert end(process) == 1


def change(url: str) -> None:
    """Have the world change: a VM is switched on."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    accept = {"Accept": "application/*+xml;version=36.0"}
    connection.request("POST", "/api/sessions", headers=accept | {"Authorization": basic("acme-admin@acme", "secret")})
    answer = connection.getresponse()
    answer.read()
    session = accept | {"x-vcloud-authorization": answer.headers["x-vcloud-authorization"]}
    vm_id = next(vm.id for vm in Simulator("demo").world.vms.values() if vm.name == "sandbox")
    connection.request("POST", f"/api/vApp/vm-{vm_id}/power/action/powerOn", headers=session)
    assert connection.getresponse().status == 202
    connection.close()


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    status, words = refused(port=port)
    assert status == 2
    assert "argument --port: " in words


def test_an_address_it_cannot_have_is_named(sim: Simulator) -> None:
    with sim.serve() as url:
        taken = url.rpartition(":")[2]
        words = f"vcdsim: cannot listen on --host 127.0.0.1 --port {taken}: Address already in use"
        assert refused(port=taken) == (1, words)
    assert refused("--host", "192.0.2.1")[1].startswith("vcdsim: cannot listen on --host 192.0.2.1 --port 0: ")
    assert "argument --host: " in refused("--host", "")[1]


@pytest.mark.parametrize("speed", ["nan", "inf", "0", "-1"])
def test_a_speed_that_is_none_is_refused(speed: str) -> None:
    assert refused("--speed", speed)[1].startswith("vcdsim: speed must be a number greater than 0, not ")


def test_faults_it_cannot_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(b"\xff\xfe\x00")
    assert refused("--faults", str(tmp_path / "f.json"))[1].startswith(f"vcdsim: {tmp_path / 'f.json'}: ")
    missing = tmp_path / "missing.json"
    words = f"vcdsim: cannot read the faults from {missing}: No such file or directory"
    assert refused("--faults", str(missing)) == (1, words)


def test_it_warns_of_a_clock_that_nothing_can_move() -> None:
    with run("--manual-clock") as process:
        first_line(process)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("vcdsim: --manual-clock without --control: ")
        end(process)

"""Unmodified vcd-cli against the simulator over HTTP, through its own command lines."""

import json
from pathlib import Path

from tests.support.clients import python_with, run

#: vcd-cli imports pkg_resources without saying that it needs it, and Python 3.12 and newer setuptools have none.
VCD_CLI = ("vcd-cli==24.1.0", "setuptools==80.9.0")
#: Commands that start a task and wait for it say so at their end.
_SUCCESS = "result: success"


def test_vcd_cli_leads_a_vm_through_its_life(vcloud: str) -> None:
    story = json.loads(run([python_with(*VCD_CLI), Path(__file__).with_name("vcd_cli_life.py"), vcloud]))
    said = dict(story)
    assert "acme-admin logged in, org: 'acme', vdc: 'acme-vdc'" in story[0][1]
    assert "windows-2022" in said["catalog list templates"]
    assert "acme-internal" in said["network list"]
    tasks = [line for line, words in story if _SUCCESS in words]
    assert len(tasks) == 30
    assert "of-a-test" in said["disk info cli-data"]
    assert "kept" in said["vm list-metadata cli one"]
    assert "192.168.9.10" in said["vm list-nics cli one"]
    assert "Ticket" in said["vm list-mks-ticket cli one"]
    assert all(words in said["vm info cli one"] for words in ("4096", "Hard disk 2", "acme-net"))
    lists = [words for line, words in story if line == "vapp list"]
    assert [" cli " in words for words in lists] == [False, True, False]
    assert "acme-admin logged out" in said["logout"]


def test_vcd_starts_as_a_command(vcloud: str) -> None:
    vcd = python_with(*VCD_CLI).with_name("vcd")
    assert "acme-admin logged in" in run([vcd, "login", vcloud, "acme", "acme-admin", "--password", "secret"])

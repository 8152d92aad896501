"""Runs scripts with the real pyvcloud, VMware's own client, in an environment of its own.

The environment is made once, on first use, and kept in the git-ignored folder that
SKIFF_CLIENT_ENVS names, `.cache/clients` of the repository by default. Where no package index
can be reached the test is skipped with the reason (with CI=true that is a failure).
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PYVCLOUD = "pyvcloud==23.0.4"
_ROOT = Path(__file__).parents[2]
_INSTALL_DEADLINE_S = 300
_SCRIPT_DEADLINE_S = 120

#: Put in front of every script: `client` is logged in at argv[1]; argv[2] is a version or empty.
_PROLOGUE = """
import json, sys
from pyvcloud.vcd.client import BasicLoginCredentials, Client, EntityType, QueryResultFormat, VCLOUD_STATUS_MAP
from pyvcloud.vcd.org import Org
from pyvcloud.vcd.vapp import VApp
from pyvcloud.vcd.vdc import VDC
from pyvcloud.vcd.vm import VM

client = Client(sys.argv[1], api_version=sys.argv[2] or None)
client.set_credentials(BasicLoginCredentials("acme-admin", "acme", "secret"))
org = Org(client, resource=client.get_org())
"""


def run_pyvcloud(script: str, url: str, *, api_version: str = "") -> str:
    """What the script prints. It finds `client` and `org` ready; `url` is the vCloud without `/api`.

    Without an `api_version` pyvcloud negotiates one. A script that fails is an AssertionError.
    """
    with tempfile.TemporaryDirectory() as folder:  # pyvcloud writes its log where it runs
        done = subprocess.run(
            [_python(), "-c", _PROLOGUE + script, url, api_version],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SCRIPT_DEADLINE_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _python() -> Path:
    """The interpreter of the environment, made if need be; test processes wait for each other."""
    folder = Path(os.environ.get("SKIFF_CLIENT_ENVS") or _ROOT / ".cache" / "clients")
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{PYVCLOUD.replace('==', '-')}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / name / "bin" / "python"
    ready = folder / name / "ready"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _call([sys.executable, "-m", "venv", "--clear", str(folder / name)])
            _call([str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", PYVCLOUD])
            ready.touch()
    return python


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_DEADLINE_S, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        pytest.skip(f"{PYVCLOUD} could not be installed: {lines[-1]}")

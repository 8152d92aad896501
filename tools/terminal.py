"""How the commands speak to the person who started them."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TAIL_LINES = 25


class Trouble(Exception):  # noqa: N818 - it is not an error of ours: its text is for the person at the terminal
    """Something the person has to put right; the text says what and how."""


def say(text: str) -> None:
    """Print one line at once, also when the output goes to a file."""
    print(text, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Show what is being done before it starts, and how long it took when it has ended."""
    started = time.monotonic()
    print(f"· {title} …", end="", flush=True)
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def run_quietly(
    command: Sequence[str | Path], advice: str, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run a command without its chatter; when it fails, raise Trouble with the end of it and `advice`."""
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    done = subprocess.run(command, cwd=cwd, env=env, stdin=null, stdout=pipe, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        tail = done.stdout.decode(errors="replace").strip().splitlines()[-TAIL_LINES:]
        shown = "\n".join(f"    {line}" for line in tail)
        raise Trouble(f"{advice}\nThe last words of `{Path(command[0]).name}` (exit {done.returncode}) were:\n{shown}")


def complain(trouble: Trouble) -> None:
    """Put the trouble on standard error."""
    print(f"\nSkiff cannot go on: {trouble}", file=sys.stderr, flush=True)

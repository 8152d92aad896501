"""A child for the supervisor's tests: `python stand_in.py KIND [FILE]`. It says its pid once it is what it shall be."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType


def say(text: object) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def polite(number: int, frame: FrameType | None) -> None:
    """Say good bye, note it in the file where there is one, and end."""
    say("good bye")
    for file in sys.argv[2:]:
        Path(file).write_text("ended well")
    sys.exit(0)


def main(kind: str) -> None:
    """Be the child that the test asks for."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "deaf" else polite)
    if kind == "parent" and os.fork() == 0:
        say(f"orphan {os.getpid()}")
        signal.pause()
    say(f"pid {os.getpid()}")
    for file in sys.argv[2:]:
        Path(file).write_text("started")
    if kind == "chatty":
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        signal.signal(signal.SIGALRM, lambda *_: say("still here"))
    if kind == "failing":
        sys.stdout.write("half a line")
        sys.exit(3)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])

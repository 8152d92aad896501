"""`python tools/tether.py COMMAND…` becomes COMMAND, but dies with whoever started it.

Without this, a SIGKILL of the supervisor would leave the children running: nobody would be there to end them.
Linux only (PR_SET_PDEATHSIG); elsewhere it merely becomes the command. Run as a file, so that it starts in 10 ms.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str | Path]) -> list[str]:
    """The command line that runs `command` on a tether to this process (on Linux: to the thread that starts it)."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *map(str, command)]


def _main(parent_pid: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # it died before the line above
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])

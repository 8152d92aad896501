"""Waiting for something outside the test's control: a process, a socket. Ends as soon as it is so, never later."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], object], what: str, *, deadline_s: float = 10.0) -> None:
    """Ask every 10 ms until the answer is true; fail with `what` after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < end, f"waited {deadline_s} s in vain: {what}"
        time.sleep(0.01)

"""Ports for the programs under test that must be told theirs before they start."""

import random
import socket

# Below those that Linux, macOS and the BSDs hand out by themselves (from 32768 and from 49152): between our asking
# and the program's listening, no other connection can be given the port. In another order for each process.
_untouched = random.SystemRandom().sample(range(20000, 32000), 12000)


def free_port() -> int:
    """One of 127.0.0.1 that nobody listens on just now, another each time."""
    while True:
        port = _untouched.pop()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

"""`python -m vcdsim --port 8081 --world demo`: serve a simulated vCloud until told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TextIO

from vcdsim.faults import load as load_faults
from vcdsim.simulator import Simulator

_SAVE_AFTER_S = 1.0


def main() -> int:
    """Serve; SIGTERM and SIGINT save the world (with --state) and end with 0."""
    options = _options()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        simulator = Simulator(
            options.world, manual_clock=options.manual_clock, speed=options.speed, state_file=options.state
        )
        for fault in load_faults(options.faults) if options.faults is not None else []:
            simulator.faults.put(fault)
        with simulator.serve(options.port, options.host, control=options.control) as url:
            _say(sys.stdout, f"world {options.world} at {url}/api")
            _save_until(stop, simulator, options.state)
        if options.state is not None:
            simulator.save(options.state)
    except (OSError, ValueError) as error:
        _say(sys.stderr, str(error))
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vcdsim", description=__doc__)
    parser.add_argument("--port", type=int, default=8081, help="TCP port, 0 picks a free one (default: 8081)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--world", default="demo", help="demo, small (300 VMs), VMS, or VMS/VDCS")
    parser.add_argument("--speed", type=float, default=1.0, help="everything takes 1/SPEED of its time")
    parser.add_argument("--manual-clock", action="store_true", help="time moves only over the control endpoint")
    parser.add_argument("--faults", type=Path, help="file of faults, JSON or TOML")
    parser.add_argument("--control", action="store_true", help="faults, clock and world under /vcdsim/, loopback only")
    parser.add_argument("--state", type=Path, help="file to load at start and to save every change to")
    return parser.parse_args()


def _save_until(stop: threading.Event, simulator: Simulator, path: Path | None) -> None:
    """Wait for the end, saving about a second after each change."""
    saved = -1
    while not stop.wait(_SAVE_AFTER_S if path is not None else None):
        if path is not None and simulator.world.revision != saved:
            saved = simulator.world.revision
            simulator.save(path)


def _say(stream: TextIO, line: str) -> None:
    stream.write(f"vcdsim: {line}\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())

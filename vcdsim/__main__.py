"""`python -m vcdsim --port 8081 --world demo`: serve a simulated vCloud until told to stop."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from vcdsim import state
from vcdsim.simulator import Simulator

_SAVE_AFTER_S = 1.0


def main() -> int:
    """Serve; SIGTERM and SIGINT save the world (with --state) and end with 0."""
    options = _options()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with ExitStack() as stack:
            if options.state is not None:
                with _about(f"cannot save the world to {options.state}"):
                    stack.enter_context(state.locked(options.state))
            is_saved = _serve(stop, options, stack)
    except ValueError as error:
        _say(sys.stderr, str(error))
        return 1
    return 0 if is_saved else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vcdsim", description=__doc__)
    parser.add_argument("--port", type=_port, default=8081, help="TCP port, 0 picks a free one (default: 8081)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--world", default="demo", help="demo, small (300 VMs), VMS, or VMS/VDCS")
    parser.add_argument("--speed", type=float, default=1.0, help="everything takes 1/SPEED of its time")
    parser.add_argument("--manual-clock", action="store_true", help="time moves only over the control endpoint")
    parser.add_argument("--faults", type=Path, help="file of faults, JSON or TOML")
    parser.add_argument("--control", action="store_true", help="faults, clock and world under /vcdsim/, loopback only")
    parser.add_argument("--console-port", type=_port, help="serve the console there too, 0 picks a free port")
    parser.add_argument("--console-plain", action="store_true", help="the console without TLS")
    parser.add_argument("--console-certificate", type=Path, help="file of its certificate, made if it is not there")
    parser.add_argument("--console-name", default="", help="HOST or HOST:PORT that tickets name, if it is another")
    parser.add_argument("--console-options", default="{}", help="JSON, as PUT /vcdsim/console takes it")
    parser.add_argument("--state", type=Path, help="file to load at start, instead of --world, and to save changes to")
    options = parser.parse_args()
    if not options.host:
        parser.error("argument --host: an address is needed; 0.0.0.0 listens on all")
    return options


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**16:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and 65535")
    return number


def _serve(stop: threading.Event, options: argparse.Namespace, stack: ExitStack) -> bool:
    """True if the world was saved at the end, or did not have to be."""
    file: Path | None = options.state
    is_loaded = file is not None and file.exists()
    with _about(f"cannot load the world from {file}"):
        simulator = Simulator(
            options.world, manual_clock=options.manual_clock, speed=options.speed, state_file=options.state
        )
    if options.faults is not None:
        with _about(f"cannot read the faults from {options.faults}"):
            simulator.faults.put_file(options.faults)
    if file is not None:
        with _about(f"cannot save the world to {file}"):
            simulator.save(file)
    console = _console(simulator, options, stack)  # first, so that where HTTP answers its certificate is there
    with _about(f"cannot listen on --host {options.host} --port {options.port}"):
        url = stack.enter_context(simulator.serve(options.port, options.host, control=options.control))
    if options.manual_clock and not options.control:
        _say(sys.stderr, "--manual-clock without --control: no task will ever end, as nothing can move the clock")
    _say(sys.stdout, f"world {f'loaded from {file}' if is_loaded else options.world} at {url}/api")
    if console is not None:
        _say(sys.stdout, f"console at {console}")
    return _save_until(stop, simulator, file)


def _console(simulator: Simulator, options: argparse.Namespace, stack: ExitStack) -> str | None:
    """Serve the console if it is wanted; its address."""
    if options.console_port is None:
        return None
    try:
        simulator.console.options.change(json.loads(options.console_options))
    except ValueError as error:
        raise ValueError(f"--console-options: {error}") from None
    with _about(f"cannot serve the console on --console-port {options.console_port}"):
        return stack.enter_context(
            simulator.console.serve(
                options.console_port,
                options.host,
                tls=not options.console_plain,
                certificate=options.console_certificate,
                public_name=options.console_name,
            )
        )


def _save_until(stop: threading.Event, simulator: Simulator, path: Path | None) -> bool:
    """Wait for the end, saving about a second after each change; True if that went well at the end."""
    saved, is_warned, is_over = simulator.world.revision, False, False
    while not is_over:
        is_over = stop.wait(_SAVE_AFTER_S if path is not None else None)
        revision = simulator.world.revision
        if path is None or (revision == saved and not is_over):
            continue
        try:
            simulator.save(path)
        except OSError as error:
            if not is_warned or is_over:
                _say(sys.stderr, f"cannot save the world to {path}: {error.strerror}")
            is_warned = True
        else:
            saved, is_warned = revision, False
    return not is_warned


@contextmanager
def _about(what: str) -> Iterator[None]:
    """Say which option a failure of the system is about."""
    try:
        yield
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{what}: {getattr(error, 'strerror', None) or error}") from None


def _say(stream: TextIO, line: str) -> None:
    stream.write(f"vcdsim: {line}\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())

"""The data folder of an installation: its keys, and the lock that keeps a second ./run away."""

import base64
import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.terminal import Trouble


def make(data: Path) -> None:
    """Make the folder, readable by nobody else."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Trouble(
            f"the data folder {data} cannot be made ({error.strerror}). Choose one with SKIFF_DATA."
        ) from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise Trouble(f"the data folder {data} is not writable by this user. Choose another with SKIFF_DATA.")


def ensure_keys(data: Path, environ: Mapping[str, str]) -> None:
    """Write the session key and the sealing keys on the first start; never replace one that is there."""
    if not environ.get("SKIFF_SESSION_KEY"):
        _write_once(data / "session.key", f"{secrets.token_hex(32)}\n")
    if not environ.get("SKIFF_SEALING_KEYS"):
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        _write_once(data / "sealing.keys", f"k1:{key}\n")


@contextlib.contextmanager
def held(data: Path, address: str) -> Iterator[None]:
    """Hold the folder for this process; raises Trouble naming the running one's address when it is held already.

    The kernel frees it with the process, however that ends.
    """
    descriptor = os.open(data / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = file.read().strip() or "its address is not known yet"
            raise Trouble(
                f"it is already running on the data folder {data}: {running}.\n"
                "Stop that one with Ctrl-C, or start another with SKIFF_DATA and ports of its own: ./run --help."
            ) from None
        file.truncate(0)
        file.write(f"{address} (process {os.getpid()})\n")
        file.flush()
        yield


def _write_once(file: Path, content: str) -> None:
    """Complete or not at all, also when two do it at once: a half key would lock everybody out for good."""
    beside = file.with_name(f"{file.name}.{os.getpid()}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    with contextlib.suppress(FileExistsError):
        file.hardlink_to(beside)
    beside.unlink()

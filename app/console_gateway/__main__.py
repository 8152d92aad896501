"""Starts the gateway: `python -m app.console_gateway`. SIGTERM and SIGINT close every console with 1012."""

import argparse
import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

from app.console_gateway.server import Gateway
from app.factory import create_app
from config import Config, ConfigError

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("app.console_gateway")


async def _run(app: "Flask", config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Gateway(app, config).serving(config.console_port):
        log.info("listening on 127.0.0.1:%s", config.console_port)
        await stop.wait()


def main(arguments: list[str]) -> int:
    """The command. What it needs comes from the settings, so it has no options but `--help`."""
    argparse.ArgumentParser(prog="python -m app.console_gateway", description=__doc__).parse_args(arguments)
    try:
        config = Config.from_env()
    except ConfigError as error:
        sys.stderr.write(f"console gateway: {error}\n")
        return 2
    try:
        asyncio.run(_run(create_app(config), config))
    except OSError as error:
        sys.stderr.write(f"console gateway: CONSOLE_PORT={config.console_port}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Simulated vClouds of three generations behind one panel, each with an account of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.accounts import members
from app.cloud import services
from app.factory import create_app
from app.vcloud.query import version_key
from config import Config
from tests.support.live import LivePanel
from tests.support.waiting import wait_until
from vcdsim import Simulator
from vcdsim.api import version as versions

VERSIONS = ("5.5", "36.0", "39.1")
SERVERS = 12
"""How many the demo world gives the first customer."""


@dataclass(frozen=True)
class Generation:
    """A vCloud that answers no API version newer than `version`, and the account that has a data center in it."""

    version: str
    email: str
    simulator: Simulator
    panel: LivePanel

    @property
    def operations(self) -> list[tuple[str, str]]:
        """Kind and state of all that was asked in the account."""
        own = "SELECT id FROM accounts WHERE name = ?"
        found = self.panel.read(f"SELECT kind, state FROM operations WHERE account_id = ({own})", self.version)
        return [(kind, state) for kind, state in found]


@contextmanager
def generation(panel: LivePanel, version: str) -> Iterator[Generation]:
    """Begins with the demo world."""
    simulator = Simulator("demo", speed=60.0)
    newer = [text for one in versions.SUPPORTED if version_key(text := versions.text(one)) > version_key(version)]
    simulator.faults.add("*", times=None, withdrawn=newer)
    wiki = next(vm for vm in simulator.world.vms.values() if vm.name == "wiki")
    wiki.cpu_hot_add = wiki.memory_hot_add = True
    with simulator.serve() as url:
        email = f"owner@v{version.replace('.', '-')}.example"
        with create_app(Config.from_env(panel.environ)).app_context():
            _open_account(version, email, f"{url}/api")
        # A worker may have taken the reading over.
        of_it = "SELECT 1 FROM vms JOIN vdcs ON vdc_id = vdcs.id JOIN services ON service_id = services.id"
        account = f"{of_it} JOIN accounts ON account_id = accounts.id WHERE accounts.name = ?"
        wait_until(lambda: len(panel.read(account, version)) == SERVERS, "the servers are read")
        yield Generation(version, email, simulator, panel)


def _open_account(version: str, email: str, api_url: str) -> None:
    spoken = services.add_handler(name=version, api_url=api_url)
    assert spoken.number == version
    members.open_account(
        name=version, timezone="Europe/Moscow", owner_email=email, owner_name="Olga", password="demo" * 8, locale="en"
    )
    services.attach(
        account=version, handler=version, org="acme", username="acme-admin", password="secret", vdc="acme-vdc"
    )

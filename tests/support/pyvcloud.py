"""Runs short scripts with the real pyvcloud, VMware's own client."""

from tests.support.clients import python_with, run

PYVCLOUD = "pyvcloud==23.0.4"

#: Put in front of every script: `client` is logged in at argv[1]; argv[2] is a version or empty.
_PROLOGUE = """
import json, sys
from pyvcloud.vcd.client import BasicLoginCredentials, Client, EntityType, QueryResultFormat, VCLOUD_STATUS_MAP
from pyvcloud.vcd.org import Org
from pyvcloud.vcd.vapp import VApp
from pyvcloud.vcd.vdc import VDC
from pyvcloud.vcd.vm import VM

client = Client(sys.argv[1], api_version=sys.argv[2] or None)
client.set_credentials(BasicLoginCredentials("acme-admin", "acme", "secret"))
org = Org(client, resource=client.get_org())
"""


def run_pyvcloud(script: str, url: str, *, api_version: str = "") -> str:
    """What the script prints. It finds `client` and `org` ready; `url` is the vCloud without `/api`.

    Without an `api_version` pyvcloud negotiates one. A script that fails is an AssertionError.
    """
    return run([python_with(PYVCLOUD), "-c", _PROLOGUE + script, url, api_version])

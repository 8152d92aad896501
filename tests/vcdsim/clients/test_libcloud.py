"""Unmodified apache-libcloud against the simulator over HTTP, at API 5.5."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.clients import python_with, run

LIBCLOUD = "apache-libcloud==3.9.1"


def test_libcloud_leads_a_vapp_through_its_life(old_vcloud: str) -> None:
    script = Path(__file__).with_name("libcloud_life.py")
    seen = json.loads(run([python_with(LIBCLOUD), script, str(urlsplit(old_vcloud).port)]))
    assert seen["listed"] == {
        "vdcs": ["acme-vdc"],
        "templates": ["debian-12", "lamp", "ubuntu-24.04", "windows-2022"],
        "networks": ["acme-internal", "acme-net"],
        "nodes": 8,
        "vms": 12,
    }
    assert seen["made"] == ["libcloud", "running", ["libcloud-1"]]
    assert seen["power"] == [True, "pending", "running", "stopped", "running", "stopped", "stopped"]
    assert seen["ticket"] == ["host", "port", "ticket"]
    assert seen["snapshots"] == 3
    assert seen["hardware"] == {"cpus": "4", "memory_mb": "4096", "disks": 2}
    name, address, is_deleted = seen["copy"]
    assert (name, address.startswith("203.0.113."), is_deleted) == ("libcloud-copy", True, True)
    assert (seen["deleted"], seen["left"]) == (True, [])

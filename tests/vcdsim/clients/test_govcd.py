"""Debian's govcd (Go) against the simulator over HTTP, at API 5.5."""

import json
from pathlib import Path

from tests.support.clients import go_program, run

GOVCD = "github.com/hmrc/vmware-govcd"


def test_govcd_leads_a_vapp_through_its_life(old_vcloud: str) -> None:
    seen = json.loads(run([go_program(Path(__file__).with_name("govcd_life.go"), GOVCD), old_vcloud]))
    assert seen == {
        "vms": 12,
        "instantiated": 1,
        "name": "govcd-1",
        "cpu": 2,
        "memory": 2048,
        "address": True,
        "power": ["POWERED_ON", "SUSPENDED", "POWERED_OFF", "POWERED_OFF", "POWERED_OFF"],
    }

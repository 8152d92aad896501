"""VMware's own client sees what the panel made."""

import json

from tests.support.customer import Customer
from tests.support.live import LivePanel
from tests.support.pyvcloud import run_pyvcloud
from tests.support.waiting import wait_until

LOOK = """
vdc = VDC(client, resource=org.get_vdc("acme-vdc"))
vapp = VApp(client, resource=vdc.get_vapp("seen-1"))
vm = VM(client, resource=vapp.get_vm("seen-1"))
print(json.dumps([VCLOUD_STATUS_MAP[vm.get_power_state()], vm.get_cpus()["num_cpus"], vm.get_memory()]))
"""


def test_pyvcloud_sees_the_server_that_the_panel_made_with_its_status(live_panel: LivePanel) -> None:
    Customer(live_panel.url).create("seen-1")
    wait_until(lambda: live_panel.operations() == [("create", "succeeded")], "the server is ready", deadline_s=120)
    assert json.loads(run_pyvcloud(LOOK, live_panel.simulator_url)) == ["Powered on", 1, 1024]

# mypy: ignore-errors
"""Leads a VM through its life with pyvcloud. Usage: pyvcloud_life.py BASE_URL [API_VERSION]; prints JSON.

Runs in an environment that has pyvcloud and nothing of ours, so nothing is known of its types here.
"""

import json
import sys
from functools import partial

from pyvcloud.vcd.client import BasicLoginCredentials, Client, EntityType, QueryResultFormat
from pyvcloud.vcd.org import Org
from pyvcloud.vcd.vapp import VApp
from pyvcloud.vcd.vdc import VDC
from pyvcloud.vcd.vm import VM

RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"


def main():
    client = Client(sys.argv[1], api_version=sys.argv[2] if len(sys.argv) > 2 else None)
    client.set_credentials(BasicLoginCredentials("acme-admin", "acme", "secret"))
    org = Org(client, resource=client.get_org())
    vdc = VDC(client, resource=org.get_vdc("acme-vdc"))
    life = Life(client, org, vdc)
    story = {
        "version": client.get_api_version(),
        "listed": life.look_around(),
        "made": life.make(),
        "hardware": life.equip(),
        "data": life.attach(),
        "network": life.connect(),
        "power": life.run(),
        "ticket": life.open_console(),
        "described": life.keep(),
        "left": life.end(),
    }
    client.logout()
    print(json.dumps(story, default=str))


class Life:
    def __init__(self, client, org, vdc):
        self.client, self.org, self.vdc = client, org, vdc
        self.name = f"pyvcloud-{client.get_api_version()}"
        self.wait = partial(client.get_task_monitor().wait_for_success, poll_frequency=0.02)

    def vapp(self):
        return VApp(self.client, resource=self.vdc.get_vapp(self.name))

    def vm(self, name="one"):
        return VM(self.client, resource=self.vapp().get_vm(name))

    def disk(self):
        self.vdc.reload()
        return self.vdc.get_disk(f"{self.name}-data")

    def look_around(self):
        query = self.client.get_typed_query(
            "vm", query_result_format=QueryResultFormat.RECORDS, qfilter="isVAppTemplate==false"
        )
        return {
            "orgs": [one.get("name") for one in self.client.get_org_list()],
            "vdcs": [one["name"] for one in self.org.list_vdcs()],
            "templates": [one["name"] for one in self.org.list_catalog_items("templates")],
            "networks": [one.get("name") for one in self.vdc.list_orgvdc_network_resources()],
            "vapps": len(self.vdc.list_resources(EntityType.VAPP)),
            "vms": len(list(query.execute())),
        }

    def make(self):
        made = self.vdc.instantiate_vapp(
            self.name, "templates", "debian-12", network="acme-net", vm_name="one", hostname="one",
            password="S3cret-one", cpu=2, memory=2048, power_on=False, deploy=False,
        )  # fmt: skip
        self.wait(made.Tasks.Task[0])
        item = self.org.get_catalog_item("templates", "ubuntu-24.04")
        template = self.client.get_resource(item.Entity.get("href"))
        spec = {"vapp": template, "source_vm_name": "ubuntu-24.04", "target_vm_name": "two", "hostname": "two",
                "password": "S3cret-two", "network": "acme-net", "ip_allocation_mode": "pool"}  # fmt: skip
        self.wait(self.vapp().add_vms([spec], power_on=False, deploy=False))
        return sorted(vm.get("name") for vm in self.vapp().get_all_vms())

    def equip(self):
        self.wait(self.vm().modify_cpu(4, 2))
        self.wait(self.vm().modify_memory(4096))
        self.wait(self.vapp().add_disk_to_vm("one", 5120))
        disks = self.client.get_resource(self.vm().href + "/virtualHardwareSection/disks")
        names = [str(item[f"{{{RASD}}}ElementName"]) for item in disks.Item]
        count = sum("Hard disk" in name for name in names)
        return {"cpus": self.vm().get_cpus()["num_cpus"], "memory_mb": self.vm().get_memory(), "disks": count}

    def attach(self):
        """An independent disk through its life, and a note on the VM."""
        made = self.vdc.create_disk(f"{self.name}-data", 2 * 2**30, bus_type="6", bus_sub_type="lsilogic")
        self.wait(made.Tasks.Task[0])
        disk = self.disk()
        self.wait(self.vapp().attach_disk_to_vm(disk.get("href"), "one"))
        attached = self.disk().attached_vms.VmReference.get("name")
        self.wait(self.vapp().detach_disk_from_vm(disk.get("href"), "one"))
        self.wait(self.vdc.delete_disk(f"{self.name}-data"))
        self.vdc.reload()
        self.wait(self.vm().set_metadata("GENERAL", "READWRITE", "note", "kept"))
        note = str(self.vm().get_metadata().MetadataEntry.TypedValue.Value)
        self.wait(self.vm().remove_metadata("note"))
        return {"note": note, "attached": attached, "disks_left": len(self.vdc.get_disks())}

    def connect(self):
        self.wait(self.vapp().create_vapp_network("inner", "192.168.9.1/24", ip_ranges=["192.168.9.10-192.168.9.20"]))
        self.wait(self.vm().add_nic("VMXNET3", False, True, "inner", "POOL", None))
        (address,) = [nic["ip_address"] for nic in self.vm().list_nics() if nic["network"] == "inner"]
        self.wait(self.vm().delete_nic(1))
        self.wait(self.vapp().delete_vapp_network("inner"))
        return {"address": address, "cards_then": len(self.vm().list_nics())}

    def run(self):
        states = []
        steps = (
            "power_on",
            "reboot",
            "power_reset",
            "suspend",
            "power_on",
            "shutdown",
            "undeploy",
            "deploy",
            "power_off",
        )
        for step in steps:
            self.wait(getattr(self.vm(), step)())
            states.append(self.vm().get_power_state())
        return states

    def open_console(self):
        self.wait(self.vm().power_on())
        ticket = self.vm().list_mks_ticket()
        self.wait(self.vm().power_off())
        return [name for name in ("Host", "Port", "Ticket") if str(ticket[name])]

    def keep(self):
        self.wait(self.vm().snapshot_create(memory=False, quiesce=False))
        self.wait(self.vm().snapshot_revert_to_current())
        self.wait(self.vm().snapshot_remove_all())
        self.wait(self.vapp().edit_name_and_description(self.name, "lived"))
        return str(self.vdc.get_vapp(self.name).Description)

    def end(self):
        self.wait(self.vapp().delete_vms(["two"]))
        left = [vm.get("name") for vm in self.vapp().get_all_vms()]
        self.wait(self.vm().undeploy())
        self.wait(self.vdc.delete_vapp(self.name))
        self.vdc.reload()
        return {"after one is deleted": left, "after all": len(self.vdc.list_resources(EntityType.VAPP))}


if __name__ == "__main__":
    main()

# mypy: ignore-errors
"""Leads a vApp through its life with apache-libcloud at API 5.5. Usage: libcloud_life.py PORT; prints JSON.

Runs in an environment that has libcloud and nothing of ours, so nothing is known of its types here. libcloud can
neither add a VM to a vApp nor choose the network of a VM: it takes the template's names, and it clones vApps. Its
description and its metadata are not used: it writes them in an order and a form that the schema of 5.5 refuses.
"""

import json
import sys

from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider


def main():
    driver = get_driver(Provider.VCLOUD)(
        "acme-admin@acme", "secret", host="127.0.0.1", port=int(sys.argv[1]), secure=False, api_version="5.5"
    )
    images = {image.name: image for image in driver.list_images()}
    listed = {
        "vdcs": [vdc.name for vdc in driver.vdcs],
        "templates": sorted(images),
        "networks": sorted(network.get("name") for network in driver.networks),
        "nodes": len(driver.list_nodes()),
        "vms": len(driver.ex_query("vm", filter="isVAppTemplate==false", page_size=128)),
    }
    node = driver.create_node(
        name="libcloud", image=images["debian-12"], ex_vdc="acme-vdc", ex_network="acme-net", ex_vm_network="acme-net",
        ex_vm_fence="bridged", ex_vm_names=["libcloud-1"], ex_vm_cpu=2, ex_vm_memory=2048, ex_vm_ipmode="POOL",
        ex_vm_script_text="echo hello", ex_admin_password="S3cret-one", ex_deploy=True,
    )  # fmt: skip
    story = {
        "listed": listed,
        "made": [node.name, node.state, [vm["name"] for vm in node.extra["vms"]]],
        "ticket": open_console(driver, node),
        "power": run(driver, node),
        "snapshots": keep(driver, node),
        "hardware": equip(driver, node),
        "copy": copy(driver),
        "deleted": driver.destroy_node(node),
        "left": [one.name for one in driver.list_nodes() if one.name.startswith("libcloud")],
    }
    print(json.dumps(story))


def open_console(driver, node):
    ticket = driver.ex_acquire_mks_ticket(node.id)
    return [name for name in ("host", "port", "ticket") if ticket[name]]


def run(driver, node):
    """The states that the power actions lead to."""
    steps = ("ex_suspend_node", "ex_power_on_node", "ex_shutdown_node", "ex_power_on_node", "ex_power_off_node")
    return [
        driver.reboot_node(node),
        *(getattr(driver, step)(node).state for step in steps),
        driver.ex_undeploy_node(node, shutdown=False).state,
    ]


def keep(driver, node):
    """The number of snapshot actions that worked."""
    actions = (driver.ex_create_snapshot, driver.ex_revert_to_snapshot, driver.ex_remove_snapshots)
    return sum(action(node).name == node.name for action in actions)


def equip(driver, node):
    """CPU, memory, a disk; what the node says then."""
    driver.ex_set_vm_cpu(node.id, 4)
    driver.ex_set_vm_memory(node.id, 4096)
    driver.ex_add_vm_disk(node.id, 20)
    (vm,) = driver.ex_find_node("libcloud").extra["vms"]
    vm_record = driver.ex_query("vm", filter="name==libcloud-1")[0]
    disks = driver.connection.request("/api/vApp/" + vm["id"].rpartition("/")[2] + "/virtualHardwareSection/disks")
    count = sum(item.text == "Hard disk" for item in disks.object.iter() if item.tag.endswith("Description"))
    return {"cpus": vm_record["numberOfCpus"], "memory_mb": vm_record["memoryMB"], "disks": count}


def copy(driver):
    """A clone of a vApp with its own address, deleted again. libcloud takes the cards out and puts them in anew."""
    clone = driver.create_node(
        name="libcloud-copy", image=driver.ex_find_node("sandbox"), ex_vdc="acme-vdc", ex_deploy=False
    )
    return [clone.name, *clone.public_ips, driver.destroy_node(clone)]


if __name__ == "__main__":
    main()

"""A machine's whole life asked for by a program, against each generation of the API of vCloud."""

from typing import Any

from tests.cloud.conftest import generation as generation  # noqa: PLC0414  a fixture
from tests.support.api import Program, problem
from tests.support.clock import Clock
from tests.support.engine import drain
from tests.support.machines import real_vm
from vcdsim import Simulator


class Owner:
    """Asks through the API alone, and waits until what was asked has ended."""

    def __init__(self, api: Program, cloud: Simulator, clock: Clock) -> None:
        self.api, self._cloud, self._clock = api, cloud, clock

    def one(self, path: str, name: str, **query: object) -> Any:
        """The item of that name."""
        return next(item for item in self.api.get(path, **query).json["items"] if item["name"] == name)

    def done(self, path: str, body: Any = None) -> Any:
        """Ask, wait, and answer the operation, which has ended well."""
        asked = self.api.post(path, body)
        assert asked.status_code == 202, asked.text
        drain(self._cloud, self._clock)
        operation = self.api.get(asked.headers["Location"].removeprefix("/api/v1")).json
        assert operation["state"] == "succeeded", operation
        return operation

    def machine(self, vm_id: str) -> Any:
        """All that is told of a machine."""
        return self.api.get(f"/vms/{vm_id}").json


def test_a_machine_lives_and_dies(generation: str, api: Program, cloud: Simulator, clock: Clock) -> None:
    owner = Owner(api, cloud, clock)
    vdc_id = owner.one("/vdcs", "acme-vdc")["id"]
    new = {
        "vdc_id": vdc_id,
        "template_id": owner.one("/templates", "debian-12", vdc=vdc_id)["id"],
        "network_id": owner.one("/networks", "acme-net", vdc=vdc_id)["id"],
        "size": {"cpu_count": 1, "memory_mb": 1024, "disk_gb": 20},
    }
    created = owner.done("/vms", {**new, "vm_name": "web-03", "vapp_name": "shop-3"})
    password = api.post(f"/operations/{created['id']}/password", key="").json["password"]
    assert real_vm(cloud, "web-03").customization.admin_password == password
    vm_id = created["vm_id"]
    told = owner.machine(vm_id)
    assert (told["state"], told["cpu_count"], told["memory_mb"], told["disk_mb"]) == ("on", 1, 1024, 20 * 1024)
    assert told["inner_ip"]
    assert told["outer_ip"]
    actions = f"/vms/{vm_id}/actions"

    owner.done(f"{actions}/restart")
    owner.done(f"{actions}/reset")
    owner.done(f"{actions}/suspend")
    assert owner.machine(vm_id)["state"] == "suspended"
    owner.done(f"{actions}/resume")
    owner.done(f"{actions}/shut-down")
    assert owner.machine(vm_id)["state"] == "off"
    owner.done(f"{actions}/resize", {"cpu_count": 2, "memory_mb": 2048})
    owner.done(f"{actions}/add-disk", {"size_gb": 5})
    first, second = owner.machine(vm_id)["disks"]
    owner.done(f"{actions}/grow-disk", {"instance_id": second["instance_id"], "size_gb": 6})
    assert [disk["size_mb"] for disk in owner.machine(vm_id)["disks"]] == [first["size_mb"], 6 * 1024]
    owner.done(f"{actions}/remove-disk", {"instance_id": second["instance_id"]})
    owner.done(f"{actions}/change-network", {"cards": [{"index": 0, "network_id": None}]})
    assert [card["is_connected"] for card in owner.machine(vm_id)["nics"]] == [False]
    owner.done(f"{actions}/change-network", {"cards": [{"index": 0, "network_id": new["network_id"]}]})
    owner.done(f"{actions}/take-snapshot")
    assert owner.machine(vm_id)["has_snapshot"]
    owner.done(f"{actions}/revert-snapshot")
    owner.done(f"{actions}/remove-snapshot")
    owner.done(f"{actions}/rename", {"vm_name": "web-04"})
    owner.done(f"{actions}/reset-password", {"password": "Own-Password-1"})
    told = owner.machine(vm_id)
    assert (told["name"], told["state"], told["cpu_count"], told["memory_mb"]) == ("web-04", "on", 2, 2048)
    owner.done(f"{actions}/power-off")
    owner.done(f"{actions}/start")

    api.post(f"/vms/{vm_id}/protection", {"is_protected": True}, key="")
    refused = api.post(f"{actions}/delete", {"typed_name": "web-04"})
    assert (problem(refused), refused.json["reason"]) == ((409, "action_blocked", None), "protected")
    api.post(f"/vms/{vm_id}/protection", {"is_protected": False}, key="")
    owner.done(f"{actions}/delete", {"typed_name": "web-04"})
    assert owner.machine(vm_id)["state"] == "recycled"
    owner.done(f"{actions}/restore")
    assert owner.machine(vm_id)["name"] == "web-04"
    owner.done(f"{actions}/delete", {"typed_name": "web-04"})
    owner.done(f"{actions}/erase")
    assert owner.machine(vm_id)["state"] == "gone"
    assert "web-04" not in [vm.name for vm in cloud.world.vms.values()]


def test_a_machine_is_added_to_a_vapp(generation: str, api: Program, cloud: Simulator, clock: Clock) -> None:
    owner = Owner(api, cloud, clock)
    vdc_id = owner.one("/vdcs", "acme-vdc")["id"]
    vapp_id = owner.one("/vapps", "shop", vdc=vdc_id)["id"]
    created = owner.done(
        "/vms",
        {
            "vdc_id": vdc_id,
            "template_id": owner.one("/templates", "debian-12", vdc=vdc_id)["id"],
            "vapp_id": vapp_id,
            "vm_name": "web-03",
        },
    )
    assert created["kind"] == "create_in_vapp"
    told = owner.machine(created["vm_id"])
    assert (told["name"], told["state"], told["vapp"]) == ("web-03", "on", {"id": vapp_id, "name": "shop"})
    (shop,) = (vapp for vapp in cloud.world.vapps.values() if vapp.name == "shop")
    assert real_vm(cloud, "web-03").id in shop.vm_ids

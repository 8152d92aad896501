"""Compose, recompose, clone, and VMs on their own."""

from __future__ import annotations

from tests.vcdsim.talk import BASE, NS, VCLOUD, Reply, Talk, id_of, network_config, sourced_item
from vcdsim import Simulator, error


def params(name: str, inside: str, attributes: str = 'deploy="false" powerOn="false"') -> str:
    return f'<{name} xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}" {attributes}>{inside}</{name}>'


def recompose(talk: Talk, vapp: str, inside: str, attributes: str = 'deploy="false" powerOn="false"') -> Reply:
    path = f"{talk.vapp(vapp)}/action/recomposeVApp"
    return talk.send("POST", path, params("RecomposeVAppParams", inside, attributes))


def names(talk: Talk, vapp: str) -> list[str | None]:
    return [vm.get("name") for vm in talk.get(talk.vapp(vapp)).findall("v:Children/v:Vm", NS)]


def vdc_action(sim: Simulator, action: str) -> str:
    return f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}/action/{action}"


def delete_item(talk: Talk, name: str) -> str:
    return f'<DeleteItem href="{BASE}{talk.vm(name)}"/>'


def test_a_vm_is_added_to_a_running_vapp(sim: Simulator, talk: Talk) -> None:
    reply = recompose(talk, "shop", sourced_item(sim, "shop-web-3", network="acme-net"))
    assert (reply.status, reply.root.get("operationName")) == (202, "vdcRecomposeVapp")
    sim.settle()
    assert names(talk, "shop") == ["shop-web-1", "shop-web-2", "shop-db", "shop-web-3"]
    assert talk.get(talk.vm("shop-web-3")).get("status") == "8"


def test_an_added_vm_is_unresolved_until_the_task_is_done(sim: Simulator, talk: Talk) -> None:
    recompose(talk, "shop", sourced_item(sim, "shop-web-3"))
    assert talk.get(talk.vm("shop-web-3")).get("status") == "0"


def test_an_added_vm_is_powered_on_when_asked_to(sim: Simulator, talk: Talk) -> None:
    recompose(talk, "shop", sourced_item(sim, "shop-web-3"), 'deploy="true" powerOn="true"')
    sim.settle()
    assert talk.get(talk.vm("shop-web-3")).get("status") == "4"


def test_below_5_6_a_vm_has_the_name_of_the_reference_to_its_source(sim: Simulator) -> None:
    talk = Talk(sim, version="5.5")
    source = f"{BASE}/api/vAppTemplate/vm-{id_of(sim, 'template_vms', 'debian-12')}"
    for name in ("shop-web-3", "shop-web-4"):
        item = f'<SourcedItem><Source name="{name}" href="{source}"/></SourcedItem>'
        assert recompose(talk, "shop", item).status == 202
        sim.settle()
    assert names(talk, "shop")[-2:] == ["shop-web-3", "shop-web-4"]


def test_a_vm_is_deleted_by_recompose_and_the_others_stay(sim: Simulator, talk: Talk) -> None:
    assert recompose(talk, "build", delete_item(talk, "ci-runner-2")).status == 202
    sim.settle()
    assert "ci-runner-2" not in names(talk, "build")
    assert "ci-runner-1" in names(talk, "build")


def test_a_deployed_vm_is_not_deleted_by_recompose(sim: Simulator, talk: Talk) -> None:
    reply = recompose(talk, "shop", delete_item(talk, "shop-db"))
    assert reply.status == 400
    assert "Stop the VM and try again." in reply.error[1]


def test_a_vm_of_another_vapp_is_not_deleted_by_recompose(sim: Simulator, talk: Talk) -> None:
    assert recompose(talk, "shop", delete_item(talk, "ci-runner-2")).status == 400
    assert "ci-runner-2" in [vm.name for vm in sim.world.vms.values()]


def test_recompose_renames_the_vapp(sim: Simulator, talk: Talk) -> None:
    recompose(talk, "shop", "<Description>sells</Description>", 'name="store"')
    sim.settle()
    assert talk.get(talk.vapp("store")).findtext("v:Description", namespaces=NS) == "sells"


def test_a_network_comes_with_the_vm_that_needs_it(sim: Simulator, talk: Talk) -> None:
    section = network_config(sim, "inner", fence_mode="isolated", parent=None)
    section = f"<InstantiationParams><NetworkConfigSection><ovf:Info/>{section}</NetworkConfigSection>"
    item = sourced_item(sim, "shop-cache", network="inner")
    assert recompose(talk, "shop", f"{section}</InstantiationParams>{item}").status == 202
    sim.settle()
    vapp = next(one for one in sim.world.vapps.values() if one.name == "shop")
    assert [network.name for network in vapp.networks] == ["acme-net", "inner"]
    assert talk.get(talk.vm("shop-cache")).findtext(".//v:NetworkConnection/v:IpAddress", namespaces=NS) == (
        "192.168.5.2"
    )


def test_a_refused_recompose_changes_no_network(sim: Simulator, talk: Talk) -> None:
    section = network_config(sim, "inner", fence_mode="isolated", parent=None)
    section = f"<InstantiationParams><NetworkConfigSection><ovf:Info/>{section}</NetworkConfigSection>"
    item = sourced_item(sim, "shop-db", network="inner")
    reply = recompose(talk, "shop", f"{section}</InstantiationParams>{item}")
    vapp = next(one for one in sim.world.vapps.values() if one.name == "shop")
    assert (reply.status, reply.error[0]) == (400, "DUPLICATE_NAME")
    assert [network.name for network in vapp.networks] == ["acme-net"]


def test_a_failed_recompose_leaves_no_half_made_vm(sim: Simulator, talk: Talk) -> None:
    sim.faults.add("recompose", task_error=error("INTERNAL_SERVER_ERROR", "no", 500))
    recompose(talk, "shop", sourced_item(sim, "shop-web-3"))
    sim.settle()
    assert names(talk, "shop") == ["shop-web-1", "shop-web-2", "shop-db"]


def test_a_vm_moves_from_one_vapp_to_another(sim: Simulator, talk: Talk) -> None:
    source = f'<SourcedItem sourceDelete="true"><Source href="{BASE}{talk.vm("ci-runner-2")}"/></SourcedItem>'
    assert recompose(talk, "shop", source).status == 202
    sim.settle()
    assert "ci-runner-2" in names(talk, "shop")
    assert "ci-runner-2" not in names(talk, "build")


def test_a_running_vm_cannot_be_copied(sim: Simulator, talk: Talk) -> None:
    source = f'<SourcedItem><Source href="{BASE}{talk.vm("shop-db")}"/></SourcedItem>'
    assert recompose(talk, "build", source).status == 400


def test_a_blank_vm_is_made_from_its_specification(sim: Simulator) -> None:
    talk = Talk(sim, version="36.0")
    item = """<CreateItem name="blank"><VmSpecSection Modified="true"><ovf:Info/><OsType>debian12_64Guest</OsType>
      <NumCpus>2</NumCpus><NumCoresPerSocket>1</NumCoresPerSocket>
      <MemoryResourceMb><Configured>1024</Configured></MemoryResourceMb><DiskSection><DiskSettings>
      <SizeMb>2048</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber><AdapterType>5</AdapterType>
      <ThinProvisioned>true</ThinProvisioned></DiskSettings></DiskSection>
      <HardwareVersion>vmx-19</HardwareVersion></VmSpecSection></CreateItem>"""
    assert recompose(talk, "shop", item).status == 202
    sim.settle()
    vm = next(one for one in sim.world.vms.values() if one.name == "blank")
    assert (vm.cpu_count, vm.memory_mb, [disk.size_mb for disk in vm.disks]) == (2, 1024, [2048])


def test_compose_takes_items(sim: Simulator, talk: Talk) -> None:
    body = params("ComposeVAppParams", sourced_item(sim, "one"), 'name="pair" deploy="false" powerOn="false"')
    reply = talk.send("POST", vdc_action(sim, "composeVApp"), body)
    sim.settle()
    assert (reply.status, names(talk, "pair")) == (201, ["one"])


def test_compose_takes_a_whole_template(sim: Simulator, talk: Talk) -> None:
    template = f"{BASE}/api/vAppTemplate/vappTemplate-{id_of(sim, 'templates', 'lamp')}"
    item = f'<SourcedItem><Source href="{template}"/></SourcedItem>'
    body = params("ComposeVAppParams", item, 'name="stack" deploy="false" powerOn="false"')
    talk.send("POST", vdc_action(sim, "composeVApp"), body)
    sim.settle()
    assert names(talk, "stack") == ["lamp-web", "lamp-app", "lamp-db"]


def clone_of(sim: Simulator, talk: Talk, vapp: str, *, is_move: bool = False) -> Reply:
    inside = f'<Source href="{BASE}{talk.vapp(vapp)}"/><IsSourceDelete>{str(is_move).lower()}</IsSourceDelete>'
    body = params("CloneVAppParams", inside, 'name="copy" deploy="false" powerOn="false"')
    return talk.send("POST", vdc_action(sim, "cloneVApp"), body)


def test_a_clone_has_the_same_vms_with_other_addresses(sim: Simulator, talk: Talk) -> None:
    reply = clone_of(sim, talk, "sandbox")
    assert reply.status == 201
    sim.settle()
    original, copy = (next(one for one in sim.world.vapps.values() if one.name == name) for name in ("sandbox", "copy"))
    pairs = list(zip(sim.world.vms_of(original), sim.world.vms_of(copy), strict=True))
    assert [vm.name for vm, _ in pairs] == [vm.name for _, vm in pairs]
    assert all(
        (one.id, one.nics[0].mac, one.nics[0].ip) != (two.id, two.nics[0].mac, two.nics[0].ip) for one, two in pairs
    )


def test_a_running_vapp_cannot_be_cloned(sim: Simulator, talk: Talk) -> None:
    reply = clone_of(sim, talk, "shop")
    assert (reply.status, "Stop the vApp" in reply.error[1]) == (400, True)


def test_moving_a_vapp_leaves_only_the_copy(sim: Simulator, talk: Talk) -> None:
    clone_of(sim, talk, "sandbox", is_move=True)
    sim.settle()
    found = [one.name for one in sim.world.vapps.values()]
    assert ("copy" in found, "sandbox" in found) == (True, False)


def single_vm(sim: Simulator, talk: Talk) -> Reply:
    source = f"{BASE}/api/vAppTemplate/vm-{id_of(sim, 'template_vms', 'debian-12')}"
    inside = f"""<SourcedVmTemplateItem><Source href="{source}"/></SourcedVmTemplateItem>
      <AllEULAsAccepted>true</AllEULAsAccepted>"""
    path = vdc_action(sim, "instantiateVmFromTemplate")
    return talk.send("POST", path, params("InstantiateVmTemplateParams", inside, 'name="alone"'))


def test_a_vm_on_its_own_gets_a_vapp_that_goes_with_it(sim: Simulator, talk: Talk) -> None:
    before = len(sim.world.vapps)
    reply = single_vm(sim, talk)
    sim.settle()
    owner = reply.root.find("v:Owner", NS)
    assert owner is not None
    assert talk.get(owner.get("href") or "").get("name") == "alone"
    vapp = list(sim.world.vapps.values())[-1]
    assert talk.get(talk.vapp(vapp.name)).findtext("v:autoNature", namespaces=NS) == "true"
    assert talk.do("DELETE", talk.vm("alone")) == "success"
    assert len(sim.world.vapps) == before


def test_a_vm_on_its_own_needs_one_to_be_made_of(sim: Simulator, talk: Talk) -> None:
    body = params("InstantiateVmTemplateParams", "", 'name="alone"')
    reply = talk.send("POST", vdc_action(sim, "instantiateVmFromTemplate"), body)
    assert (reply.status, reply.error[1].endswith("no VM of a template is named.")) == (400, True)


def test_a_vm_on_its_own_is_not_known_below_32(sim: Simulator) -> None:
    assert single_vm(sim, Talk(sim, version="31.0")).status == 404


def reconfigure_item(talk: Talk, vm: str, *, name: str, memory_mb: int) -> str:
    quantity = f"<rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>{memory_mb}</rasd:VirtualQuantity>"
    item = f"<rasd:ElementName>x</rasd:ElementName><rasd:InstanceID>5</rasd:InstanceID>{quantity}"
    hardware = f"<ovf:VirtualHardwareSection><ovf:Info/><ovf:Item>{item}</ovf:Item></ovf:VirtualHardwareSection>"
    return f'<ReconfigureItem xmlns:rasd="{NS["rasd"]}" name="{name}" href="{BASE}{vm}">{hardware}</ReconfigureItem>'


def test_recompose_changes_vms_that_are_there(sim: Simulator, talk: Talk) -> None:
    item = reconfigure_item(talk, talk.vm("ci-runner-2"), name="ci-spare", memory_mb=16384)
    assert recompose(talk, "build", item).status == 202
    assert names(talk, "build") == ["ci-runner-1", "ci-runner-2"]
    sim.settle()
    assert names(talk, "build") == ["ci-runner-1", "ci-spare"]
    assert sim.world.vms[id_of(sim, "vms", "ci-spare")].memory_mb == 16384


def test_recompose_refuses_a_change_that_reconfigure_would_refuse(sim: Simulator, talk: Talk) -> None:
    grown = reconfigure_item(talk, talk.vm("ci-runner-1"), name="ci-runner-1", memory_mb=16384)
    assert "memory hot add" in recompose(talk, "build", grown).error[1]
    taken = reconfigure_item(talk, talk.vm("ci-runner-2"), name="ci-runner-1", memory_mb=4096)
    assert recompose(talk, "build", taken).error[0] == "DUPLICATE_NAME"


def test_recompose_changes_only_vms_of_its_vapp(talk: Talk) -> None:
    foreign = reconfigure_item(talk, talk.vm("shop-db"), name="shop-db", memory_mb=4096)
    assert "is not part of vApp" in recompose(talk, "build", foreign).error[1]


def test_reconfigure_items_are_not_known_below_5_7(sim: Simulator) -> None:
    old = Talk(sim, version="5.6")
    item = reconfigure_item(old, old.vm("ci-runner-2"), name="ci-spare", memory_mb=4096)
    assert "cvc-complex-type.2.4" in recompose(old, "build", item).error[1]

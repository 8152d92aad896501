"""Answers that real servers of 1.5 to 9.x gave, recorded by other projects: each becomes the right facts.

They are no part of the repository: VCLOUD_RECORDINGS names their folder, beside the repository by default. Cassettes
(.yml) hold several exchanges. What stands in `recordings.txt` was read from the files without this client; files that
are not named there have to be readable at least.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with responses
from lxml import etree

from app.vcloud import VmChange, Wiring, catalog, entities, machines, parse, query, reconfigure, xml
from app.vcloud.statuses import VmStatus
from app.vcloud.types import (
    Disk,
    GuestCustomization,
    Nic,
    OrgVdcNetwork,
    Task,
    TemplateLimits,
    TemplateVm,
    VApp,
    VAppNetwork,
    VappTemplate,
    VcloudErrorInfo,
    Vdc,
    Vm,
    VmRecord,
)
from app.vcloud.xml import Element

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("VCLOUD_RECORDINGS") or ROOT.parent / "shared" / "vcloud" / "recordings")
needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings in {FOLDER} (VCLOUD_RECORDINGS)")

READERS: dict[str, Callable[[Element], Any]] = {
    "Error": entities.error_info,
    "Metadata": parse.template_limits,
    "OrgNetwork": parse.org_network,  # the name until 5.1
    "OrgVdcNetwork": parse.org_network,
    "SupportedVersions": parse.versions,
    "Task": entities.task,
    "VApp": parse.vapp,
    "VAppTemplate": partial(parse.template, catalog_name="", limits=TemplateLimits()),
    "Vdc": parse.vdc,
    "Vm": machines.vm,
}
ROWS: dict[str, Callable[[Element], Any]] = {
    "vm": query.vm_record,
    "adminVM": query.vm_record,
    "vApp": query.vapp_record,
    "adminVApp": query.vapp_record,
    "task": query.task_record,
    "adminTask": query.task_record,
    "vAppTemplate": catalog.record,
    "adminVAppTemplate": catalog.record,
    "orgVdcNetwork": query.org_network,
    "orgVdcStorageProfile": query.storage_profile,
    "adminOrgVdcStorageProfile": query.storage_profile,
}


def answers(file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, body) of each answer in a file."""
    name = file.relative_to(FOLDER).as_posix()
    if file.suffix not in {".yml", ".yaml"}:
        yield name, file.read_bytes()
        return
    for number, exchange in enumerate(yaml.safe_load(file.read_text())["http_interactions"]):
        body = exchange["response"]["body"]["string"] or b""
        yield f"{name}#{number}", body if isinstance(body, bytes) else body.encode()


def reader(body: bytes) -> Callable[[Element], Any] | None:
    """Return what reads this answer, None for a kind that the client does not read. Looks at it with other eyes."""
    try:
        root = etree.fromstring(body.strip(), etree.XMLParser(recover=True))
        kind = etree.QName(root).localname
    except (etree.XMLSyntaxError, ValueError):  # ValueError: text without any element
        return None
    rows = ROWS.get(root.get("name", ""))
    return partial(query.page, to_value=rows) if kind == "QueryResultRecords" and rows else READERS.get(kind)


@cache
def recorded() -> dict[str, bytes]:
    """Return all answers of the kinds we read, by name."""
    files = sorted(file for file in FOLDER.rglob("*") if file.is_file() and file.suffix != ".md")
    return {name: body for file in files for name, body in answers(file) if reader(body)}


def read(body: bytes) -> Any:
    found = reader(body)
    assert found
    kind = etree.QName(etree.fromstring(body.strip(), etree.XMLParser(recover=True))).localname
    return found(xml.parse(body, f"{{{xml.VERSIONS}}}{kind}" if kind == "SupportedVersions" else kind))


def expectations() -> dict[str, list[str]]:
    """Return the lines of facts by the name of the answer."""
    found: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / "recordings.txt").read_text().splitlines():
        if line.startswith("  "):
            found[list(found)[-1]].append(line[2:])
        elif line and not line.startswith("#"):
            found[line] = []
    return found


# Facts as they are written down there


def said(*values: object) -> str:
    return " ".join("-" if value in {None, ""} else str(value) for value in values)


def vm_lines(vm: Vm) -> Iterator[str]:
    state = f"{vm.status.value} {'deployed' if vm.deployed else 'undeployed'}"
    hardware = said(vm.cpu_count, vm.cores_per_socket, vm.memory_mb)
    names = f"{said(vm.guest_os)} | {said(vm.customization.computer_name)}"
    yield f"vm {vm.name} | {state} | {hardware} | {sizes(vm.disks)} | {names}"
    for nic in vm.nics:
        yield f"  card {nic_line(nic)}"


def nic_line(nic: Nic) -> str:
    return said(nic.index, nic.network or "none", nic.mode, nic.ip, nic.external_ip, nic.mac)


def sizes(disks: tuple[Disk, ...]) -> str:
    return " ".join(str(disk.size_mb) for disk in disks) or "-"


def vapp_lines(vapp: VApp) -> Iterator[str]:
    state = f"{vapp.status.value} {'deployed' if vapp.deployed else 'undeployed'}"
    yield f"vapp {vapp.name} | {state} | {vapp.owner_name} | {said(*(t.operation_name for t in vapp.tasks)) or '-'}"
    yield from (f"  {network_line(network)}" for network in vapp.networks)
    yield from (f"  {line}" for vm in vapp.vms for line in vm_lines(vm))


def network_line(network: VAppNetwork | OrgVdcNetwork) -> str:
    return f"network {network.name} {network.fence_mode} {said(network.gateway)}"


def task_line(task: Task) -> str:
    kind, _, uuid = (task.owner_id or "").removeprefix("urn:vcloud:").partition(":")
    ended = " | error" if task.error else ""
    return f"task {task.status} | {task.operation_name} | {kind} {uuid[:8]} | {said(task.progress)}{ended}"


def vdc_line(vdc: Vdc) -> str:
    cpu = f"{vdc.cpu_limit_mhz or 0} {vdc.cpu_used_mhz} {vdc.cpu_reserved_mhz}"
    memory = f"{vdc.memory_limit_mb or 0} {vdc.memory_used_mb} {vdc.memory_reserved_mb}"
    numbers = f"{cpu} {memory} | {vdc.vm_quota or 0} {vdc.vcpu_mhz or 0}"
    networks = ", ".join(network.name for network in vdc.networks)
    return f"vdc {vdc.name} | {vdc.allocation_model} | {numbers} | {networks}".rstrip()


def template_vm_line(vm: TemplateVm) -> str:
    return f"  vm {vm.name} | {said(vm.cpu_count, vm.memory_mb)} | {sizes(vm.disks)}"


def row_line(row: VmRecord) -> str:
    state = "deployed" if row.deployed else "undeployed"
    facts = (row.name, row.status.name, state, row.cpu_count, row.memory_mb, row.guest_os, row.vapp_name)
    return "row " + " | ".join(said(fact) for fact in (*facts, row.network_name))


def template_lines(template: VappTemplate) -> Iterator[str]:
    yield f"template {template.name} | {template.status.value}"
    yield from map(template_vm_line, template.vms)


WRITERS: dict[type, Callable[[Any], Iterable[str]]] = {
    Task: lambda task: [task_line(task)],
    VApp: vapp_lines,
    Vm: vm_lines,
    Vdc: lambda vdc: [vdc_line(vdc)],
    VappTemplate: template_lines,
    OrgVdcNetwork: lambda network: [network_line(network)],
    query.Page: lambda page: map(row_line, page.rows),
    TemplateLimits: lambda limits: [f"bounds {said(limits.cpu_max, limits.memory_mb_max, limits.disk_mb_max)}"],
    VcloudErrorInfo: lambda error: [f"error {error.major_code} | {error.minor_code} | {error.message[:60]}"],
    list: lambda found: ["versions " + " ".join(item.number + "D" * item.deprecated for item in found)],
}


def lines(value: Any) -> list[str]:
    return list(WRITERS[type(value)](value))


@needs_recordings
@pytest.mark.parametrize("name", expectations())
def test_a_recorded_answer_becomes_the_right_facts(name: str) -> None:
    assert lines(read(recorded()[name])) == expectations()[name]


@needs_recordings
def test_every_recorded_answer_of_a_kind_we_read_can_be_read() -> None:
    assert recorded()
    for name, body in recorded().items():
        assert read(body) is not None, name


@needs_recordings
def test_every_recorded_id_and_moment_is_understood() -> None:
    for name, body in recorded().items():
        value = read(body)
        if isinstance(value, Task):
            assert value.started_at, name
            assert value.started_at.tzinfo, name
        if isinstance(value, VApp):
            assert value.vdc_id, name
            assert all(vm.vapp_id == value.id for vm in value.vms), name
            assert value.status is not VmStatus.UNKNOWN, name
            assert all(task.owner_id == value.id for task in value.tasks), name


@needs_recordings
def test_every_recorded_vm_can_be_changed_and_keeps_its_disks_and_cards() -> None:
    found = 0
    for name, body in recorded().items():
        root = xml.parse(body, str(etree.fromstring(body.strip(), etree.XMLParser(recover=True)).tag))
        for vm in root.iter(f"{{{xml.VCLOUD}}}Vm"):
            if etree.QName(root).localname == "VAppTemplate":
                continue
            found += 1
            before = machines.vm(vm)
            sizes_mb = {disk.instance_id: disk.size_mb + 1024 for disk in before.disks[:1]}
            networks = {nic.index: "lab" for nic in before.nics[:1]}
            after = machines.vm(xml.parse(changed(vm, sizes_mb, networks).replace(b"<Vm ", b'<Vm id="%s" ' % ID), "Vm"))
            assert (after.cpu_count, after.memory_mb) == (4, 8192), name
            grown = [disk.size_mb + 1024 * (number == 0) for number, disk in enumerate(before.disks)]
            assert [disk.size_mb for disk in after.disks] == grown, name
            if networks:
                assert [nic.mac for nic in after.nics] == [nic.mac for nic in before.nics], name
    assert found


ID = b"urn:vcloud:vm:11111111-0000-4000-8000-000000000001"


def changed(vm: Element, disk_mb: dict[str, int], networks: dict[int, str]) -> bytes:
    settings = GuestCustomization(enabled=True, computer_name="web1")
    cards = {index: Wiring(network) for index, network in networks.items()}
    change = VmChange(name="web1", cpu_count=4, memory_mb=8192, disk_mb=disk_mb, cards=cards, customization=settings)
    return reconfigure.body(vm, change)

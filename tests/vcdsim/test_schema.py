"""Bodies that do not fit the schema of their API version are refused in the words of the schema's checker."""

from __future__ import annotations

import re

import pytest

from tests.vcdsim.talk import NS, VCLOUD, Talk, instantiate_body, instantiate_path, sourced_item
from vcdsim import Simulator
from vcdsim.api import schema, schema_types, xml
from vcdsim.refusals import RefusalError


def verdict(body: str, version: tuple[int, int] = (36, 0)) -> str | None:
    """What is wrong with the body, None if nothing."""
    name = re.findall(r"\w+", body)[0]
    text = body.replace(name, f'{name} xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}"', 1)
    element = xml.parse(text.encode(), name)
    try:
        schema.check(element, version)
    except RefusalError as refusal:
        return refusal.message.removeprefix("Bad request - Unexpected JAXB Exception - ")
    return None


def test_every_line_of_the_table_can_be_read() -> None:
    for name in schema_types.TYPES:
        assert verdict(f"<{name}/>") is None or "cvc-complex-type" in (verdict(f"<{name}/>") or "")


def test_an_element_out_of_order_is_named_with_what_may_stand_there() -> None:
    body = "<VmCapabilities><CpuHotAddEnabled>true</CpuHotAddEnabled><MemoryHotAddEnabled/></VmCapabilities>"
    assert verdict(body) == (
        "cvc-complex-type.2.4.d: Invalid content was found starting with element 'MemoryHotAddEnabled'. "
        "No child element is expected at this point."
    )
    body = "<LeaseSettingsSection><ovf:Info/><StorageLeaseInSeconds>0</StorageLeaseInSeconds>"
    body += "<DeploymentLeaseInSeconds>0</DeploymentLeaseInSeconds></LeaseSettingsSection>"
    assert verdict(body) == (
        "cvc-complex-type.2.4.a: Invalid content was found starting with element 'DeploymentLeaseInSeconds'. One of "
        f'\'{{"{VCLOUD}":DeploymentLeaseExpiration, "{VCLOUD}":StorageLeaseExpiration}}\' is expected.'
    )


def test_something_missing_is_named() -> None:
    assert verdict("<RecomposeVAppParams><SourcedItem/></RecomposeVAppParams>") == (
        "cvc-complex-type.2.4.b: The content of element 'SourcedItem' is not complete. "
        f"One of '{{\"{VCLOUD}\":Source}}' is expected."
    )
    assert verdict("<DiskAttachOrDetachParams><Disk/></DiskAttachOrDetachParams>") == (
        "cvc-complex-type.4: Attribute 'href' must appear on element 'Disk'."
    )


@pytest.mark.parametrize(
    ("body", "before", "since"),
    [
        ("<SourcedItem><Source href='x'/><VmGeneralParams/></SourcedItem>", (5, 5), (5, 6)),
        ("<ComposeVAppParams><CreateItem name='x'/></ComposeVAppParams>", (27, 0), (30, 0)),
        ("<Configuration><FenceMode>isolated</FenceMode><Connected>true</Connected></Configuration>", (32, 0), (33, 0)),
    ],
)
def test_an_element_appears_with_its_version(body: str, before: tuple[int, int], since: tuple[int, int]) -> None:
    assert "Invalid content was found" in (verdict(body, before) or "")
    assert verdict(body, since) is None


def test_an_element_goes_with_its_version() -> None:
    inside = "<Source href='x'/><SourcedVmInstantiationParams><Source href='y'/></SourcedVmInstantiationParams>"
    body = f"<InstantiateVAppTemplateParams>{inside}</InstantiateVAppTemplateParams>"
    assert verdict(body, (30, 0)) is None
    assert "SourcedVmInstantiationParams" in (verdict(body, (31, 0)) or "")


def test_every_section_of_the_schema_may_be_in_a_body_from_its_version_on() -> None:
    sections = "<NetworkConnectionSection><ovf:Info/></NetworkConnectionSection><ovf:EulaSection/>"
    body = f"<InstantiationParams>{sections}<VmSpecSection/></InstantiationParams>"
    assert "starting with element 'VmSpecSection'" in (verdict(body, (27, 0)) or "")
    assert verdict(body.replace("<VmSpecSection/>", ""), (27, 0)) is None
    assert "element 'VmSpecSection' is not complete" in (verdict(body, (29, 0)) or "")


def test_an_element_may_move_with_its_version() -> None:
    early = "<RecomposeVAppParams><CreateItem name='x'/><AllEULAsAccepted/></RecomposeVAppParams>"
    late = "<RecomposeVAppParams><AllEULAsAccepted/><CreateItem name='x'/></RecomposeVAppParams>"
    assert (verdict(early, (30, 0)), verdict(late, (29, 0))) == (None, None)
    assert "AllEULAsAccepted" in (verdict(early, (29, 0)) or "")
    assert "CreateItem" in (verdict(late, (30, 0)) or "")


def test_an_element_may_not_come_twice_where_once_is_meant() -> None:
    body = "<UndeployVAppParams><UndeployPowerAction/><UndeployPowerAction/></UndeployVAppParams>"
    assert "cvc-complex-type.2.4.d" in (verdict(body) or "")


def test_a_wrong_element_deep_inside_is_found(sim: Simulator, talk: Talk) -> None:
    item = sourced_item(sim, "web", network="x").replace("<IsConnected>true</IsConnected>", "<Bogus/>")
    reply = talk.send("POST", instantiate_path(sim), instantiate_body(sim, items=item))
    assert (reply.status, reply.error[0]) == (400, "BAD_REQUEST")
    assert "Unexpected JAXB Exception - cvc-complex-type.2.4.a" in reply.error[1]
    assert "starting with element 'Bogus'" in reply.error[1]


def test_the_body_of_a_snapshot_is_checked_where_there_is_one(talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/action/createSnapshot"
    reply = talk.send("POST", path, f'<CreateSnapshotParams xmlns="{VCLOUD}"><Bogus/></CreateSnapshotParams>')
    assert (reply.status, "starting with element 'Bogus'" in reply.error[1]) == (400, True)
    assert talk.send("POST", path).status == 202


def test_extensions_and_comments_are_passed_over() -> None:
    body = "<UndeployVAppParams><!-- x --><VCloudExtension/><UndeployPowerAction/></UndeployVAppParams>"
    assert verdict(body) is None


def test_the_children_of_an_item_are_in_alphabetical_order() -> None:
    rasd = f'xmlns:r="{NS["rasd"]}"'
    name = "<r:ElementName>x</r:ElementName>"
    good = f"<Item {rasd}>{name}<r:InstanceID>4</r:InstanceID><r:ResourceType>3</r:ResourceType><Link/></Item>"
    assert verdict(good) is None
    bad = good.replace("<Link/>", "<r:Parent>1</r:Parent>")
    assert "starting with element 'Parent'" in (verdict(bad) or "")
    assert "starting with element 'InstanceID'" in (verdict(good.replace(name, "")) or "")


def test_the_vms_within_a_vapp_are_checked_too() -> None:
    body = "<VApp><Children><Vm name='x'><VmCapabilities/><Description/></Vm></Children></VApp>"
    assert "starting with element 'Description'" in (verdict(body) or "")

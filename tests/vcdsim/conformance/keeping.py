"""Independent disks, metadata, owners, control access, product sections: what is kept beside the machines."""

from tests.vcdsim.conformance.official import Version
from tests.vcdsim.conformance.steps import must, see
from tests.vcdsim.talk import BASE, NS, VCLOUD, Talk, id_of

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_VALUE = '<TypedValue xsi:type="MetadataStringValue"><Value>of a test</Value></TypedValue>'


def keep(talk: Talk, version: Version) -> None:
    """Each of them, through its life."""
    _disks(talk, version)
    _metadata(talk)
    _sharing(talk)
    _leases(talk)
    _media(talk)
    vm = talk.vm("shop-db")
    assert talk.send("POST", f"{vm}/screen/action/acquireTicket").status == 200
    see(talk, vm, f"{vm}/runtimeInfoSection", "/api/disks/query")
    network = id_of(talk.sim, "networks", "acme-net")
    see(talk, *(f"/api/{tree}/{network}/allocatedAddresses" for tree in ("network", "admin/network")))
    if version >= (33, 0):
        path = f"/cloudapi/1.0.0/orgVdcNetworks/urn:vcloud:network:{network}/allocatedIpAddresses"
        assert talk.send("GET", path).status == 200


def _media(talk: Talk) -> None:
    path = f"/api/media/{id_of(talk.sim, 'media', 'rescue.iso')}"
    body = f'<MediaInsertOrEjectParams xmlns="{VCLOUD}"><Media href="{BASE}{path}"/></MediaInsertOrEjectParams>'
    see(talk, path, "/api/query?type=media", f"{path}/metadata")
    must(talk, "POST", f"{talk.vm('accounting')}/media/action/insertMedia", body)
    see(talk, talk.vm("accounting"))
    must(talk, "POST", f"{talk.vm('accounting')}/media/action/ejectMedia", body)
    provider = Talk(talk.sim, "catalog-admin@provider", version=talk.version)
    must(provider, "DELETE", path)


def _leases(talk: Talk) -> None:
    """A vApp that runs on a lease, is stopped at its end, expires, and is renewed."""
    lease = "<DeploymentLeaseInSeconds>300</DeploymentLeaseInSeconds><StorageLeaseInSeconds>300</StorageLeaseInSeconds>"
    body = f'<LeaseSettingsSection xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}"><ovf:Info/>{lease}</LeaseSettingsSection>'
    vapp = talk.vapp("build")
    must(talk, "PUT", f"{vapp}/leaseSettingsSection", body)
    see(talk, vapp, "/api/query?type=vApp")
    for _ in range(2):
        talk.sim.advance(310)
        talk.sim.settle()
        see(talk, vapp, "/api/query?type=vApp")
    must(talk, "PUT", f"{vapp}/leaseSettingsSection", body.replace("300", "0"))
    see(talk, vapp)


def _disks(talk: Talk, version: Version) -> None:
    size = f'{"sizeMb" if version >= (33, 0) else "size"}="%d"'
    size, more = (size % (number if version >= (33, 0) else number * 2**20) for number in (1024, 2048))
    disk = f'<Disk name="data" {size} busType="6" busSubType="lsilogic"/>'
    vdc = f"/api/vdc/{id_of(talk.sim, 'vdcs', 'acme-vdc')}"
    must(talk, "POST", f"{vdc}/disk", f'<DiskCreateParams xmlns="{VCLOUD}">{disk}</DiskCreateParams>')
    path = f"/api/disk/{id_of(talk.sim, 'disks', 'data')}"
    must(talk, "PUT", path, f'<Disk xmlns="{VCLOUD}" name="data" {more}><Description>grown</Description></Disk>')
    body = f'<DiskAttachOrDetachParams xmlns="{VCLOUD}"><Disk href="{BASE}{path}"/></DiskAttachOrDetachParams>'
    must(talk, "POST", f"{talk.vm('accounting')}/disk/action/attach", body)
    see(talk, path, vdc, talk.vm("accounting"), "/api/query?type=disk", "/api/query?type=vmDiskRelation")
    must(talk, "POST", f"{talk.vm('accounting')}/disk/action/detach", body)
    assert talk.send("PUT", f"{path}/owner", _owner(talk)).status == 204
    see(talk, path)
    must(talk, "DELETE", path)


def _metadata(talk: Talk) -> None:
    entry = f"<MetadataEntry><Key>note</Key>{_VALUE}</MetadataEntry>"
    root = f'xmlns="{VCLOUD}" xmlns:xsi="{_XSI}"'
    provider = Talk(talk.sim, "administrator@System", version=talk.version)
    path = f"{talk.vm('accounting')}/metadata"
    must(talk, "POST", path, f"<Metadata {root}>{entry}</Metadata>")
    must(talk, "PUT", f"{path}/other", f"<MetadataValue {root}>{_VALUE}</MetadataValue>")
    domain = '<Domain visibility="READONLY">SYSTEM</Domain>'
    must(provider, "PUT", f"{path}/SYSTEM/mark", f"<MetadataValue {root}>{domain}{_VALUE}</MetadataValue>")
    see(talk, path, f"{path}/note", f"{path}/SYSTEM/mark", "/api/query?type=vm&fields=name,metadata:note")
    must(talk, "DELETE", f"{path}/note")
    must(provider, "DELETE", f"{path}/SYSTEM/mark")


def _sharing(talk: Talk) -> None:
    vapp = talk.vapp("accounting")
    subject = f'<Subject href="{_user(talk)}"/><AccessLevel>Change</AccessLevel>'
    settings = f"<AccessSettings><AccessSetting>{subject}</AccessSetting></AccessSettings>"
    inside = (
        f"<IsSharedToEveryone>true</IsSharedToEveryone><EveryoneAccessLevel>ReadOnly</EveryoneAccessLevel>{settings}"
    )
    body = f'<ControlAccessParams xmlns="{VCLOUD}">{inside}</ControlAccessParams>'
    assert talk.send("POST", f"{vapp}/action/controlAccess", body).status == 200
    assert talk.send("PUT", f"{vapp}/owner", _owner(talk)).status == 204
    provider = Talk(talk.sim, "administrator@System", version=talk.version)
    catalog = f"/api/org/{id_of(talk.sim, 'orgs', 'provider')}/catalog/{id_of(talk.sim, 'catalogs', 'templates')}"
    everyone = "<IsSharedToEveryone>false</IsSharedToEveryone>"
    everyone = f'<ControlAccessParams xmlns="{VCLOUD}">{everyone}</ControlAccessParams>'
    assert provider.send("POST", f"{catalog}/action/controlAccess", everyone).status == 200
    see(provider, f"{catalog}/controlAccess")
    section = "<ovf:ProductSection><ovf:Info>of a test</ovf:Info><ovf:Product>x</ovf:Product></ovf:ProductSection>"
    body = f'<ProductSectionList xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}">{section}</ProductSectionList>'
    must(talk, "PUT", f"{vapp}/productSections", body)
    see(talk, vapp)


def _user(talk: Talk) -> str:
    return f"{BASE}/api/admin/user/{id_of(talk.sim, 'users', 'acme-admin')}"


def _owner(talk: Talk) -> str:
    return f'<Owner xmlns="{VCLOUD}"><User href="{_user(talk)}"/></Owner>'

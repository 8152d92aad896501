"""What the schemas of API 30.0 do not say: what came later, and where real vCDs differ from them."""

import re
from dataclasses import dataclass

from lxml import etree

from tests.vcdsim.conformance.official import Version, record_attributes

NEWEST_SCHEMA: Version = (30, 0)

#: Elements that came after 30.0: (parent or its type, name) and since when, from VMware's reference pages of API 31
#: to 39.1.
NEW_ELEMENTS: dict[tuple[str, str], Version] = {
    ("AdminVdc", "ComputeProviderScope"): (31, 0),
    ("AdminVdc", "DefaultComputePolicy"): (31, 0),
    ("AdminVdc", "IncludeMemoryOverhead"): (32, 0),
    ("AdminVdc", "IsElastic"): (32, 0),
    ("AdminVdc", "MaxComputePolicy"): (32, 0),
    ("AdminVdc", "NetworkProviderScope"): (31, 0),
    ("AdminVdc", "NetworkingTenancyEnabled"): (38, 1),
    ("AdminVdc", "VappNatTypeReflexiveEnabled"): (38, 0),
    ("AdminVdc", "VappNetworkStandbyEnabled"): (38, 0),
    ("Capacity", "ReservationUsed"): (35, 0),
    ("Configuration", "Connected"): (33, 0),
    ("Configuration", "DualStackNetwork"): (34, 0),
    ("Configuration", "ServiceInterface"): (36, 2),
    ("CreateVdcParams", "DefaultComputePolicy"): (32, 0),
    ("CreateVdcParams", "IncludeMemoryOverhead"): (32, 0),
    ("CreateVdcParams", "IsElastic"): (32, 0),
    ("CreateVdcParams", "MaxComputePolicy"): (32, 0),
    ("CreateVdcParams", "NetworkingTenancyEnabled"): (38, 1),
    ("CreateVdcParams", "VappNatTypeReflexiveEnabled"): (38, 0),
    ("CreateVdcParams", "VappNetworkStandbyEnabled"): (38, 0),
    ("Disk", "IopsAllocation"): (37, 0),
    ("DiskSettings", "IopsAllocation"): (37, 0),
    ("DiskSettings", "encrypted"): (34, 0),
    ("DiskSettings", "resizable"): (34, 0),
    ("DiskSettings", "shareable"): (35, 0),
    ("DiskSettings", "sharingType"): (35, 0),
    ("InstantiateVmTemplateParams", "ComputePolicy"): (33, 0),
    ("IpScope", "SubnetPrefixLength"): (31, 0),
    ("NetworkConnection", "IpType"): (34, 0),
    ("NetworkConnection", "SecondaryIpAddress"): (34, 0),
    ("NetworkConnection", "SecondaryIpAddressAllocationMode"): (34, 0),
    ("NetworkConnection", "SecondaryIpType"): (34, 0),
    ("OrgGeneralSettings", "CanPublishToManagedOrgs"): (39, 0),
    ("SourcedItem", "ComputePolicy"): (33, 0),
    ("SourcedItem", "ReplaceTpm"): (37, 2),
    ("SourcedItem", "VdcComputePolicy"): (31, 0),
    ("SourcedVmTemplateItem", "ComputePolicy"): (33, 0),
    ("SourcedVmTemplateItem", "ReplaceTpm"): (37, 2),
    ("SourcedVmTemplateItem", "VdcComputePolicy"): (31, 0),
    ("Task", "TaskSteps"): (37, 0),
    ("Task", "VcTaskList"): (33, 0),
    ("VdcStorageProfileParams", "InheritPvdcDefaultSettings"): (35, 0),
    ("Vm", "ComputePolicy"): (33, 0),
    ("Vm", "ComputePolicyCompliance"): (33, 0),
    ("Vm", "IsComputePolicyCompliant"): (33, 0),
    ("Vm", "IsVAppConfigRemoved"): (37, 2),
    ("Vm", "ReplicationTrackingDiskSection"): (37, 2),
    ("Vm", "ReplicationTrackingSettings"): (37, 1),
    ("Vm", "TrustedPlatformModule"): (37, 2),
    ("Vm", "VdcComputePolicy"): (31, 0),
    ("VmSpecSection", "Firmware"): (37, 1),
}
#: Elements that went after 30.0: (type, name) and since when, from the same pages.
OLD_ELEMENTS: dict[tuple[str, str], Version] = {
    ("CloneVAppParams", "SourcedVmInstantiationParams"): (31, 0),
    ("Configuration", "AdvancedNetworkingEnabled"): (31, 0),
    ("DiskSettings", "iops"): (37, 0),
    ("InstantiateVAppTemplateParams", "SourcedVmInstantiationParams"): (31, 0),
    ("User", "AlertEmail"): (31, 0),
    ("User", "AlertEmailPrefix"): (31, 0),
    ("User", "IsAlertEnabled"): (31, 0),
    ("User", "IsDefaultCached"): (31, 0),
}
#: Elements that stood elsewhere than the schemas of 30.0 say: (type, name), in the references of these versions.
MOVED_ELEMENTS: dict[tuple[str, str], tuple[Version, ...]] = {("RecomposeVAppParams", "CreateItem"): ((27, 0), (29, 0))}
#: Attributes that came after 30.0, of elements that are not query records.
NEW_ATTRIBUTES: dict[tuple[str, str], Version] = {
    ("Disk", "sizeMb"): (33, 0),
    ("DiskCreateParams", "sizeMb"): (33, 0),
}
#: Attributes of records that no reference names and that recordings of real vCDs show nevertheless.
RECORDED_ATTRIBUTES = {
    "VMRecord": {"isVdcEnabled", "pvdcHighestSupportedHardwareVersion", "vmToolsVersion"},
    "VAppRecord": {
        *("autoUndeployDate", "cpuAllocationInMhz", "cpuAllocationMhz", "honorBootOrder", "isAutoDeleteNotified"),
        *("isVdcEnabled", "lowestHardwareVersionInVApp", "memoryAllocationMB", "numberOfCpus", "numberOfVMs"),
        "storageKB",
    },
}
_RECORDED_TASK = {"task", "taskDetails", "taskStatus", "taskStatusName"}


@dataclass(frozen=True)
class Deviation:
    """Something the schemas refuse and a real vCD does, from `since` to `until` (included); `source` says which."""

    words: str
    source: str
    since: Version = (0, 0)
    until: Version = (39, 1)


KNOWN_DEVIATIONS = (
    Deviation(
        r"/Session/AuthorizedLocations/Location: missing required attribute 'name'",
        source="login answers of vCD 9.1 and later in the tests of go-vcloud-director: no name, no href",
    ),
    Deviation(
        r"/Session/AuthorizedLocations/Location: Unexpected child .*LocationName' at position 1\. .*",
        source="the schema: the element that has to stand before it, LocationId, came with 30.0",
        until=(29, 0),
    ),
    Deviation(
        r".*/Disk: missing required attribute 'size'",
        source="the reference of API 33.0: sizeMb took the place of size",
        since=(33, 0),
    ),
)


def is_known_deviation(words: str, version: Version) -> bool:
    """Whether a real vCD of this version was seen to do it too."""
    return any(one.since <= version <= one.until and re.fullmatch(one.words, words) for one in KNOWN_DEVIATIONS)


def take_newer_out(root: etree._Element, version: Version) -> None:
    """Remove what came after 30.0 and is known in this version; anything else stays for the schemas to refuse."""
    for element in list(root.iter("*")):
        name, parent = etree.QName(element).localname, element.getparent()
        for key in list(element.attrib):
            since = NEW_ATTRIBUTES.get((name, str(key)))
            if since is not None and since <= version:
                del element.attrib[key]
        if parent is not None:
            since = NEW_ELEMENTS.get((etree.QName(parent).localname, name))
            if since is not None and since <= version:
                parent.remove(element)


def unknown_in_record(record: str, attributes: set[str], version: Version) -> set[str]:
    """Attributes a record must not have in this version. The schemas allow any, so this is by the tables."""
    known = record_attributes().get(record)
    if known is None:
        return set()
    alive = {name for name, since in known.items() if since <= version}
    recorded = RECORDED_ATTRIBUTES.get(record.removeprefix("Admin"), set())
    return attributes - alive - recorded - _RECORDED_TASK - {"href", "id", "type"}

"""The order of elements of every request body, by API version. The notation is that of `schema`."""

from __future__ import annotations

#: What may stand where the schema says "an OVF section", at all versions.
_SECTIONS = (
    "ovf:AnnotationSection=Any|ovf:DeploymentOptionSection=Any|ovf:DiskSection=Any|ovf:EulaSection=Any|"
    "ovf:InstallSection=Any|ovf:NetworkSection|ovf:OperatingSystemSection|ovf:ProductSection|"
    "ovf:ResourceAllocationSection=Any|ovf:StartupSection|ovf:VirtualHardwareSection|vmw:BootOrderSection=Any|"
    "vmw:CpuCompatibilitySection=Any|vmw:IpAssignmentSection=Any|vmw:StorageGroupSection=Any|vmw:StorageSection=Any|"
    "CustomizationSection=Any|DefaultStorageProfileSection=Any|GuestCustomizationSection|LeaseSettingsSection|"
    "NetworkConfigSection|NetworkConnectionSection|RuntimeInfoSection=Any|SnapshotSection"
)
_SECTIONS_13 = f"{_SECTIONS}|GuestCustomizationStatusSection=Any"
_ANY_SECTIONS = f"{_SECTIONS}*<13.0 {_SECTIONS_13}*@13.0<29.0 {_SECTIONS_13}|VmSpecSection*@29.0"
_CREATION = "Description? VAppParent=Reference? InstantiationParams?"
_ENTITY = "Link* Description? Tasks=Any?"
_ITEM_START = "Source=Reference VmGeneralParams?@5.6"
_ITEM_END = (
    "StorageProfile=Reference?@5.1 VdcComputePolicy=Reference?@31.0 ComputePolicy=Any?@33.0 LocalityParams?@5.6 "
    "VmCapabilities?@5.6 ReplaceTpm?@37.2"
)

#: The children every CIM item may have, in the schema's (alphabetical) order.
_RASD = (
    "Address AddressOnParent AllocationUnits AutomaticAllocation AutomaticDeallocation Caption ChangeableType "
    "ConfigurationName Connection* ConsumerVisibility Description ElementName! Generation HostResource* InstanceID! "
    "Limit MappingBehavior OtherResourceType Parent PoolID Reservation ResourceSubType ResourceType VirtualQuantity "
    "VirtualQuantityUnits Weight"
)
#: The same for the system they belong to.
_VSSD = (
    "AutomaticRecoveryAction AutomaticShutdownAction AutomaticStartupAction AutomaticStartupActionDelay "
    "AutomaticStartupActionSequenceNumber Caption ChangeableType ConfigurationDataRoot ConfigurationFile "
    "ConfigurationID ConfigurationName CreationTime Description ElementName! Generation InstanceID! LogDataRoot "
    "Notes* RecoveryFile SnapshotDataRoot SuspendDataRoot SwapFileDataRoot VirtualSystemIdentifier VirtualSystemType"
)


def _cim(prefix: str, names: str) -> str:
    """The children of a CIM type: `!` marks those that must be there, the others may."""
    return " ".join(f"{prefix}:{name.rstrip('!')}" + "?" * name.isalpha() for name in names.split())


_CREATING = {
    "InstantiateVAppTemplateParams": f"{_CREATION} Source=Reference IsSourceDelete? "
    "SourcedVmInstantiationParams*@5.1<31.0 SourcedItem*@5.6 AllEULAsAccepted?",
    "ComposeVAppParams": f"{_CREATION} SourcedItem* CreateItem=Vm*@30.0 AllEULAsAccepted?",
    "RecomposeVAppParams": f"{_CREATION} SourcedItem* CreateItem=Vm*@30.0 AllEULAsAccepted? CreateItem=Vm*@27.0<30.0 "
    "DeleteItem=Reference* ReconfigureItem=Vm*@5.7",
    "CloneVAppParams": f"{_CREATION} Source=Reference IsSourceDelete? SourcedVmInstantiationParams*@5.1<31.0 "
    "SourcedItem*@5.6",
    "InstantiateVmTemplateParams": "Description? SourcedVmTemplateItem?@29.0 AllEULAsAccepted? ComputePolicy=Any?@33.0",
    "CreateVmParams": "Description? CreateVm=Vm Media=Reference?",
    "SourcedVmTemplateItem": f"{_ITEM_START} VmTemplateInstantiationParams=InstantiationParams? {_ITEM_END}",
    "SourcedItem": f"{_ITEM_START} VAppScopedLocalId? InstantiationParams? NetworkAssignment* {_ITEM_END}",
    "SourcedVmInstantiationParams": "Source=Reference StorageProfile=Reference? LocalityParams? "
    "HardwareCustomization=Any?@5.5",
    "VmGeneralParams": "Name?@5.6 Description?@5.6 NeedsCustomization?@5.6 RegenerateBiosUuid?@29.0",
    "InstantiationParams": _ANY_SECTIONS,
    "NetworkAssignment": ".innerNetwork .containerNetwork",
}
_ENTITIES = {
    "VApp": f"{_ENTITY} Files=Any? VAppParent=Reference? {_ANY_SECTIONS} DateCreated?@5.1 Owner? autoNature?@22.0 "
    "InMaintenanceMode? Children?",
    "Vm": f".name {_ENTITY} Files=Any? VAppParent=Reference? {_ANY_SECTIONS} DateCreated?@5.1 VAppScopedLocalId? "
    "ovfenv:Environment=Any? VmCapabilities?@5.1 StorageProfile=Reference?@5.1 VdcComputePolicy=Reference?@31.0 "
    "ComputePolicy=Any?@33.0 ComputePolicyCompliance=Any?@33.0 IsComputePolicyCompliant?@33.0 "
    "BootOptions=Any?@21.0 Media=Reference?@30.0 ReplicationTrackingDiskSection=Any?@37.2 "
    "ReplicationTrackingSettings=Any?@37.1 TrustedPlatformModule=Any?@37.2 IsVAppConfigRemoved?@37.2",
    "Children": "VApp* Vm*",
    "Reference": ".href",
    "Owner": "Link* User=Reference",
}
_VM_SECTIONS = {
    "VirtualHardwareSection": "ovf:Info ovf:System? ovf:Item* %any*",
    "System": f"{_cim('vssd', _VSSD)} %any*",
    "Item": f"{_cim('rasd', _RASD)} %any*",
    "RasdItemsList": "Link* Item*",
    "OperatingSystemSection": "ovf:Info ovf:Description? %any*",
    "NetworkConnectionSection": "ovf:Info PrimaryNetworkConnectionIndex? NetworkConnection* Link* %any*",
    "NetworkConnection": ".network NetworkConnectionIndex IpAddress? IpType?@34.0 SecondaryIpAddress?@34.0 "
    "SecondaryIpType?@34.0 ExternalIpAddress? IsConnected MACAddress? IpAddressAllocationMode "
    "SecondaryIpAddressAllocationMode?@34.0 NetworkAdapterType?@5.11",
    "GuestCustomizationSection": "ovf:Info Enabled? ChangeSid? VirtualMachineId? JoinDomainEnabled? UseOrgSettings? "
    "DomainName? DomainUserName? DomainUserPassword? MachineObjectOU?@5.1 AdminPasswordEnabled? "
    "AdminPasswordAuto? AdminPassword? AdminAutoLogonEnabled?@5.5 AdminAutoLogonCount?@5.5 "
    "ResetPasswordRequired? CustomizationScript? ComputerName? Link* %any*",
    "VmSpecSection": "ovf:Info OsType? Firmware?@37.1 NumCpus? NumCoresPerSocket? CpuResourceMhz=ComputeResource? "
    "MemoryResourceMb=ComputeResource? MediaSection=Any? DiskSection? HardwareVersion VmToolsVersion? "
    "ToolsGuestOsId? VirtualCpuType? TimeSyncWithHost?",
    "ComputeResource": "Configured Reservation? Limit? SharesLevel? Shares?",
    "DiskSection": "DiskSettings*",
    "DiskSettings": "DiskId? SizeMb UnitNumber BusNumber AdapterType ThinProvisioned Disk=Reference? "
    "StorageProfile=Reference? overrideVmDefault? iops?<37.0 IopsAllocation=Any?@37.0 VirtualQuantityUnit? "
    "VirtualQuantity? resizable?@34.0 encrypted?@34.0 shareable?@35.0 sharingType?@35.0",
    "VmCapabilities": "Link* MemoryHotAddEnabled?@5.1 CpuHotAddEnabled?@5.1",
}
_VAPP_SECTIONS = {
    "LeaseSettingsSection": "ovf:Info Link* DeploymentLeaseInSeconds? StorageLeaseInSeconds? "
    "DeploymentLeaseExpiration? StorageLeaseExpiration? %any*",
    "StartupSection": "ovf:Info ovf:Item=StartupItem* %any*",
    "NetworkSection": "ovf:Info ovf:Network* %any*",
    "SnapshotSection": "ovf:Info Link* Snapshot? %any*",
    "ProductSectionList": "Link* ovf:ProductSection*",
    "ProductSection": "ovf:Info ovf:Product? ovf:Vendor? ovf:Version? ovf:FullVersion? ovf:ProductUrl? "
    "ovf:VendorUrl? ovf:AppUrl? ovf:Icon* ovf:Category|ovf:Property=Any* %any*",
    "NetworkConfigSection": "ovf:Info Link* NetworkConfig* %any*",
    "NetworkConfig": ".networkName Link* Description? Configuration IsDeployed?",
    "Configuration": "BackwardCompatibilityMode?@5.1 IpScope?<5.1 IpScopes?@5.1 ParentNetwork=Reference? FenceMode "
    "RetainNetInfoAcrossDeployments? Features? SyslogServerSettings=Any? RouterInfo? "
    "AdvancedNetworkingEnabled?@22.0<31.0 SubInterface?@27.0 DistributedInterface?@29.0 ServiceInterface?@36.2 "
    "GuestVlanAllowed?@29.0 Connected?@33.0 DualStackNetwork?@34.0",
    "IpScopes": "IpScope*",
    "IpScope": "IsInherited Gateway? Netmask? SubnetPrefixLength?@31.0 Dns1? Dns2? DnsSuffix? IsEnabled?@5.1 "
    "IpRanges? AllocatedIpAddresses=Any? SubAllocations=Any?@5.1",
    "IpRanges": "IpRange*",
    "IpRange": "StartAddress EndAddress",
    "RouterInfo": "ExternalIp",
    "Features": "DhcpService=Any|FirewallService=Any|NatService|StaticRoutingService=Any|IpsecVpnService=Any|"
    "GatewayDhcpService=Any|GatewayIpsecVpnService=Any|LoadBalancerService=Any*",
    "NatService": "IsEnabled? NatType? Policy? NatRule* ExternalIp?@5.1",
    "NatRule": "Description? RuleType?@5.1 IsEnabled?@5.1 Id?@5.1 "
    "GatewayNatRule=Any|OneToOneBasicRule=Any|OneToOneVmRule|PortForwardingRule=Any|VmRule",
    "OneToOneVmRule": "MappingMode ExternalIpAddress? VAppScopedVmId VmNicId",
    "VmRule": "ExternalIpAddress? ExternalPort VAppScopedVmId VmNicId InternalPort Protocol",
}
_ACTIONS = {
    "DeployVAppParams": "",
    "UndeployVAppParams": "UndeployPowerAction?",
    "CreateSnapshotParams": "Description?",
    "DiskAttachOrDetachParams": "Disk=Reference BusNumber? UnitNumber?",
    "MediaInsertOrEjectParams": "Media=Reference?",
    "DiskCreateParams": "Disk Locality=Reference?",
    "Disk": f".name {_ENTITY} Files=Any? StorageProfile=Reference?@5.1 Owner?@5.1 IopsAllocation=Any?@37.0",
    "Metadata": "Link* MetadataEntry*",
    "MetadataEntry": "Link* Domain? Key Value?<5.1 TypedValue?@5.1",
    "MetadataValue": "Link* Domain? Value?<5.1 TypedValue?@5.1",
    "TypedValue": "Value",
    "ControlAccessParams": "IsSharedToEveryone EveryoneAccessLevel? AccessSettings?",
    "AccessSettings": "AccessSetting+",
    "AccessSetting": "Subject=Reference<27.0 Subject=Reference|ExternalSubject=Any@27.0 AccessLevel",
}
_ADMINISTRATION = {
    "AdminOrg": f".name {_ENTITY} FullName IsEnabled? Settings=OrgSettings Users=Any? Groups=Any? Catalogs=Any? "
    "Vdcs=Any? VdcTemplates=Any?@5.7 Networks=Any? OrgAssociations=Any?@29.0 RightReferences=Any?@27.0 "
    "RoleReferences=Any?@27.0 RoleTemplateReferences=Any?",
    "OrgSettings": "Link* OrgGeneralSettings? VAppLeaseSettings? VAppTemplateLeaseSettings=Any? OrgLdapSettings=Any? "
    "OrgEmailSettings=Any? OrgPasswordPolicySettings=Any? OrgOperationLimitsSettings=Any?@5.1 "
    "OrgFederationSettings=Any?@5.1 OrgOAuthSettings=Any?@9.0",
    "OrgGeneralSettings": "Link* CanPublishCatalogs? CanPublishExternally?@5.5 CanSubscribe?@5.5 DeployedVMQuota? "
    "StoredVmQuota? UseServerBootSequence? DelayAfterPowerOnSeconds? VdcQuota?@6.0 VmDiscoveryEnabled?@27.0 "
    "CanPublishToManagedOrgs?@39.0",
    "VAppLeaseSettings": "Link* DeleteOnStorageLeaseExpiration? DeploymentLeaseSeconds? StorageLeaseSeconds? "
    "PowerOffOnRuntimeLeaseExpiration?@27.0",
    "CreateVdcParams": "Description? AllocationModel@5.1 ComputeCapacity@5.1 NicQuota? NetworkQuota? VmQuota? "
    "IsEnabled? VdcStorageProfile=VdcStorageProfileParams+ ResourceGuaranteedMemory? ResourceGuaranteedCpu? "
    "VCpuInMhz? IsThinProvision? "
    "NetworkPoolReference=Reference? ProviderVdcReference=Reference? ResourcePoolRefs=Any?@27.0 "
    "UsesFastProvisioning? OverCommitAllowed?@5.5 VmDiscoveryEnabled?@27.0 "
    "DefaultComputePolicy=Reference?@32.0 MaxComputePolicy=Reference?@32.0 IsElastic?@32.0 "
    "IncludeMemoryOverhead?@32.0 VappNetworkStandbyEnabled?@38.0 VappNatTypeReflexiveEnabled?@38.0 "
    "NetworkingTenancyEnabled?@38.1",
    "AdminVdc": ".name Link* Description? Tasks=Any? ComputeProviderScope?@31.0 NetworkProviderScope?@31.0 "
    "AllocationModel? ComputeCapacity? ResourceEntities=Any? AvailableNetworks=Any? Capabilities=Any? NicQuota? "
    "NetworkQuota? UsedNetworkCount?@5.1 VmQuota? IsEnabled? VdcStorageProfiles=Any?@5.1 "
    "DefaultComputePolicy=Reference?@31.0 MaxComputePolicy=Reference?@32.0 VCpuInMhz2?@5.7 "
    "ResourceGuaranteedMemory? ResourceGuaranteedCpu? VCpuInMhz? IsThinProvision? NetworkPoolReference=Reference? "
    "VendorServices=Any?@5.1 ProviderVdcReference=Reference? ResourcePoolRefs=Any?@27.0 UsesFastProvisioning? "
    "OverCommitAllowed?@5.5 VmDiscoveryEnabled?@27.0 UniversalNetworkPoolReference=Reference? IsElastic?@32.0 "
    "IncludeMemoryOverhead?@32.0 VappNetworkStandbyEnabled?@38.0 VappNatTypeReflexiveEnabled?@38.0 "
    "NetworkingTenancyEnabled?@38.1",
    "ComputeCapacity": "Cpu=Capacity Memory=Capacity",
    "Capacity": "Units Allocated? Limit Reserved?@5.1 Used? Overhead?<30.0 ReservationUsed?@35.0",
    "VdcStorageProfileParams": "Enabled? Units Limit Default IopsSettings=Any?@9.0 InheritPvdcDefaultSettings?@35.0 "
    "ProviderVdcStorageProfile=Reference",
    "User": f".name {_ENTITY} FullName? EmailAddress? Telephone? IsEnabled? IsLocked? IM? NameInSource? "
    "IsAlertEnabled?<31.0 AlertEmailPrefix?<31.0 AlertEmail?<31.0 IsExternal? ProviderType?@5.1 "
    "IsDefaultCached?<31.0 IsGroupRole? "
    "StoredVmQuota? DeployedVmQuota? Role=Reference? Password? GroupReferences=Any?",
    "Role": f".name {_ENTITY} RightReferences=Any?",
}

TYPES = {**_CREATING, **_ENTITIES, **_VM_SECTIONS, **_VAPP_SECTIONS, **_ACTIONS, **_ADMINISTRATION}

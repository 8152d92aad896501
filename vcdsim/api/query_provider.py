"""Attributes of the records of edge gateways and of the provider VDC."""

from __future__ import annotations

from vcdsim import provider
from vcdsim.api.query_columns import Column, constant, plain

GATEWAY = {
    "name": plain("name"),
    "vdc": Column(lambda _, one: one.vdc.id, kind="vdc"),
    "numberOfExtNetworks": Column(constant(1)),
    "numberOfOrgNetworks": Column(lambda _, one: len(one.networks)),
    "isBusy": Column(constant(False)),
    "orgVdcName": Column(lambda _, one: one.vdc.name, (29, 0)),
    "availableNetCount": Column(lambda _, one: 9 - len(one.networks), (29, 0)),
    "gatewayStatus": Column(constant("READY")),
    "haStatus": Column(constant("DISABLED")),
    "advancedNetworkingEnabled": Column(constant(False), (9, 0)),
    "distributedRoutingEnabled": Column(constant(False), (29, 0)),
}
PROVIDER_VDC = {
    "name": plain("name"),
    "isEnabled": Column(constant(True)),
    "isDeleted": Column(constant(False)),
    "vcpuRatingMhz": plain("vcpu_mhz"),
    "cpuUsedMhz": Column(lambda world, _: provider.compute_used(world)[0]),
    "cpuLimitMhz": plain("cpu_mhz"),
    "cpuAllocationMhz": Column(lambda world, _: sum(vdc.cpu_limit_mhz for vdc in world.vdcs.values())),
    "memoryUsedMB": Column(lambda world, _: provider.compute_used(world)[1]),
    "memoryLimitMB": plain("memory_mb"),
    "memoryAllocationMB": Column(lambda world, _: sum(vdc.memory_limit_mb for vdc in world.vdcs.values())),
    "storageUsedMB": Column(lambda world, _: provider.storage_used_mb(world)),
    "storageLimitMB": plain("storage_mb"),
    "storageAllocationMB": Column(lambda world, _: sum(one.limit_mb for one in world.storage_profiles.values())),
    "numberOfDatastores": Column(constant(1)),
    "numberOfVdcs": Column(lambda world, _: len(world.vdcs)),
    "isBusy": Column(constant(False)),
    "status": Column(constant("READY")),
    "numberOfStorageProfiles": Column(constant(1)),
}

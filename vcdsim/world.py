"""The state of a simulated vCloud Director and the look-ups every rule needs.

All dictionaries are keyed by bare id (a UUID, no urn) and keep insertion order, which stands in
for vCD's "database id" order. Rules live beside the nouns: `vapps`, `power`, `hardware`,
`networks`, `snapshots`; the task engine is `tasks`.
"""

from __future__ import annotations

import heapq
import uuid
from dataclasses import dataclass, field

from vcdsim import rights
from vcdsim.clock import Clock
from vcdsim.entities import (
    OFF,
    ON,
    SUSPENDED,
    Catalog,
    IndependentDisk,
    OrgNetwork,
    StorageProfile,
    Task,
    TaskError,
    Template,
    VApp,
    VAppNetwork,
    Vdc,
    Vm,
)
from vcdsim.estate import Media
from vcdsim.people import ApiToken, Org, Role, Session, User
from vcdsim.refusals import no_access

SYSTEM_ORG = "System"

#: vCloud's status integers used here.
FAILED_CREATION, UNRESOLVED, RESOLVED, STATUS_SUSPENDED, POWERED_ON, POWERED_OFF, MIXED = -1, 0, 1, 3, 4, 8, 10
_STATUS_OF_POWER = {ON: POWERED_ON, SUSPENDED: STATUS_SUSPENDED, OFF: POWERED_OFF}


@dataclass
class TaskFault:
    """What happens to the next task that is started: it hangs, fails, waits to be let on, is aborted."""

    stuck: bool = False
    error: TaskError | None = None
    blocked: bool = False
    aborted: bool = False


@dataclass
class World:
    """Everything one simulated vCloud knows. Not thread-safe: callers hold one lock around it."""

    clock: Clock
    orgs: dict[str, Org] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    vdcs: dict[str, Vdc] = field(default_factory=dict)
    storage_profiles: dict[str, StorageProfile] = field(default_factory=dict)
    networks: dict[str, OrgNetwork] = field(default_factory=dict)
    catalogs: dict[str, Catalog] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    template_vms: dict[str, Vm] = field(default_factory=dict)
    vapps: dict[str, VApp] = field(default_factory=dict)
    vms: dict[str, Vm] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    disks: dict[str, IndependentDisk] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    api_tokens: dict[str, ApiToken] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    #: Grows with every change that a saved file must show.
    revision: int = 0
    #: Set by the fault machinery around one request, taken by the next task that starts.
    task_fault: TaskFault | None = None
    mac_count: int = 0
    _leases: list[tuple[float, str]] = field(default_factory=list, repr=False)
    _agenda: list[tuple[float, int, str]] = field(default_factory=list, repr=False)
    _turn: int = field(default=0, repr=False)
    _active: dict[str, str] = field(default_factory=dict, repr=False)

    def now(self) -> float:
        """The present moment."""
        return self.clock.now()

    def changed(self) -> None:
        """Note that something worth saving changed."""
        self.revision += 1

    def new_id(self) -> str:
        """A fresh UUID."""
        return str(uuid.uuid4())

    def new_mac(self) -> str:
        """A fresh address of VMware's own range."""
        self.mac_count += 1
        low = self.mac_count
        return f"00:50:56:{low >> 16 & 0xFF:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"

    # --- the agenda of the task engine

    def schedule(self, moment: float, task_id: str) -> None:
        """Have the task engine look at the task at `moment`."""
        self._turn += 1
        heapq.heappush(self._agenda, (moment, self._turn, task_id))

    def next_due(self) -> float | None:
        """The moment of the next entry of the agenda."""
        return self._agenda[0][0] if self._agenda else None

    def take_due(self, until: float) -> tuple[float, Task] | None:
        """Remove and return the first entry not later than `until`."""
        while self._agenda and self._agenda[0][0] <= until:
            moment, _, task_id = heapq.heappop(self._agenda)
            task = self.tasks.get(task_id)
            if task is not None:
                return moment, task
        return None

    def watch_lease(self, moment: float, vapp: VApp) -> None:
        """Have the leases of the vApp looked at at `moment`."""
        heapq.heappush(self._leases, (moment, vapp.id))

    def take_lease(self, until: float) -> VApp | None:
        """Remove and return the first vApp whose leases are to be looked at not later than `until`."""
        while self._leases and self._leases[0][0] <= until:
            vapp = self.vapps.get(heapq.heappop(self._leases)[1])
            if vapp is not None:
                return vapp
        return None

    def occupy(self, entity_id: str, task_id: str) -> None:
        """The task works on the entity from now on."""
        self._active[entity_id] = task_id

    def release(self, entity_id: str, task_id: str) -> None:
        """The task no longer works on the entity."""
        if self._active.get(entity_id) == task_id:
            del self._active[entity_id]

    def active_task(self, entity_id: str) -> Task | None:
        """The unfinished task working on exactly this entity."""
        task_id = self._active.get(entity_id)
        return self.tasks[task_id] if task_id is not None else None

    def empty_drive(self, vm_id: str) -> None:
        """Take whatever medium is in the drive of the VM out."""
        for medium in self.media.values():
            if vm_id in medium.vm_ids:
                medium.vm_ids.remove(vm_id)

    # --- look-ups that respect who asks

    def sees_all(self, user: User) -> bool:
        """True for users of the org `System`."""
        return self.orgs[user.org_id].name == SYSTEM_ORG

    def vm(self, vm_id: str, user: User) -> Vm:
        """The VM, or the 403 of unknown and foreign ids."""
        vm = self.vms.get(vm_id)
        if vm is None or not self.may_see(user, self.vapps[vm.container_id]):
            raise no_access("vm", vm_id)
        return vm

    def vapp(self, vapp_id: str, user: User) -> VApp:
        """The vApp, or 403."""
        vapp = self.vapps.get(vapp_id)
        if vapp is None or not self.may_see(user, vapp):
            raise no_access("vapp", vapp_id)
        return vapp

    def vdc(self, vdc_id: str, user: User) -> Vdc:
        """The VDC, or 403."""
        vdc = self.vdcs.get(vdc_id)
        if vdc is None or not self._may(user, vdc.org_id):
            raise no_access("vdc", vdc_id)
        return vdc

    def org(self, org_id: str, user: User) -> Org:
        """The organization, or 403."""
        org = self.orgs.get(org_id)
        if org is None or not self._may(user, org.id):
            raise no_access("org", org_id)
        return org

    def network(self, network_id: str, user: User) -> OrgNetwork:
        """The organization network, or 403."""
        network = self.networks.get(network_id)
        if network is None or not self._may(user, network.org_id):
            raise no_access("network", network_id)
        return network

    def vapp_network(self, network_id: str, user: User) -> tuple[VApp, VAppNetwork] | None:
        """The vApp network of that id and its vApp, None if the user sees no such."""
        for vapp in self.vapps.values():
            for network in vapp.networks:
                if network.id == network_id and self.may_see(user, vapp):
                    return vapp, network
        return None

    def catalog(self, catalog_id: str, user: User) -> Catalog:
        """The catalog, also a public one of another organization, or 403."""
        catalog = self.catalogs.get(catalog_id)
        if catalog is None or not (catalog.is_public or self._may(user, catalog.org_id)):
            raise no_access("catalog", catalog_id)
        return catalog

    def template(self, template_id: str, user: User) -> Template:
        """The vApp template, or 403."""
        template = self.templates.get(template_id)
        if template is None or not self._may_use(user, template):
            raise no_access("vapptemplate", template_id)
        return template

    def medium(self, media_id: str, user: User) -> Media:
        """The medium, or 403."""
        medium = self.media.get(media_id)
        if medium is None or not self._may_use(user, medium):
            raise no_access("media", media_id)
        return medium

    def of_item(self, item_id: str, user: User) -> Template | Media:
        """What a catalog item stands for, or 403."""
        for one in self.visible_items(user):
            if one.item_id == item_id:
                return one
        raise no_access("catalogitem", item_id)

    def template_vm(self, vm_id: str, user: User) -> Vm:
        """A VM inside a template, or 403."""
        vm = self.template_vms.get(vm_id)
        if vm is None or not self._may_use(user, self.templates[vm.container_id]):
            raise no_access("vm", vm_id)
        return vm

    def disk(self, disk_id: str, user: User) -> IndependentDisk:
        """The independent disk, or 403."""
        disk = self.disks.get(disk_id)
        if disk is None or not self._may(user, disk.org_id):
            raise no_access("disk", disk_id)
        return disk

    def user(self, user_id: str, user: User) -> User:
        """The user of that id, or 403."""
        found = self.users.get(user_id)
        if found is None or found.is_deleted or not self._may(user, found.org_id):
            raise no_access("user", user_id)
        return found

    def storage_profile(self, profile_id: str, user: User) -> StorageProfile:
        """The storage profile, or 403."""
        profile = self.storage_profiles.get(profile_id)
        if profile is None or not self._may(user, self.vdcs[profile.vdc_id].org_id):
            raise no_access("vdcstorageProfile", profile_id)
        return profile

    def task(self, task_id: str, user: User) -> Task:
        """The task, or 403."""
        task = self.tasks.get(task_id)
        if task is None or not self._may(user, task.org_id):
            raise no_access("task", task_id)
        return task

    def user_named(self, org_name: str, user_name: str) -> User | None:
        """The user `user_name` of `org_name`, both without regard to case."""
        for user in self.users.values():
            is_meant = user.name.lower() == user_name.lower() and not user.is_deleted
            if is_meant and self.orgs[user.org_id].name.lower() == org_name.lower():
                return user
        return None

    def may_see(self, user: User, vapp: VApp) -> bool:
        """True if the vApp is of the user's organization and, for limited roles, the user's own or shared."""
        if not self._may(user, vapp.org_id):
            return False
        return not rights.is_limited(user) or rights.level_of(user, vapp) is not None

    def visible_vapps(self, user: User) -> list[VApp]:
        """VApps the user may see."""
        everything, is_limited = self.sees_all(user), rights.is_limited(user)
        own = [vapp for vapp in self.vapps.values() if everything or vapp.org_id == user.org_id]
        return [vapp for vapp in own if rights.level_of(user, vapp) is not None] if is_limited else own

    def visible_orgs(self, user: User) -> list[Org]:
        """Organizations `user` may see."""
        return [org for org in self.orgs.values() if self._may(user, org.id)]

    def visible_catalogs(self, user: User) -> list[Catalog]:
        """Catalogs `user` may use."""
        return [one for one in self.catalogs.values() if one.is_public or self._may(user, one.org_id)]

    def visible_templates(self, user: User) -> list[Template]:
        """Templates `user` may instantiate."""
        return [one for one in self.templates.values() if self._may_use(user, one)]

    def visible_media(self, user: User) -> list[Media]:
        """Media `user` may insert."""
        return [one for one in self.media.values() if self._may_use(user, one)]

    def visible_items(self, user: User) -> list[Template | Media]:
        """What stands in the catalogs `user` may use."""
        return [*self.visible_templates(user), *self.visible_media(user)]

    def require_own(self, user: User, org_id: str, kind: str, entity_id: str) -> None:
        """Refuse to change what is only shared with the user's organization."""
        if not self._may(user, org_id):
            raise no_access(kind, entity_id)

    def _may(self, user: User, org_id: str) -> bool:
        return user.org_id == org_id or self.sees_all(user)

    def _may_use(self, user: User, item: Template | Media) -> bool:
        return self.catalogs[item.catalog_id].is_public or self._may(user, item.org_id)

    # --- facts derived from several records

    def vms_of(self, vapp: VApp) -> list[Vm]:
        """The VMs of a vApp in their order."""
        return [self.vms[vm_id] for vm_id in vapp.vm_ids]

    def is_deployed(self, vapp: VApp) -> bool:
        """True while any of the vApp's VMs is deployed."""
        return any(self.vms[vm_id].is_deployed for vm_id in vapp.vm_ids)

    def vdc_vms(self, vdc: Vdc) -> list[Vm]:
        """All VMs of the VDC."""
        return [self.vms[vm_id] for vapp_id in vdc.vapp_ids for vm_id in self.vapps[vapp_id].vm_ids]

    def items_of(self, catalog: Catalog) -> list[Template | Media]:
        """What stands in a catalog."""
        media = [one for one in self.media.values() if one.catalog_id == catalog.id]
        return [*(self.templates[one] for one in catalog.template_ids), *media]

    def default_profile(self, vdc: Vdc) -> StorageProfile:
        """The storage profile used when a request names none."""
        profiles = [self.storage_profiles[one] for one in vdc.storage_profile_ids]
        return next((one for one in profiles if one.is_default), profiles[0])

    def storage_used_mb(self, profile: StorageProfile) -> int:
        """Disk space of all VMs and independent disks on the profile."""
        own = sum(
            disk.size_mb
            for vm in self.vdc_vms(self.vdcs[profile.vdc_id])
            for disk in vm.disks
            if disk.storage_profile_id == profile.id and disk.independent_id is None
        )
        return own + sum(one.size_mb for one in self.disks.values() if one.storage_profile_id == profile.id)

    def compute_used(self, vdc: Vdc) -> tuple[int, int]:
        """(MHz, MB) taken by the VMs that are on."""
        running = [vm for vm in self.vdc_vms(vdc) if vm.power == ON]
        return sum(vm.cpu_count for vm in running) * vdc.vcpu_mhz, sum(vm.memory_mb for vm in running)


def vm_status(vm: Vm) -> int:
    """The status integer of a VM document."""
    if not vm.is_resolved:
        return UNRESOLVED
    return _STATUS_OF_POWER[vm.power]


def vapp_status(vapp: VApp, vms: list[Vm]) -> int:
    """The status integer of a vApp document, derived from its VMs."""
    if vapp.creation != "done":
        return UNRESOLVED if vapp.creation == "creating" else FAILED_CREATION
    if not vms:
        return RESOLVED
    statuses = {vm_status(vm) for vm in vms}
    return statuses.pop() if len(statuses) == 1 else MIXED

"""The client of the vCloud API: one method per call that we use."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from app.vcloud import addresses, ahead, bodies, catalog, entities, inventory, machines, parse, query, reconfigure
from app.vcloud.bodies import media_type
from app.vcloud.errors import NotFound
from app.vcloud.ids import path_of
from app.vcloud.listings import Listing, Listings
from app.vcloud.query import Condition, version_key
from app.vcloud.sessions import ApiToken, Login, Session
from app.vcloud.transport import Limits, Timer, Transport
from app.vcloud.types import (
    AdminPassword,
    AllocatedAddress,
    ApiVersion,
    Inventory,
    MksTicket,
    Task,
    TaskRecord,
    TemplateRecord,
    VApp,
    VAppNetwork,
    VAppRecord,
    VappTemplate,
    Vdc,
    Vm,
    VmRecord,
)
from app.vcloud.wire import Path, Wire
from app.vcloud.wishes import NewVApp, NewVm, VmChange
from app.vcloud.xml import required_urn


class Client:
    """One user's view of one vCloud Director, from 5.5 (API 5.5) to 10.6 (API 39).

    *Session*: opened when first needed with the highest API version both sides know; `session` can be kept (sealed)
    and given to the next client. A 401 logs in once more by itself, then it is SessionExpired. `close()` closes
    connections and does not log out, so that others can go on with the session.

    *Retries*: reading (GET, and login) is tried up to three times on Unavailable, after 0.5 s and 1.5 s or what the
    server asks for up to 5 s, as long as ten seconds have not passed; vCloud's own INTERNAL_SERVER_ERROR is not
    retried. A command is sent once. It is repeated only after 401 or 406, for these say that nobody looked at it;
    otherwise the error's `sent` tells whether it may have been accepted, and the caller must look before sending
    again. Busy is left to the caller, who can let others go first.

    *Time*: 5 s to connect, 30 s for a whole answer however it drips, 45 s for a method (a listing: for each page,
    and 300 s for all that is read together). On a slow line four pages are under way at once, and no thread outlives
    its call; a client itself is used by one thread at a time.

    *Identity*: methods take and give urns. Addresses are built on the configured base; a href in an answer is only
    reduced to the id it names, so no answer leads us to another host. Redirects are not followed.

    *Line*: `verify` is the file of the CA to trust instead of the known ones (False trusts anybody); `proxy` is the
    address of an HTTP proxy, and no other is used whatever the environment says. `before_command` is called right
    before each command leaves, and what it raises keeps the command here.
    """

    def __init__(  # noqa: PLR0913  what a connection depends on
        self,
        api_url: str,
        login: Login | ApiToken,
        *,
        session: Session | None = None,
        verify: bool | str = True,
        proxy: str | None = None,
        limits: Limits | None = None,
        timer: Timer | None = None,
        before_command: Callable[[], None] = lambda: None,
    ) -> None:
        limits, timer = limits or Limits(), timer or Timer()
        self._transport = Transport(
            verify=verify, proxy=proxy, limits=limits, timer=timer, before_command=before_command
        )
        self._wire = Wire(api_url, login, session=session, transport=self._transport, limits=limits, timer=timer)
        self._timer = timer
        self._listings = Listings(self._wire, is_provider=login.is_provider, limits=limits, timer=timer)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays open for others."""
        self._transport.close()

    @property
    def session(self) -> Session | None:
        """The session in use, None before the first request. Keep it after the last one: it may have been renewed."""
        return self._wire.session

    # Reading

    def versions(self) -> list[ApiVersion]:
        """Return the API versions on offer. Needs no login and serves as a probe."""
        return self._wire.versions()

    def version(self) -> str:
        """Return the API version in use. Logs in if there is no session, so it tells whether the login is good."""
        return self._wire.version()

    def vdcs(self) -> list[Vdc]:
        """Return all VDCs we may see, each read whole."""
        rows = self._listings.rows("orgVdc", required_urn, lambda urn: urn)
        return [self.vdc(urn) for urn in rows]

    def vdc(self, vdc_urn: str) -> Vdc:
        """Return one VDC; two requests, for the use of storage is only in the query service."""
        return inventory.read_vdc(self._wire, self._listings, vdc_urn)

    def inventory(self, vdc_urn: str, *, since: datetime | None = None) -> Inventory:
        """Return all that is listed of a VDC, complete or not at all; only `templates` may be missing.

        `touched` tells the VMs and vApps on which a task began or ended at `since` or later, with its last moment.
        That is its end, or the present if it goes on; all by our clock, to about a second. For what a listing does not
        show: from 35 on rows need not name the last task of their VM. Below they do, and nobody is asked, as without
        `since`.
        """
        return inventory.read(self._wire, self._listings, self._timer, vdc_urn, since)

    def template_records(self) -> list[TemplateRecord]:
        """Return the templates in catalogs we may read, and what tells whether they have changed. One request."""
        return inventory.in_catalogs(self._listings.whole(inventory.template_rows(self._listings)))

    def template(self, record: TemplateRecord) -> VappTemplate | None:
        """Return a template, whole; None if it is gone since the listing. Two requests (5.5: three or four)."""
        with self._wire.one_deadline():
            return catalog.template(self._wire, self._listings, record)

    def vapps(self, vdc_urn: str, name: str | None = None) -> list[VAppRecord]:
        """Return the vApps of a VDC, or those of exactly this name (case counts)."""
        conditions = [] if name is None else [Condition("name", name)]
        rows = self._listings.whole(inventory.vapps(self._listings, vdc_urn, *conditions))
        return [row for row in rows if name is None or row.name == name]

    def vms(self, vdc_urn: str) -> list[VmRecord]:
        """Return all VMs of a VDC, complete or not at all; VMs of templates are not among them."""
        return self._listings.whole(inventory.vms(self._listings, vdc_urn))

    def vapp(self, vapp_urn: str) -> VApp:
        """Return a vApp with complete VMs."""
        return self._wire.get(path_of(vapp_urn, "vapp"), "VApp", parse.vapp)

    def whole_vapps(self, vapp_urns: Sequence[str]) -> Iterator[VApp]:
        """Yield those of these vApps that are there, as `vapp` does; on a slow line four are asked for at once."""
        queue = deque[tuple[str, Path]]((urn, path_of(urn, "vapp")) for urn in vapp_urns)
        with closing(ahead.in_turn(self._wire, queue, self._timer.clock)) as turns:
            for _, path, early in turns:
                with suppress(NotFound):
                    yield self._wire.get(path, "VApp", parse.vapp, early)

    def vm(self, vm_urn: str) -> Vm:
        """Return one VM, whole."""
        return self._wire.get(path_of(vm_urn, "vm"), "Vm", machines.vm)

    def admin_passwords(self, vapp_urn: str) -> list[AdminPassword]:
        """Return the passwords that vCloud has of a vApp's VMs, in clear. Show them to who may see them; keep none."""
        return self._wire.get(path_of(vapp_urn, "vapp"), "VApp", machines.admin_passwords)

    def task(self, task_urn: str) -> Task:
        """Return a task. NotFound once vCloud has forgotten it: then look at its owner."""
        return self._wire.get(path_of(task_urn, "task"), "Task", entities.task)

    def tasks_named(self, object_name: str, *, since: datetime) -> list[TaskRecord]:
        """Return tasks on objects of exactly this name that started at `since` or later.

        `since` is by our clock: the difference to vCloud's is known from its answers, to about a second.
        """
        began = Condition("startDate", self._wire.by_its_clock(since), "=ge=")
        named = Condition("objectName", object_name)
        rows = self._listings.rows("task", query.task_record, lambda row: row.id, named, began)
        return [row for row in rows if row.object_name == object_name]

    def allocated_addresses(
        self, network_urn: str, known: Callable[[str], Sequence[AllocatedAddress] | None] = addresses.nothing_known
    ) -> list[AllocatedAddress]:
        """Return every address of an organization's network that somebody holds, however many there are.

        One request per 128 addresses from 33 on. Below, one; if there are 128 or more, one per 128 VMs that we may see
        and one per vApp of theirs, except where `known` tells by the vApp's urn what it holds there.
        """
        if version_key(self._wire.version()) >= addresses.PAGED_SINCE:
            listing = Listing(
                f"the addresses of {network_urn}",
                partial(addresses.paged_path, network_urn),
                lambda path, early: self._wire.get_json(path, addresses.page, early),
                lambda row: row.ip,
            )
            return self._listings.whole(listing)
        path = path_of(network_urn, "network") + "/allocatedAddresses/"
        found = self._wire.get(path, "AllocatedIpAddresses", addresses.short_list)
        if found is not None:
            return found
        rows = self._listings.rows("vm", query.vm_record, lambda row: row.id, Condition("isVAppTemplate", "false"))
        vapps = sorted({row.vapp_id for row in rows if row.vapp_id})
        return addresses.held_by(vapps, network_urn, known, self._vapp_if_there)

    # Commands

    def instantiate(self, vdc_urn: str, wish: NewVApp) -> VApp:
        """Create a vApp from a template, neither deployed nor on. Its `tasks[0]` is to be waited for.

        Below API 5.6 the VMs keep the names and the wiring of the template: compare, and `reconfigure`. Networks
        inside the template that its VMs stay wired to come along as isolated ones. Two requests.
        """
        path = path_of(vdc_urn, "vdc") + "/action/instantiateVAppTemplate"
        kind, secrets = media_type("instantiateVAppTemplateParams"), _passwords(*wish.vms)
        with self._wire.one_deadline():
            template = path_of(wish.template_urn, "vapptemplate")
            inner = self._wire.get(template, "VAppTemplate", catalog.inner_networks)
            body = partial(bodies.instantiate, wish, inner, self._wire.base)
            return self._wire.command("POST", path, "VApp", parse.vapp, body=body, media_type=kind, secrets=secrets)

    def recompose(self, vapp_urn: str, vms: Sequence[NewVm]) -> Task:
        """Add VMs of templates to a vApp, neither deployed nor on. The networks of their cards must be there already.

        The task does not name the new VMs: they are those that were not among the vApp's before. By their mark they
        are known from API 5.6 on; below that there is only the name.
        """
        body = partial(bodies.recompose, vms, self._wire.base)
        path = path_of(vapp_urn, "vapp") + "/action/recomposeVApp"
        return self._task("POST", path, body, "recomposeVAppParams", secrets=_passwords(*vms))

    def keeps_marks_of_vms(self) -> bool:
        """Whether `recompose` keeps the description of a new VM; may log in."""
        return version_key(self._wire.version()) >= bodies.GENERAL_PARAMS_SINCE

    def rename_vapp(self, vapp_urn: str, name: str) -> Task:
        """Give a vApp another name, unique in its VDC, and keep its description. Two requests."""
        path = path_of(vapp_urn, "vapp")
        with self._wire.one_deadline():
            body = self._wire.get(path, "VApp", partial(bodies.renamed_vapp, name=name))
            return self._task("PUT", path, body, "vApp")

    def add_network(self, vapp_urn: str, network: VAppNetwork) -> Task:
        """Add a network to a vApp and keep the others. Refused if it has one of that name. Two requests."""
        path = path_of(vapp_urn, "vapp") + "/networkConfigSection/"
        edit = partial(bodies.network_config, network=network, base=self._wire.base)
        with self._wire.one_deadline():
            body = self._wire.get(path, "NetworkConfigSection", edit)
            return self._task("PUT", path, body, "networkConfigSection")

    def reconfigure(self, vm_urn: str, change: VmChange) -> Task:
        """Change a VM as far as `change` says, in one task, and keep the rest. Two requests.

        Refused, and nothing sent, for a disk or a card that the VM does not have and for a disk that would shrink.
        ValueError if nothing would change.
        """
        path, secrets = path_of(vm_urn, "vm"), _passwords(change)
        with self._wire.one_deadline():
            body = self._wire.get(path, "Vm", partial(reconfigure.body, change=change))
            return self._task("POST", path + "/action/reconfigureVm", body, "vm", secrets=secrets)

    def deploy(self, urn: str, *, power_on: bool = True, force_customization: bool = False) -> Task:
        """Deploy a VM or vApp; `force_customization` only from undeployed."""
        body = bodies.deploy(power_on=power_on, force_customization=force_customization)
        return self._task("POST", path_of(urn, "vm", "vapp") + "/action/deploy", body, "deployVAppParams")

    def undeploy(self, urn: str, *, power_action: str = "powerOff") -> Task:
        """Stop a VM or vApp and free its resources; the action is powerOff, shutdown, suspend, force or default."""
        path = path_of(urn, "vm", "vapp") + "/action/undeploy"
        return self._task("POST", path, bodies.undeploy(power_action), "undeployVAppParams")

    def power_on(self, urn: str) -> Task:
        """Power on a VM or vApp, also one that is suspended."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/power/action/powerOn")

    def power_off(self, urn: str) -> Task:
        """Cut the power of a VM or vApp; it stays deployed."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/power/action/powerOff")

    def shut_down(self, urn: str) -> Task:
        """Ask the guests of a VM or vApp to shut down; it stays deployed."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/power/action/shutdown")

    def reboot(self, urn: str) -> Task:
        """Ask the guests of a VM or vApp to start anew."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/power/action/reboot")

    def reset(self, urn: str) -> Task:
        """Cut the power of a VM or vApp and give it back at once."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/power/action/reset")

    def suspend(self, urn: str) -> Task:
        """Freeze a VM or vApp with its memory; it stays deployed, and `power_on` goes on with it."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/power/action/suspend")

    def discard_suspended_state(self, urn: str) -> Task:
        """Throw away the memory of a suspended VM or vApp; it is off then."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/action/discardSuspendedState")

    def create_snapshot(self, urn: str, *, memory: bool = False, quiesce: bool = False) -> Task:
        """Take the snapshot of a VM or vApp; an earlier one is lost.

        `memory` keeps that of a running guest, `quiesce` asks its tools to settle the file systems first.
        """
        body = bodies.create_snapshot(memory=memory, quiesce=quiesce)
        return self._task("POST", path_of(urn, "vm", "vapp") + "/action/createSnapshot", body, "createSnapshotParams")

    def revert_to_snapshot(self, urn: str) -> Task:
        """Put a VM or vApp back to its snapshot, which stays; what happened since is lost."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/action/revertToCurrentSnapshot")

    def remove_snapshots(self, urn: str) -> Task:
        """Remove the snapshot of a VM or vApp, which stays as it is."""
        return self._task("POST", path_of(urn, "vm", "vapp") + "/action/removeAllSnapshots")

    def delete(self, urn: str) -> Task:
        """Delete a VM or vApp, which must not be deployed. The vApp of a VM stays, even if it is empty then."""
        return self._task("DELETE", path_of(urn, "vm", "vapp"))

    def cancel(self, task_urn: str) -> None:
        """Ask for a task to be stopped. Whether it was is to be read: it may have been too late."""
        self._wire.tell("POST", path_of(task_urn, "task") + "/action/cancel")

    def mks_ticket(self, vm_urn: str) -> MksTicket:
        """Return a ticket for the screen of a VM that is on, good for 30 s. Refused if it is off."""
        path = path_of(vm_urn, "vm") + "/screen/action/acquireMksTicket"
        return self._wire.command("POST", path, "MksTicket", parse.mks_ticket)

    # Inside

    def _task(
        self,
        method: str,
        path: str,
        body: bytes | Callable[[str], bytes] | None = None,
        kind: str | None = None,
        *,
        secrets: Sequence[str] = (),
    ) -> Task:
        content = None if kind is None else media_type(kind)
        return self._wire.command(method, path, "Task", entities.task, body=body, media_type=content, secrets=secrets)

    def _vapp_if_there(self, vapp_urn: str) -> VApp | None:
        try:
            return self.vapp(vapp_urn)
        except NotFound:
            return None


def _passwords(*wishes: NewVm | VmChange) -> list[str]:
    """Return the secrets of these wishes, which no error may quote."""
    found = (wish.customization.password for wish in wishes if wish.customization)
    return [password for password in found if password]

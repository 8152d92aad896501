"""Task documents, the task list of an organization, cancel."""

from __future__ import annotations

from lxml import etree

from vcdsim import tasks as engine
from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link, moment
from vcdsim.api.routing import route
from vcdsim.entities import Task, TaskError

#: operationName -> (while running, when finished)
_VERBS = {
    "vdcInstantiateVapp": ("Creating", "Created"),
    "vdcComposeVapp": ("Composing", "Composed"),
    "vdcRecomposeVapp": ("Recomposing", "Recomposed"),
    "vdcCopyVapp": ("Copying", "Copied"),
    "vdcCreateVm": ("Creating", "Created"),
    "vdcDeleteVapp": ("Deleting", "Deleted"),
    "vdcUpdateVapp": ("Updating", "Updated"),
    "vdcUpdateVappNetworkSection": ("Updating", "Updated"),
    "vappDeploy": ("Starting", "Running"),
    "vappPowerOff": ("Powering Off", "Powered Off"),
    "vappShutdownGuest": ("Shutting Down", "Shut Down"),
    "vappRebootGuest": ("Rebooting", "Rebooted"),
    "vappReset": ("Resetting", "Reset"),
    "vappSuspend": ("Suspending", "Suspended"),
    "vappDiscardSuspendedState": ("Discarding State", "Discarded State of"),
    "vappUndeployPowerOff": ("Stopping", "Stopped"),
    "vappUndeploySuspend": ("Suspending", "Suspended"),
    "vappUndeployShutdown": ("Shutting Down", "Shut Down"),
    "vappUpdateVm": ("Updating", "Updated"),
    "vappInsertCdFloppy": ("Inserting Media into", "Inserted Media into"),
    "vappEjectCdFloppy": ("Ejecting Media from", "Ejected Media from"),
    "vdcDeleteMedia": ("Deleting", "Deleted"),
    "vdcCreateDisk": ("Creating", "Created"),
    "vdcUpdateDisk": ("Updating", "Updated"),
    "vdcDeleteDisk": ("Deleting", "Deleted"),
    "vappAttachDisk": ("Attaching Disk to", "Attached Disk to"),
    "vappDetachDisk": ("Detaching Disk from", "Detached Disk from"),
    "metadataUpdate": ("Updating metadata for", "Updated metadata for"),
    "metadataDelete": ("Deleting metadata for", "Deleted metadata for"),
    "orgCreateVdc": ("Creating", "Created"),
    "vdcUpdateVdc": ("Updating", "Updated"),
    "vdcDeleteVdc": ("Deleting", "Deleted"),
    "vappCreateSnapshot": ("Creating Snapshot", "Finished Creating Snapshot"),
    "vappRevertToCurrentSnapshot": ("Reverting to Snapshot", "Reverted to Snapshot"),
    "vappRemoveAllSnapshots": ("Removing Snapshot", "Removed Snapshot"),
}
_OWNER_TEXT = {
    "vm": "Virtual Machine",
    "vapp": "Virtual Application",
    "disk": "Disk",
    "vdc": "Virtual Datacenter",
    "org": "Organization",
    "user": "User",
    "vapptemplate": "Virtual Application Template",
    "catalog": "Catalog",
    "network": "Network",
    "media": "Media",
}


def operation_text(task: Task) -> str:
    """`Starting Virtual Machine web(UUID)`, past tense once finished."""
    verb = _VERBS[task.operation_name][1 if task.is_final else 0]
    return f"{verb} {_OWNER_TEXT[task.owner_kind]} {task.owner_name}({task.owner_id})"


def write_task(ctx: Context, parent: etree._Element | None, task: Task) -> etree._Element:
    """The `<Task>` element, as a child of `parent` or as a root."""
    attributes = ctx.entity_attributes("task", task.id, "task", _attributes(task))
    element = xml.element_in(parent, "Task", ctx.version, attributes)
    if not task.is_final:
        link(element, "task:cancel", ctx.href("task", task.id) + "/action/cancel")
    ctx.reference(element, "Owner", task.owner_kind, task.owner_id, task.owner_name)
    if task.error is not None:
        write_error(ctx, element, task.error)
    user, org = ctx.world.users[task.user_id], ctx.world.orgs[task.org_id]
    ctx.reference(element, "User", "user", user.id, user.name)
    ctx.reference(element, "Organization", "org", org.id, org.name)
    xml.sub(element, "Progress", engine.progress(task, ctx.world.now()))
    xml.sub(element, "Details", f"  {task.error.message}" if task.error is not None else None)
    return element


def write_error(ctx: Context, parent: etree._Element, error: TaskError) -> None:
    """The `<Error>` of a failed task."""
    attributes = {
        "majorErrorCode": str(error.major_code),
        "message": f"[ {ctx.request_id} ] {error.message}" if ctx.since(9, 0) else error.message,
        "minorErrorCode": error.minor_code,
    }
    xml.sub(parent, "Error", None, attributes)


def write_tasks_of(ctx: Context, parent: etree._Element, entity_id: str) -> None:
    """`<Tasks>` with the unfinished task of the entity, if there is one."""
    task = ctx.world.active_task(entity_id)
    if task is not None:
        write_task(ctx, xml.sub(parent, "Tasks"), task)


def task_answer(ctx: Context, task: Task) -> Answer:
    """202 with the task."""
    return ctx.xml(write_task(ctx, None, task), hrefs.MEDIA["task"], status=202, location=ctx.href("task", task.id))


@route("GET", "/api/task/{entity_id}", "task")
def get_task(ctx: Context, entity_id: str) -> Answer:
    """One task."""
    return ctx.xml(write_task(ctx, None, ctx.world.task(entity_id, ctx.user)), hrefs.MEDIA["task"])


@route("POST", "/api/task/{entity_id}/action/cancel", "cancel")
def cancel_task(ctx: Context, entity_id: str) -> Answer:
    """Cancel, best effort: 204 whether it helped or not."""
    engine.cancel(ctx.world, ctx.world.task(entity_id, ctx.user))
    return Answer(204)


@route("GET", "/api/tasksList/{entity_id}", "tasksList")
def get_tasks_list(ctx: Context, entity_id: str) -> Answer:
    """The tasks of an organization, newest first, at most 128."""
    org = ctx.world.org(entity_id, ctx.user)
    media_type = hrefs.media("tasksList")
    address = f"{ctx.base}/api/tasksList/{org.id}"
    element = ctx.root("TasksList", media_type, {"name": "Tasks Lists", "href": address})
    shown = [task for task in reversed(ctx.world.tasks.values()) if task.org_id == org.id][:128]
    for task in shown:
        write_task(ctx, element, task)
    return ctx.xml(element, media_type)


def _attributes(task: Task) -> dict[str, str]:
    attributes = {
        "cancelRequested": xml.flag(task.cancel_requested),
        "expiryTime": moment(task.created_at + engine.EXPIRY_S),
        "operation": operation_text(task),
        "operationName": task.operation_name,
        "serviceNamespace": "com.vmware.vcloud",
        "startTime": moment(task.created_at),
        "status": task.status,
    }
    if task.finished_at is not None:
        attributes["endTime"] = moment(task.finished_at)
    return attributes

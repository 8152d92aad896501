"""Operations in words: what they are called while they run and when they have ended, their steps, their failures."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from app.cloud.explain import Helper

OPERATIONS: Mapping[str, tuple[LazyString, LazyString, LazyString]] = {
    "create": (_l("Creating %(name)s"), _l("%(name)s is ready"), _l("Creation of %(name)s stopped")),
    "create_in_vapp": (_l("Creating %(name)s"), _l("%(name)s is ready"), _l("Creation of %(name)s stopped")),
    "start": (_l("Starting %(name)s"), _l("%(name)s is on"), _l("%(name)s did not start")),
    "resume": (_l("Resuming %(name)s"), _l("%(name)s is on"), _l("%(name)s did not resume")),
    "shut_down": (_l("Asked %(name)s to shut down"), _l("%(name)s is off"), _l("%(name)s did not shut down")),
    "power_off": (_l("Powering %(name)s off"), _l("%(name)s is off"), _l("%(name)s could not be powered off")),
    "reset_password": (
        _l("Resetting the password of %(name)s"),
        _l("%(name)s has a new password"),
        _l("%(name)s did not get a new password"),
    ),
    "add_disk": (_l("Adding a disk to %(name)s"), _l("%(name)s has a new disk"), _l("%(name)s did not get a new disk")),
    "grow_disk": (
        _l("Growing a disk of %(name)s"),
        _l("A disk of %(name)s has grown"),
        _l("The disk of %(name)s did not grow"),
    ),
    "remove_disk": (
        _l("Removing a disk of %(name)s"),
        _l("A disk of %(name)s is removed"),
        _l("The disk of %(name)s could not be removed"),
    ),
    "change_network": (
        _l("Changing the network of %(name)s"),
        _l("The network of %(name)s is changed"),
        _l("The network of %(name)s could not be changed"),
    ),
    "take_snapshot": (
        _l("Taking a snapshot of %(name)s"),
        _l("%(name)s has a snapshot"),
        _l("No snapshot of %(name)s was taken"),
    ),
    "revert_snapshot": (
        _l("Taking %(name)s back to its snapshot"),
        _l("%(name)s is as in its snapshot"),
        _l("%(name)s did not go back to its snapshot"),
    ),
    "remove_snapshot": (
        _l("Removing the snapshot of %(name)s"),
        _l("The snapshot of %(name)s is removed"),
        _l("The snapshot of %(name)s could not be removed"),
    ),
    "delete": (_l("Deleting %(name)s"), _l("%(name)s is in the recycle bin"), _l("%(name)s could not be deleted")),
    "restore": (_l("Restoring %(name)s"), _l("%(name)s is restored"), _l("%(name)s could not be restored")),
    "erase": (_l("Deleting %(name)s for good"), _l("%(name)s is deleted"), _l("%(name)s could not be deleted")),
    "restart": (_l("Restarting %(name)s"), _l("%(name)s was restarted"), _l("%(name)s did not restart")),
    "reset": (_l("Resetting %(name)s"), _l("%(name)s was reset"), _l("%(name)s could not be reset")),
    "suspend": (_l("Suspending %(name)s"), _l("%(name)s is suspended"), _l("%(name)s could not be suspended")),
    "rename": (_l("Renaming %(name)s"), _l("%(name)s has its new name"), _l("%(name)s could not be renamed")),
    "resize": (
        _l("Changing CPU and memory of %(name)s"),
        _l("CPU and memory of %(name)s are changed"),
        _l("CPU and memory of %(name)s could not be changed"),
    ),
}
BUSY_STATES: Mapping[str, LazyString] = {
    "create": _l("Creating"),
    "create_in_vapp": _l("Creating"),
    "start": _l("Starting"),
    "resume": _l("Resuming"),
    "shut_down": _l("Asked to shut down"),
    "power_off": _l("Powering off"),
    "reset_password": _l("Resetting the password"),
    "add_disk": _l("Adding a disk"),
    "grow_disk": _l("Growing a disk"),
    "remove_disk": _l("Removing a disk"),
    "change_network": _l("Changing the network"),
    "take_snapshot": _l("Taking a snapshot"),
    "revert_snapshot": _l("Going back"),
    "remove_snapshot": _l("Removing the snapshot"),
    "delete": _l("Deleting"),
    "restore": _l("Restoring"),
    "erase": _l("Deleting for good"),
    "restart": _l("Restarting"),
    "reset": _l("Resetting"),
    "suspend": _l("Suspending"),
    "rename": _l("Renaming"),
    "resize": _l("Changing size"),
}
"""The state of a machine while an operation is at work on it."""
BUSY_SINCE: Mapping[str, LazyString] = {
    "create": _l("Being created since %(time)s; wait until it ends."),
    "create_in_vapp": _l("Being created since %(time)s; wait until it ends."),
    "start": _l("Being started since %(time)s; wait until it ends."),
    "resume": _l("Being resumed since %(time)s; wait until it ends."),
    "shut_down": _l("Being shut down since %(time)s; wait until it ends."),
    "power_off": _l("Being powered off since %(time)s; wait until it ends."),
    "reset_password": _l("Resetting its password since %(time)s; wait until it ends."),
    "add_disk": _l("Adding a disk since %(time)s; wait until it ends."),
    "grow_disk": _l("Growing its disk since %(time)s; wait until it ends."),
    "remove_disk": _l("Removing a disk since %(time)s; wait until it ends."),
    "change_network": _l("Changing its network since %(time)s; wait until it ends."),
    "take_snapshot": _l("Taking a snapshot since %(time)s; wait until it ends."),
    "revert_snapshot": _l("Going back to its snapshot since %(time)s; wait until it ends."),
    "remove_snapshot": _l("Removing its snapshot since %(time)s; wait until it ends."),
    "delete": _l("Being deleted since %(time)s; wait until it ends."),
    "restore": _l("Being restored since %(time)s; wait until it ends."),
    "erase": _l("Being deleted since %(time)s; wait until it ends."),
    "restart": _l("Being restarted since %(time)s; wait until it ends."),
    "reset": _l("Being reset since %(time)s; wait until it ends."),
    "suspend": _l("Being suspended since %(time)s; wait until it ends."),
    "rename": _l("Being renamed since %(time)s; wait until it ends."),
    "resize": _l("Changing its size since %(time)s; wait until it ends."),
}
"""Why nothing else can be asked of it meanwhile."""

STEPS: Mapping[str, LazyString] = {
    "join_network": _l("Connect the vApp to the network"),
    "submit": _l("Ask vCloud to build the server"),
    "build": _l("Copy the template"),
    "shape": _l("Set CPU, memory and disk"),
    "customise": _l("Set the name and the password"),
    "power_on": _l("Switch on"),
    "read_back": _l("Read back what we got"),
    "ask_guest": _l("Ask the system to shut down"),
    "guest_stops": _l("The system stops its work"),
    "undeploy": _l("Switch off and free CPU and memory"),
    "set_password": _l("Give vCloud the new password"),
    "customised_start": _l("Switch on, so that the system takes the password"),
    "grow_disk": _l("Grow the disk"),
    "note_disks": _l("Look at the disks"),
    "add_disk": _l("Add the disk"),
    "remove_disk": _l("Remove the disk and its data"),
    "set_cards": _l("Connect the network cards"),
    "look_before": _l("Look for an earlier snapshot"),
    "take_snapshot": _l("Take the snapshot"),
    "revert_snapshot": _l("Go back to the snapshot"),
    "free": _l("Free CPU and memory if it is off now"),
    "remove_snapshot": _l("Remove the snapshot"),
    "put_away": _l("Free its name"),
    "put_vapp_away": _l("Free the name of its vApp"),
    "recycle": _l("Keep it in the recycle bin"),
    "take_vapp_out": _l("Give the vApp its name back"),
    "take_out": _l("Give it its name back"),
    "erase": _l("Delete it with its disks"),
    "erase_vapp": _l("Delete the vApp if nothing is left in it"),
    "forget": _l("Take it off the list"),
    "restart": _l("Ask the system to restart"),
    "reset": _l("Reset"),
    "suspend": _l("Keep the memory and stop"),
    "rename": _l("Give it the new name"),
    "resize": _l("Change CPU and memory"),
}
WAITING: Mapping[str, LazyString] = {
    "unavailable": _l("vCloud does not answer. We go on trying."),
    "busy": _l("vCloud finishes another task of this server first."),
    "queue": _l("Waits for another operation of this vApp."),
}
"""Why a step waits, by `Operation.waiting_for`."""

QUANTITIES: Mapping[str, LazyString] = {
    "cpu_count": _l("CPU"),
    "memory_mb": _l("Memory"),
    "disk_mb": _l("Disk"),
    "name": _l("Name"),
    "card": _l("Card %(number)s"),
    "ip": _l("Address of card %(number)s"),
}
"""What a machine may have got otherwise than asked, by `what` of a difference."""

_OVERWRITTEN_NOTHING = _l("Nothing was overwritten. We read it anew; look at it, then ask again.")
EXPLANATIONS: Mapping[str, tuple[LazyString, LazyString | str]] = {
    "refused": (_l("vCloud refused it"), _l("Nothing was changed by this step.")),
    "task_failed": (_l("vCloud began and could not finish"), ""),
    "task_canceled": (_l("Somebody stopped it in vCloud"), _l("The task was cancelled there, not here.")),
    "build_failed": (_l("vCloud could not build the server"), _l("The copy of the template came out broken.")),
    "vapp_name_taken": (_l("The name is taken"), _l("vCloud has a vApp of this name already. Choose another one.")),
    "vapp_gone": (_l("The vApp is gone"), _l("Somebody deleted it in vCloud. Choose another one, or make a new one.")),
    "vm_name_taken": (_l("The name is taken"), _l("The vApp has a server of this name already. Choose another one.")),
    "guest_silent": (
        _l("%(name)s did not react"),
        _l("Its system was asked to shut down and is still on. It may be busy, or has no VMware Tools."),
    ),
    "started_meanwhile": (
        _l("%(name)s was started meanwhile"),
        _l("A system takes a new password only while it starts. Shut it down and reset the password again."),
    ),
    "deadline": (_l("It takes far too long"), _l("vCloud has not finished in time, and we do not know why.")),
    "internal": (_l("We made a mistake"), _l("The fault is ours and it is written down.")),
    "cancelled": (_l("Cancelled, as you asked"), ""),
    "turns_lost": (
        _l("We cannot get through with it"),
        _l("Our own programs break off at this step again and again. The fault is ours and it is written down."),
    ),
    "clean_up_failed": (_l("vCloud could not finish, and something is left over"), _l("Support removes it.")),
    "disks_changed": (
        _l("The disks are not what they were"),
        _l("Somebody has changed them in vCloud. We read them anew; look at them, then ask again."),
    ),
    "cpu_count_changed": (_l("%(name)s was given %(now)s CPU in vCloud meanwhile"), _OVERWRITTEN_NOTHING),
    "memory_mb_changed": (_l("%(name)s was given %(now)s of memory in vCloud meanwhile"), _OVERWRITTEN_NOTHING),
    "name_changed": (_l("It was named %(now)s in vCloud meanwhile"), _OVERWRITTEN_NOTHING),
    "nics_changed": (_l("The cards of %(name)s were changed in vCloud meanwhile"), _OVERWRITTEN_NOTHING),
    "snapshot_changed": (_l("The snapshot of %(name)s was changed in vCloud meanwhile"), _OVERWRITTEN_NOTHING),
    "no_guest_tools": (_l("The system of %(name)s cannot be asked"), ""),
}
"""What happened and why, by `Operation.error_code`."""

HELPERS: Mapping[Helper, LazyString] = {
    Helper.WAIT: _l("It passes by itself."),
    Helper.YOU: _l("You can solve it here."),
    Helper.PROVIDER: _l("Your provider can help."),
}
"""Who can help, by `explain.Helper`."""

"""*Refresh*: have vCloud read now, for the whole list or for the data center of one server."""

import uuid
from collections.abc import Sequence

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app import clock
from app.accounts.rules import Permission
from app.blueprints import account_view, filters, web
from app.blueprints.vms import bp
from app.cloud import sync_runs


@bp.post("/vms/refresh")
@web.requires(Permission.VM_SEE)
def refresh() -> AnyResponse:
    """Every data center of the account."""
    return _refresh([vdc.service_id for vdc in account_view.vdcs()], url_for("vms.index"))


@bp.post("/vms/<uuid:vm_id>/refresh")
@web.requires(Permission.VM_SEE)
def refresh_one(vm_id: uuid.UUID) -> AnyResponse:
    """The data center of this server."""
    return _refresh([web.get_vm(vm_id).vdc.service_id], url_for("vms.show", vm_id=vm_id))


def _refresh(service_ids: Sequence[uuid.UUID], default: str) -> AnyResponse:
    """Ask, then back to the page, which shows the reading; one that has just ended is told instead."""
    user_id, back = web.actor().user_id, web.own_path(request.form.get("next"), default)
    runs = [sync_runs.get(sync_runs.ask(one, "asked", user_id=user_id)) for one in service_ids]
    ended = [run.listed_at for run in runs if run.state == "done" and run.listed_at is not None]
    if ended and len(ended) == len(runs):
        flash(gettext("Read %(age)s ago.", age=filters.duration(clock.now() - min(ended))), "note")
    return redirect(back, 303)

"""The list as a whole: start or shut down all that are ticked, with a result for each; the list as a CSV file."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, to_user_timezone
from sqlalchemy import Row, select

from app.accounts.rules import Permission
from app.blueprints import account_view, filters, spreadsheet, web
from app.blueprints.vm_list import COLUMNS, QUICK, state_of, wish
from app.blueprints.vms import bp, press
from app.cloud import wishes
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.db import db
from app.errors import AppError, NotFoundError
from app.texts.errors import error_text
from app.texts.labels import VM_STATES

MOST = 100
"""How many servers can be asked at once: as many as a page has."""
ACTIONS = (Action.START, Action.SHUT_DOWN)
"""What can be asked of several; nothing that loses data."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of the wish for one server. Without an operation `reason` says why nothing was asked."""

    name: str
    url: str
    operation_url: str
    reason: str


@bp.post("/vms/several")
@web.requires(Permission.VM_CHANGE)
def several() -> web.Answer:
    """Ask it of each server that is ticked; the same form sent again asks nothing more and says the same.

    The buttons of the rows come here as well: one asks something of its own server alone, ticked or not.
    """
    for action in QUICK:
        if action.value in request.form:
            return press(_id(request.form[action.value]), action=action)
    back = web.own_path(request.form.get("next"), url_for("vms.index"))
    wanted = next((action for action in ACTIONS if action == request.form.get("action")), None)
    names = _names(_ticked())
    if wanted is None or not names:
        flash(gettext("No server is ticked."))
        return redirect(back, 303)
    results = [_ask(vm_id, name, wanted) for vm_id, name in names]
    results.sort(key=lambda result: not result.reason)  # what needs somebody stands first
    asked = sum(not result.reason for result in results)
    return render_template("vms/several.html", action=wanted, results=results, asked=asked, back_url=back)


def _ticked() -> list[uuid.UUID]:
    """The servers that the form names, each once. What no page of ours sends is as unknown as another's server."""
    ids = list(dict.fromkeys(map(_id, request.form.getlist("vm"))))
    if len(ids) > MOST:
        raise NotFoundError
    return ids


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFoundError from None


def _names(ids: list[uuid.UUID]) -> list[tuple[uuid.UUID, str]]:
    """Ids and names by name, or NotFoundError when one of them is not a server of this account."""
    own = select(Vm.id, Vm.name).where(Vm.id.in_(ids), Vm.vdc_id.in_(account_view.vdc_ids()))
    found = [(vm_id, name) for vm_id, name in db.session.execute(own.order_by(Vm.name, Vm.id))]
    if len(found) != len(ids):
        raise NotFoundError
    return found


def _ask(vm_id: uuid.UUID, name: str, action: Action) -> Result:
    url, reason, operation_url = url_for("vms.show", vm_id=vm_id), "", ""
    try:
        # The token is the one that the button of this server alone would have in the same form.
        token = web.given_token(url_for(f"vms.{action.value}", vm_id=vm_id))
        operation_url = url_for("operations.show", operation_id=wishes.ask(web.actor(), vm_id, action, token))
    except AppError as error:
        if error.status != 409:
            raise
        reason = error_text(error)
    return Result(name=name, url=url, operation_url=operation_url, reason=reason)


# ---- CSV -----------------------------------------------------------------------------------------------------------


@bp.get("/vms/servers.csv")
@web.requires(Permission.VM_SEE)
def table() -> web.Answer:
    """All servers that the filter finds, not only those of one page, as a file that spreadsheets open."""
    rows = wish().rows(*COLUMNS, Vm.vdc_id, Vm.urn, Vm.seen_at)
    return spreadsheet.file("servers", _heads(), _lines(rows))


def _heads() -> list[str]:
    zone = filters.zone_name()
    return [
        gettext("Name"),
        gettext("State"),
        gettext("Since (%(zone)s)", zone=zone),
        "vApp",
        gettext("System"),
        "CPU",
        gettext("Memory, MB"),
        gettext("Disk, MB"),
        gettext("Outer address"),
        gettext("Inner address"),
        gettext("Data center"),
        gettext("Snapshot"),
        gettext("Checked (%(zone)s)", zone=zone),
        gettext("Id in vCloud"),
    ]


def _lines(rows: Any) -> Iterator[list[object]]:
    vdcs = {vdc.id: vdc for vdc in account_view.vdcs()}
    states = {state: str(label) for state, label in VM_STATES.items()}
    yes, no = gettext("yes"), gettext("no")
    for row in rows:
        yield [
            row.name,
            states[state_of(row)],
            _moment(_began(row)),
            row.vapp_name,
            row.guest_os,
            row.cpu_count,
            row.memory_mb,
            row.disk_mb,
            row.outer_ip,
            row.inner_ip,
            vdcs[row.vdc_id].name,
            yes if row.has_snapshot else no,
            _moment(_checked(row, vdcs[row.vdc_id].seen_at)),
            row.urn,
        ]


def _began(row: Row[Any]) -> datetime | None:
    began: datetime | None = row.gone_at or row.recycled_at or row.state_since
    return began


def _checked(row: Row[Any], listed_at: datetime | None) -> datetime:
    """As `Vm.checked_at`."""
    is_listed = row.missing_since is None and row.gone_at is None
    seen_at: datetime = row.seen_at
    return max(seen_at, listed_at) if listed_at and is_listed else seen_at


def _moment(at: datetime | None) -> str:
    return f"{to_user_timezone(at):%Y-%m-%d %H:%M}" if at else ""

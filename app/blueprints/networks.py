"""Networks of the account, and who holds which address of each. Reads only the mirror."""

import uuid
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext

from app.accounts.rules import Permission
from app.blueprints import account_view, spreadsheet, web
from app.blueprints.paging import SIZES, Paging, paging
from app.cloud import address_list
from app.cloud.address_list import Holder
from app.cloud.models import Network
from app.texts.labels import HOLDERS, NETWORK_MODES

bp = Blueprint("networks", __name__)
MOST_LETTERS = 100


@dataclass(frozen=True, kw_only=True)
class Line:
    """A network in the list; without addresses they were never read."""

    network: Network
    mode: str
    vdc_name: str
    used: int | None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The values of the page of one network: a page of its addresses."""

    network: Network
    mode: str
    text: str
    paging: Paging
    holders: list[Holder]
    csv_url: str


@bp.get("/networks")
@web.requires(Permission.VM_SEE)
def index() -> web.Answer:
    """Every network, with how many addresses are in use."""
    lines = [
        Line(network=network, mode=_mode(network), vdc_name=vdc_name, used=used if network.addresses_at else None)
        for network, vdc_name, used in address_list.networks(account_view.vdc_ids())
    ]
    return render_template("networks/index.html", lines=lines)


@bp.get("/networks/<uuid:network_id>")
@web.requires(Permission.VM_SEE)
def show(network_id: uuid.UUID) -> web.Answer:
    """One network: a page of its addresses."""
    network, text = address_list.own(network_id, account_view.vdc_ids()), _text()
    found = address_list.find(network, account_view.vdc_ids(), text)
    where = paging(address_list.count(found), SIZES)
    listing = Listing(
        network=network,
        mode=_mode(network),
        text=text,
        paging=where,
        holders=address_list.read(found.offset(where.offset).limit(where.size)),
        csv_url=url_for("networks.table", network_id=network.id, q=text or None),
    )
    return render_template(
        "networks/show.html", listing=listing, labels=HOLDERS, sizes=SIZES, most_letters=MOST_LETTERS
    )


@bp.get("/networks/<uuid:network_id>/addresses.csv")
@web.requires(Permission.VM_SEE)
def table(network_id: uuid.UUID) -> web.Answer:
    """All addresses that the filter finds, as a file."""
    network = address_list.own(network_id, account_view.vdc_ids())
    holders = address_list.read(address_list.find(network, account_view.vdc_ids(), _text()))
    lines = [(one.ip, HOLDERS[one.kind], one.vm_name, one.vapp_name) for one in holders]
    return spreadsheet.file("addresses", [gettext("Address"), gettext("Held by"), gettext("Server"), "vApp"], lines)


def _text() -> str:
    return request.args.get("q", "").strip()[:MOST_LETTERS]


def _mode(network: Network) -> str:
    return str(NETWORK_MODES.get(network.fence_mode, network.fence_mode))

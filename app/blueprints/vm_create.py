"""Create server: the six fields of the story on one page. What is wrong is said at the field and in a list on top."""

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select

from app.accounts.rules import Permission
from app.blueprints import web
from app.blueprints.vm_cards import card
from app.blueprints.vm_create_form import EXISTING, NEW, NO_NETWORK, CreateForm, as_uuid
from app.blueprints.vm_create_vapps import vapp_choice
from app.blueprints.vms import bp
from app.cloud import offers, vms
from app.cloud.models import Network, Service, VApp, VappTemplate, Vdc
from app.cloud.operation_models import Operation
from app.db import db
from app.errors import AppError, NotFoundError
from app.texts.errors import error_text

NAMES = {"vm_name", "vapp_name", "machine_names"}


@bp.get("/vms/new")
@web.requires(Permission.VM_CREATE)
def new() -> web.Answer:
    """The form, filled with the smallest server of the first template, or with an earlier wish.

    `vapp` in the address is what the name of an existing vApp has in it.
    """
    vdc = _chosen_vdc(request.args.get("vdc"))
    form = _earlier_form(request.args.get("again")) or CreateForm()
    if "vapp" in request.args:
        form.place.data = EXISTING
    return _page(form, vdc, web.form_token())


@bp.post("/vms/new")
@web.requires(Permission.VM_CREATE)
def create() -> web.Answer:
    """Ask, and go to the page of the operation; sent twice, both go to the same one."""
    wanted, token = request.form.get("vdc_id"), web.given_token()
    vdc, form = _chosen_vdc(wanted), CreateForm(request.form)
    if not wanted:
        form.plain_errors.append(gettext("Choose a data center."))
    spec = form.spec(vdc.id)
    if spec is None or form.problems or form.unreadable:
        for wrong in vms.check(web.actor(), spec) if spec else ():
            form.take(wrong)
        return _page(form, vdc, token), 422
    vdc_id = vdc.id
    try:
        operation_id = vms.request_create(web.actor(), spec, token)
    except AppError as error:
        if error.status in (403, 404):
            raise
        for wrong in vms.check(web.actor(), spec) or [error]:
            form.take(wrong)
        return _page(form, _chosen_vdc(str(vdc_id)), token), 422
    return redirect(url_for("operations.show", operation_id=operation_id), 303)


@bp.get("/vms/new/names")
@web.requires(Permission.VM_CREATE)
def check_names() -> web.Answer:
    """Whether the names are good and free, while they are typed."""
    form = CreateForm(request.args)
    spec = form.spec(_chosen_vdc(request.args.get("vdc_id")).id)
    if spec is None or not spec.vm_name:
        return ""
    wrong = [error_text(error) for error in vms.check(web.actor(), spec) if error.field in NAMES]
    return render_template("vms/_names.html", wrong=list(dict.fromkeys(wrong)))


@bp.get("/vms/new/vapps")
@web.requires(Permission.VM_CREATE)
def find_vapps() -> web.Answer:
    """The existing vApps that fit, while a part of the name is typed."""
    form = CreateForm(request.args)
    vdc = _chosen_vdc(request.args.get("vdc"))
    found = vapp_choice(vdc.id, request.args.get("vapp", ""), as_uuid(form.vapp_id.data))
    return render_template("vms/_vapps.html", form=form, vapps=found, is_fragment=True)


def _page(form: CreateForm, vdc: Vdc, token: str) -> str:
    found = offers.offers(vdc.id)
    several = [offer for offer in found if len(offer.machines) > 1]
    taken = offers.names_taken(vdc.id, [one.default_name for offer in several for one in offer.machines])
    cards = [card(offer, vdc, taken) for offer in found]
    chosen = next((c for c in cards if c.id == form.template_id.data), None) or (cards[0] if cards else None)
    if chosen is not None and not form.is_submitted():
        form.start_with(chosen)
    if chosen is not None:
        form.name_bounds(chosen.offer)
    return render_template(
        "vms/new.html",
        form=form,
        problems=form.problems,
        cards=cards,
        networks=_networks(vdc),
        vapps=vapp_choice(vdc.id, request.args.get("vapp", ""), as_uuid(form.vapp_id.data)),
        bounds=chosen.offer if chosen else {},
        free=found[0].free if found else None,
        vdcs=_vdcs(),
        chosen=vdc,
        token=token,
    )


def _networks(vdc: Vdc) -> list[tuple[str, str]]:
    """The networks of the data center, if it has any; a server can also be made without one."""
    found = [(str(network.id), network.name) for network in offers.networks(vdc.id)]
    return [*found, (NO_NETWORK, gettext("No network"))] if found else []


def _vdcs() -> list[Vdc]:
    """The virtual data centers of the account, by name."""
    own = select(Vdc).join(Vdc.service).where(Service.account_id == web.actor().account_id)
    return list(db.session.scalars(own.order_by(Vdc.name)))


def _chosen_vdc(wanted: str | None) -> Vdc:
    """The data center that the address names, if it is the account's; else its first one."""
    own = _vdcs()
    vdc = next((vdc for vdc in own if str(vdc.id) == wanted), own[0] if own and not wanted else None)
    if vdc is None:
        raise NotFoundError
    return vdc


def _earlier_form(operation_id: str | None) -> CreateForm | None:
    """The form of an earlier creation that did not succeed, for another try."""
    wanted = as_uuid(operation_id)
    if wanted is None:
        return None
    operation = web.get_operation(wanted)
    if operation.kind not in offers.CREATING:
        raise NotFoundError
    params, size = operation.params, operation.params["size"]
    is_named_apart = params["vapp_name"] != params["vm_name"]
    values = {
        "template_id": _id_of(VappTemplate, operation, "template_urn"),
        "network_id": _id_of(Network, operation, "network_urn") or NO_NETWORK,
        "place": EXISTING if params["vapp_urn"] else NEW,
        "vapp_id": _id_of(VApp, operation, "vapp_urn"),
        "vm_name": params["vm_name"],
        "vapp_name": params["vapp_name"] if is_named_apart and not params["vapp_urn"] else "",
        "cpu_count": str(size["cpu_count"]),
        "memory_gb": f"{size['memory_mb'] / 1024:g}",
        "disk_gb": str(size["disk_gb"]),
    }
    return CreateForm(names=[machine["name"] for machine in params["machines"]], data=values)


def _id_of(model: type[Network | VApp | VappTemplate], operation: Operation, param: str) -> str:
    """The id in the mirror of what a wish names by its urn, as a form has it."""
    row = select(model.id).where(model.vdc_id == operation.vdc_id, model.urn == operation.params[param])
    return str(db.session.scalar(row) or "")

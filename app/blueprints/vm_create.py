"""Create server: the six fields of the story on one page. What is wrong is said at the field and in a list on top."""

import re
import uuid
from decimal import Decimal
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import format_decimal, gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import Field, PasswordField, StringField

from app.accounts.rules import Permission
from app.blueprints import web
from app.blueprints.vm_cards import Card, card
from app.blueprints.vms import bp
from app.cloud import offers, vms
from app.cloud.models import Network, Service, VappTemplate, Vdc
from app.cloud.sizes import Size
from app.cloud.vms import VmSpec
from app.db import db
from app.errors import AppError, NotFoundError
from app.texts import error_text

NO_NETWORK = "none"
MAKE, OWN = "make", "own"
FIELD_OF = {"memory_mb": "memory_gb"}
"""Fields of the form whose name is not that of the wish: people think of memory in GB."""


class CreateForm(FlaskForm):
    """The wish as it is typed; it is taken as it is and answered with errors, never silently mended."""

    template_id = StringField(_l("Template"))
    vm_name = StringField(_l("Name"))
    cpu_count = StringField(_l("Processor"))
    memory_gb = StringField(_l("Memory"))
    disk_gb = StringField(_l("Disk"))
    password_choice = StringField(_l("Password"), default=MAKE)
    password = PasswordField(_l("Your password"))
    network_id = StringField(_l("Network"))
    vapp_name = StringField(_l("vApp"))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.plain_errors: list[str] = []
        self.unreadable: list[str] = []

    def start_with(self, card: Card) -> None:
        """Choose a template and, where nothing is asked yet, its smallest size."""
        self.template_id.data = card.id
        for name, bounds in card.offer.items():
            self[name].data = self[name].data or f"{bounds.least:g}"

    def spec(self, vdc_id: uuid.UUID) -> VmSpec | None:
        """The wish in values; None without a template. What is no number is `unreadable` and counts as 0."""
        size = Size(
            cpu_count=self._number(self.cpu_count),
            memory_mb=self._number(self.memory_gb, 1024),
            disk_gb=self._number(self.disk_gb),
        )
        network_id, password = self._network_id(), self._own_password()
        template_id = _uuid(self.template_id.data)
        if template_id is None:
            _refuse(self.template_id, gettext("Choose a template."))
            return None
        name = (self.vm_name.data or "").strip()
        return VmSpec(
            vdc_id=vdc_id,
            template_id=template_id,
            network_id=network_id,
            vapp_name=(self.vapp_name.data or "").strip() or name,
            vm_name=name,
            size=size,
            password=password,
        )

    def _network_id(self) -> uuid.UUID | None:
        """The network; None only when that is what was chosen."""
        network_id = _uuid(self.network_id.data)
        if network_id is None and self.network_id.data != NO_NETWORK:
            _refuse(self.network_id, gettext("Choose a network, or “No network”."))
        return network_id

    def _own_password(self) -> str | None:
        """The password that the person chose; None when we are to make one."""
        choice = self.password_choice.raw_data
        if choice == [OWN]:
            return self.password.data or ""
        if choice != [MAKE]:
            _refuse(self.password_choice, gettext("Choose whether we make the password or you write it."))
        return None

    def _number(self, field: Field, times: int = 1) -> int:
        """What is typed, times `times`; else 0, and the field is `unreadable`. Whether it fits is asked later."""
        number = re.fullmatch(r"([0-9]{1,20})(?:[.,]([0-9]{1,6}))?", (field.data or "").strip())
        if number is None or (number[2] and times == 1):
            self.unreadable.append(field.name)
            return 0
        value = Decimal(f"{number[1]}.{number[2] or 0}") * times
        if value != int(value):
            _refuse(field, error_text(AppError("memory_mb_not_multiple")))
        return int(value)

    def name_bounds(self, card: Card) -> None:
        """Say at each unreadable field which numbers this template takes there."""
        for name in self.unreadable:
            bounds = card.offer[name]
            limits = {"least": format_decimal(bounds.least), "most": format_decimal(bounds.most)}
            if name == "memory_gb":
                _refuse(self[name], gettext("Write a number from %(least)s to %(most)s.", **limits))
            else:
                _refuse(self[name], gettext("Write a whole number from %(least)s to %(most)s.", **limits))

    def take(self, errors: list[AppError]) -> None:
        """Put each error at its field; one without a field goes to the list on top alone."""
        named_after_server = not (self.vapp_name.data or "").strip()
        for error in errors:
            name = FIELD_OF.get(error.field or "", error.field or "")
            if name == "vapp_name" and named_after_server:
                name = "vm_name"  # the one name that was typed
            if name not in self:
                self.plain_errors.append(error_text(error))
            elif not self[name].errors and name not in self.unreadable:
                _refuse(self[name], error_text(error))

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The list on top: (id of the field, sentence)."""
        at_fields = [(field.id, f"{field.label.text}: {text}") for field in self for text in field.errors]
        return at_fields + [("", text) for text in self.plain_errors]


def _refuse(field: Field, text: str) -> None:
    field.errors = [*field.errors, text]


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


# ---- what the page shows ---------------------------------------------------------------------------------------------


def _networks(vdc: Vdc) -> list[tuple[str, str]]:
    """The networks of the data center; without one a server can still be made."""
    found = [(str(network.id), network.name) for network in offers.networks(vdc.id)]
    return [*found, (NO_NETWORK, gettext("No network"))]


# ---- the views -------------------------------------------------------------------------------------------------------


@bp.get("/vms/new")
@web.requires(Permission.VM_CREATE)
def new() -> web.Answer:
    """The form, filled with the smallest server of the first template, or with an earlier wish."""
    vdc = _chosen_vdc(request.args.get("vdc"))
    form = CreateForm(formdata=None, data=_earlier(request.args.get("again")))
    return _page(form, vdc, web.form_token())


@bp.post("/vms/new")
@web.requires(Permission.VM_CREATE)
def create() -> web.Answer:
    """Ask, and go to the page of the operation; sent twice, both go to the same one."""
    wanted, token = request.form.get("vdc_id"), web.given_token()
    vdc, form = _chosen_vdc(wanted), CreateForm()
    if not wanted:
        form.plain_errors.append(gettext("Choose a data center."))
    spec = form.spec(vdc.id)
    if spec is None or form.problems or form.unreadable:
        form.take(vms.check(web.actor(), spec) if spec else [])
        return _page(form, vdc, token), 422
    vdc_id = vdc.id
    try:
        operation_id = vms.request_create(web.actor(), spec, token)
    except AppError as error:
        if error.status in (403, 404):
            raise
        form.take(vms.check(web.actor(), spec) or [error])
        return _page(form, _chosen_vdc(str(vdc_id)), token), 422
    return redirect(url_for("operations.show", operation_id=operation_id), 303)


def _page(form: CreateForm, vdc: Vdc, token: str) -> str:
    cards = [card(offer, vdc) for offer in offers.offers(vdc.id)]
    chosen = next((c for c in cards if c.id == form.template_id.data), None) or (cards[0] if cards else None)
    if chosen is not None and not form.is_submitted():
        form.start_with(chosen)
    if chosen is not None:
        form.name_bounds(chosen)
    return render_template(
        "vms/new.html",
        form=form,
        problems=form.problems,
        cards=cards,
        networks=_networks(vdc),
        bounds=chosen.offer if chosen else {},
        vdcs=_vdcs(),
        chosen=vdc,
        token=token,
    )


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


def _earlier(operation_id: str | None) -> dict[str, Any]:
    """The values of an earlier creation that did not succeed, for another try."""
    wanted = _uuid(operation_id)
    if wanted is None:
        return {}
    operation = web.get_operation(wanted)
    params = operation.params
    if operation.kind not in offers.CREATING:
        raise NotFoundError
    ids = {
        name: db.session.scalar(select(model.id).where(model.vdc_id == operation.vdc_id, model.urn == urn))
        for name, model, urn in (
            ("template_id", VappTemplate, params["template_urn"]),
            ("network_id", Network, params["network_urn"]),
        )
    }
    size = params["size"]
    return {
        "template_id": str(ids["template_id"] or ""),
        "network_id": str(ids["network_id"] or NO_NETWORK),
        "vm_name": params["vm_name"],
        "vapp_name": params["vapp_name"] if params["vapp_name"] != params["vm_name"] else "",
        "cpu_count": str(size["cpu_count"]),
        "memory_gb": f"{size['memory_mb'] / 1024:g}",
        "disk_gb": str(size["disk_gb"]),
    }

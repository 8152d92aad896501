"""The form of *Create server*: what was typed becomes a wish, and what is wrong with it stands at its field."""

import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import count, takewhile
from typing import Any

from flask_babel import format_decimal, gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, PasswordField, StringField

from app.blueprints.vm_cards import Card, Range
from app.cloud import offers
from app.cloud.models import VappTemplate
from app.cloud.sizes import Size
from app.cloud.vms import VmSpec
from app.db import db
from app.errors import AppError
from app.texts.errors import error_text

NO_NETWORK = "none"
MAKE, OWN = "make", "own"
NEW, EXISTING = "new", "existing"
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
    place = StringField(_l("vApp"), default=NEW)
    vapp_name = StringField(_l("Name of the new vApp"))
    vapp_id = StringField(_l("Existing vApp"))

    def __init__(self, sent: MultiDict[str, str] | None = None, *, names: Sequence[str] = (), **values: Any) -> None:
        super().__init__(formdata=sent, **values)
        self._sent, self._names = sent, names
        self.plain_errors: list[str] = []
        self.name_errors: dict[int, str] = {}  # of the machines of a template of several, by their number from 1
        self.unreadable: list[str] = []

    def start_with(self, card: Card) -> None:
        """Choose a template and, where nothing is asked yet, its smallest size."""
        self.template_id.data = card.id
        for name, bounds in card.offer.items():
            self[name].data = self[name].data or f"{bounds.least:g}"

    def spec(self, vdc_id: uuid.UUID) -> VmSpec | None:
        """The wish in values; None without a template. What is no number is `unreadable` and counts as 0."""
        network_id, password, vapp_id = self._network_id(vdc_id), self._own_password(), self._vapp_id(vdc_id)
        template_id = as_uuid(self.template_id.data)
        if template_id is None:
            _refuse(self.template_id, gettext("Choose a template."))
            return None
        name = (self.vm_name.data or "").strip()
        return VmSpec(
            vdc_id=vdc_id,
            template_id=template_id,
            network_id=network_id,
            vm_name=name,
            vapp_name=((self.vapp_name.data or "").strip() or name) if self.place.data != EXISTING else "",
            vapp_id=vapp_id,
            size=None if _makes_several(template_id) else self._size(),
            machine_names=tuple(self.machine_names(template_id)),
            password=password,
        )

    def machine_names(self, template_id: object) -> Sequence[str]:
        """What was typed, now or earlier, for the machines of a template of several."""
        if self._sent is not None:
            fields = takewhile(self._sent.__contains__, (f"names-{template_id}-{number}" for number in count(1)))
            return [self._sent[field].strip() for field in fields]
        return self._names if str(template_id) == self.template_id.data else ()

    def _size(self) -> Size:
        return Size(
            cpu_count=self._number(self.cpu_count),
            memory_mb=self._number(self.memory_gb, 1024),
            disk_gb=self._number(self.disk_gb),
        )

    def _network_id(self, vdc_id: uuid.UUID) -> uuid.UUID | None:
        """The network; None only when that is what was chosen, or when there is none to choose."""
        network_id = as_uuid(self.network_id.data)
        is_asked = self.network_id.data is not None or bool(offers.networks(vdc_id))
        if network_id is None and self.network_id.data != NO_NETWORK and is_asked:
            _refuse(self.network_id, gettext("Choose a network, or “No network”."))
        return network_id

    def _vapp_id(self, vdc_id: uuid.UUID) -> uuid.UUID | None:
        """The vApp to which the machine shall be added; None for a new one."""
        choice = self.place.raw_data
        if choice == [EXISTING]:
            vapp_id = as_uuid(self.vapp_id.data)
            if vapp_id is None:
                _refuse(self.vapp_id, gettext("Choose a vApp."))
            return vapp_id
        if choice != [NEW] and (choice or offers.vapps(vdc_id, most=1)):
            _refuse(self.place, gettext("Choose a new vApp or an existing one."))
        return None

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

    def name_bounds(self, offer: Mapping[str, Range]) -> None:
        """Say at each unreadable field which numbers the template takes there."""
        for name in self.unreadable:
            bounds = offer[name]
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
            number = error.params.get("number")
            if isinstance(number, int):
                self.name_errors.setdefault(number, error_text(error))
            elif name not in self:
                self.plain_errors.append(error_text(error))
            elif not self[name].errors and name not in self.unreadable:
                _refuse(self[name], error_text(error))

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The list on top: (id of the field, sentence)."""
        at_fields = [(field.id, f"{field.label.text}: {text}") for field in self for text in field.errors]
        at_names = [
            (
                f"names-{self.template_id.data}-{number}",
                gettext("Server %(number)s: %(text)s", number=number, text=text),
            )
            for number, text in self.name_errors.items()
        ]
        return at_fields + at_names + [("", text) for text in self.plain_errors]


def _refuse(field: Field, text: str) -> None:
    field.errors = [*field.errors, text]


def _makes_several(template_id: uuid.UUID) -> bool:
    template = db.session.get(VappTemplate, template_id)
    return template is not None and len(template.vms) > 1


def as_uuid(text: str | None) -> uuid.UUID | None:
    """The id that a text is, if it is one."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None

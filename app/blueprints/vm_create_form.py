"""The form of *Create server*: what was typed becomes a wish, and what is wrong with it stands at its field."""

import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import count, takewhile
from typing import Any

from flask_babel import format_decimal, gettext
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import Field, PasswordField, StringField

from app.blueprints.forms import MAKE, PasswordForm
from app.blueprints.vm_cards import Card, Range
from app.cloud import offers
from app.cloud.models import VappTemplate
from app.cloud.sizes import Size
from app.cloud.vms import VmSpec
from app.db import db
from app.errors import AppError
from app.texts.errors import error_text

NO_NETWORK = "none"
NEW, EXISTING = "new", "existing"


class CreateForm(PasswordForm):
    """The wish for a new machine as it is typed."""

    name_of = {"memory_mb": "memory_gb"}  # people think of memory in GB
    template_id = StringField(_l("Template"))
    vm_name = StringField(_l("Name"))
    cpu_count = StringField(_l("Processor"))
    memory_gb = StringField(_l("Memory"))
    disk_gb = StringField(_l("Disk"))
    password_choice = StringField(_l("Password"), default=MAKE)  # declared again for its place in the list on top
    password = PasswordField(_l("Your password"))
    network_id = StringField(_l("Network"))
    place = StringField(_l("vApp"), default=NEW)
    vapp_name = StringField(_l("Name of the new vApp"))
    vapp_id = StringField(_l("Existing vApp"))

    def __init__(self, sent: MultiDict[str, str] | None = None, *, names: Sequence[str] = (), **values: Any) -> None:
        super().__init__(formdata=sent, **values)
        self._sent, self._names = sent, names
        self.name_errors: dict[int, str] = {}  # of the machines of a template of several, by their number from 1
        self.unreadable: list[str] = []

    def start_with(self, card: Card) -> None:
        """Choose a template and, where nothing is asked yet, its smallest size."""
        self.template_id.data = card.id
        for name, bounds in card.offer.items():
            self[name].data = self[name].data or f"{bounds.least:g}"

    def spec(self, vdc_id: uuid.UUID) -> VmSpec | None:
        """The wish in values; None without a template. What is no number is `unreadable` and counts as 0."""
        network_id, password, vapp_id = self._network_id(vdc_id), self.own_password(), self._vapp_id(vdc_id)
        template_id = as_uuid(self.template_id.data)
        if template_id is None:
            self.refuse("template_id", gettext("Choose a template."))
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
            self.refuse("network_id", gettext("Choose a network, or “No network”."))
        return network_id

    def _vapp_id(self, vdc_id: uuid.UUID) -> uuid.UUID | None:
        """The vApp to which the machine shall be added; None for a new one."""
        choice = self.place.raw_data
        if choice == [EXISTING]:
            vapp_id = as_uuid(self.vapp_id.data)
            if vapp_id is None:
                self.refuse("vapp_id", gettext("Choose a vApp."))
            return vapp_id
        if choice != [NEW] and (choice or offers.vapps(vdc_id, most=1)):
            self.refuse("place", gettext("Choose a new vApp or an existing one."))
        return None

    def _number(self, field: Field, times: int = 1) -> int:
        """What is typed, times `times`; else 0, and the field is `unreadable`. Whether it fits is asked later."""
        number = re.fullmatch(r"([0-9]{1,20})(?:[.,]([0-9]{1,6}))?", (field.data or "").strip())
        if number is None or (number[2] and times == 1):
            self.unreadable.append(field.name)
            return 0
        value = Decimal(f"{number[1]}.{number[2] or 0}") * times
        if value != int(value):
            self.refuse(field.name, error_text(AppError("memory_mb_not_multiple")))
        return int(value)

    def name_bounds(self, offer: Mapping[str, Range]) -> None:
        """Say at each unreadable field which numbers the template takes there."""
        for name in self.unreadable:
            bounds = offer[name]
            limits = {"least": format_decimal(bounds.least), "most": format_decimal(bounds.most)}
            if name == "memory_gb":
                self.refuse(name, gettext("Write a number from %(least)s to %(most)s.", **limits))
            else:
                self.refuse(name, gettext("Write a whole number from %(least)s to %(most)s.", **limits))

    def field_of(self, error: AppError) -> Field | None:
        """A vApp that is named after its server has the name that was typed there."""
        is_named_after_server = not (self.vapp_name.data or "").strip()
        return self.vm_name if error.field == "vapp_name" and is_named_after_server else super().field_of(error)

    def take(self, error: AppError) -> None:
        """Put an error where it belongs; a field says the first thing that is wrong with it."""
        number, field = error.params.get("number"), self.field_of(error)
        if isinstance(number, int):
            self.name_errors.setdefault(number, error_text(error))
        elif field is None or (not field.errors and field.name not in self.unreadable):
            super().take(error)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The list on top, with the names of several machines."""
        at_names = [
            (
                f"names-{self.template_id.data}-{number}",
                gettext("Server %(number)s: %(text)s", number=number, text=text),
            )
            for number, text in self.name_errors.items()
        ]
        return [*super().problems, *at_names]


def _makes_several(template_id: uuid.UUID) -> bool:
    template = db.session.get(VappTemplate, template_id)
    return template is not None and len(template.vms) > 1


def as_uuid(text: str | None) -> uuid.UUID | None:
    """The id that a text is, if it is one."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None

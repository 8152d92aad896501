"""What the forms that ask for something share: errors at the field and in a list on top, values kept."""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from flask import redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField

from app.blueprints import machines, web
from app.cloud.models import Vm
from app.cloud.rules import Action
from app.errors import AppError
from app.texts.errors import error_text

MAKE, OWN = "make", "own"


class WishForm(FlaskForm):
    """A wish as it is typed; it is taken as it is and answered with errors, never silently mended."""

    name_of: ClassVar[Mapping[str, str]] = {}
    """Fields of the wish that have another name in the form."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.plain_errors: list[str] = []

    def refuse(self, name: str, text: str) -> None:
        """Say at a field what is wrong with it."""
        field: Field = self[name]
        field.errors = [*field.errors, text]

    def whole_number(self, name: str) -> int:
        """The number in that field; 0, and an error at the field, for anything that is none."""
        typed = (self[name].data or "").strip()
        if re.fullmatch(r"[0-9]{1,9}", typed):
            return int(typed)
        self.refuse(name, gettext("Write a whole number."))
        return 0

    def fields(self) -> Iterator[Field]:
        """Everything that can be filled in."""
        return iter(self)

    def field_of(self, error: AppError) -> Field | None:
        """Where an error belongs; None: in the list on top alone."""
        name = self.name_of.get(error.field or "", error.field)
        return next((field for field in self.fields() if field.name == name), None)

    def take(self, error: AppError) -> None:
        """Put an error where it belongs."""
        field = self.field_of(error)
        if field is None:
            self.plain_errors.append(error_text(error))
        else:
            field.errors = [*field.errors, error_text(error)]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The list on top: (id of the field, sentence)."""
        at_fields = [(field.id, f"{field.label.text}: {text}") for field in self.fields() for text in field.errors]
        return at_fields + [("", text) for text in self.plain_errors]


class PasswordForm(WishForm):
    """A password: made by us, or chosen by the person."""

    password_choice = StringField(_l("Password"), default=MAKE)
    password = PasswordField(_l("Your password"))

    def own_password(self) -> str | None:
        """The password that the person chose; None when we are to make one."""
        choice = self.password_choice.raw_data
        if choice not in ([MAKE], [OWN]):
            self.refuse("password_choice", gettext("Choose whether we make the password or you write it."))
        return self.password.data or "" if choice == [OWN] else None


def show(vm: Vm, action: Action, form: WishForm, **values: Any) -> str:
    """The page of an action's form, `vms/<action>.html`; it says beforehand what the state of the machine forbids."""
    choice = machines.row(vm).choice(action)
    token, problems = web.given_token(), form.problems
    return render_template(
        f"vms/{action.value}.html", vm=vm, choice=choice, form=form, problems=problems, token=token, **values
    )


def send(
    vm_id: uuid.UUID,
    form: WishForm,
    request_it: Callable[[], uuid.UUID],
    again: Callable[[Vm], str],
    *,
    to_operation: bool = False,
) -> web.Answer:
    """Ask, and go to the page of the machine (or of the operation); what is refused is shown by `again`."""
    web.get_vm(vm_id)
    if not form.problems:
        try:
            operation_id = request_it()
        except AppError as error:
            if error.status in (403, 404):
                raise
            form.take(error)
        else:
            own = url_for("operations.show", operation_id=operation_id)
            return redirect(own if to_operation else url_for("vms.show", vm_id=vm_id), 303)
    return again(web.get_vm(vm_id)), 422

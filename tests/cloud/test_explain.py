"""Every text that vCloud is known to refuse with has an explanation in both languages."""

import ast
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import vcdsim
from app.cloud import explain, wishes
from app.cloud.models import Vm
from app.cloud.operation_models import UnexplainedError
from app.cloud.rules import Action
from app.db import db
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, operation
from vcdsim import Simulator
from vcdsim.faults import error

# Texts of real vCDs that the simulator does not say (vcloud.md section 4, recordings).
RECORDED = [
    ("OPERATION_LIMITS_EXCEEDED", "The maximum number of simultaneous operations for user has been reached."),
    ("BAD_REQUEST", "The entity Ref: com.vmware.vcloud.entity.vm:1 is busy completing an operation VAPP_UPDATE_VM."),
    ("BAD_REQUEST", '[ 5bdd3f05-8130-43f3-8941-58009bd0ea10 ] There is already a VM named "web".'),
    ("BAD_REQUEST", "The requested operation will exceed the vDC's storage quota."),
    ("BAD_REQUEST", 'The VCD entity network "blue" does not exist.'),
    ("BAD_REQUEST", "validation error on field 'id': String value has invalid format or length"),
    ("BAD_REQUEST", "Guest customization is not supported by the selected OS."),
    ("INTERNAL_SERVER_ERROR", "[ 48c6327b-d661 ] Unable to perform this action. Contact your cloud administrator."),
    (None, "Unable to perform this action. Contact your cloud administrator."),
    ("VIM_INVALID_DISK_PARAMETERS", "Invalid hard disk parameters specified."),
    (None, "[ 21bbfe02 ] null - Cannot complete operation because VMware Tools is not running in this VM."),
    ("INTERNAL_SERVER_ERROR", 'Failed to shutdown guest os for "web" as required VM tools were found unavailable.'),
]
# What our client says instead of asking vCloud in vain.
OF_THE_CLIENT = [
    (None, "the VM has no disk 2001 of its own"),
    (None, "the VM has no network card [1]"),
    (None, "the size of the disk cannot be reduced from 2048 MB to 1024 MB"),
]

WORDS = {key: {"cause": "c", "next": "n"} for key in explain.LANGUAGES}


def simulated() -> Iterator[tuple[str, str]]:
    """(minor code, text) of every refusal that is written down in the simulator; a name in it is X."""
    for path in Path(vcdsim.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "RefusalError":
                named = {keyword.arg: keyword.value for keyword in call.keywords}
                code = named.get("minor_code", ast.Constant("BAD_REQUEST"))
                assert isinstance(code, ast.Constant), path
                if text := _text(call.args[0]):
                    yield str(code.value), text


def _text(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in argument.values)
    return ""  # made elsewhere, from texts that are found there


@pytest.mark.parametrize(("code", "text"), sorted({*simulated(), *RECORDED, *OF_THE_CLIENT}, key=str))
@pytest.mark.parametrize("language", explain.LANGUAGES)
def test_every_known_refusal_is_explained(code: str | None, text: str, language: str) -> None:
    found = explain.explain(code, text, language=language)
    assert found is not None
    assert found.cause
    assert found.next_step


def test_the_simulator_has_many_texts_to_explain() -> None:
    assert len(set(simulated())) >= 80


def test_the_languages_say_different_words() -> None:
    for rule in explain.book():
        assert re.search("[а-я]", rule.words["ru"]["cause"] + rule.words["ru"]["next"])
        assert not re.search("[а-я]", rule.words["en"]["cause"] + rule.words["en"]["next"])


@pytest.mark.parametrize(
    ("code", "text", "cause"),
    [
        ("DUPLICATE_NAME", "The VCD entity web already exists.", "Something of this name exists already."),
        (
            "BAD_REQUEST",
            "The following IP/MAC addresses have already been used by running virtual machines: IP addresses: 10.0.0.9",
            "The address 10.0.0.9 is used by another running server.",
        ),
        (
            "BAD_REQUEST",
            "The number of CPUs (3) must be a multiple of the number of cores per socket (2).",
            "The processors of this server come in steps of 2.",
        ),
    ],
)
def test_an_explanation_names_what_vcloud_names(code: str, text: str, cause: str) -> None:
    found = explain.explain(code, text, language="en")
    assert found is not None
    assert found.cause == cause


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"who": "you"}, "neither code nor text"),
        ({"code": "X", "who": "nobody", **WORDS}, "nobody"),
        ({"code": "X", "who": "you", "en": {"cause": "c", "next": "n"}}, "ru"),
        ({"text": "(", "who": "you"}, "rule 7"),
        ({"code": "X", "who": "you", "hint": "h"}, "unknown: hint"),
        ({"code": "X", "who": "you", **{key: {"cause": "{ip}", "next": "n"} for key in explain.LANGUAGES}}, "ip"),
    ],
)
def test_a_rule_that_could_not_explain_is_refused_by_its_number(entry: dict[str, object], complaint: str) -> None:
    with pytest.raises(explain.BookError, match="rule 7") as caught:
        explain._rule(7, entry)
    assert complaint in str(caught.value)


def failed(cast: Cast, cloud: Simulator, clock: Clock, message: str) -> uuid.UUID:
    """An operation that vCloud has refused with this text."""
    vm_id = db.session.scalars(select(Vm.id).where(Vm.name == "sandbox")).one()
    cloud.faults.add("powerOn", error=error("BAD_REQUEST", message))
    asked = wishes.ask(cast.owner, vm_id, Action.START, new_token())
    drain(cloud, clock)
    assert operation(asked).state == "failed"
    return asked


def gathered() -> list[UnexplainedError]:
    """What the staff would see."""
    return list(db.session.scalars(select(UnexplainedError)))


def test_texts_that_no_rule_knows_are_counted_as_one_for_the_staff(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    failed(cast, cloud, clock, 'The flux of "web" is 12 too high.')
    last = failed(cast, cloud, clock, 'The flux of "mail" is 7 too high.')
    [found] = gathered()
    assert (found.times, found.minor_code, found.operation_id) == (2, "BAD_REQUEST", last)
    assert found.message.endswith('The flux of "mail" is 7 too high.')


def test_a_known_text_is_not_gathered(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    failed(cast, cloud, clock, "There are insufficient CPU or memory resources to complete the operation.")
    assert gathered() == []

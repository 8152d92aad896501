"""Every sentence is translated, none is unused, and whatever the code can say has words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale, gettext, ngettext

from app import texts
from app.accounts.rules import Role, StaffRole, TokenScope
from app.cloud import outcomes
from app.cloud.console_rules import ConsoleBlock
from app.cloud.rules import Action, Blocked, VmState
from app.cloud.steps import KINDS
from app.errors import AppError
from app.texts import console, errors, labels, operations

ROOT = Path(__file__).parent.parent
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


@pytest.fixture(scope="module")
def written() -> set[tuple[str | None, object]]:
    """What the code and the templates say: (context, sentence or its two forms)."""
    with (ROOT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]
    found = extract_from_dir(str(ROOT / "app"), methods, options, KEYWORDS)
    return {(context, message) for _, _, message, _, context in found}


@pytest.fixture(scope="module")
def russian() -> Catalog:
    """The Russian catalogue."""
    with (texts.CATALOGUES / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale="ru")


def messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def test_every_sentence_is_in_the_catalogue_and_none_too_many(
    written: set[tuple[str | None, object]], russian: Catalog
) -> None:
    known = {(m.context, tuple(m.id) if isinstance(m.id, list | tuple) else m.id) for m in messages(russian)}
    assert sorted(map(str, written - known)) == []
    assert sorted(map(str, known - written)) == []


def test_every_sentence_is_translated(russian: Catalog) -> None:
    for message in messages(russian):
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), message.id
        assert not message.fuzzy, message.id
        if isinstance(message.id, list | tuple):
            assert len(forms) == 3, f"Russian has three plural forms: {message.id}"


def test_placeholders_agree(russian: Catalog) -> None:
    def holes(text: str) -> list[str]:
        return sorted(set(re.findall(r"%\(\w+\)[sd]", text)))

    for message in messages(russian):
        wanted = message.id[1] if isinstance(message.id, list | tuple) else message.id
        for form in message.string if isinstance(message.string, tuple) else (message.string,):
            assert holes(str(form)) == holes(str(wanted)), message.id


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1 сервер."), (2, "2 сервера."), (5, "5 серверов."), (11, "11 серверов."), (21, "21 сервер.")],
)
def test_russian_counts_in_three_forms(app: Flask, number: int, words: str) -> None:
    with app.test_request_context(), force_locale("ru"):
        assert ngettext("%(num)d server.", "%(num)d servers.", number) == words


def test_a_catalogue_is_read_as_it_stands_in_the_repository(app: Flask) -> None:
    with app.test_request_context(), force_locale("ru"):
        assert gettext("Servers") == "Серверы"
    with app.test_request_context(), force_locale("en"):
        assert gettext("Servers") == "Servers"


def test_every_member_of_an_enum_has_a_label() -> None:
    for words, enum in (
        (labels.VM_STATES, VmState),
        (console.BLOCKS, ConsoleBlock),
        (labels.STATE_GLYPHS, VmState),
        (labels.ACTIONS, Action),
        (labels.BLOCKED, Blocked),
        (labels.ROLES, Role),
        (labels.STAFF_ROLES, StaffRole),
        (labels.TOKEN_SCOPES, TokenScope),
    ):
        assert set(words) == set(enum)


def test_every_operation_and_every_step_has_a_name() -> None:
    assert set(operations.OPERATIONS) == set(operations.BUSY_STATES) == set(operations.BUSY_SINCE) == set(KINDS)
    assert set(operations.STEPS) == {step.name for kind in KINDS.values() for step in kind.steps}


# ---- codes ------------------------------------------------------------------------------------------------------


def calls(*names: str) -> Iterator[ast.Call]:
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be; an f-string as a pattern, unless it would match anything."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.escape(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"\w+" for p in node.values)
        yield from (pattern for pattern in ("".join(parts),) if not pattern.startswith(r"\w+"))
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))


def test_every_error_code_has_a_sentence_and_none_is_left_over() -> None:
    raised = {code for call in calls("AppError") if call.args for code in literals(call.args[0])} | {"not_found"}
    for code in raised:
        assert any(re.fullmatch(code, known) for known in errors.ERRORS), f"{code} has no sentence"
    # codes that app.cloud.rules puts together, in size_errors and name_errors
    by_pattern = r"(cpu_count|memory_mb|disk_gb)_(too_small|too_large_(template|vdc))|vm_name_long(_windows)?"
    for known in errors.ERRORS:
        assert re.fullmatch(by_pattern, known) or any(re.fullmatch(code, known) for code in raised), (
            f"{known} is unused"
        )


def test_every_failure_of_an_operation_is_explained() -> None:
    codes = {code for call in calls("FailedError") if call.args for code in literals(call.args[0])}
    codes |= {code for call in calls("stop") for code in literals(call.args[1])}
    codes |= {outcomes.CANCELLED}
    for step in (step for kind in KINDS.values() for step in (*kind.steps, *kind.clean_up)):
        codes |= {step.deadline_verdict} if step.deadline_verdict else set()
        codes |= set(step.failures.values())
    assert codes == set(operations.EXPLANATIONS)


def test_a_sentence_asks_only_for_what_its_error_carries() -> None:
    for call in calls("AppError"):
        given = {keyword.arg for keyword in call.keywords} - {"field", "status"}
        if None in given:
            continue  # passed on from another error
        for code in literals(call.args[0]) if call.args else ():
            for known, sentence in errors.ERRORS.items():
                if re.fullmatch(code, known) and not callable(sentence):
                    assert set(re.findall(r"%\((\w+)\)", str(sentence))) <= given, known


def test_sizes_in_errors_have_their_unit(app: Flask) -> None:
    error = AppError("memory_mb_too_large_vdc", value=65536, least=1024, most=30208)
    with app.test_request_context(), force_locale("en"):
        assert errors.error_text(error).startswith("64\xa0GB of memory do not fit: 29.5\xa0GB are free.")

"""What staff sees of the texts that no rule explains."""

import tomllib
import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.accounts import members
from app.accounts.models import AuditEntry
from app.blueprints import staff_errors
from app.cloud import explain, unexplained, wishes
from app.cloud.operation_models import UnexplainedError
from app.cloud.rules import Action
from app.db import db, transaction
from app.errors import AppError
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.page import Page, open_page
from tests.support.statements import statements
from vcdsim import Simulator

PATH = "/staff/errors"
FLUX = 'The flux of "web" is 12 too high.'
KNOWN = "There are insufficient CPU or memory resources to complete the operation."


@pytest.fixture
def support(browser: Browser, cast: Cast) -> FlaskClient:
    """The browser of support."""
    return browser(cast.support)


@pytest.fixture
def asked(cast: Cast, cloud: Simulator) -> uuid.UUID:
    """An operation in which vCloud can have refused something."""
    return wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())


def say(asked: uuid.UUID, message: str, *, times: int = 1) -> None:
    with transaction():
        for _ in range(times):
            unexplained.gather("BAD_REQUEST", message, asked)
            db.session.flush()


def rule_has_come(message: str) -> None:
    """The first of the texts becomes one that the book explains, as it would with a new rule."""
    with transaction():
        db.session.scalars(select(UnexplainedError).limit(1)).one().message = message


def items(page: Page) -> list[str]:
    return page.texts("main .sk-list > li")


def counter(page: Page) -> list[str]:
    return page.texts(f".sk-side a[href='{PATH}'] .sk-count")


def test_nothing_to_explain_is_said(support: FlaskClient, cloud: Simulator) -> None:
    page = open_page(support, PATH)
    assert "Every error has its explanation" in page.text
    assert counter(page) == []


def test_the_most_frequent_stands_first_with_its_code_numbers_and_last_operation(
    support: FlaskClient, asked: uuid.UUID
) -> None:
    say(asked, "The tide is out.")
    say(asked, FLUX, times=3)
    page = open_page(support, PATH)
    first, second = items(page)
    assert first.startswith(FLUX)
    assert "BAD_REQUEST · 3 times · first 0 s ago · last 0 s ago: Starting sandbox" in first
    assert second.startswith("The tide is out.")
    assert page.links()["Starting sandbox"] == f"/staff/operations/{asked}"
    assert counter(page) == ["2"]


def test_the_rule_to_copy_is_what_can_be_pressed(support: FlaskClient, asked: uuid.UUID) -> None:
    say(asked, FLUX)
    page = open_page(support, PATH)
    rule = unexplained.rule_for("BAD_REQUEST", FLUX)
    assert page.root.cssselect("main pre")[0].text_content() == rule
    assert page.root.cssselect("main [data-copy]")[0].get("data-copy") == rule


@pytest.mark.parametrize(
    ("message", "also"),
    [
        (FLUX, 'The flux of "mail" is 7 too high.'),
        (
            "[ 5bdd3f05-8130-43f3-8941-58009bd0ea10 ] No (more) [flux] * for 5bdd3f05-8130-43f3-8941-58009bd0ea10.",
            "No (more) [flux] * for 00000000-8130-43f3-8941-58009bd0ea10.",
        ),
        ("The guest's flux\n\tis C:\\bad.", "The guest's flux\n\tis C:\\bad."),
        ("Flux \x7f found", "Flux \x7f found"),
    ],
)
def test_the_rule_fits_the_text_and_its_like(message: str, also: str) -> None:
    entry = tomllib.loads(unexplained.rule_for("BAD_REQUEST", message))["rule"][0]
    rule = explain._rule(1, entry)
    assert rule.match("BAD_REQUEST", message) == {}
    assert rule.match(None, also) == {}
    assert rule.match("BAD_REQUEST", KNOWN) is None


def test_a_code_that_tells_something_is_part_of_the_rule() -> None:
    rule = tomllib.loads(unexplained.rule_for("FLUX_TOO_HIGH", "Too high."))["rule"][0]
    assert (rule["code"], rule["text"]) == ("FLUX_TOO_HIGH", r"Too high\.")


def test_a_text_whose_rule_has_come_is_explained_now_stands_last_and_is_not_counted(
    support: FlaskClient, asked: uuid.UUID
) -> None:
    say(asked, FLUX, times=3)
    rule_has_come(KNOWN)
    say(asked, "The tide is out.")
    page = open_page(support, PATH)
    assert "No rule" in items(page)[0]
    assert "Explained now The data center has not enough processors or memory left." in items(page)[1]
    assert len(page.root.cssselect("main pre")) == 1
    assert counter(page) == ["1"]


def test_what_is_removed_is_gone_until_it_is_said_again_and_the_audit_says_who(
    support: FlaskClient, cast: Cast, asked: uuid.UUID
) -> None:
    say(asked, FLUX)
    error_id = db.session.scalars(select(UnexplainedError.id)).one()
    answer = open_page(support, PATH).send(f"{PATH}/{error_id}/remove")
    assert (answer.status_code, answer.location) == (303, PATH)
    assert items(open_page(support, PATH)) == []
    unexplained.remove(cast.support, error_id)  # twice is once
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "unexplained_error.remove")).one()
    assert (entry.user_id, entry.object_id, entry.details) == (cast.support.user_id, error_id, {"message": FLUX})
    say(asked, FLUX)
    assert len(items(open_page(support, PATH))) == 1


def test_customers_have_no_such_page(owner: FlaskClient, cast: Cast, asked: uuid.UUID) -> None:
    say(asked, FLUX)
    error_id = db.session.scalars(select(UnexplainedError.id)).one()
    open_page(owner, PATH, status=404)
    token = open_page(owner, "/").root.cssselect("input[name=csrf_token]")[0].get("value")
    assert owner.post(f"{PATH}/{error_id}/remove", data={"csrf_token": token}).status_code == 404
    with pytest.raises(AppError, match="not_permitted"):
        unexplained.remove(cast.owner, error_id)
    assert db.session.scalar(select(func.count()).select_from(UnexplainedError)) == 1
    assert not open_page(owner, "/").root.cssselect(f"a[href='{PATH}']")


def test_of_many_texts_the_most_frequent_are_shown(support: FlaskClient, asked: uuid.UUID) -> None:
    for number in range(staff_errors.SHOWN):
        say(asked, f"The flux is {'very ' * number} high.", times=2)
    say(asked, "The tide is out.")
    page = open_page(support, PATH)
    assert len(items(page)) == staff_errors.SHOWN
    assert "The tide is out." not in page.text
    assert "The most frequent are shown." in page.text


def test_it_sends_few_statements_however_many_texts_there_are(support: FlaskClient, asked: uuid.UUID) -> None:
    sent = []
    for texts in (1, 40):
        for number in range(texts):
            say(asked, f"The flux is {'very ' * number} high.")
        with statements() as found:
            open_page(support, PATH)
        sent.append(len(found))
    assert sent[0] == sent[1] <= 8


def test_it_speaks_russian(support: FlaskClient, cast: Cast, asked: uuid.UUID) -> None:
    say(asked, FLUX, times=2)
    members.set_locale(cast.support.user_id, "ru")
    page = open_page(support, PATH)
    assert page.h1 == "Необъяснённые ошибки"
    assert "2 раза" in items(page)[0]


def test_the_words_of_vcloud_are_no_markup(support: FlaskClient, asked: uuid.UUID) -> None:
    say(asked, "<img src=x>")
    assert "<img src=x>" not in open_page(support, PATH).response.text

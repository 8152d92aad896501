"""The drift desk of staff: every account's entries, the old ones as an alarm."""

import pytest
from flask.testing import FlaskClient

from app.accounts import members
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.drift import drifted
from tests.support.page import Page, open_page
from tests.support.statements import statements
from vcdsim import Simulator

PATH = "/staff/drift"
DAY_S = 24 * 3600


@pytest.fixture
def support(browser: Browser, cast: Cast) -> FlaskClient:
    """The browser of support."""
    return browser(cast.support)


def names(page: Page) -> list[str]:
    return page.texts("main tbody th b")


def alarm(page: Page) -> list[str]:
    return page.texts(f".sk-side a[href='{PATH}'] .sk-count")


def test_entries_of_all_accounts_are_listed_with_whose_they_are(support: FlaskClient, cloud: Simulator) -> None:
    drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    drifted(vm_id("portal-web"), "name", "portal-web", "portal")
    page = open_page(support, PATH)
    assert sorted(names(page)) == ["portal-web", "sandbox"]
    assert "Acme" in page.text
    assert "Globex" in page.text
    assert not page.root.cssselect("main form"), "the customer decides"


def test_what_waits_for_more_than_a_day_is_an_alarm(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    drifted(vm_id("sandbox"), "cpu_count", 1, 3)
    clock.move(DAY_S)
    drifted(vm_id("wiki"), "cpu_count", 2, 3)
    support = browser(cast.support)
    assert alarm(open_page(support, PATH)) == []
    clock.move(1)
    assert alarm(open_page(support, PATH)) == ["1"]
    assert names(open_page(support, f"{PATH}?show=old")) == ["sandbox"]
    assert "Older than 24 hours" in open_page(support, PATH).texts("main tbody tr")[0]


def test_switched_servers_are_no_alarm_however_old(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    drifted(vm_id("sandbox"), "state", "off", "on")
    clock.move(2 * DAY_S)
    support = browser(cast.support)
    page = open_page(support, PATH)
    assert (alarm(page), names(page)) == ([], [])
    assert names(open_page(support, f"{PATH}?show=noted")) == ["sandbox"]


def test_nothing_is_said_kindly(support: FlaskClient, cloud: Simulator) -> None:
    assert "Panel and vCloud agree" in open_page(support, PATH).text


def test_it_sends_few_statements_however_many_there_are(support: FlaskClient, cloud: Simulator) -> None:
    counted = []
    for many in (("sandbox",), ("wiki", "mail", "terminal", "portal-web", "portal-db")):
        for name in many:
            drifted(vm_id(name), "cpu_count", 1, 3)
            drifted(vm_id(name), "nics", [{"index": 0, "network": "a", "ip": None, "mode": "", "is_connected": 1}], [])
        with statements() as sent:
            open_page(support, PATH)
        counted.append(len(sent))
    assert counted[0] == counted[1] <= 11


def test_it_speaks_russian(support: FlaskClient, cast: Cast, cloud: Simulator) -> None:
    drifted(vm_id("sandbox"), "existence", False, True)
    members.set_locale(cast.support.user_id, "ru")
    page = open_page(support, PATH)
    assert page.h1 == "Расхождения"
    assert "Сам сервер" in page.text


def test_customers_have_no_such_page(owner: FlaskClient, cloud: Simulator) -> None:
    open_page(owner, PATH, status=404)

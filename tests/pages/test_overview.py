"""The overview, and the list of accounts for staff."""

from flask.testing import FlaskClient

from app.cloud import vms, wishes
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain
from tests.support.page import open_page
from tests.support.wishes import wish
from vcdsim import Simulator


def test_the_first_visit_is_one_sentence_and_one_button(owner: FlaskClient, cast: Cast) -> None:
    page = open_page(owner, "/")
    assert page.texts(".sk-empty h2") == ["Your first server"]
    assert page.links() == {"Create server": "/vms/new"}


def test_servers_are_counted_by_state(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/")
    numbers = dict(zip(page.texts(".sk-sizes--links .sk-state"), page.texts(".sk-sizes--links b"), strict=True))
    assert sum(int(number) for number in numbers.values()) == 12
    assert numbers["Need attention"] == "2"
    assert len(open_page(owner, "/vms", query={"state": "on"}).texts("tbody th a")) == int(numbers["On"])


def test_what_needs_somebody_is_listed(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/")
    assert page.texts(".sk-list .sk-name") == ["grafana", "mail"]


def test_when_all_is_well_it_says_so(owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock) -> None:
    for name in ("grafana", "mail"):
        wishes.ask(cast.owner, vm_id(name), Action.POWER_OFF, new_token())
    drain(cloud, clock)
    assert "Nothing. All is well." in open_page(owner, "/").text


def test_running_work_is_shown_and_makes_the_page_poll(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    assert open_page(owner, "/").root.cssselect("#overview[hx-trigger='every 30s']")
    vms.request_create(cast.owner, wish(), new_token())
    page = open_page(owner, "/")
    assert page.texts(".sk-live .sk-name") == ["Creating web-03"]
    assert page.root.cssselect("#overview[hx-get='/live'][hx-trigger='every 2s']")
    assert page.root.cssselect("#bell")[0].get("aria-label") == "1 running operation"


def test_staff_see_the_accounts_with_their_numbers(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    operation_id = vms.request_create(cast.owner, wish(), new_token())
    with transaction():
        db.session.get_one(Operation, operation_id).state = "needs_attention"
    page = open_page(browser(cast.support), "/staff/accounts")
    rows = [[cell.text_content() for cell in row.cssselect("th, td")] for row in page.root.cssselect("tbody tr")]
    assert rows == [["Acme", "Owner Berg", "12", "0", "1"], ["Globex", "Stranger Berg", "2", "0", "0"]]
    assert page.texts("thead th")[-1] == "Stopped operations"
    places = ["Accounts", "Operations", "Sync", "Drift", "Unexplained errors", "Health3"]
    assert page.texts(".sk-side li") == places


def test_customers_do_not_see_the_staff_pages(owner: FlaskClient, cast: Cast) -> None:
    open_page(owner, "/staff/accounts", status=404)

"""The list as a whole: filters, paging, starting and shutting down several, the CSV file, what a page costs."""

import csv
import io

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from app.accounts import members
from app.cloud.models import Vm, VmGuard
from app.cloud.operation_models import Operation
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.page import Page, open_page
from vcdsim import Simulator


def names(page: Page) -> list[str]:
    return page.texts("tbody th a")


def grow(count: int) -> None:
    """Copy a machine so often."""
    original = db.session.get_one(Vm, vm_id("sandbox"))
    own = ("id", "urn", "name", "state_rank")
    values = {c.name: getattr(original, c.name) for c in Vm.__table__.columns if c.name not in own}
    with transaction():
        db.session.add_all(Vm(urn=f"urn:vcloud:vm:{n}", name=f"bulk-{n:03}", **values) for n in range(count))


def statements(client: FlaskClient, path: str) -> int:
    count = [0]

    def one_more(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        count[0] += not statement.startswith("BEGIN")

    db.session.rollback()
    event.listen(db.engine, "before_cursor_execute", one_more)
    assert client.get(path).status_code == 200
    event.remove(db.engine, "before_cursor_execute", one_more)
    return count[0]


@pytest.mark.parametrize(
    ("path", "most"), [("/vms", 5), ("/vms?q=nowhere", 5), ("/vms/live", 5), ("/operations", 6), ("/", 9)]
)
def test_a_page_asks_the_database_as_often_for_few_servers_as_for_many(
    owner: FlaskClient, cloud: Simulator, path: str, most: int
) -> None:
    few = statements(owner, path)
    grow(120)
    assert statements(owner, path) == few
    assert few <= most


def test_a_filter_that_finds_more_than_a_page_costs_one_statement_for_their_number(
    owner: FlaskClient, cloud: Simulator
) -> None:
    grow(120)
    assert (statements(owner, "/vms?q=cpu:4"), statements(owner, "/vms?q=bulk")) == (5, 6)


def test_the_filter_has_its_language(owner: FlaskClient, cloud: Simulator) -> None:
    assert names(open_page(owner, "/vms", query={"q": "status:off name:sand"})) == ["sandbox"]
    page = open_page(owner, "/vms", query={"q": "colour:red name:sand"})
    assert names(page) == ["sandbox"], "the rest still works"
    assert page.errors[0].startswith("There is no field “colour”. Known are: status, name, vapp,")
    assert "What was looked for: name:sand" in page.text


@pytest.mark.parametrize("wrong", ["status:odd", "ram:much", "snapshot:maybe", "vapp:", "a " * 20])
def test_what_is_wrong_in_a_filter_is_said_in_words(owner: FlaskClient, cloud: Simulator, wrong: str) -> None:
    assert len(open_page(owner, "/vms", query={"q": wrong}).errors) == 1


def test_a_search_keeps_state_order_and_rows(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms", query={"state": "on", "sort": "name", "rows": "25", "page": "2"})
    assert dict(page.form("/vms").form_values()) == {"q": "", "state": "on", "sort": "name", "rows": "25"}


def test_a_page_has_as_many_rows_as_wanted(owner: FlaskClient, cloud: Simulator) -> None:
    grow(100)
    for wanted, rows in (("25", 25), ("100", 100), ("7", 50), ("100000", 50)):
        assert len(names(open_page(owner, "/vms", query={"rows": wanted}))) == rows
    pages = [names(open_page(owner, "/vms", query={"rows": "25", "page": str(n)})) for n in range(1, 6)]
    assert len({name for page in pages for name in page}) == 112, "each server stands on one page"


def test_recycled_and_gone_servers_are_left_out_and_counted(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    with transaction():
        db.session.add(VmGuard(vm_id=vm_id("sandbox"), recycled_at=clock.at))
        db.session.execute(update(Vm).where(Vm.name == "grafana").values(gone_at=clock.at))
    page = open_page(owner, "/vms")
    assert "10 servers." in page.text
    assert not {"sandbox", "grafana"} & set(names(page))
    assert page.links()["In the recycle bin 1"] == "/vms?state=deleted"
    assert names(open_page(owner, "/vms", query={"state": "deleted"})) == ["sandbox"]
    assert names(open_page(owner, "/vms", query={"q": "status:gone"})) == ["grafana"]


# ---- Several at once ------------------------------------------------------------------------------------------------


def tick(client: FlaskClient, action: str, *machines: str) -> Page:
    form = open_page(client, "/vms", query={"q": "status:on,off,suspended"}).form("/vms/several")
    data = {**dict(form.form_values()), "action": action, "vm": [str(vm_id(name)) for name in machines]}
    return Page(client, client.post("/vms/several", data=data))


def asked() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.execute(select(Operation.kind, Vm.name).join(Vm, Operation.vm_id == Vm.id).order_by(Vm.name))
    return [(kind, name) for kind, name in rows]


def test_several_servers_are_started_with_a_result_for_each(owner: FlaskClient, cloud: Simulator) -> None:
    page = tick(owner, "start", "terminal", "sandbox", "legacy-erp")
    assert asked() == [("start", "sandbox")]
    results = dict(zip(page.texts("tbody th"), page.texts("tbody td"), strict=True))
    assert results["sandbox"] == "Asked, see how it goes"
    assert results["terminal"] == "Not askedThe server is on."
    assert results["legacy-erp"] == "Not askedThe server is suspended. Resume it first."
    assert page.texts("tbody th")[0] != "sandbox", "what was not asked stands first"


def test_the_same_form_sent_twice_asks_once(owner: FlaskClient, cloud: Simulator) -> None:
    form = open_page(owner, "/vms").form("/vms/several")
    data = {**dict(form.form_values()), "action": "start", "vm": str(vm_id("sandbox"))}
    pages = [Page(owner, owner.post("/vms/several", data=data)) for _ in range(2)]
    owner.post(f"/vms/{vm_id('sandbox')}/start", data=data)
    assert asked() == [("start", "sandbox")]
    assert pages[0].links() == pages[1].links(), "the second answers the first operation"


def test_without_script_a_link_gives_boxes_that_can_be_ticked(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms")
    assert len(page.root.cssselect("[name=vm][disabled]")) == len(names(page)), "the script gives them their ids"
    page = open_page(owner, page.links()["Tick several servers"])
    assert str(vm_id("sandbox")) in [box.get("value") for box in page.root.cssselect("[name=vm]:not([disabled])")]


def test_nothing_ticked_is_said(owner: FlaskClient, cloud: Simulator) -> None:
    for action in ("start", "delete"):
        data = {**dict(open_page(owner, "/vms").form("/vms/several").form_values()), "action": action}
        assert owner.post("/vms/several", data=data).status_code == 303
        assert open_page(owner, "/vms").texts("[role=alert]") == ["No server is ticked."]


def test_a_strangers_server_among_them_stops_the_whole(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    stranger = browser(cast.stranger)
    own = db.session.scalars(select(Vm.id).where(Vm.name.not_in(names(open_page(browser(cast.owner), "/vms"))))).first()
    for ids in ([str(own), str(vm_id("sandbox"))], ["nonsense"], [str(vm_id("sandbox"))] * 101):
        data = {**dict(open_page(stranger, "/vms").form("/vms/several").form_values()), "action": "start", "vm": ids}
        assert stranger.post("/vms/several", data=data).status_code == 404
    for one in (str(vm_id("sandbox")), "nonsense"):
        data = {**dict(open_page(stranger, "/vms").form("/vms/several").form_values()), "start": one}
        assert stranger.post("/vms/several", data=data).status_code == 404
    assert asked() == []


def test_who_only_looks_has_nothing_to_tick(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    viewer = browser(cast.viewer)
    page = open_page(viewer, "/vms")
    assert not page.root.cssselect("[name=vm], tbody button, .sk-picked")
    data = {**dict(page.form("/vms/several").form_values()), "action": "start", "vm": str(vm_id("sandbox"))}
    assert viewer.post("/vms/several", data=data).status_code == 403


# ---- CSV ------------------------------------------------------------------------------------------------------------


def table(client: FlaskClient, delimiter: str, query: dict[str, str] | None = None) -> list[list[str]]:
    answer = client.get("/vms/servers.csv", query_string=query)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=delimiter))


def test_the_file_has_all_servers_of_the_filter(owner: FlaskClient, cloud: Simulator) -> None:
    grow(120)
    heads, *rows = table(owner, ",")
    assert heads[:4] == ["Name", "State", "Since (Moscow Time)", "vApp"]
    assert len(rows) == 132
    assert all(len(row) == len(heads) for row in rows)
    assert [row[:2] for row in table(owner, ",", {"q": "name:sandbox"})[1:]] == [["sandbox", "Off"]]


def test_in_russian_the_file_is_divided_by_semicolons(owner: FlaskClient, cast: Cast, cloud: Simulator) -> None:
    members.set_locale(cast.owner.user_id, "ru")
    heads, row = table(owner, ";", {"q": "name:sandbox"})
    assert (heads[0], row[1]) == ("Имя", "Выключен")


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t"])
def test_a_name_cannot_be_a_formula(owner: FlaskClient, cloud: Simulator, first: str) -> None:
    machine_id = vm_id("sandbox")
    with transaction():
        db.session.execute(update(Vm).where(Vm.id == machine_id).values(name=f'{first}cmd|" /C calc"!A0'))
    assert table(owner, ",", {"q": "calc"})[1][0] == f'\'{first}cmd|" /C calc"!A0'

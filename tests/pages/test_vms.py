"""The list of servers and the page of one."""

import itertools

from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts.models import Membership
from app.accounts.rules import Role
from app.cloud import sync, wishes
from app.cloud.models import Vm
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.db import db, transaction
from tests.pages.conftest import vm_id
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from tests.support.engine import drain, pass_time, vdc_of
from tests.support.page import Page, open_page
from vcdsim import Simulator


def names(page: Page) -> list[str]:
    return page.texts("tbody th a")


def test_the_list_shows_the_servers_of_the_account_only(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms")
    assert "sandbox" in names(page)
    assert len(names(page)) == 12
    theirs = {vm.name for vm in cloud.world.vms.values()} - set(names(page))
    assert theirs, "Globex has servers too"


def test_what_needs_attention_stands_first(owner: FlaskClient, cloud: Simulator) -> None:
    assert names(open_page(owner, "/vms"))[0] == "grafana"


def test_the_list_is_served_with_vcloud_switched_off(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    before = len(cloud.requests)
    clock.move(90)
    page = open_page(owner, "/vms")
    assert "Checked 1 min ago" in page.text
    assert len(cloud.requests) == before


def test_every_state_has_an_age_and_an_unknown_beginning_is_admitted(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    page = open_page(owner, "/vms")
    assert set(page.texts("tbody td[class] small")) == {"since 17:20 or earlier"}
    assert "All times are in Moscow Time." in page.text
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    drain(cloud, clock)
    state = open_page(owner, f"/vms/{vm_id('sandbox')}").texts(".sk-head-line")[0]
    assert state.endswith("since 17:20")


def test_a_word_finds_names_addresses_systems_and_vapps(owner: FlaskClient, cloud: Simulator) -> None:
    address = db.session.get_one(Vm, vm_id("sandbox")).inner_ip
    assert address is not None
    assert "sandbox" in names(open_page(owner, "/vms", query={"q": address}))
    assert names(open_page(owner, "/vms", query={"q": "SANDB"})) == ["sandbox"]
    assert names(open_page(owner, "/vms", query={"q": "%"})) == []


def test_nothing_found_offers_to_show_all(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms", query={"q": "no such thing"})
    assert "No server fits" in page.text
    assert page.links()["Show all"] == "/vms"


def test_what_is_not_found_here_is_named_where_it_is(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    with transaction():
        db.session.scalars(select(Vm).where(Vm.name == "sandbox")).one().gone_at = clock.at
    links = open_page(owner, "/vms", query={"q": "sandbox", "sort": "name"}).links()
    assert links["Gone from vCloud: 1"] == "/vms?q=sandbox&sort=name&state=gone"
    assert names(open_page(owner, links["Gone from vCloud: 1"])) == ["sandbox"]
    assert "Gone from vCloud: 1" not in open_page(owner, "/vms", query={"q": "no such thing"}).links()


def test_quick_filters_have_numbers_and_keep_the_word(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms", query={"q": "shop", "state": "on"})
    assert page.texts(".sk-chips a")[0] == "All 12"
    assert {text.split()[0]: url for text, url in page.links().items()}["Off"] == "/vms?q=shop&state=off"
    assert all(name.startswith("shop") for name in names(page))


def test_suspended_servers_have_a_filter_when_there_are_some(owner: FlaskClient, cloud: Simulator) -> None:
    assert "Suspended 1" in open_page(owner, "/vms").texts(".sk-chips a")
    with transaction():
        db.session.execute(update(Vm).where(Vm.status == 3).values(status=8))
    assert not [text for text in open_page(owner, "/vms").texts(".sk-chips a") if "Suspended" in text]


def test_a_server_without_a_network_says_so_in_the_list(owner: FlaskClient, cloud: Simulator) -> None:
    bare = db.session.get_one(Vm, vm_id("sandbox"))
    waiting = [{**nic, "ip": None, "external_ip": None} for nic in bare.nics]
    for nics, words in ((waiting, "none yet"), ([], "no network")):
        with transaction():
            values = {"inner_ip": None, "outer_ip": None, "nics": nics}
            db.session.execute(update(Vm).where(Vm.name == "sandbox").values(**values))
        assert open_page(owner, "/vms", query={"q": "sandbox"}).texts("tbody td:nth-last-child(2)") == [words]


def test_columns_sort_both_ways(owner: FlaskClient, cloud: Simulator) -> None:
    rising = names(open_page(owner, "/vms", query={"sort": "name"}))
    falling = names(open_page(owner, "/vms", query={"sort": "-name"}))
    assert rising == sorted(rising)
    assert falling == rising[::-1]
    head = open_page(owner, "/vms", query={"sort": "name"}).root.cssselect("th[aria-sort=ascending] a")[0]
    assert head.get("href") == "/vms?sort=-name"


def test_nonsense_in_the_address_is_not_an_error(owner: FlaskClient, cloud: Simulator) -> None:
    for query in ({"sort": "x"}, {"state": "x"}, {"page": "x"}, {"page": "99"}, {"endpoint": "x"}, {"q": "'\"<"}):
        open_page(owner, "/vms", query=query)
        assert owner.get("/vms/live", query_string=query).status_code == 200


def test_long_lists_come_in_pages_of_fifty(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    original = db.session.get_one(Vm, vm_id("sandbox"))
    own = ("id", "urn", "name", "state_rank")
    values = {c.name: getattr(original, c.name) for c in Vm.__table__.columns if c.name not in own}
    with transaction():
        db.session.add_all(Vm(urn=f"urn:vcloud:vm:{n}", name=f"bulk-{n:03}", **values) for n in range(100))
    page = open_page(owner, "/vms", query={"sort": "name", "page": "2"})
    assert len(names(page)) == 50
    assert "51–100 of 112" in page.text
    assert page.links()["Next"] == "/vms?sort=name&page=3"
    assert len(names(open_page(owner, "/vms", query={"page": "3"}))) == 12


def test_the_list_polls_often_only_while_something_moves(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    assert open_page(owner, "/vms").root.cssselect("#servers[hx-trigger='every 30s']")
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    assert open_page(owner, "/vms").root.cssselect("#servers[hx-get='/vms/live'][hx-trigger='every 2s']")
    drain(cloud, clock)
    sync.refresh(vdc_of("acme-vdc").service_id)
    assert open_page(owner, "/vms").root.cssselect("#servers[hx-trigger='every 30s']")


def test_a_server_that_is_off_is_started_from_its_row(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    path = f"/vms/{vm_id('sandbox')}"
    page = open_page(owner, "/vms")
    assert "sandbox: Start" in page.texts("tbody button")
    answer = page.send("/vms/several", start=str(vm_id("sandbox")))
    assert (answer.status_code, answer.location) == (303, "/vms")
    assert open_page(owner, path).texts(".sk-head .sk-state") == ["Starting"]
    drain(cloud, clock)
    page = open_page(owner, path)
    assert page.texts(".sk-head .sk-state") == ["On"]
    assert "sandbox is on" in page.text


def test_sending_a_button_twice_asks_once(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms")
    for _ in range(2):
        assert page.send("/vms/several", start=str(vm_id("sandbox"))).status_code == 303
    db.session.rollback()
    assert db.session.query(Operation).count() == 1


def test_a_button_pressed_after_the_role_was_taken_away_does_nothing(
    owner: FlaskClient, cast: Cast, cloud: Simulator
) -> None:
    page = open_page(owner, "/vms")
    with transaction():
        db.session.execute(update(Membership).where(Membership.user_id == cast.owner.user_id).values(role=Role.VIEWER))
    assert page.send("/vms/several", start=str(vm_id("sandbox"))).status_code in (403, 404)
    db.session.rollback()
    assert db.session.query(Operation).count() == 0


def test_a_button_pressed_after_the_session_has_ended_does_nothing(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    page = open_page(owner, "/vms")
    clock.move(24 * 3600)
    answer = page.send("/vms/several", start=str(vm_id("sandbox")))
    assert "/sign-in" in answer.headers.get("Location", "")
    db.session.rollback()
    assert db.session.query(Operation).count() == 0


def test_a_button_of_an_old_page_says_what_has_changed(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    path = f"/vms/{vm_id('sandbox')}"
    old = open_page(owner, path)
    wishes.ask(cast.owner, vm_id("sandbox"), Action.START, new_token())
    drain(cloud, clock)
    answer = old.send(f"{path}/start")
    assert answer.status_code == 303
    assert open_page(owner, path).texts("[role=alert]") == ["The server is on."]


def test_power_off_waits_in_the_menu_until_shutting_down_takes_long(
    owner: FlaskClient, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    path = f"/vms/{vm_id('terminal')}"
    assert open_page(owner, path).texts(".sk-head .sk-acts > form") == ["Shut down", "Restart"]
    open_page(owner, path).send(f"{path}/shut-down")
    assert open_page(owner, path).texts(".sk-why") == ["Being shut down since 17:20; wait until it ends."]
    pass_time(cloud, clock, 61)
    assert open_page(owner, path).links()["Power off"] == f"{path}/power-off"


def test_powering_off_asks_first_and_says_what_is_lost(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    path = f"/vms/{vm_id('terminal')}"
    page = open_page(owner, f"{path}/power-off")
    assert page.h1 == "Power terminal off?"
    assert "not written to its disk is lost" in page.text
    assert page.links()["Leave it"] == path


def test_a_partly_off_server_is_freed_by_one_click(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    path = f"/vms/{vm_id('grafana')}"
    page = open_page(owner, path)
    assert "vCloud still holds its CPU and memory" in page.text
    page.send(f"{path}/power-off")
    drain(cloud, clock)
    assert open_page(owner, path).texts(".sk-head .sk-state") == ["Off"]


def test_the_page_has_size_addresses_and_system(owner: FlaskClient, cloud: Simulator) -> None:
    vm = db.session.get_one(Vm, vm_id("terminal"))
    page = open_page(owner, f"/vms/{vm.id}")
    assert page.h1 == "terminal"
    assert f"{vm.cpu_count} CPU" in page.texts(".sk-sizes b")
    assert vm.guest_os in page.text
    copies = [button.get("data-copy") for button in page.root.cssselect("[data-copy]")]
    assert vm.inner_ip in copies


def test_the_page_says_how_to_sign_in_where_there_is_a_command(owner: FlaskClient, cloud: Simulator) -> None:
    linux, windows = vm_id("shop-web-1"), vm_id("terminal")
    address = db.session.get_one(Vm, linux).outer_ip
    assert f"ssh root@{address}" in open_page(owner, f"/vms/{linux}").text
    assert "ssh" not in open_page(owner, f"/vms/{windows}").text


def test_a_server_gone_from_vcloud_says_so_and_offers_nothing(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    gone_id = vm_id("sandbox")
    with transaction():
        db.session.execute(update(Vm).where(Vm.id == gone_id).values(gone_at=clock.at))
    page = open_page(owner, f"/vms/{gone_id}")
    assert page.texts(".sk-head .sk-state") == ["Gone from vCloud"]
    assert page.texts(".sk-why") == ["The server is no longer in vCloud."]
    assert "11 servers." in open_page(owner, "/vms").text


def test_the_groups_of_the_list_agree_with_the_words_of_the_states(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    machine_id = vm_id("sandbox")
    words = {"on": {"On"}, "off": {"Off"}, "suspended": {"Suspended"}}
    words["attention"] = {"Partly off", "Broken in vCloud", "State unknown"}
    for status, is_deployed in itertools.product(range(-1, 21), (False, True)):
        with transaction():
            db.session.execute(update(Vm).where(Vm.id == machine_id).values(status=status, is_deployed=is_deployed))
        word = open_page(owner, f"/vms/{machine_id}").texts(".sk-head .sk-state")[0]
        query = {"q": "sandbox"}
        found = {group for group in words if names(open_page(owner, "/vms", query={**query, "state": group}))}
        assert found == {group for group in words if word in words[group]}, (status, is_deployed)


def test_hostile_names_stay_text(owner: FlaskClient, cloud: Simulator) -> None:
    hostile, machine_id = "<script>alert(1)</script>{{ 7*7 }}", vm_id("sandbox")
    with transaction():
        db.session.execute(update(Vm).where(Vm.id == machine_id).values(name=hostile, guest_os=hostile))
    for path in ("/vms", f"/vms/{machine_id}"):
        page = open_page(owner, path)
        assert hostile in page.text

"""Create server: the form, its refusals, and one server for two clicks."""

import json
import uuid

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select, update

from app.cloud.models import Network, VApp, VappTemplate, Vdc
from app.cloud.operation_models import Operation
from app.db import db, transaction
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.creation_form import refused, template_id, values, vapp_id
from tests.support.engine import drain
from tests.support.page import Page, open_page
from vcdsim import Simulator
from vcdsim.faults import error

pytestmark = pytest.mark.one_database


def test_the_form_begins_with_the_smallest_server_of_a_template_that_fits(owner: FlaskClient, cloud: Simulator) -> None:
    data = dict(open_page(owner, "/vms/new").form("/vms/new").form_values())
    assert data["template_id"] == template_id("debian-12")
    offer = json.loads(open_page(owner, "/vms/new").root.cssselect("input[name=template_id]")[0].get("data-offer", ""))
    assert data["cpu_count"] == str(offer["cpu_count"]["least"])
    assert data["memory_gb"] == str(offer["memory_gb"]["least"])
    assert data["disk_gb"] == str(offer["disk_gb"]["least"])


def leave_room_for(count: int) -> None:
    """The demo world has twelve servers."""
    with transaction():
        db.session.execute(update(Vdc).where(Vdc.name == "acme-vdc").values(vm_quota=12 + count))


def test_templates_that_do_not_fit_come_after_with_their_reason(owner: FlaskClient, cloud: Simulator) -> None:
    leave_room_for(2)
    page = open_page(owner, "/vms/new")
    cards = page.texts(".sk-choice b")
    assert cards.index("lamp") == len(cards) - 1
    assert "Makes 3 servers." in page.texts(".sk-choice[aria-disabled=true]")[-1]


def test_a_good_form_leads_to_its_operation_and_to_a_server(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    answer = open_page(owner, "/vms/new").send("/vms/new", **values())
    assert answer.status_code == 303
    assert open_page(owner, answer.location).h1 == "Creating web-03"
    assert "Creating web-03" in open_page(owner, "/vms").text
    drain(cloud, clock)
    page = open_page(owner, answer.location)
    assert page.h1 == "web-03 is ready"
    assert open_page(owner, page.links()["Open web-03"]).h1 == "web-03"


def test_the_vapp_is_named_like_the_server_when_nothing_is_said(owner: FlaskClient, cloud: Simulator) -> None:
    open_page(owner, "/vms/new").send("/vms/new", **values())
    db.session.rollback()
    assert db.session.scalars(select(Operation)).one().params["vapp_name"] == "web-03"


def test_two_clicks_make_one_server(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    page = open_page(owner, "/vms/new")
    first, second = (page.send("/vms/new", **values()) for _ in range(2))
    assert first.location == second.location
    drain(cloud, clock)
    assert page.send("/vms/new", **values()).location == first.location, "also when it is ready"
    assert len([r for r in cloud.requests if "instantiateVAppTemplate" in r[1]]) == 1


def test_the_same_page_with_other_values_is_refused(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms/new")
    page.send("/vms/new", **values())
    answer = Page(owner, page.send("/vms/new", **values(vm_name="web-04")))
    assert answer.status == 422
    assert "This page was sent before with other values." in answer.text


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"vm_name": ""}, "vm_name", "Give the server a name."),
        ({"vm_name": "shop"}, "vm_name", "There is already a vApp named shop."),
        ({"vm_name": "shop", "vapp_name": " "}, "vm_name", "There is already a vApp named shop."),
        ({"vm_name": "web_03"}, "vm_name", "Use letters, digits and hyphens"),
        ({"vm_name": "a" * 64}, "vm_name", "64 characters, 63 are possible."),
        ({"cpu_count": "0"}, "cpu_count", "0 CPU are too few: the template needs 1."),
        ({"cpu_count": "two"}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": ""}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "-1"}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "1.5"}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "1e9"}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "1_0"}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "٣"}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "9" * 21}, "cpu_count", "Write a whole number from 1 to 8."),
        ({"cpu_count": "9" * 20}, "cpu_count", "99999999999999999999 CPU are too many: the template allows 8."),
        ({"cpu_count": "1000"}, "cpu_count", "1000 CPU"),
        ({"memory_gb": "9999"}, "memory_gb", "of memory"),
        ({"memory_gb": "0"}, "memory_gb", "0 MB of memory are too little"),
        ({"memory_gb": "0.1"}, "memory_gb", "Memory must be a multiple of 4 MB."),
        ({"memory_gb": "2,3"}, "memory_gb", "Memory must be a multiple of 4 MB."),
        ({"memory_gb": "1e3"}, "memory_gb", "Write a number from 1 to "),
        ({"disk_gb": "20.0"}, "disk_gb", "Write a whole number from 10 to "),
        ({"disk_gb": "1"}, "disk_gb", "1 GB of disk are too little"),
        ({"password_choice": "own", "password": "short"}, "password", "A password has 8 to 64 characters."),
        ({"password_choice": "own", "password": "пароль-пароль"}, "password", "Use Latin letters"),
        ({"template_id": "nonsense"}, "template_id", "Choose a template."),
        ({"template_id": str(uuid.UUID(int=1))}, "template_id", "This template is not there any more."),
        ({"network_id": str(uuid.UUID(int=1))}, "network_id", "This network is not there any more."),
        ({"network_id": "nonsense"}, "network_id", "Choose a network"),
        ({"network_id": ""}, "network_id", "Choose a network"),
        ({"password_choice": "nonsense"}, "password_choice", "Choose whether we make the password"),
        ({"vapp_name": "shop"}, "vapp_name", "There is already a vApp named shop."),
        ({"place": "nonsense"}, "place", "Choose a new vApp or an existing one."),
        ({"place": "existing", "vapp_id": ""}, "vapp_id", "Choose a vApp."),
        ({"place": "existing", "vapp_id": str(uuid.UUID(int=1))}, "vapp_id", "Nothing can be added to this vApp now."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_on_top(
    owner: FlaskClient, cloud: Simulator, changes: dict[str, str], field: str, sentence: str
) -> None:
    page = refused(owner, **changes)
    assert page.title.startswith("Problem: Create server")
    assert [text for text in page.errors if sentence in text], page.errors
    assert page.root.cssselect(f".sk-banner--bad[role=alert] a[href='#{field}']")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("template_id", "Choose a template."),
        ("network_id", "Choose a network"),
        ("password_choice", "Choose whether we make the password"),
        ("vdc_id", "Choose a data center."),
        ("place", "Choose a new vApp or an existing one."),
    ],
)
def test_a_choice_that_was_not_sent_is_asked_for_and_never_guessed(
    owner: FlaskClient, cloud: Simulator, name: str, sentence: str
) -> None:
    form = open_page(owner, "/vms/new").form("/vms/new")
    sent = {str(key): str(value) for key, value in form.form_values()} | values()
    del sent[name]
    page = Page(owner, owner.post("/vms/new", data=sent))
    assert page.status == 422
    assert any(sentence in text for text in page.texts(".sk-banner--bad li"))
    db.session.rollback()
    assert db.session.query(Operation).count() == 0


def test_no_network_is_a_choice(owner: FlaskClient, cloud: Simulator) -> None:
    assert open_page(owner, "/vms/new").send("/vms/new", **values(network_id="none")).status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(Operation)).one().params["network_urn"] is None


def test_typed_values_stay_and_the_password_does_not(owner: FlaskClient, cloud: Simulator) -> None:
    page = refused(owner, vm_name="web_03", disk_gb="33", password_choice="own", password="correct-horse-1")
    data = dict(page.form("/vms/new").form_values())
    assert (data["vm_name"], data["disk_gb"], data["password_choice"]) == ("web_03", "33", "own")
    assert "correct-horse-1" not in page.response.text


@pytest.mark.parametrize("typed", ["1.5", "1,5"])
def test_memory_may_have_a_fraction_in_either_spelling(owner: FlaskClient, cloud: Simulator, typed: str) -> None:
    assert open_page(owner, "/vms/new").send("/vms/new", **values(memory_gb=typed)).status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(Operation)).one().params["size"]["memory_mb"] == 1536


def test_everything_wrong_is_said_at_once(owner: FlaskClient, cloud: Simulator) -> None:
    page = refused(owner, vm_name="", cpu_count="1000", disk_gb="x")
    assert len(page.errors) == 3


def test_a_template_that_does_not_fit_is_refused_by_the_server_too(owner: FlaskClient, cloud: Simulator) -> None:
    leave_room_for(2)
    page = refused(owner, template_id=template_id("lamp"))
    assert any("Makes 3 servers." in text for text in page.errors)


def test_another_accounts_data_center_is_not_there(owner: FlaskClient, cloud: Simulator) -> None:
    theirs = str(db.session.scalars(select(Vdc.id).where(Vdc.name == "globex-vdc")).one())
    answer = open_page(owner, "/vms/new").send("/vms/new", **values(vdc_id=theirs))
    assert answer.status_code == 404


def test_a_data_center_without_networks_asks_for_none(owner: FlaskClient, cloud: Simulator) -> None:
    with transaction():
        db.session.execute(update(Network).values(gone_at=Network.seen_at))
    page = open_page(owner, "/vms/new")
    assert not page.root.cssselect("#network_id")
    assert page.send("/vms/new", **values()).status_code == 303


def test_a_data_center_without_vapps_asks_only_for_the_name_of_a_new_one(owner: FlaskClient, cloud: Simulator) -> None:
    with transaction():
        db.session.execute(update(VApp).values(gone_at=VApp.seen_at))
    page = open_page(owner, "/vms/new")
    assert not page.root.cssselect("#vapp_id, [name=place]")
    assert page.send("/vms/new", **values()).status_code == 303


# ---- Templates of several servers ----------------------------------------------------------------------------------


def test_a_template_of_several_says_how_many_and_how_large(owner: FlaskClient, cloud: Simulator) -> None:
    page = open_page(owner, "/vms/new")
    assert page.texts(".sk-makes") == ["Makes 3 servers."]
    assert page.texts(".sk-choice:has(.sk-makes) .sk-least") == ["5 CPU · 7 GB · 70 GB"]
    fields = page.root.cssselect(f"[name^='names-{template_id('lamp')}-']")
    assert [field.get("value") for field in fields] == ["lamp-web", "lamp-app", "lamp-db"]
    assert "Server 3 · 2 CPU · 4 GB · 50 GB" in page.texts("[data-machines] label")


def test_all_servers_of_a_template_are_made_and_shown(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    page = open_page(owner, "/vms/new")
    answer = page.send("/vms/new", **values(template_id=template_id("lamp"), vm_name="blog", cpu_count="nonsense"))
    assert answer.status_code == 303
    assert open_page(owner, answer.location).texts(".sk-list b") == ["lamp-web", "lamp-app", "lamp-db"]
    drain(cloud, clock)
    page = open_page(owner, answer.location)
    assert page.h1 == "blog is ready"
    assert (
        page.texts(".sk-list p")[2]
        == "2 CPU · 4 GB · 50 GB · 203.0.113.22 · 192.168.100.102 · Debian GNU/Linux 12 (64-bit)"
    )
    for name in ("lamp-web", "lamp-app", "lamp-db"):
        assert open_page(owner, page.links()[name]).h1 == name


def test_names_that_exist_in_the_data_center_are_not_suggested(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    open_page(owner, "/vms/new").send("/vms/new", **values(vm_name="lamp-web"))
    drain(cloud, clock)
    fields = open_page(owner, "/vms/new").root.cssselect(f"[name^='names-{template_id('lamp')}-']")
    assert fields[0].get("value") == "lamp-web-2"


def test_a_bad_name_among_several_is_said_at_its_field(owner: FlaskClient, cloud: Simulator) -> None:
    lamp = template_id("lamp")
    names = {f"names-{lamp}-{number}": name for number, name in ((1, "web"), (2, "no spaces"), (3, "web"))}
    page = refused(owner, template_id=lamp, **names)
    assert page.texts(f"#names-{lamp}-2-error") == [
        "Use letters, digits and hyphens; begin and end with a letter or digit."
    ]
    assert page.texts(f"#names-{lamp}-3-error") == ["web is the name of another one. Choose another name."]
    assert page.root.cssselect(f".sk-banner--bad a[href='#names-{lamp}-2']")


# ---- Names while they are typed ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Free."),
        ({"vm_name": ""}, ""),
        ({"vm_name": "web_03"}, "Use letters, digits and hyphens; begin and end with a letter or digit."),
        ({"vm_name": "shop"}, "There is already a vApp named shop. Choose another name."),
        ({"vm_name": "a-very-long-name", "template": "windows-2022"}, "16 characters, Windows allows 15."),
        ({"place": "existing", "vm_name": "shop"}, "Free."),
        ({"place": "existing", "vm_name": "shop-db"}, "The vApp shop has a server named shop-db already."),
        ({"template_id": ""}, ""),
    ],
)
def test_a_name_is_judged_while_it_is_typed(
    owner: FlaskClient, cloud: Simulator, changes: dict[str, str], sentence: str
) -> None:
    typed = {"place": "new", "vapp_id": vapp_id("shop"), "vm_name": "web-03", **changes}
    typed.setdefault("template_id", template_id(typed.pop("template", "debian-12")))
    vdc_id = str(db.session.scalars(select(Vdc.id).where(Vdc.name == "acme-vdc")).one())
    answer = owner.get("/vms/new/names", query_string={"vdc_id": vdc_id, **typed})
    assert answer.status_code == 200
    text = " ".join(html.fromstring(f"<p>{answer.text}</p>").text_content().split())
    assert text.startswith(sentence) if sentence else text == ""


def test_without_a_template_the_page_says_whom_to_ask(owner: FlaskClient, cloud: Simulator) -> None:
    with transaction():
        db.session.execute(update(VappTemplate).values(gone_at=VappTemplate.seen_at))
    assert "No template fits now" in open_page(owner, "/vms/new").text


def test_an_account_without_a_data_center_gets_404(owner: FlaskClient, cast: Cast) -> None:
    open_page(owner, "/vms/new", status=404)


def test_a_failed_creation_can_be_tried_again_with_its_values(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add(
        operation="instantiate", times=1, error=error("VIM_INVALID_DISK_PARAMETERS", "Invalid hard disk parameters")
    )
    answer = open_page(owner, "/vms/new").send("/vms/new", **values(disk_gb="33"))
    drain(cloud, clock)
    page = open_page(owner, answer.location)
    assert page.h1 == "Creation of web-03 stopped"
    again = dict(open_page(owner, page.links()["Change and try again"]).form("/vms/new").form_values())
    assert (again["vm_name"], again["disk_gb"], again["cpu_count"]) == ("web-03", "33", "2")
    assert again["template_id"] == template_id("debian-12")


def test_the_storage_profile_that_limits_the_disk_is_named(owner: FlaskClient, cloud: Simulator) -> None:
    assert "storage profile" not in open_page(owner, "/vms/new").text
    full = {"name": "standard", "is_default": True, "limit_mb": 2_048_000, "used_mb": 2_048_000 - 12 * 1024}
    with transaction():
        db.session.execute(update(Vdc).values(storage_profiles=[full]))
    assert "The storage profile standard has 12 GB left." in open_page(owner, "/vms/new").texts(".form-text")

"""Create server in a vApp that is there: choosing it among many, and what is refused."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.cloud import offers
from app.cloud.models import VApp, Vdc
from app.db import db, transaction
from tests.support.clock import Clock
from tests.support.creation_form import BAD_DISK, refused, values, vapp_id
from tests.support.engine import drain
from tests.support.page import open_page, open_part
from vcdsim import Simulator

pytestmark = pytest.mark.one_database


def test_a_server_is_added_to_a_vapp_of_the_list(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    page = open_page(owner, "/vms/new")
    assert page.texts("#vapp_id option")[:2] == ["accounting", "build"]
    answer = page.send("/vms/new", **values(place="existing", vapp_id=vapp_id("shop"), vapp_name="not asked for"))
    assert answer.status_code == 303
    assert "shop" in open_page(owner, answer.location).texts("aside dd")
    drain(cloud, clock)
    page = open_page(owner, answer.location)
    assert page.h1 == "web-03 is ready"
    assert page.texts("aside dd")[-3:] == ["Debian GNU/Linux 12 (64-bit)", "203.0.113.19", "192.168.1.5"]
    assert "Connect the vApp to the network" in page.text


def make_vapps(count: int) -> None:
    shop = db.session.scalars(select(VApp).where(VApp.name == "shop")).one()
    own = ("id", "urn", "name")
    values = {column.name: getattr(shop, column.name) for column in VApp.__table__.columns if column.name not in own}
    with transaction():
        db.session.add_all(VApp(urn=f"urn:vcloud:vapp:{n}", name=f"bulk-{n:03}", **values) for n in range(count))


def test_of_many_vapps_some_are_offered_and_the_others_are_found_by_name(owner: FlaskClient, cloud: Simulator) -> None:
    assert not open_page(owner, "/vms/new").root.cssselect("#vapp"), "few need no search"
    make_vapps(60)
    page = open_page(owner, "/vms/new")
    assert len(page.texts("#vapp_id option")) == 50
    total = len(offers.vapps(db.session.scalars(select(Vdc.id).where(Vdc.name == "acme-vdc")).one()))
    assert page.texts("#vapps-note") == [f"The first 50 of {total}. Write a part of the name."]
    assert dict(page.form("/vms/new").form_values())["place"] == "new"
    page = open_page(owner, "/vms/new", query={"vapp": " SHOP"})
    assert (page.texts("#vapp_id option"), page.texts("#vapps-note")) == (["shop"], ["1 vApp fits."])
    assert dict(page.form("/vms/new").form_values())["place"] == "existing"
    answer = page.send("/vms/new", **values(place="existing", vapp_id=vapp_id("shop")))
    assert answer.status_code == 303


def test_vapps_are_found_while_a_name_is_typed_and_the_chosen_one_stays(owner: FlaskClient, cloud: Simulator) -> None:
    make_vapps(60)
    part = open_part(owner, f"/vms/new/vapps?vapp=bulk-00&vapp_id={vapp_id('shop')}")
    assert part.texts("option") == ["shop", *(f"bulk-{number:03}" for number in range(10))]
    assert part.texts("option[selected]") == ["shop"]
    assert part.texts("#vapps-note") == ["10 vApps fit."]


def test_a_name_that_the_vapp_has_is_refused_in_words(owner: FlaskClient, cloud: Simulator) -> None:
    page = refused(owner, place="existing", vapp_id=vapp_id("shop"), vm_name="shop-db")
    assert page.errors == ["The vApp shop has a server named shop-db already. Choose another name."]
    data = dict(page.form("/vms/new").form_values())
    assert (data["place"], data["vapp_id"]) == ("existing", vapp_id("shop"))


def test_a_failed_addition_can_be_tried_again_in_the_same_vapp(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("recompose", error=BAD_DISK)
    sent = values(place="existing", vapp_id=vapp_id("shop"))
    answer = open_page(owner, "/vms/new").send("/vms/new", **sent)
    drain(cloud, clock)
    page = open_page(owner, answer.location)
    again = dict(open_page(owner, page.links()["Change and try again"]).form("/vms/new").form_values())
    assert (again["place"], again["vapp_id"], again["vapp_name"]) == ("existing", vapp_id("shop"), "")

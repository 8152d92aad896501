"""Owners, control access, product sections, and the screen's tickets."""

from __future__ import annotations

import pytest

from tests.vcdsim.talk import BASE, NS, VCLOUD, Talk, id_of, rels
from vcdsim import Simulator
from vcdsim.entities import Catalog
from vcdsim.people import User


def share(inside: str) -> str:
    return f'<ControlAccessParams xmlns="{VCLOUD}">{inside}</ControlAccessParams>'


@pytest.fixture
def bob(sim: Simulator) -> User:
    """A second user of acme."""
    user = User(sim.world.new_id(), "bob", id_of(sim, "orgs", "acme"), "secret")
    sim.world.users[user.id] = user
    return user


def test_a_vapp_is_shared_with_everyone_and_with_a_user(talk: Talk, bob: User) -> None:
    subject = f'<Subject href="{BASE}/api/admin/user/{bob.id}"/><AccessLevel>Change</AccessLevel>'
    body = share(
        "<IsSharedToEveryone>true</IsSharedToEveryone><EveryoneAccessLevel>ReadOnly</EveryoneAccessLevel>"
        f"<AccessSettings><AccessSetting>{subject}</AccessSetting></AccessSettings>"
    )
    assert talk.send("POST", f"{talk.vapp('shop')}/action/controlAccess", body).status == 200
    access = talk.get(f"{talk.vapp('shop')}/controlAccess/")
    assert access.findtext("v:EveryoneAccessLevel", namespaces=NS) == "ReadOnly"
    assert access.findtext(".//v:AccessSetting/v:AccessLevel", namespaces=NS) == "Change"


def test_an_unknown_level_or_user_is_refused(talk: Talk) -> None:
    body = share("<IsSharedToEveryone>true</IsSharedToEveryone><EveryoneAccessLevel>All</EveryoneAccessLevel>")
    path = f"{talk.vapp('shop')}/action/controlAccess"
    assert talk.send("POST", path, body).status == 400
    assert talk.get(f"{talk.vapp('shop')}/controlAccess").findtext("v:IsSharedToEveryone", namespaces=NS) == "false"


def test_a_catalog_of_somebody_else_is_not_shared(talk: Talk) -> None:
    path = f"/api/org/{id_of(talk.sim, 'orgs', 'acme')}/catalog/{id_of(talk.sim, 'catalogs', 'templates')}"
    body = share("<IsSharedToEveryone>true</IsSharedToEveryone>")
    assert talk.send("POST", f"{path}/action/controlAccess", body).status == 403


def test_a_catalog_of_the_organization_is_shared(sim: Simulator, talk: Talk) -> None:
    org_id, owner_id = id_of(sim, "orgs", "acme"), id_of(sim, "users", "acme-admin")
    catalog = Catalog(sim.world.new_id(), "own", org_id, owner_id, sim.clock.now())
    sim.world.catalogs[catalog.id] = catalog
    path = f"/api/org/{org_id}/catalog/{catalog.id}"
    assert talk.send("POST", f"{path}/action/controlAccess", share("<IsSharedToEveryone>1</IsSharedToEveryone>")).status
    assert talk.get(f"{path}/controlAccess").findtext("v:IsSharedToEveryone", namespaces=NS) == "true"


def owner_body(user: User) -> str:
    return f'<Owner xmlns="{VCLOUD}"><User href="{BASE}/api/admin/user/{user.id}"/></Owner>'


def test_a_vapp_changes_hands(talk: Talk, bob: User) -> None:
    assert talk.send("PUT", f"{talk.vapp('shop')}/owner", owner_body(bob)).status == 204
    user = talk.get(f"{talk.vapp('shop')}/owner").find("v:User", NS)
    assert user is not None
    assert user.get("name") == "bob"


def test_a_vapp_does_not_go_to_another_organization(sim: Simulator, talk: Talk) -> None:
    stranger = sim.world.users[id_of(sim, "users", "globex-admin")]
    assert talk.send("PUT", f"{talk.vapp('shop')}/owner", owner_body(stranger)).status == 403
    provider = Talk(sim, "administrator@System")
    assert provider.send("PUT", f"{talk.vapp('shop')}/owner", owner_body(stranger)).status == 400


def test_product_sections_come_back_as_they_went(talk: Talk) -> None:
    section = (
        '<ovf:ProductSection><ovf:Info>x</ovf:Info><ovf:Property ovf:key="k" ovf:type="string"/></ovf:ProductSection>'
    )
    body = f'<ProductSectionList xmlns="{VCLOUD}" xmlns:ovf="{NS["ovf"]}">{section}</ProductSectionList>'
    path = f"{talk.vm('sandbox')}/productSections"
    assert talk.do("PUT", path, body) == "success"
    (found,) = talk.get(f"{path}/").findall("ovf:ProductSection", NS)
    assert found.find("ovf:Property", NS) is not None


def test_the_old_ticket_is_an_address_of_a_running_vm(talk: Talk) -> None:
    assert {"screen:acquireTicket", "screen:acquireMksTicket"} <= rels(talk.get(talk.vm("shop-db")))
    reply = talk.send("POST", f"{talk.vm('shop-db')}/screen/action/acquireTicket")
    assert (reply.root.text or "").startswith("mks://vcdsim.test/vm-")
    assert talk.send("POST", f"{talk.vm('sandbox')}/screen/action/acquireTicket").status == 400


@pytest.mark.parametrize("part", ["runtimeInfoSection", "virtualHardwareSection/media"])
def test_small_sections_answer(talk: Talk, part: str) -> None:
    assert talk.send("GET", f"{talk.vm('shop-db')}/{part}").status == 200

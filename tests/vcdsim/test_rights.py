"""Limited roles: what they see, what they may do, which links they are shown."""

import pytest

from tests.vcdsim.talk import BASE, NS, VCLOUD, Reply, Talk, id_of, instantiate_body, instantiate_path, rels
from vcdsim import Simulator
from vcdsim.people import User

ROLES = ("Catalog Author", "vApp Author", "vApp User", "Console Access Only")


def add(sim: Simulator, role: str, name: str = "bob") -> Talk:
    """A user of acme with the role, logged in."""
    user = User(sim.world.new_id(), name, id_of(sim, "orgs", "acme"), "secret", role)
    sim.world.users[user.id] = user
    return Talk(sim, f"{name}@acme")


def give(sim: Simulator, vapp: str, user: str = "bob") -> None:
    sim.world.vapps[id_of(sim, "vapps", vapp)].owner_id = id_of(sim, "users", user)


def share(talk: Talk, vapp: str, level: str, user: str | None = None) -> Reply:
    if user is None:
        inside = f"<IsSharedToEveryone>true</IsSharedToEveryone><EveryoneAccessLevel>{level}</EveryoneAccessLevel>"
    else:
        subject = f'<Subject href="{BASE}/api/admin/user/{id_of(talk.sim, "users", user)}"/>'
        setting = f"<AccessSetting>{subject}<AccessLevel>{level}</AccessLevel></AccessSetting>"
        inside = f"<IsSharedToEveryone>false</IsSharedToEveryone><AccessSettings>{setting}</AccessSettings>"
    body = f'<ControlAccessParams xmlns="{VCLOUD}">{inside}</ControlAccessParams>'
    return talk.send("POST", f"{talk.vapp(vapp)}/action/controlAccess", body)


def listed(talk: Talk, kind: str) -> set[str | None]:
    path = f"/api/query?type={kind}&pageSize=128" + ("&filter=isVAppTemplate==false" if kind == "vm" else "")
    return {row.get("name") for row in talk.get(path).findall(f"v:{'VM' if kind == 'vm' else 'VApp'}Record", NS)}


def refusal(reply: Reply) -> str:
    assert (reply.status, reply.error[0]) == (403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN")
    return reply.error[1]


@pytest.mark.parametrize("role", ROLES)
def test_limited_roles_see_only_what_is_theirs_or_shared(sim: Simulator, talk: Talk, role: str) -> None:
    bob = add(sim, role)
    give(sim, "sandbox")
    share(talk, "office", "ReadOnly")
    assert listed(bob, "vApp") == {"sandbox", "office"}
    assert listed(bob, "vm") == {"sandbox", "terminal"}
    vdc = bob.get(f"/api/vdc/{id_of(sim, 'vdcs', 'acme-vdc')}")
    vapps = [one.get("name") for one in vdc.iterfind(".//v:ResourceEntity", NS) if "/vApp/" in (one.get("href") or "")]
    assert set(vapps) == {"sandbox", "office"}


def test_what_is_not_shared_looks_as_if_it_did_not_exist(sim: Simulator, talk: Talk) -> None:
    bob = add(sim, "vApp User")
    network = sim.world.vapps[id_of(sim, "vapps", "shop")].networks[0]
    for path in (bob.vapp("shop"), bob.vm("shop-db"), f"{bob.vm('shop-db')}/networkConnectionSection"):
        assert "No access to entity" in refusal(bob.send("GET", path))
    assert "No access to entity" in refusal(bob.send("POST", f"{bob.vm('shop-db')}/power/action/reset"))
    assert bob.send("GET", f"/api/network/{network.id}").status == 403


def test_a_made_role_sees_everything(sim: Simulator) -> None:
    assert listed(add(sim, "auditor"), "vApp") >= {"shop", "office"}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("vApp Author", {"resize", "power on", "create"}),
        ("vApp User", {"power on"}),
        ("Console Access Only", set[str]()),
    ],
)
def test_a_role_decides_what_its_users_may_do(sim: Simulator, role: str, may: set[str]) -> None:
    bob = add(sim, role)
    give(sim, "sandbox")
    vm = bob.vm("sandbox")
    memory = bob.send("GET", f"{vm}/virtualHardwareSection/memory").body
    statuses = {"resize": bob.send("PUT", f"{vm}/virtualHardwareSection/memory", memory).status}
    sim.settle()
    statuses["power on"] = bob.send("POST", f"{vm}/power/action/powerOn").status
    statuses["create"] = bob.send("POST", instantiate_path(sim), instantiate_body(sim)).status
    assert {name for name, status in statuses.items() if status in (201, 202)} == may
    assert {status for name, status in statuses.items() if name not in may} <= {403}


def test_a_refused_action_names_the_right(sim: Simulator) -> None:
    bob = add(sim, "Console Access Only")
    give(sim, "sandbox")
    words = refusal(bob.send("POST", f"{bob.vm('sandbox')}/power/action/powerOn"))
    assert "[vApp: Power Operations]" in words
    assert id_of(sim, "vms", "sandbox") in words


def test_everybody_who_sees_a_running_vm_has_its_console(sim: Simulator, talk: Talk) -> None:
    bob = add(sim, "Console Access Only")
    share(talk, "office", "ReadOnly", "bob")
    assert bob.send("POST", f"{bob.vm('terminal')}/screen/action/acquireMksTicket").status == 200


@pytest.mark.parametrize(
    ("level", "reset", "sharing"), [("ReadOnly", 403, 403), ("Change", 202, 403), ("FullControl", 202, 200)]
)
def test_the_level_of_a_shared_vapp_limits_further(
    sim: Simulator, talk: Talk, level: str, reset: int, sharing: int
) -> None:
    bob = add(sim, "vApp Author")
    share(talk, "office", level, "bob")
    assert share(bob, "office", level, "bob").status == sharing
    assert bob.send("POST", f"{bob.vm('terminal')}/power/action/reset").status == reset


def test_the_higher_of_two_levels_counts(sim: Simulator, talk: Talk) -> None:
    bob = add(sim, "vApp User")
    share(talk, "office", "ReadOnly")
    access = sim.world.vapps[id_of(sim, "vapps", "office")].access
    assert access is not None
    access.users[id_of(sim, "users", "bob")] = "Change"
    assert bob.send("POST", f"{bob.vm('terminal')}/power/action/reset").status == 202


def test_links_show_only_what_the_user_may_do(sim: Simulator, talk: Talk) -> None:
    bob = add(sim, "Console Access Only")
    share(talk, "office", "ReadOnly")
    document = bob.get(bob.vapp("office"))
    of_vapp = rels(document)
    child = document.find("v:Children/v:Vm", NS)
    assert child is not None
    assert not of_vapp & {"power:powerOff", "undeploy", "edit", "recompose", "controlAccess", "snapshot:create"}
    assert {"up", "down"} <= of_vapp
    assert rels(child) == rels(bob.get(bob.vm("terminal")))
    assert "screen:acquireMksTicket" in rels(child)
    assert not rels(child) & {"power:reset", "edit", "reconfigureVm", "media:insertMedia"}
    assert "power:powerOff" in rels(talk.get(talk.vapp("office")))


def test_an_author_owns_and_deletes_what_it_made(sim: Simulator) -> None:
    bob = add(sim, "vApp Author")
    assert bob.do("POST", instantiate_path(sim), instantiate_body(sim)) == "success"
    assert listed(bob, "vApp") == {"new"}
    assert bob.do("DELETE", bob.vapp("new")) == "success"


def test_only_administrators_change_owners(sim: Simulator, talk: Talk) -> None:
    bob = add(sim, "vApp Author")
    give(sim, "sandbox")
    body = f'<Owner xmlns="{VCLOUD}"><User href="{BASE}/api/admin/user/{id_of(sim, "users", "acme-admin")}"/></Owner>'
    assert "[vApp: Change Owner]" in refusal(bob.send("PUT", f"{bob.vapp('sandbox')}/owner", body))
    assert talk.send("PUT", f"{talk.vapp('sandbox')}/owner", body).status == 204


@pytest.mark.parametrize("role", ROLES)
def test_limited_roles_see_nothing_of_administration(sim: Simulator, role: str) -> None:
    bob = add(sim, role)
    org = id_of(sim, "orgs", "acme")
    for path in ("/api/admin/", f"/api/admin/org/{org}", "/api/admin/users/query", "/api/query?type=user"):
        assert refusal(bob.send("GET", path))
    assert refusal(bob.send("GET", "/api/query?type=adminVM"))
    names = {link.get("name") for link in bob.get("/api/query").findall("v:Link", NS)}
    assert {"vm", "vApp"} <= names
    assert not {"user", "adminVM"} & names

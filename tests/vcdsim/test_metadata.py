"""Metadata: read, merge, set, delete, domains, filters."""

from __future__ import annotations

import pytest

from tests.vcdsim.talk import NS, VCLOUD, Talk, id_of, rels
from vcdsim import Simulator

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def typed(kind: str, value: str) -> str:
    return f'<TypedValue xsi:type="Metadata{kind}Value"><Value>{value}</Value></TypedValue>'


def entries(*items: str) -> str:
    boxes = "".join(f"<MetadataEntry>{item}</MetadataEntry>" for item in items)
    return f'<Metadata xmlns="{VCLOUD}" xmlns:xsi="{XSI}">{boxes}</Metadata>'


def value(kind: str, text: str, domain: str = "") -> str:
    return f'<MetadataValue xmlns="{VCLOUD}" xmlns:xsi="{XSI}">{domain}{typed(kind, text)}</MetadataValue>'


def found(talk: Talk, path: str) -> dict[str | None, str | None]:
    boxes = talk.get(f"{path}/metadata").findall("v:MetadataEntry", NS)
    return {box.findtext("v:Key", namespaces=NS): box.findtext("v:TypedValue/v:Value", namespaces=NS) for box in boxes}


def test_entries_are_merged_in(talk: Talk) -> None:
    path = talk.vm("sandbox")
    assert talk.do("POST", f"{path}/metadata", entries(f"<Key>a</Key>{typed('String', 'one')}")) == "success"
    assert talk.do("POST", f"{path}/metadata/", entries(f"<Key>b</Key>{typed('Number', '2')}")) == "success"
    assert found(talk, path) == {"a": "one", "b": "2"}


def test_one_value_is_set_read_and_deleted(talk: Talk) -> None:
    path = f"{talk.vapp('sandbox')}/metadata/a%20key"
    assert talk.do("PUT", path, value("Boolean", "true")) == "success"
    assert talk.get(path).findtext("v:TypedValue/v:Value", namespaces=NS) == "true"
    assert talk.do("DELETE", path) == "success"
    assert talk.send("GET", path).status == 404
    assert talk.send("DELETE", path).status == 404


def test_the_change_shows_when_its_task_is_done(talk: Talk) -> None:
    path = talk.vm("sandbox")
    reply = talk.send("POST", f"{path}/metadata", entries(f"<Key>a</Key>{typed('String', 'one')}"))
    assert (reply.root.get("operationName"), found(talk, path)) == ("metadataUpdate", {})


@pytest.mark.parametrize(("kind", "text"), [("Number", "many"), ("Boolean", "yes"), ("DateTime", "soon")])
def test_a_value_must_be_of_its_kind(talk: Talk, kind: str, text: str) -> None:
    assert talk.send("PUT", f"{talk.vm('sandbox')}/metadata/k", value(kind, text)).status == 400


def test_an_unknown_kind_is_refused_by_the_schema(talk: Talk) -> None:
    assert "cvc-elt.4.2" in talk.send("PUT", f"{talk.vm('sandbox')}/metadata/k", value("Odd", "1")).error[1]


def test_only_the_provider_writes_the_domain_system(sim: Simulator, talk: Talk) -> None:
    path = f"{talk.vm('sandbox')}/metadata/SYSTEM/k"
    body = value("String", "x", '<Domain visibility="PRIVATE">SYSTEM</Domain>')
    provider = Talk(sim, "administrator@System")
    assert talk.send("PUT", path, body).status == 403
    assert provider.do("PUT", path, body) == "success"
    assert (provider.send("GET", path).status, talk.send("GET", path).status) == (200, 404)


@pytest.mark.parametrize(("kind", "name"), [("vdc", "acme-vdc"), ("org", "acme"), ("network", "acme-net")])
def test_what_a_tenant_may_only_read_is_written_at_the_administrators_path(talk: Talk, kind: str, name: str) -> None:
    entity_id = id_of(talk.sim, {"vdc": "vdcs", "org": "orgs", "network": "networks"}[kind], name)
    body = entries(f"<Key>a</Key>{typed('String', 'one')}")
    assert talk.send("POST", f"/api/{kind}/{entity_id}/metadata", body).status == 405
    assert talk.do("POST", f"/api/admin/{kind}/{entity_id}/metadata", body) == "success"
    assert found(talk, f"/api/{kind}/{entity_id}") == {"a": "one"}


def test_a_foreign_template_is_read_but_not_written(talk: Talk) -> None:
    path = f"/api/vAppTemplate/vappTemplate-{id_of(talk.sim, 'templates', 'debian-12')}"
    assert found(talk, path)["cpu_max"] == "8"
    assert talk.send("PUT", f"{path}/metadata/cpu_max", value("Number", "9")).status == 403


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("metadata:tier==STRING:gold", ["sandbox"]),
        ("metadata:tier==STRING:g*", ["sandbox"]),
        ("metadata:size==NUMBER:20", ["grafana"]),
        ("metadata:size=gt=NUMBER:9", ["grafana"]),
        ("metadata:size=lt=NUMBER:9", []),
        ("metadata:none==STRING:x", []),
    ],
)
def test_a_filter_finds_by_metadata(talk: Talk, written: str, names: list[str]) -> None:
    talk.do("PUT", f"{talk.vm('sandbox')}/metadata/tier", value("String", "Gold"))
    talk.do("PUT", f"{talk.vm('grafana')}/metadata/size", value("Number", "20"))
    rows = talk.get(f"/api/query?type=vm&filter={written}").findall("v:VMRecord", NS)
    assert [row.get("name") for row in rows] == names


def test_a_record_shows_the_metadata_asked_for(talk: Talk) -> None:
    talk.do("PUT", f"{talk.vm('sandbox')}/metadata/tier", value("String", "gold"))
    (row,) = talk.get("/api/query?type=vm&filter=name==sandbox&fields=name,metadata:tier").findall("v:VMRecord", NS)
    assert row.findtext("v:Metadata/v:MetadataEntry/v:TypedValue/v:Value", namespaces=NS) == "gold"


def test_links_say_what_may_be_changed(talk: Talk) -> None:
    talk.do("PUT", f"{talk.vm('sandbox')}/metadata/k", value("String", "x"))
    own = talk.get(f"{talk.vm('sandbox')}/metadata")
    entry = own.find("v:MetadataEntry", NS)
    assert entry is not None
    assert (rels(own), rels(entry)) == ({"up", "add"}, {"up", "edit", "remove"})
    foreign = talk.get(f"/api/vAppTemplate/vappTemplate-{id_of(talk.sim, 'templates', 'debian-12')}/metadata")
    assert rels(foreign) == {"up"}

"""Whatever comes in, an answer of vCloud's own goes out: never a 500, never an exception, bounded memory."""

from __future__ import annotations

import functools
import json
import tracemalloc
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vcdsim.talk import Talk, instantiate_body, instantiate_path, network_config, sourced_item
from vcdsim import Answer, Simulator
from vcdsim.api import routing, schema_types
from vcdsim.control import Control

VERSIONS = ("5.5", "9.0", "30.0", "36.0", "37.2")
METHODS = ("GET", "POST", "PUT", "DELETE")
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">{}]><VApp name="&z;"/>'.format(
    "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(25))
)
FIXED = (
    BOMB.encode(),
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    b"<a>" * 100_000,
    b"<a " + b" ".join(b'x%d="1"' % n for n in range(20_000)) + b"/>",
    b"\xff\xfe\x00\x00<",
    b'<?xml version="1.0" encoding="utf-7"?>+ADw-a+AD4-',
    b"<a>\x00</a>",
    b"\xef\xbb\xbf<VApp/>",
    b"",
)


@functools.cache
def world() -> tuple[Simulator, dict[str, Talk]]:
    """One world for all examples: what they do to it must not matter."""
    sim = Simulator("demo", manual_clock=True)
    return sim, {version: Talk(sim, version=version) for version in VERSIONS}


def paths() -> list[str]:
    """Every path that is served, with ids of the world in it."""
    sim, _ = world()
    vapp = next(iter(sim.world.vapps))
    values = {"entity_id": vapp, "org_id": next(iter(sim.world.orgs)), "key": "k", "name": "network", "part": "disks"}
    found = []
    for one in routing._ROUTES:
        text = one.pattern.pattern.removesuffix("/?$")
        for name, value in values.items():
            text = text.replace(f"(?P<{name}>[^/]+)", value)
        for tree in ("vApp", "disk", "admin/org"):
            plain = text.replace("(?P<ref>[^/]+)", f"vapp-{vapp}").replace("(?P<urn>[^/]+)", vapp)
            start, _, rest = plain.partition("(?P<tree>")
            found.append(start + (tree + rest.partition(")")[2].removeprefix(")")) if rest else plain)
    for vm in list(sim.world.vms)[:2]:
        found += [path.replace(f"vm-{vapp}", f"vm-{vm}") for path in found if f"vm-{vapp}" in path]
    return sorted(set(found))


def check(answer: Answer) -> None:
    """An answer of ours, and below 500."""
    assert 200 <= answer.status < 500, (answer.status, answer.body[:500])


def ask(method: str, path: str, body: bytes, version: str, **headers: str) -> Answer:
    sim, talks = world()
    answer = sim.handle(method, path, {**talks[version].headers, **headers}, body)
    check(answer)
    talks[version].headers.update(Talk(sim, version=version).headers if answer.status == 204 else {})
    return answer


_OVF = (
    "ovf:VirtualHardwareSection",
    "ovf:OperatingSystemSection",
    "ovf:ProductSection",
    "ovf:StartupSection",
    "ovf:Info",
)
names = st.sampled_from([*schema_types.TYPES, *_OVF, "rasd:Parent", "Link", "Bogus"])
texts = st.one_of(
    st.sampled_from(["", "0", "-1", "1e400", "9" * 30, "true", "NaN", "..", "urn:vcloud:vm:x", "10.0.0.999", "POOL"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20),
)
attributes = st.sampled_from(["name", "href", "network", "networkName", "size", "sizeMb", "deploy", "Modified", "id"])


def escaped(text: str) -> str:
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;")):
        text = text.replace(sign, entity)
    return text


def element(parts: tuple[str, dict[str, str], list[str] | str]) -> str:
    name, own, inside = parts
    shown = "".join(f' {key}="{escaped(value)}"' for key, value in own.items())
    return f"<{name}{shown}>{escaped(inside) if isinstance(inside, str) else ''.join(inside)}</{name}>"


trees = st.recursive(
    st.tuples(names, st.dictionaries(attributes, texts, max_size=3), texts).map(element),
    lambda inner: st.tuples(names, st.dictionaries(attributes, texts, max_size=3), st.lists(inner, max_size=4)).map(
        element
    ),
    max_leaves=12,
)
SPACES = (
    ' xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"'
    ' xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"'
)


@RELAXED
@given(
    st.sampled_from(METHODS),
    st.data(),
    st.sampled_from(VERSIONS),
    st.one_of(st.binary(max_size=200), st.sampled_from(FIXED)),
)
def test_no_body_at_any_path_breaks_it(method: str, data: st.DataObject, version: str, body: bytes) -> None:
    ask(method, data.draw(st.sampled_from(paths())), body, version)


@RELAXED
@given(st.sampled_from(("POST", "PUT")), st.data(), st.sampled_from(VERSIONS), trees)
def test_no_tree_of_known_elements_breaks_it(method: str, data: st.DataObject, version: str, tree: str) -> None:
    path = data.draw(st.sampled_from(paths()))
    head, space, rest = tree.partition(">") if " " not in tree.partition(">")[0] else tree.partition(" ")
    ask(method, path, (head + SPACES + space + rest).encode(), version)


@RELAXED
@given(st.data(), st.sampled_from(VERSIONS[1:]))
def test_no_mutation_of_a_good_body_breaks_it(data: st.DataObject, version: str) -> None:
    sim, _ = world()
    item = sourced_item(sim, "x", network="net")
    networks = network_config(sim, "net", fence_mode="natRouted")
    body = bytearray(instantiate_body(sim, "hostile", networks=networks, items=item).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = start + data.draw(st.integers(0, 30))
        body[start:end] = data.draw(st.one_of(st.binary(max_size=8), texts.map(lambda text: escaped(text).encode())))
    ask("POST", instantiate_path(sim), bytes(body), version)


@RELAXED
@given(
    st.sampled_from(METHODS),
    st.text(max_size=80),
    st.dictionaries(st.sampled_from(["Accept", "Authorization", "Host", "Cookie"]), st.text(max_size=40)),
)
def test_no_path_or_header_breaks_it(method: str, path: str, headers: dict[str, str]) -> None:
    sim, talks = world()
    starts = ("", "/", "/api/", "/api/query?", "/cloudapi/1.0.0/", "/oauth/tenant/")
    for start in (*starts, f"{talks['36.0'].vapp('shop')}/metadata/"):
        for one in (path, quote(path, errors="surrogatepass")):
            check(sim.handle(method, start + one, headers, b""))
            check(sim.handle(method, start + one, {**talks["36.0"].headers, **headers}, b""))


@RELAXED
@given(
    st.lists(
        st.sampled_from(
            [*"()\\;,*=", "==", "=gt=", "name", "status", "metadata:k", "STRING:", "dateCreated", "%00", "1"]
        ),
        max_size=15,
    ).map("".join),
    st.sampled_from(["vm", "vApp", "task", "disk", "orgVdc", "none"]),
    st.sampled_from(["page", "pageSize", "offset", "sortAsc", "sortDesc", "fields", "format", "filterEncoded"]),
    texts,
)
def test_no_query_breaks_it(written: str, kind: str, name: str, value: str) -> None:
    ask("GET", f"/api/query?type={kind}&filter={written}&{name}={value}".replace("\n", " "), b"", "36.0")


@RELAXED
@given(
    st.sampled_from(METHODS),
    st.sampled_from(["faults", "clock", "world", "tasks/x", "sessions", "x"]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["operation", "times", "error", "advance_s", "format", "version", "vms"]),
                inner,
                max_size=3,
            )
        ),
    ),
)
def test_no_command_breaks_the_control_endpoint(method: str, name: str, data: object) -> None:
    check(Control(Simulator("demo", manual_clock=True)).handle(method, f"/vcdsim/{name}", json.dumps(data).encode()))


def test_hostile_documents_take_little_memory() -> None:
    sim, talks = world()
    tracemalloc.start()
    for body in FIXED:
        check(sim.handle("PUT", talks["36.0"].vapp("shop"), talks["36.0"].headers, body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 2**20

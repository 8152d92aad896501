"""Serving over HTTP, as a process, with a state file; worlds; speed."""

import http.client
import threading
import time
from pathlib import Path

import pytest

from tests.vcdsim.talk import Talk, instantiate_body, instantiate_path, network_config, sourced_item
from vcdsim import Simulator
from vcdsim.state import dump


def get(url: str, path: str = "/api/versions") -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://").removesuffix("/api"), timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def ask(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/api/versions")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_one_connection_serves_many_requests(sim: Simulator) -> None:
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        for _ in range(3):
            connection.request("GET", "/api/versions")
            answer = connection.getresponse()
            assert answer.status == 200
            assert b"SupportedVersions" in answer.read()
        connection.close()


def test_requests_are_counted(sim: Simulator, talk: Talk) -> None:
    sim.requests.clear()
    talk.send("POST", instantiate_path(sim), instantiate_body(sim))
    assert sim.requests == [("POST", instantiate_path(sim))]


def test_leaving_the_block_stops_serving(sim: Simulator) -> None:
    with sim.serve() as url:
        assert get(url) == 200
    with pytest.raises(ConnectionRefusedError):
        get(url)


def test_stopping_cuts_the_connections_that_clients_keep_open(sim: Simulator) -> None:
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        assert ask(connection) == 200
    with pytest.raises(ConnectionError):
        ask(connection)
    connection.close()


def test_a_body_of_senseless_length_is_refused(sim: Simulator) -> None:
    with sim.serve() as url:
        for length, status in (("-1", 400), ("x", 400), ("99999999999", 413)):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
            connection.putrequest("POST", "/api/sessions")
            connection.putheader("Content-Length", length)
            connection.endheaders()
            assert connection.getresponse().status == status
            connection.close()


@pytest.mark.parametrize("target", ["/api/query?type=vm&x=\x01", "/api/\xe9", "//", "/api/vApp/vm-"])
def test_odd_targets_and_hosts_are_answered(sim: Simulator, talk: Talk, target: str) -> None:
    headers = {**talk.headers, "Host": 'evil"><\x02', "Authorization": "Basic \xe9"}
    assert 400 <= sim.handle("GET", target, headers, b"").status < 500


def test_a_body_in_chunks_is_read(sim: Simulator, talk: Talk) -> None:
    body = instantiate_body(sim).encode()
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        pieces = iter([body[:100], body[100:]])
        connection.request("POST", instantiate_path(sim), pieces, talk.headers, encode_chunked=True)
        assert connection.getresponse().status == 201
        connection.close()


def test_many_clients_at_once_get_one_vapp_per_name(sim: Simulator, talk: Talk) -> None:
    statuses: list[int] = []

    def create(name: str) -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
        connection.request("POST", instantiate_path(sim), instantiate_body(sim, name), talk.headers)
        statuses.append(connection.getresponse().status)
        connection.close()

    with sim.serve() as url:
        threads = [threading.Thread(target=create, args=(f"n{number % 5}",)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (statuses.count(201), statuses.count(400)) == (5, 15)


def test_a_saved_world_goes_on_where_it_was(sim: Simulator, talk: Talk, tmp_path: Path) -> None:
    networks, items = network_config(sim, "net", fence_mode="natRouted"), sourced_item(sim, "x", network="net")
    talk.send("POST", instantiate_path(sim), instantiate_body(sim, networks=networks, items=items, attributes=""))
    file = tmp_path / "world.json"
    sim.save(file)
    again = Simulator("demo", manual_clock=True, state_file=file)
    assert dump(again.world) == dump(sim.world)
    busy = Talk(again).send("DELETE", talk.vapp("new"))
    assert busy.error[0] == "BUSY_ENTITY"
    again.settle()
    (vm,) = [vm for vm in again.world.vms.values() if vm.name == "x"]
    assert (vm.power, vm.nics[0].ip) == ("on", "192.168.5.2")
    assert again.world.networks[next(iter(again.world.networks))].used.get(vm.nics[0].external_ip or "") == vm.id


def test_sessions_are_not_saved(sim: Simulator, talk: Talk, tmp_path: Path) -> None:
    sim.save(tmp_path / "world.json")
    assert talk.headers["x-vcloud-authorization"] not in (tmp_path / "world.json").read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"format": "other"}', "is not a saved world"),
        ("[]", "is not a saved world"),
        ("{", "is not a saved world"),
        ('{"format": "vcdsim-world", "version": 99}', "reads version 1"),
    ],
)
def test_a_file_that_is_no_world_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "w.json").write_text(content)
    with pytest.raises(ValueError, match=words):
        Simulator("demo", state_file=tmp_path / "w.json")


def test_a_world_has_the_same_ids_at_every_start() -> None:
    assert list(Simulator("demo").world.vms) == list(Simulator("demo").world.vms)


def test_no_address_of_the_demo_is_held_twice(sim: Simulator) -> None:
    outer = [nic.external_ip for vm in sim.world.vms.values() for nic in vm.nics if nic.external_ip]
    bridged = [nic.ip for vm in sim.world.vms.values() for nic in vm.nics if nic.ip and not nic.external_ip]
    assert len(set(outer + bridged)) == len(outer + bridged)


def test_an_unknown_world_is_refused() -> None:
    for name in ("big", "0", "-5", ""):
        with pytest.raises(ValueError, match="unknown world"):
            Simulator(name)


def test_ten_thousand_vms_start_soon_and_a_page_is_answered_soon() -> None:
    started = time.process_time()
    sim = Simulator("10000", manual_clock=True)
    assert (len(sim.world.vms), len(sim.world.vdcs)) == (10_000, 11)
    assert time.process_time() - started < 3
    talk = Talk(sim)
    vdc = next(one.id for one in sim.world.vdcs.values() if one.name == "acme-vdc-7")
    started = time.process_time()
    page = talk.get(f"/api/query?type=vm&pageSize=128&filter=vdc==urn:vcloud:vdc:{vdc};isVAppTemplate==false")
    assert page.get("total") == "1000"
    assert time.process_time() - started < 0.25


def test_a_world_has_as_many_vms_in_as_many_vdcs_as_said() -> None:
    world = Simulator("103/4").world
    vdcs = [vdc for vdc in world.vdcs.values() if vdc.name.startswith("acme-vdc")]
    assert (len(world.vms), len(vdcs)) == (103, 4)
    assert len({vapp.name for vapp in world.vapps.values()}) == len(world.vapps)


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "OPTIONS"])
def test_a_method_vcloud_does_not_know_is_answered_in_its_own_way(sim: Simulator, talk: Talk, method: str) -> None:
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request(method, "/api/session", headers=talk.headers)
        answer = connection.getresponse()
        body = answer.read()
        assert (answer.status, ask(connection)) == (405, 200)
        assert (answer.getheader("Content-Type") or "").startswith("application/vnd.vmware.vcloud.error+xml")
        assert (b'minorErrorCode="METHOD_NOT_ALLOWED"' in body) == (method != "HEAD")
        connection.close()


def test_a_method_nobody_knows_gets_no_page(sim: Simulator) -> None:
    with sim.serve() as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        connection.request("BREW", "/api/session")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (501, b"")
        connection.close()


def test_it_listens_on_ipv6_as_well(sim: Simulator) -> None:
    with sim.serve(host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert get(url) == 200


def test_who_listens_on_all_addresses_is_told_one_that_answers(sim: Simulator) -> None:
    with sim.serve(host="0.0.0.0") as url:
        assert url.startswith("http://127.0.0.1:")

"""What the API tells of networks, addresses and storage."""

import pytest
from sqlalchemy import select

from app.cloud.models import Network
from app.db import db
from tests.api.conftest import MakeProgram
from tests.pages.conftest import vm_id
from tests.support.api import Program, problem
from tests.support.cast import Cast
from vcdsim import Simulator


@pytest.fixture
def path(cloud: Simulator) -> str:
    """The addresses of acme-net."""
    network = db.session.scalars(select(Network.id).where(Network.name == "acme-net")).one()
    return f"/networks/{network}/addresses"


def test_pages_of_addresses_join_to_the_whole(api: Program, path: str) -> None:
    every = api.get(path).json
    assert (every["total"], len(every["items"]), every["pages"]) == (9, 9, 1)
    pages = [api.get(path, per_page=4, page=number).json for number in (1, 2, 3)]
    assert [item for page in pages for item in page["items"]] == every["items"]
    assert every["read_at"] == "2026-11-12T14:20:00Z"


def test_an_address_names_its_machine_or_router(api: Program, path: str) -> None:
    router, machine, *_ = api.get(path).json["items"]
    assert router == {"ip": "203.0.113.10", "held_by": "router", "machine": None, "vapp": "shop"}
    named = {"id": str(vm_id("shop-web-1")), "name": "shop-web-1"}
    assert machine == {"ip": "203.0.113.11", "held_by": "server", "machine": named, "vapp": "shop"}


def test_addresses_can_be_looked_for(api: Program, path: str) -> None:
    assert [item["ip"] for item in api.get(path, q="sandbox").json["items"]] == ["203.0.113.18"]


def test_the_addresses_of_another_account_are_not_found(program: MakeProgram, cast: Cast, path: str) -> None:
    assert problem(program(cast.stranger).get(path)) == (404, "not_found", None)


def test_data_centers_tell_use_quotas_and_storage(api: Program, cloud: Simulator) -> None:
    (vdc,) = api.get("/vdcs").json["items"]
    assert (vdc["usage"]["cpu_limit_mhz"], vdc["usage"]["memory_limit_mb"]) == (80_000, 163_840)
    assert vdc["usage"]["cpu_used_mhz"] > 0
    (profile,) = vdc["storage_profiles"]
    assert (profile["name"], profile["is_default"], profile["limit_mb"]) == ("standard", True, 2_048_000)
    assert 0 < profile["used_mb"] < profile["limit_mb"]

"""The list of networks, and who holds which address of each."""

import csv
import io
import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts import members
from app.cloud.models import Network, VmGuard
from app.cloud.sync_models import NetworkAddress
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support.cast import Cast
from tests.support.page import Page, open_page
from tests.support.statements import statements
from vcdsim import Simulator


@pytest.fixture
def network(cloud: Simulator) -> uuid.UUID:
    """The network acme-net, with nine addresses in use."""
    return db.session.scalars(select(Network.id).where(Network.name == "acme-net")).one()


def crowd(network: uuid.UUID, count: int) -> None:
    """Add addresses that somebody elsewhere holds."""
    with transaction():
        for number in range(count):
            ip = f"203.0.{120 + number // 250}.{number % 250 + 1}"
            packed = bytes(map(int, ip.split("."))).hex()
            db.session.add(NetworkAddress(network_id=network, ip=ip, sort_key=f"4{packed}"))


def rows(page: Page) -> list[str]:
    """The rows of the table, with a blank between two cells."""
    texts, wide = page.texts("tbody tr > *"), len(page.texts("thead th"))
    return [" ".join(texts[start : start + wide]) for start in range(0, len(texts), wide)]


def test_the_list_tells_kind_gateway_and_use(owner: FlaskClient, network: uuid.UUID) -> None:
    page = open_page(owner, "/networks")
    assert rows(page) == [
        "acme-internal Inside only 10.0.0.1 255.255.255.0 4 acme-vdc",
        "acme-net Outside through a gateway 203.0.113.1 255.255.255.0 9 acme-vdc",
    ]
    assert page.links()["acme-net"] == f"/networks/{network}"


def test_every_address_names_its_holder(owner: FlaskClient, network: uuid.UUID) -> None:
    crowd(network, 1)
    page = open_page(owner, f"/networks/{network}")
    assert rows(page)[:4] == [
        "203.0.113.10 Router of a vApp shop",
        "203.0.113.11 shop-web-1 shop",
        "203.0.113.12 shop-web-2 shop",
        "203.0.113.13 shop-db shop",
    ]
    assert rows(page)[-1] == "203.0.120.1 Outside your data centers –"
    assert page.links()["shop-db"] == f"/vms/{vm_id('shop-db')}"


@pytest.mark.parametrize(
    ("text", "found"), [("113.18", ["203.0.113.18"]), ("SHOP-W", ["203.0.113.11", "203.0.113.12"])]
)
def test_the_filter_looks_at_addresses_and_names(
    owner: FlaskClient, network: uuid.UUID, text: str, found: list[str]
) -> None:
    assert open_page(owner, f"/networks/{network}?q={text}").texts("tbody th") == found


def test_a_filter_that_fits_nothing_says_so(owner: FlaskClient, network: uuid.UUID) -> None:
    assert "No address fits" in open_page(owner, f"/networks/{network}?q=%25").text


def test_pages_hold_all_addresses_in_their_order(owner: FlaskClient, network: uuid.UUID) -> None:
    crowd(network, 129)
    first, second = (open_page(owner, f"/networks/{network}?rows=100&page={number}") for number in (1, 2))
    shown = first.texts("tbody th") + second.texts("tbody th")
    assert len(set(shown)) == len(shown) == 138
    assert shown == sorted(shown, key=lambda ip: [int(part) for part in ip.split(".")])


def test_a_page_of_a_crowded_network_costs_as_many_statements_as_any(owner: FlaskClient, network: uuid.UUID) -> None:
    with statements() as few:
        open_page(owner, f"/networks/{network}")
    crowd(network, 129)
    with statements() as many:
        open_page(owner, f"/networks/{network}?rows=100")
    assert len(few) == len(many)


def test_the_file_holds_every_address_that_fits(owner: FlaskClient, network: uuid.UUID) -> None:
    crowd(network, 129)
    answer = owner.get(f"/networks/{network}/addresses.csv")
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert lines[:2] == [["Address", "Held by", "Server", "vApp"], ["203.0.113.10", "Router of a vApp", "", "shop"]]
    assert len(lines) == 1 + 9 + 129
    assert len(owner.get(f"/networks/{network}/addresses.csv?q=shop-web").text.splitlines()) == 3


def test_a_machine_in_the_recycle_bin_is_named_as_it_was(owner: FlaskClient, network: uuid.UUID) -> None:
    with transaction():
        db.session.add(VmGuard(vm_id=vm_id("sandbox"), name_before="playground"))
    assert "203.0.113.18 playground sandbox" in rows(open_page(owner, f"/networks/{network}"))


def test_a_network_whose_addresses_were_never_read_says_so(owner: FlaskClient, network: uuid.UUID) -> None:
    with transaction():
        db.session.execute(update(Network).values(addresses_at=None))
    assert "not known" in open_page(owner, "/networks").text
    assert "The addresses are not known yet" in open_page(owner, f"/networks/{network}").text


def test_a_stranger_finds_neither_network_nor_addresses(browser: Browser, cast: Cast, network: uuid.UUID) -> None:
    stranger = browser(cast.stranger)
    assert "acme-net" not in open_page(stranger, "/networks").text
    for path in (f"/networks/{network}", f"/networks/{network}/addresses.csv"):
        assert stranger.get(path).status_code == 404


def test_a_network_that_is_gone_is_not_shown(owner: FlaskClient, network: uuid.UUID) -> None:
    with transaction():
        db.session.execute(update(Network).values(gone_at=Network.seen_at))
    assert "No network yet" in open_page(owner, "/networks").text
    assert owner.get(f"/networks/{network}").status_code == 404


def test_networks_speak_russian(owner: FlaskClient, cast: Cast, network: uuid.UUID) -> None:
    members.set_locale(cast.owner.user_id, "ru")
    page = open_page(owner, f"/networks/{network}")
    assert "203.0.113.10 Маршрутизатор vApp shop" in rows(page)
    assert owner.get(f"/networks/{network}/addresses.csv").text.startswith("\ufeffАдрес;Кем занят;Сервер;vApp")

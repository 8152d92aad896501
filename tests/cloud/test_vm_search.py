"""Filters as SQL: each finds exactly the machines that fulfil it, on whichever engine the suite runs."""

import uuid
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from app.accounts.models import Account
from app.cloud import vm_search, wishes
from app.cloud.models import Service, Vdc, Vm, VmGuard
from app.cloud.rules import Action, VmState
from app.cloud.vm_filter import parse
from app.db import db, transaction
from tests.support.cast import Cast, new_token
from tests.support.clock import Clock
from vcdsim import Simulator

Test = Callable[[Vm], bool]


def vdc_ids(account: str = "Acme") -> list[uuid.UUID]:
    own = select(Vdc.id).join(Vdc.service).join(Account, Service.account_id == Account.id)
    return list(db.session.scalars(own.where(Account.name == account)))


def found(text: str) -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Vm.name).where(vm_search.condition(parse(text), vdc_ids()))))


def expected(test: Test) -> set[str]:
    return {vm.name for vm in db.session.scalars(select(Vm).where(Vm.vdc_id.in_(vdc_ids()))) if test(vm)}


def change(name: str, **values: object) -> None:
    with transaction():
        vm = db.session.scalars(select(Vm).where(Vm.name == name)).one()
        for field, value in values.items():
            setattr(vm, field, value)


def recycle(name: str, clock: Clock) -> None:
    with transaction():
        vm = db.session.scalars(select(Vm).where(Vm.name == name)).one()
        vm.guard = VmGuard(recycled_at=clock.at)


CASES: list[tuple[str, Test]] = [
    ("", lambda _: True),
    ("shop", lambda vm: "shop" in vm.name + vm.vapp.name),
    ("SHOP", lambda vm: "shop" in vm.name + vm.vapp.name),
    ("ubuntu", lambda vm: "ubuntu" in vm.guest_os.lower()),
    ("name:shop", lambda vm: "shop" in vm.name),
    ("vapp:shop", lambda vm: "shop" in vm.vapp.name),
    ("vapp:shop,grafana", lambda vm: "shop" in vm.vapp.name or "grafana" in vm.vapp.name),
    ("os:windows", lambda vm: "windows" in vm.guest_os.lower()),
    ("vdc:acme", lambda _: True),
    ("vdc:globex", lambda _: False),
    ("status:on", lambda vm: vm.state is VmState.ON),
    ("status:off", lambda vm: vm.state is VmState.OFF),
    ("status:partly", lambda vm: vm.state is VmState.PARTLY_OFF),
    ("status:suspended,partly", lambda vm: vm.state in (VmState.SUSPENDED, VmState.PARTLY_OFF)),
    ("status:on status:off", lambda _: False),
    ("cpu:2", lambda vm: vm.cpu_count == 2),
    ("cpu:>2", lambda vm: vm.cpu_count > 2),
    ("ram:<=4gb", lambda vm: vm.memory_mb <= 4096),
    ("disk:>=60 status:on", lambda vm: vm.disk_mb >= 60 * 1024 and vm.state is VmState.ON),
    ("snapshot:yes", lambda vm: vm.has_snapshot),
    ("%", lambda _: False),
    ("_", lambda vm: "_" in vm.name + vm.vapp.name + vm.guest_os),
    ("colour:red shop", lambda vm: "shop" in vm.name + vm.vapp.name),
]


def test_a_filter_finds_what_fulfils_it(cloud: Simulator) -> None:
    for text, test in CASES:
        assert found(text) == expected(test), text


def test_every_card_of_a_machine_is_looked_at(cloud: Simulator) -> None:
    cards = [
        {"network": "dmz", "ip": "10.9.0.5", "external_ip": "203.0.113.200", "mode": "POOL"},
        {"network": "backup", "ip": "172.20.0.7", "external_ip": None, "mode": "DHCP"},
    ]
    change("sandbox", nics=cards)
    for text in ("net:DMZ", "net:back", "ip:172.20.", "172.20.0.7", "203.0.113.200", "ip:203.0.113.200"):
        assert found(text) == {"sandbox"}, text
    for text in ("ip:9.0.5", "net:pool", "network:203"):
        assert "sandbox" not in found(text), text
    assert "sandbox" in found("9.0.5"), "a bare word may stand in the middle"


def test_letters_of_any_case_are_one_in_russian_too(cloud: Simulator) -> None:
    change("sandbox", guest_os="Альт Сервер")
    for text in ("альт", "os:Альт", "АЛЬТ".lower()):
        assert found(text) == {"sandbox"}, text


def test_busy_machines_are_those_with_an_operation_at_work(cast: Cast, cloud: Simulator) -> None:
    assert found("status:busy") == set()
    machine_id = db.session.scalars(select(Vm.id).where(Vm.name == "sandbox")).one()
    wishes.ask(cast.owner, machine_id, Action.START, new_token())
    assert found("status:busy") == {"sandbox"}


def test_the_recycle_bin_has_to_be_asked_for(cloud: Simulator, clock: Clock) -> None:
    recycle("sandbox", clock)
    assert "sandbox" not in found("") | found("status:off")
    assert found("status:deleted") == {"sandbox"}
    assert "sandbox" in found("status:off,deleted")


def test_what_is_gone_has_to_be_asked_for_and_is_forgotten_after_a_week(cloud: Simulator, clock: Clock) -> None:
    change("sandbox", gone_at=clock.at)
    recycle("grafana", clock)
    change("grafana", gone_at=clock.at - timedelta(days=8))
    assert not {"sandbox", "grafana"} & (found("") | found("status:deleted"))
    assert found("status:gone") == {"sandbox"}


def test_the_counts_are_those_of_the_filters(cloud: Simulator, clock: Clock) -> None:
    recycle("sandbox", clock)
    change("grafana", gone_at=clock.at)
    numbers = vm_search.counts(vdc_ids())
    assert numbers.pop("all") == len(found(""))
    assert numbers == {name: len(found(f"status:{name}")) for name in numbers}
    assert (numbers["deleted"], numbers["gone"]) == (1, 1)


def test_an_account_without_a_data_center_has_nothing(cloud: Simulator) -> None:
    assert set(vm_search.counts([]).values()) == {0}
    assert list(db.session.scalars(select(Vm).where(vm_search.condition(parse("web"), [])))) == []

"""A data center that cannot be read holds up no other one, and comes back by itself."""

from collections.abc import Iterator
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from app import jobs, vcloud
from app.cloud import gateway, services, sync_all, sync_runs
from app.cloud.models import Handler, Service, Vdc
from app.cloud.sync_models import SyncRun
from app.db import db
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.vcloud_front import Front
from vcdsim import Simulator
from vcdsim.faults import error

pytestmark = pytest.mark.one_database


@pytest.fixture
def second(cloud: Simulator) -> Iterator[Simulator]:
    """One more vCloud, also with a data center of Globex."""
    with Front().open() as front:
        services.add_handler(name="Paris", api_url=f"{front.url}/api")
        login = {"username": "globex-admin", "password": "secret"}
        services.attach(account="Globex", handler="Paris", org="globex", vdc="globex-vdc", **login)
        yield front.current


def read_all(clock: Clock) -> None:
    """What the schedule does half an hour later: each data center in a job of its own, as one worker takes them."""
    clock.move(1800)
    sync_all.ask_all()
    work_off()


def work_off() -> None:
    for service_id in sync_runs.due():
        with suppress(vcloud.VcloudError):  # RQ writes it down
            jobs.run_sync(str(service_id))
        db.session.rollback()


def fresh(clock: Clock) -> set[tuple[str, str]]:
    """The data centers that were read in this period, each with its vCloud."""
    db.session.rollback()
    rows = select(Handler.name, Vdc.name).join(Service, Service.handler_id == Handler.id).join(Service.vdc)
    return {(handler, vdc) for handler, vdc in db.session.execute(rows.where(Vdc.seen_at == clock.at))}


def silent() -> list[str]:
    return list(db.session.scalars(select(Handler.name).where(Handler.silent_since.is_not(None))))


def change_password(cloud: Simulator, password: str) -> None:
    next(user for user in cloud.world.users.values() if user.name == "acme-admin").password = password
    cloud.expire_sessions()


def only_acme(cloud: Simulator, monkeypatch: pytest.MonkeyPatch, **fault: Any) -> None:
    """Have something go wrong with each listing of the machines of Acme, and with nothing else."""
    handle = cloud.handle
    acme = next(vdc.id for vdc in cloud.world.vdcs.values() if vdc.name == "acme-vdc")

    def handle_badly(method: str, path: str, *rest: Any) -> Any:
        if "type=vm&" in path and acme in path:
            cloud.faults.add("query", **fault)
        return handle(method, path, *rest)

    monkeypatch.setattr(cloud, "handle", handle_badly)


def test_one_whose_password_was_changed_in_vcloud_fails_alone_and_comes_back(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    change_password(cloud, "another")
    read_all(clock)
    assert fresh(clock) == {("Moscow", "globex-vdc")}
    change_password(cloud, "secret")
    read_all(clock)
    assert fresh(clock) == {("Moscow", "acme-vdc"), ("Moscow", "globex-vdc")}


@pytest.mark.parametrize(
    "fault",
    [
        {"error": error("ACCESS_TO_RESOURCE_IS_FORBIDDEN", "Forbidden", 403)},
        {"error": error("INTERNAL_SERVER_ERROR", "[ 1 ] Unable to perform this action.", 500)},
        {"http_status": 502},
        {"cut_after": 200},
        {"truncate_to": 0},
    ],
    ids=["forbidden", "broken", "gateway", "cut", "empty"],
)
def test_one_that_is_answered_badly_each_time_makes_its_vcloud_not_silent_for_the_others(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    only_acme(cloud, monkeypatch, **fault)
    for _ in range(2):
        read_all(clock)
        assert fresh(clock) == {("Moscow", "globex-vdc")}
        assert silent() == []


def test_a_vcloud_that_is_down_holds_up_no_other(cast: Cast, cloud: Simulator, second: Simulator, clock: Clock) -> None:
    cloud.faults.add("*", times=None, drop_request=True)
    read_all(clock)
    assert fresh(clock) == {("Paris", "globex-vdc")}
    assert silent() == ["Moscow"]
    asked = len(cloud.requests)
    read_all(clock)
    assert len(cloud.requests) == asked, "what is known to be down is not waited for by each data center"


def test_a_slow_vcloud_ends_in_time_and_holds_up_no_other(
    cast: Cast, cloud: Simulator, second: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIMITS", "PROBE_LIMITS"):
        monkeypatch.setattr(gateway, name, vcloud.Limits(connect_s=0.1, answer_s=0.1, call_s=0.1))
    second.faults.add("*", times=None, latency_s=0.2)
    read_all(clock)
    assert fresh(clock) == {("Moscow", "acme-vdc"), ("Moscow", "globex-vdc")}


def test_whether_a_vcloud_is_there_is_asked_without_waiting_for_another_one(
    cast: Cast, cloud: Simulator, second: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_are_asked = Barrier(2, timeout=10)

    def answer_late(simulator: Simulator) -> None:
        handle = simulator.handle

        def wait(*request: Any) -> Any:
            both_are_asked.wait()
            return handle(*request)

        monkeypatch.setattr(simulator, "handle", wait)

    answer_late(cloud)
    answer_late(second)
    gateway.probe_all()
    db.session.rollback()
    assert silent() == []
    assert not both_are_asked.broken


def test_whatever_asks_a_vcloud_first_after_an_outage_has_read_what_could_not_be(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    cloud.faults.add("*", times=None, drop_request=True)
    read_all(clock)
    cloud.faults.clear()
    clock.move(60)
    service_id = db.session.scalars(select(Service.id).where(Service.org_name == "acme")).one()
    with gateway.client(service_id) as client:  # as the next turn of an operation does
        client.vdcs()
    work_off()
    assert fresh(clock) == {("Moscow", "acme-vdc"), ("Moscow", "globex-vdc")}


def test_what_was_read_well_is_not_read_again_because_its_vcloud_came_back(
    cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    read_all(clock)
    before = db.session.scalar(select(func.count(SyncRun.id)))
    cloud.faults.add("*", times=None, drop_request=True)
    gateway.probe_all()
    cloud.faults.clear()
    assert silent() == ["Moscow"]
    gateway.probe_all()
    assert silent() == []
    assert db.session.scalar(select(func.count(SyncRun.id))) == before

"""Templates are read when their row of the listing is new, and once a day."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import vcloud
from app.cloud import sync, sync_runs
from app.cloud.models import VappTemplate
from app.db import db
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.machines import vm_named
from vcdsim import Simulator
from vcdsim.entities import Metadata
from vcdsim.faults import error

DAY_S = timedelta(days=1).total_seconds()


def read_again(cloud: Simulator, clock: Clock, after_s: float = 1800) -> list[str]:
    """Names of the templates whose documents the next run of acme's data center reads."""
    clock.move(after_s)
    cloud.requests.clear()
    sync.refresh(vdc_of("acme-vdc").service.id)
    paths = {path.rpartition("vappTemplate-")[2] for _, path in cloud.requests if path.count("/") == 3}
    return [template.name for template in cloud.world.templates.values() if template.id in paths]


def mirrored(name: str) -> VappTemplate:
    """A template of acme's data center."""
    one = select(VappTemplate).where(VappTemplate.vdc_id == vdc_of("acme-vdc").id, VappTemplate.name == name)
    return db.session.scalars(one).one()


def test_a_template_that_has_not_changed_is_not_read_again(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    assert read_again(cloud, clock) == []


def test_only_the_template_whose_row_has_changed_is_read(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real = next(template for template in cloud.world.templates.values() if template.name == "debian-12")
    real.description = "With the fixes of November"
    assert read_again(cloud, clock) == ["debian-12"]
    assert mirrored("debian-12").description == "With the fixes of November"


def test_a_template_that_is_not_listed_any_more_is_gone(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real = next(template for template in cloud.world.templates.values() if template.name == "lamp")
    del cloud.world.templates[real.id]
    for listed in (holder.template_ids for holder in cloud.world.catalogs.values()):
        listed[:] = [one for one in listed if one != real.id]
    assert read_again(cloud, clock) == []
    assert (mirrored("lamp").gone_at, mirrored("debian-12").gone_at) == (clock.at, None)


def test_bounds_that_no_listing_shows_are_known_within_a_day(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    real = next(template for template in cloud.world.templates.values() if template.name == "debian-12")
    real.metadata["cpu_max"] = Metadata("Number", "2")
    clock.move(DAY_S)
    read = [name for _ in cloud.world.templates for name in read_again(cloud, clock, 1)]  # one of them in each run
    assert sorted(read) == sorted(template.name for template in cloud.world.templates.values())
    assert (mirrored("debian-12").cpu_most, read_again(cloud, clock)) == (2, [])


def lists(cloud: Simulator) -> int:
    """How often the list of templates was asked for."""
    return len([path for _, path in cloud.requests if "type=vAppTemplate" in path])


def test_a_run_that_is_continued_asks_for_their_list_only_if_one_is_still_to_be_read(
    cast: Cast, cloud: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_id = vdc_of("acme-vdc").service_id
    for description, asked in (None, 1), ("With the fixes of November", 2):
        for real in cloud.world.templates.values():
            real.description = description or real.description
        elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3 + asked))
        clock.move(1800)
        cloud.requests.clear()
        sync_runs.ask(service_id, "now")
        with monkeypatch.context() as patch:
            patch.setattr(sync, "WORK", timedelta(seconds=-1))  # its time is over as soon as the listing is written
            assert sync.work(service_id)
        assert not sync.work(service_id)
        assert lists(cloud) == asked
    assert mirrored("debian-12").description == "With the fixes of November"


def test_templates_that_do_not_come_hold_up_no_machine(cast: Cast, cloud: Simulator, clock: Clock) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(cpu_count=3))
    clock.move(1800)
    cloud.requests.clear()
    refusal = error("INTERNAL_SERVER_ERROR", "No.", 500)
    cloud.faults.add("query", skip=5, times=None, error=refusal)  # machines, vApps, profiles, networks, tasks come
    with pytest.raises(vcloud.Unavailable):
        sync.refresh(vdc_of("acme-vdc").service_id)
    assert (vm_named("sandbox").cpu_count, lists(cloud)) == (3, 2)
    cloud.faults.clear()
    assert read_again(cloud, clock) == []
    assert vdc_of("acme-vdc").seen_at == clock.at

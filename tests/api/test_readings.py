"""A program has a data center read and asks how far that is."""

from app.cloud import sync
from app.db import db
from tests.support import elsewhere
from tests.support.api import Program
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from vcdsim import Simulator


def test_a_program_has_a_data_center_read_and_is_told_what_has_changed(
    api: Program, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(memory_mb=4096))
    vdc = vdc_of("acme-vdc")
    path, service_id = f"/vdcs/{vdc.id}/refresh", vdc.service_id
    asked = api.post(path, key="")
    assert (asked.status_code, asked.json["state"], asked.json["changed"]) == (202, "waiting", 0)
    assert asked.headers["Location"] == f"/api/v1/readings/{asked.json['id']}"
    assert api.post(path, key="").json["id"] == asked.json["id"], "asked twice, it is read once"
    db.session.rollback()
    sync.work(service_id)
    told = api.get(f"/readings/{asked.json['id']}").json
    assert (told["state"], told["changed"], told["gone"], told["vapps_done"]) == ("done", 1, 0, told["vapps_total"])


def test_the_age_of_a_machine_is_that_of_the_last_reading(api: Program, cloud: Simulator, clock: Clock) -> None:
    elsewhere.read(clock)
    ages = {item["seen_at"] for item in api.get("/vms").json["items"]}
    assert ages == {clock.at.isoformat().replace("+00:00", "Z")}

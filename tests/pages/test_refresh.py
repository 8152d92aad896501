"""What a customer sees of the readings of vCloud: *Refresh*, ages, the page that stays true by itself, the timeline."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app.cloud import gateway, sync
from app.cloud.models import Vm
from app.cloud.sync_models import SyncRun, VmEvent
from app.db import db, transaction
from tests.pages.conftest import Browser, vm_id
from tests.support import elsewhere
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.page import Page, open_page, open_part
from vcdsim import Simulator

pytestmark = pytest.mark.one_database


def press(owner: FlaskClient, path: str = "/vms") -> Page:
    """Press *Refresh*; the page that comes after it."""
    answer = open_page(owner, path).send(f"{path}/refresh")
    assert (answer.status_code, answer.location) == (303, path)
    return open_page(owner, path)


def runs() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(SyncRun.id)).where(SyncRun.service_id == service_id())) or 0


def service_id() -> object:
    return vdc_of("acme-vdc").service_id


def work() -> None:
    found = vdc_of("acme-vdc").service_id
    db.session.rollback()
    while sync.work(found):
        pass


def history(owner: FlaskClient, name: str) -> list[str]:
    return open_page(owner, f"/vms/{vm_id(name)}").texts(".sk-time li:not(.sk-time-day) > span")


def test_refresh_reads_vcloud_and_says_how_far_it_is_and_what_came_of_it(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    elsewhere.do(cloud, clock, "sandbox", elsewhere.size(memory_mb=4096))
    asked = press(owner)
    assert asked.texts(".sk-live div") == ["Reading vCloudWaiting for its turn"]
    assert asked.root.cssselect("#servers[hx-trigger='every 2s']")
    with transaction():
        shown = {"state": "running", "phase": "details", "vapps_done": 12, "vapps_total": 40}
        db.session.execute(update(SyncRun).where(SyncRun.state == "waiting").values(**shown, started_at=clock.at))
    assert open_part(owner, "/vms/live").texts(".sk-live div") == ["Reading vCloudDetails of 12 of 40 vApps"]
    with transaction():
        again = {"state": "waiting", "phase": None, "started_at": None, "vapps_done": 0}
        db.session.execute(update(SyncRun).where(SyncRun.state == "running").values(**again))
    work()
    done = open_part(owner, "/vms/live")
    assert done.texts(".sk-banner") == ["Up to date. 1 changed"]
    assert done.texts("#checked") == ["Checked 0 s ago."]
    clock.move(25)
    assert not open_part(owner, "/vms/live").texts(".sk-banner")


def test_pressed_again_and_again_it_reads_once(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    clock.move(60)
    before = runs()
    for _ in range(5):
        press(owner)
    assert runs() == before + 1
    work()
    clock.move(4)
    assert "Read 4 s ago." in press(owner).texts(".sk-banner")
    assert runs() == before + 1


def test_the_page_of_a_server_has_its_data_center_read(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    clock.move(60)
    page = press(owner, f"/vms/{vm_id('sandbox')}")
    assert page.texts(".sk-live b") == ["Reading vCloud"]


def test_a_refresh_that_failed_says_since_when_and_what_comes_next(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    clock.move(60)
    press(owner)
    cloud.faults.add("*", times=None, drop_request=True)
    with pytest.raises(Exception, match=r"."):
        work()
    (said,) = [text for text in open_part(owner, "/vms/live").texts("#servers .sk-banner") if "itself" in text]
    assert said == (
        "vCloud has not answered since 17:21. "
        "It is tried again by itself every 30 minutes and as soon as vCloud answers."
    )


def test_an_open_page_has_vcloud_read_every_half_minute_and_no_oftener(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    before = runs()
    paths = ("/live", "/vms/live", f"/vms/{vm_id('sandbox')}/live")
    for path in paths:
        open_part(owner, path)
    assert runs() == before, "what was just read is not read again"
    clock.move(30)
    assert open_page(owner, "/vms").root.cssselect("#servers[hx-trigger='every 2s']"), "the first look comes soon"
    assert runs() == before, "a page itself writes nothing"
    for path in paths:
        open_part(owner, path)
    assert runs() == before + 1
    work()
    assert open_part(owner, "/vms/live").root.cssselect("#servers[hx-trigger='every 30s']")


def test_a_silent_vcloud_is_not_asked_for_by_a_page(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    cloud.faults.add("*", times=None, drop_request=True)
    gateway.probe_all()
    clock.move(300)
    before = runs()
    assert open_part(owner, "/vms/live").root.cssselect("#servers[hx-trigger='every 30s']")
    assert runs() == before


def test_data_that_are_older_than_two_beats_are_called_old(
    browser: Browser, cast: Cast, cloud: Simulator, clock: Clock
) -> None:
    clock.move(3600)
    assert not open_page(browser(cast.owner), "/vms").texts(".sk-banner")
    clock.move(3600)
    (said,) = open_page(browser(cast.owner), "/vms").texts(".sk-banner--warn")
    assert said.startswith("Data center acme-vdc was last read 2 h ago. It is tried again by itself every 30 minutes")


def test_what_was_done_in_vcloud_is_on_the_timeline_with_its_time(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    for edit in (elsewhere.size(memory_mb=4096, cpu_count=2), elsewhere.add_disk(2048), elsewhere.switch_on()):
        elsewhere.do(cloud, clock, "sandbox", edit)
    elsewhere.read(clock)
    said = history(owner, "sandbox")
    assert sorted(said)[:1] == ["Changed in vCloud: processors 1 → 2, memory 1 GB → 4 GB, disk of 2 GB added"]
    assert sorted(said)[1:] == ["Switched on in vCloud"]
    elsewhere.do(cloud, clock, "sandbox", elsewhere.rename("sand"))
    elsewhere.read(clock)
    assert history(owner, "sand")[0] == "Renamed in vCloud: sandbox → sand"
    assert open_page(owner, f"/vms/{vm_id('sand')}").texts(".sk-time li > small")[0] == "vCloud"


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("appeared", [], "Appeared in vCloud"),
        ("returned", [], "Came back in vCloud"),
        ("gone", [{"what": "existence", "before": True, "after": False}], "No longer in vCloud"),
        ("gone", [{"what": "vdc", "before": "a", "after": "b"}], "Moved to another data center"),
        ("gone", [{"what": "lease", "before": "", "after": None}], "Deleted by the vApp's lease"),
        ("changed", [{"what": "vapp", "before": "a", "after": "b"}], "Moved to vApp b"),
        ("changed", [{"what": "state", "before": "on", "after": "off"}], "Switched off in vCloud or by its system"),
        (
            "changed",
            [{"what": "state", "before": "on", "after": "off"}, {"what": "lease", "before": "", "after": None}],
            "Stopped by the vApp's lease",
        ),
        ("changed", [{"what": "state", "before": "on", "after": "suspended"}], "Suspended in vCloud"),
        ("changed", [{"what": "state", "before": "suspended", "after": "on"}], "Resumed in vCloud"),
        ("changed", [{"what": "state", "before": "off", "after": "failed"}], "State in vCloud: Off → Broken in vCloud"),
        ("changed", [{"what": "snapshot", "before": False, "after": True}], "Changed in vCloud: a snapshot was taken"),
        (
            "changed",
            [{"what": "disks", "before": {"2000": 1024, "2001": 512}, "after": {"2000": 2048}}],
            "Changed in vCloud: disk 1 GB → 2 GB, disk of 512 MB removed",
        ),
        ("changed", [{"what": "expired", "before": False, "after": True}], "Locked by the vApp's lease"),
        ("changed", [{"what": "expired", "before": True, "after": False}], "The vApp's lease was renewed"),
        (
            "changed",
            [
                {
                    "what": "nics",
                    "before": [
                        {"index": 0, "network": "lan", "ip": "10.0.0.5", "mode": "POOL", "is_connected": True},
                        {"index": 1, "network": "lan", "ip": None, "mode": "DHCP", "is_connected": False},
                    ],
                    "after": [
                        {"index": 0, "network": "lan", "ip": "10.0.0.9", "mode": "POOL", "is_connected": True},
                        {"index": 2, "network": None, "ip": None, "mode": "NONE", "is_connected": False},
                    ],
                }
            ],
            (
                "Changed in vCloud: network card lan 10.0.0.5 → lan 10.0.0.9, network card removed: lan, unplugged, "
                "network card added: not connected"
            ),
        ),
    ],
)
def test_each_thing_that_happens_in_vcloud_has_its_sentence(
    owner: FlaskClient, cloud: Simulator, clock: Clock, kind: str, changes: list[object], sentence: str
) -> None:
    with transaction():
        machine = db.session.get_one(Vm, vm_id("sandbox"))
        account_id = machine.vdc.service.account_id
        db.session.add(VmEvent(account_id=account_id, vm_id=machine.id, at=clock.at, kind=kind, changes=changes))
    assert history(owner, "sandbox") == [sentence]


def test_a_server_that_was_only_listed_says_that_its_disks_are_being_read(owner: FlaskClient, cloud: Simulator) -> None:
    with transaction():
        only_listed = update(Vm).values(read_at=None, disks=[], disk_mb=0, nics=[])
        db.session.execute(only_listed.where(Vm.name == "sandbox"))
    assert "disks are being read" in open_page(owner, "/vms?q=sandbox").text
    text = open_page(owner, f"/vms/{vm_id('sandbox')}").text
    assert "The disks are being read." in text
    assert "It has no disk" not in text


def test_a_server_that_is_missing_is_said_to_be_looked_for_and_one_that_is_gone_says_when(
    owner: FlaskClient, cloud: Simulator, clock: Clock
) -> None:
    path = f"/vms/{vm_id('sandbox')}"
    with transaction():
        db.session.execute(update(Vm).where(Vm.name == "sandbox").values(missing_since=clock.at))
    assert "Not in vCloud's list since 17:20. It is being looked for." in open_page(owner, path).text
    assert "not in vCloud's list since 17:20" in open_page(owner, "/vms?q=sandbox").text
    with transaction():
        db.session.execute(update(Vm).where(Vm.name == "sandbox").values(gone_at=clock.at))
    assert "Gone from vCloud since 17:20." in open_page(owner, path).text


def test_the_file_says_when_each_server_was_checked(owner: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    elsewhere.read(clock)
    lines = owner.get("/vms/servers.csv").text.splitlines()
    assert all("2026-11-12 17:50" in line for line in lines[1:])

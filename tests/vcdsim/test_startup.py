"""The StartupSection is obeyed: order, waits and actions of starting and stopping a vApp."""

from pathlib import Path

import pytest

from tests.vcdsim.talk import NS, VCLOUD, Talk
from vcdsim import Simulator

#: How long a single power on takes, with its time in the queue.
POWER_ON_S = 15.5


def arrange(talk: Talk, vapp: str, **items: str) -> int:
    """Send a StartupSection with these attributes by VM (`_` stands for `-`); the status of the answer."""
    inside = "".join(f'<ovf:Item ovf:id="{name.replace("_", "-")}" {text}/>' for name, text in items.items())
    body = f'<ovf:StartupSection xmlns:ovf="{NS["ovf"]}"><ovf:Info/>{inside}</ovf:StartupSection>'
    reply = talk.send("PUT", f"{talk.vapp(vapp)}/startupSection", body)
    talk.sim.settle()
    return reply.status


def stop(talk: Talk, vapp: str, action: str = "default") -> None:
    inside = f"<UndeployPowerAction>{action}</UndeployPowerAction>" if action else ""
    body = f'<UndeployVAppParams xmlns="{VCLOUD}">{inside}</UndeployVAppParams>'
    assert talk.send("POST", f"{talk.vapp(vapp)}/action/undeploy", body).status == 202


def start(talk: Talk, vapp: str) -> None:
    assert talk.send("POST", f"{talk.vapp(vapp)}/power/action/powerOn").status == 202


def running(sim: Simulator, *names: str) -> set[str]:
    return {vm.name for vm in sim.world.vms.values() if vm.name in names and vm.power == "on"}


@pytest.fixture
def shop(sim: Simulator, talk: Talk) -> tuple[str, str, str]:
    """The VMs of the vApp `shop`, stopped: the database starts first, the second web server last."""
    orders = {"shop_db": 'ovf:order="0" ovf:startDelay="60"', "shop_web_1": 'ovf:order="1" ovf:startDelay="30"'}
    assert arrange(talk, "shop", **orders, shop_web_2='ovf:order="2" ovf:startDelay="300"') == 202
    stop(talk, "shop", "powerOff")
    sim.settle()
    return ("shop-db", "shop-web-1", "shop-web-2")


def test_vms_start_in_their_order_after_the_waits_before_them(
    sim: Simulator, talk: Talk, shop: tuple[str, str, str]
) -> None:
    start(talk, "shop")
    seen = []
    for moment_s in (POWER_ON_S, 60, 30):
        sim.advance(moment_s - 1)
        before = running(sim, *shop)
        sim.advance(1)
        talk.get("/api/session")
        seen.append((before, running(sim, *shop)))
    db, first, second = shop
    assert seen == [(set(), {db}), ({db}, {db, first}), ({db, first}, {db, first, second})]


def test_the_task_takes_the_sum_of_the_waits(sim: Simulator, talk: Talk, shop: tuple[str, str, str]) -> None:
    reply = talk.send("POST", f"{talk.vapp('shop')}/power/action/powerOn")
    sim.advance(POWER_ON_S + 89)
    assert talk.get(reply.headers["location"]).get("status") == "running"
    sim.advance(1)
    assert talk.get(reply.headers["location"]).get("status") == "success"


def test_a_start_goes_on_in_its_order_after_the_world_was_saved(
    sim: Simulator, talk: Talk, shop: tuple[str, str, str], tmp_path: Path
) -> None:
    start(talk, "shop")
    sim.advance(POWER_ON_S)
    sim.save(tmp_path / "world")
    loaded = Simulator(manual_clock=True, state_file=tmp_path / "world")
    assert running(loaded, *shop) == {"shop-db"}
    loaded.advance(sim.clock.now() - loaded.clock.now() + 60)
    assert running(loaded, *shop) == {"shop-db", "shop-web-1"}
    loaded.settle()
    assert running(loaded, *shop) == set(shop)


def test_a_vm_without_a_start_action_stays_off(sim: Simulator, talk: Talk) -> None:
    arrange(talk, "build", ci_runner_2='ovf:startAction="none"')
    stop(talk, "build", "powerOff")
    sim.settle()
    start(talk, "build")
    sim.settle()
    assert running(sim, "ci-runner-1", "ci-runner-2") == {"ci-runner-1"}
    assert talk.do("POST", f"{talk.vm('ci-runner-2')}/power/action/powerOn") == "success"
    assert running(sim, "ci-runner-2") == {"ci-runner-2"}


def test_a_stop_by_the_section_goes_in_reverse_order(sim: Simulator, talk: Talk) -> None:
    arrange(talk, "shop", shop_db='ovf:order="0"', shop_web_1='ovf:order="1"', shop_web_2='ovf:order="1"')
    arrange(talk, "shop", shop_web_1='ovf:order="1" ovf:stopDelay="40" ovf:stopAction="guestShutdown"')
    stop(talk, "shop")
    sim.advance(12.6)
    assert running(sim, "shop-db", "shop-web-1", "shop-web-2") == {"shop-db"}
    sim.advance(30)
    assert running(sim, "shop-db") == {"shop-db"}
    sim.settle()
    assert talk.get(talk.vapp("shop")).get("deployed") == "false"


@pytest.mark.parametrize("action", ["powerOff", ""])
def test_a_stop_by_power_off_does_not_wait(sim: Simulator, talk: Talk, action: str) -> None:
    arrange(talk, "shop", shop_db='ovf:order="0"', shop_web_1='ovf:order="1" ovf:stopDelay="600"')
    stop(talk, "shop", action)
    sim.advance(10)
    assert talk.get(talk.vapp("shop")).get("deployed") == "false"


@pytest.mark.parametrize(
    ("vm", "text"),
    [
        ("stranger", 'ovf:order="1"'),
        ("shop_db", 'ovf:order="-1"'),
        ("shop_db", 'ovf:startDelay="70000"'),
        ("shop_db", 'ovf:startAction="explode"'),
        ("shop_db", 'ovf:stopDelay="soon"'),
    ],
)
def test_an_item_that_makes_no_sense_is_refused(talk: Talk, vm: str, text: str) -> None:
    assert arrange(talk, "shop", **{vm: text}) == 400


def test_an_item_follows_a_renamed_vm(sim: Simulator, talk: Talk) -> None:
    arrange(talk, "shop", shop_db='ovf:order="7"')
    assert talk.do("PUT", talk.vm("shop-db"), f'<Vm xmlns="{VCLOUD}" name="shop-data"/>') == "success"
    item = talk.get(f"{talk.vapp('shop')}/startupSection").find("ovf:Item[@ovf:id='shop-data']", NS)
    assert item is not None
    assert item.get(f"{{{NS['ovf']}}}order") == "7"

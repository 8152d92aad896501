"""Changes made in vCloud itself, through a client of its own and never through the panel."""

from collections.abc import Callable
from random import Random

from app import vcloud
from app.cloud import gateway, sync
from app.db import db, transaction
from tests.support.clock import Clock
from tests.support.engine import pass_time, vdc_of
from tests.support.machines import vm_named
from vcdsim import Simulator

Edit = Callable[[vcloud.Client, str], vcloud.Task]


def do(cloud: Simulator, clock: Clock, name: str, edit: Edit) -> None:
    """Make an edit of a machine of Acme in vCloud and wait for it; the panel does not know yet."""
    urn, service_id = vm_named(name).urn, vdc_of("acme-vdc").service_id
    db.session.rollback()
    with gateway.client(service_id) as client:
        task = edit(client, urn)
        for _ in range(50):
            pass_time(cloud, clock, 10)
            if client.task(task.id).status != vcloud.TaskStatus.RUNNING:
                return
    raise AssertionError(f"vCloud is still at {task.operation}")


def read(clock: Clock) -> None:
    """One reading of Acme's data center, half an hour later."""
    clock.move(1800)
    db.session.rollback()
    sync.refresh(vdc_of("acme-vdc").service_id)
    db.session.rollback()


def look_again(name: str) -> None:
    """Read the documents around a machine again, for what no listing tells."""
    with transaction():
        vm_named(name).vapp.read_key = None
    sync.refresh(vm_named(name).vdc.service_id)


def size(*, cpu_count: int | None = None, memory_mb: int | None = None) -> Edit:
    """Other processors or memory."""
    change = vcloud.VmChange(cpu_count=cpu_count, memory_mb=memory_mb)
    return lambda client, urn: client.reconfigure(urn, change)


def rename(name: str) -> Edit:
    """Another name."""
    return lambda client, urn: client.reconfigure(urn, vcloud.VmChange(name=name))


def add_disk(size_mb: int) -> Edit:
    """One disk more."""
    return lambda client, urn: client.reconfigure(urn, vcloud.VmChange(new_disks_mb=(size_mb,)))


def grow_disk(more_mb: int) -> Edit:
    """The first disk larger."""

    def edit(client: vcloud.Client, urn: str) -> vcloud.Task:
        disk = client.vm(urn).disks[0]
        return client.reconfigure(urn, vcloud.VmChange(disk_mb={disk.instance_id: disk.size_mb + more_mb}))

    return edit


def unplug() -> Edit:
    """The first card off its network."""
    wiring = vcloud.Wiring(mode="NONE", connected=False)
    return lambda client, urn: client.reconfigure(urn, vcloud.VmChange(cards={0: wiring}))


def take_snapshot() -> Edit:
    """A snapshot."""
    return lambda client, urn: client.create_snapshot(urn)


def delete() -> Edit:
    """The machine away, with its disks."""
    return lambda client, urn: client.delete(urn)


def switch_on() -> Edit:
    """The machine on."""
    return lambda client, urn: client.power_on(urn)


def any_edit(random: Random, what: str) -> Edit:
    """An edit that changes this, of a random amount."""
    makers: dict[str, Callable[[], Edit]] = {
        "cpu_count": lambda: size(cpu_count=random.choice((3, 5, 6, 7))),
        "memory_mb": lambda: size(memory_mb=random.choice((1536, 3072, 5120, 6144))),
        "name": lambda: rename(f"other-{random.randrange(10**6)}"),
        "disks": lambda: random.choice(
            (add_disk(random.randrange(1, 9) * 1024), grow_disk(random.randrange(1, 9) * 1024))
        ),
        "nics": unplug,
        "snapshot": take_snapshot,
        "existence": delete,
        "state": switch_on,
    }
    return makers[what]()

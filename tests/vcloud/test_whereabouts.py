"""Where a machine is that was not listed: in another VDC, or nowhere we may look."""

import pytest

from app.vcloud import Client, Login, NotFound, VmRecord
from app.vcloud.query import version_key
from vcdsim import Simulator


@pytest.fixture(params=["5.5", "20.0", "36.0", "39.1"])
def sim(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """Two VDCs of one organization, told in each generation of documents."""
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(request.param), 1))
    return Simulator("4/2", manual_clock=True)


def move(sim: Simulator, row: VmRecord, vdc_urn: str) -> None:
    """Move the vApp of a VM to another VDC, as an administrator does."""
    assert row.vapp_id
    vapp, target = sim.world.vapps[row.vapp_id[-36:]], sim.world.vdcs[vdc_urn[-36:]]
    sim.world.vdcs[vapp.vdc_id].vapp_ids.remove(vapp.id)
    target.vapp_ids.append(vapp.id)
    vapp.vdc_id = target.id
    for vm in sim.world.vms_of(vapp):
        vm.vdc_id = target.id


def test_a_vm_that_was_moved_tells_its_vdc_through_its_vapp(sim: Simulator, client: Client) -> None:
    here, there = client.vdcs()
    row = client.vms(here.id)[0]
    move(sim, row, there.id)
    assert row.id not in {other.id for other in client.vms(here.id)}
    vapp_urn = client.vm(row.id).vapp_id
    assert vapp_urn == row.vapp_id
    assert client.vapp(str(vapp_urn)).vdc_id == there.id
    assert {other.vdc_id for other in client.vms(there.id)} == {there.id}


def test_the_provider_sees_where_it_is_as_well(sim: Simulator, client: Client, url: str) -> None:
    here, there = client.vdcs()
    row = client.vms(here.id)[0]
    move(sim, row, there.id)
    with Client(url, Login("System", "administrator", "secret")) as provider:
        assert provider.vapp(str(provider.vm(row.id).vapp_id)).vdc_id == there.id


def test_a_vm_that_is_gone_or_no_longer_ours_is_not_found(sim: Simulator, client: Client) -> None:
    gone, taken = client.vms(client.vdcs()[0].id)
    sim.world.vms[taken.id[-36:]].org_id = "another"
    sim.world.vapps[str(taken.vapp_id)[-36:]].org_id = "another"
    del sim.world.vms[gone.id[-36:]]
    for urn in (gone.id, taken.id):
        with pytest.raises(NotFound):
            client.vm(urn)

"""Templates: one request tells which have changed, and only those are read whole."""

import pytest

from app.vcloud import Client, TemplateRecord
from tests.vcloud.support import TEMPLATE_VM, Vcd, error_body, fixture, records
from vcdsim import Simulator

pytestmark = pytest.mark.usefixtures("generation")


def keys(client: Client) -> dict[str, str]:
    return {record.name: record.key for record in client.template_records()}


def test_unchanged_templates_have_the_same_keys_and_cost_one_request(sim: Simulator, client: Client) -> None:
    before = keys(client)
    asked = len(sim.requests)
    assert keys(client) == before
    assert len(sim.requests) - asked == 1
    assert len(set(before.values())) == len(before)


@pytest.mark.parametrize("change", ["name", "created_at"])
def test_a_template_that_was_changed_or_replaced_has_another_key(sim: Simulator, client: Client, change: str) -> None:
    before = keys(client)
    template = next(one for one in sim.world.templates.values() if one.name == "debian-12")
    setattr(template, change, 1.5e9 if change == "created_at" else "anew")
    after = keys(client)
    assert len(set(before.values()) & set(after.values())) == len(before) - 1


def test_a_template_is_read_by_two_requests_or_four(sim: Simulator, client: Client, generation: str) -> None:
    record = next(one for one in client.template_records() if one.name == "debian-12")
    asked = len(sim.requests)
    template = client.template(record)
    assert template
    assert (template.id, template.catalog_name) == (record.id, record.catalog_name)
    assert template.vms[0].cpu_count
    assert len(sim.requests) - asked <= (4 if generation == "5.5" else 2)


def test_only_the_rows_of_its_own_vms_are_asked_for_if_nothing_else_tells_their_hardware(vcd: Vcd) -> None:
    uuid = "33333333-0000-4000-8000-000000000001"
    path = f"/vAppTemplate/vappTemplate-{uuid}"
    href = f"https://vcd.example/api/vAppTemplate/vm-{TEMPLATE_VM[-36:]}"
    vcd.answer("GET", "/query", records(f'<VMRecord name="centos" numberOfCpus="2" href="{href}"/>'))
    vcd.answer("GET", path, fixture("template-5.5"))
    vcd.answer("GET", f"{path}/metadata", '<Metadata xmlns="http://www.vmware.com/vcloud/v1.5"/>')
    vcd.answer("GET", f"{path}/ovf", error_body("FORBIDDEN", "no download", 403), status=403)
    found = vcd.client().template(TemplateRecord(f"urn:vcloud:vapptemplate:{uuid}", "t", "c", "k"))
    assert found
    assert found.vms[0].cpu_count == 2
    assert f"container==urn%253Avcloud%253Avapptemplate%253A{uuid};isVAppTemplate==true" in vcd.last.url

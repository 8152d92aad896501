"""The services of an account, and the statistics packet of each as a program gets it."""

import json

from app.accounts.rules import TokenScope
from app.blueprints.api.openapi import document
from app.cloud import packet_reader, packet_source
from tests.api.conftest import MakeProgram
from tests.support.api import Program, problem
from tests.support.cast import Cast
from tests.support.engine import vdc_of
from tests.support.statements import statements
from vcdsim import Simulator


def test_the_services_of_the_account_name_their_data_center(api: Program, cloud: Simulator) -> None:
    vdc = vdc_of("acme-vdc")
    (service,) = api.get("/services").json["items"]
    assert service == {
        "id": str(vdc.service_id),
        "org_name": "acme",
        "vdc": {"id": str(vdc.id), "name": "acme-vdc"},
    }


def test_a_packet_is_xml_and_says_what_the_mirror_says(program: MakeProgram, cast: Cast, cloud: Simulator) -> None:
    service_id = vdc_of("acme-vdc").service_id
    answer = program(cast.viewer, TokenScope.READ).get(f"/services/{service_id}/packet")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
    assert packet_reader.read(answer.text) == packet_source.collect(service_id)


def test_a_packet_costs_few_statements_and_asks_no_vcloud(api: Program, cloud: Simulator) -> None:
    path = f"/services/{vdc_of('acme-vdc').service_id}/packet"
    api.get(path)  # notes the use of the token
    asked = len(cloud.requests)
    with statements() as sent:
        api.get(path)
    assert len(sent) <= 10, sent
    assert len(cloud.requests) == asked


def test_passwords_are_not_told_and_the_command_is_named(api: Program, cloud: Simulator) -> None:
    service_id = vdc_of("acme-vdc").service_id
    answer = api.get(f"/services/{service_id}/packet", passwords="true")
    assert problem(answer) == (403, "packet_passwords_by_command", "passwords")
    assert f"flask packet {service_id} --with-passwords" in answer.json["detail"]
    assert api.get(f"/services/{service_id}/packet", passwords="false").status_code == 200
    assert problem(api.get(f"/services/{service_id}/packet", passwords="1")) == (400, "value_bad", "passwords")


def test_a_stranger_does_not_learn_that_there_is_a_service(program: MakeProgram, cast: Cast, cloud: Simulator) -> None:
    path = f"/services/{vdc_of('acme-vdc').service_id}/packet"
    assert problem(program(cast.stranger).get(path, passwords="true")) == (404, "not_found", None)


def test_the_packet_is_documented_as_xml() -> None:
    told = document()["paths"]["/api/v1/services/{service_id}/packet"]["get"]["responses"]["200"]["content"]
    assert json.dumps(told) == '{"application/xml": {"schema": {"type": "string"}}}'

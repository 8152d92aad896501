"""Whatever the API has: it is not there for a stranger, and not without a token. Made from the table of addresses."""

import uuid

from flask import Flask
from sqlalchemy import func, select, update

from app.accounts.models import Membership
from app.accounts.rules import Role
from app.blueprints.api.endpoints import ENDPOINTS, Endpoint
from app.blueprints.api.openapi import document
from app.cloud.models import Network
from app.cloud.operation_models import Operation
from app.cloud.rules import Action
from app.cloud.steps import KINDS
from app.cloud.sync_models import SyncRun
from app.db import db, transaction
from tests.api.conftest import MakeProgram
from tests.support.api import BASE, Program, problem
from tests.support.cast import Cast
from tests.support.drift import drifted
from tests.support.engine import vdc_of
from tests.support.machines import ask, vm_named
from tests.support.wishes import wish
from vcdsim import Simulator


def body_of(one: Endpoint) -> dict[str, object]:
    """A body that the schema takes, so that only the object can be what is wrong."""
    spec = wish()
    bodies: dict[str, dict[str, object]] = {
        "NewMachine": {"vdc_id": str(spec.vdc_id), "template_id": str(spec.template_id), "vm_name": "web-03"},
        "Protection": {"is_protected": True},
        "NewDisk": {"size_gb": 5},
        "GrownDisk": {"instance_id": "2000", "size_gb": 50},
        "DoomedDisk": {"instance_id": "2001"},
        "WantedCards": {"cards": [{"index": 0}]},
        "NewSize": {"cpu_count": 2, "memory_mb": 2048},
        "NewName": {"vm_name": "web-04"},
        "Deletion": {"typed_name": "sandbox"},
        "Acceptance": {"seen": "x"},
        "Postponement": {"seen": "x", "days": 7},
    }
    return bodies.get(one.body.__name__, {}) if one.body else {}


def some_ids() -> dict[str, uuid.UUID]:
    """Of each kind of object one of Acme's, or one that does not exist."""
    return {
        "vm_id": vm_named("sandbox").id,
        "operation_id": uuid.uuid4(),
        "vdc_id": vdc_of("acme-vdc").id,
        "reading_id": db.session.scalars(
            select(SyncRun.id).where(SyncRun.service_id == vdc_of("acme-vdc").service_id)
        ).one(),
        "drift_id": drifted(vm_named("sandbox").id, "cpu_count", 1, 3),
        "service_id": vdc_of("acme-vdc").service_id,
        "network_id": db.session.scalars(select(Network.id).where(Network.name == "acme-net")).one(),
    }


def path(one: Endpoint) -> str:
    return f"{one.method} {one.path}"


def ask_for(one: Endpoint, program: Program, ids: dict[str, uuid.UUID]) -> tuple[int, str, str | None]:
    address = one.path
    for name, value in ids.items():
        address = address.replace(f"<uuid:{name}>", str(value))
    assert "<" not in address, "a new kind of object: say here whose it is"
    answer = program.get(address) if one.method == "GET" else program.post(address, body_of(one))
    return problem(answer)


def test_a_strangers_object_is_not_there(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    ids = {**some_ids(), "operation_id": ask(cast, "terminal", Action.SHUT_DOWN)}
    stranger = program(cast.stranger)
    answers = {path(one): ask_for(one, stranger, ids) for one in ENDPOINTS if "<" in one.path}
    assert answers == dict.fromkeys(answers, (404, "not_found", None))
    assert db.session.scalar(select(func.count(Operation.id))) == 1


def test_a_strangers_data_center_takes_no_new_machine(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    (create,) = (one for one in ENDPOINTS if one.name == "create_vm")
    assert ask_for(create, program(cast.stranger), {}) == (404, "not_found", None)


def test_the_lists_of_a_stranger_hold_nothing_of_ours(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    ours, stranger = {str(vm_named("sandbox").id), str(ask(cast, "terminal", Action.SHUT_DOWN))}, program(cast.stranger)
    ours |= {str(vdc_of("acme-vdc").id), str(vdc_of("acme-vdc").service_id)}
    for address in ("/vdcs", "/vms", "/operations", "/services"):
        text = stranger.get(address).text
        assert not [i for i in ours if i in text], address


def test_nothing_is_told_or_done_without_a_token(app: Flask, cloud: Simulator) -> None:
    ids = some_ids()
    answers = {path(one): ask_for(one, Program(app, None), ids) for one in ENDPOINTS}
    assert answers == dict.fromkeys(answers, (401, "api_token_missing", None))


def test_no_command_is_taken_from_a_viewer(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    ids, viewer = some_ids(), program(cast.viewer)
    answers = {path(one): ask_for(one, viewer, ids) for one in ENDPOINTS if one.changes}
    assert answers == dict.fromkeys(answers, (403, "not_permitted", None))


def test_an_accountant_sees_no_machine(program: MakeProgram, cloud: Simulator, cast: Cast) -> None:
    with transaction():
        his = Membership.user_id == cast.viewer.user_id
        db.session.execute(update(Membership).where(his).values(role=Role.ACCOUNTANT))
    ids, accountant = some_ids(), program(cast.viewer)
    answers = {path(one): ask_for(one, accountant, ids) for one in ENDPOINTS}
    assert answers == dict.fromkeys(answers, (403, "not_permitted", None))


def test_every_route_is_an_endpoint_and_is_documented(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api")}
    assert routes == {f"api.{one.name}" for one in ENDPOINTS} | {"api.openapi"}
    told = {each["operationId"] for item in document()["paths"].values() for each in item.values()}
    assert told == {one.name for one in ENDPOINTS}
    assert all(path.startswith(f"{BASE}/") for path in document()["paths"])


def test_every_kind_of_operation_can_be_asked_for() -> None:
    asked = {one.name for one in ENDPOINTS if one.is_asked}
    assert asked == set(KINDS) - {"create", "create_in_vapp"} | {"create_vm"}

"""Schemathesis sends what the OpenAPI document allows and what it forbids: every answer is one that it tells of."""

import uuid
from collections import Counter
from dataclasses import dataclass, field

from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi import from_wsgi

from app.accounts import tokens
from app.accounts.rules import TokenScope
from app.cloud.rules import Action
from tests.support.api import BASE
from tests.support.cast import Cast
from tests.support.engine import vdc_of
from tests.support.machines import ask, vm_named
from vcdsim import Simulator


def settings(token: str, operation_id: uuid.UUID) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {token}"},
            "generation": {"max-examples": 10, "deterministic": True, "no-shrink": True, "database": "none"},
            "phases": {"examples": {"enabled": False}, "stateful": {"enabled": False}},
            "parameters": {
                "path.vm_id": str(vm_named("sandbox").id),
                "path.operation_id": str(operation_id),
                "path.vdc_id": str(vdc_of("acme-vdc").id),
                "path.service_id": str(vdc_of("acme-vdc").service_id),
                "query.vdc": str(vdc_of("acme-vdc").id),
            },
            "checks": {
                # What fits depends on what is free, so a well-formed wish may still be refused.
                "positive_data_acceptance": {"enabled": False},
                # Asks again without a token, which works over sockets only; test_strangers asks every address so.
                "ignored_auth": {"enabled": False},
            },
            "warnings": False,
        }
    )


@dataclass
class Findings:
    """What came of a run: the failed checks, and how often each status was answered."""

    failures: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def take(self, event: object) -> None:
        """Note what an event of the engine tells."""
        if isinstance(event, events.ScenarioFinished):
            answers = [one.response for one in event.recorder.interactions.values() if one.response]
            self.statuses.update(answer.status_code for answer in answers)
            checks = [check for some in event.recorder.checks.values() for check in some]
            failed = [check for check in checks if check.status is Status.FAILURE]
            self.failures += [f"{event.recorder.label} {check.name}: {check.failure_info}" for check in failed]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            self.failures.append(repr(event))


def test_no_answer_is_undeclared_and_none_is_our_mistake(app: Flask, cloud: Simulator, cast: Cast) -> None:
    token = tokens.create(cast.owner, name="schemathesis", scope=TokenScope.CHANGE, days=1)
    at_work = ask(cast, "terminal", Action.SHUT_DOWN)
    found = Findings()
    for event in from_schema(from_wsgi(f"{BASE}/openapi.json", app, config=settings(token, at_work))).execute():
        found.take(event)
    assert found.failures == []
    # It came through the door and far behind it, and it was refused in every way in which a client can be wrong.
    assert set(found.statuses) >= {200, 202, 400, 404, 405, 409}
    assert found.statuses.total() > 500

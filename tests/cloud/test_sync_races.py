"""A reading falls into each moment of each kind of operation: neither notices the other.

Each kind is played undisturbed, then once for each of its commands and polls with a whole reading right before that. It
must end alike, down to the commands, and what the timeline and the drift desk say of it must be the panel's own doing:
nothing else has happened.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import select

from app.cloud import sync
from app.cloud.drift_models import Drift
from app.cloud.sync_models import VmEvent
from app.db import db
from tests.cloud.test_engine_kills import SCENES
from tests.support.cast import Cast
from tests.support.clock import Clock
from tests.support.counts import COUNTED
from tests.support.doom import Fate
from tests.support.engine import vdc_of
from tests.support.theatre import Theatre
from vcdsim import Simulator

pytestmark = pytest.mark.one_database


@pytest.fixture
def theatre(app: Flask, cast: Cast, cloud: Simulator, clock: Clock) -> Iterator[Theatre]:
    """The stage, with the demo world on it, and a reading for whatever is meant to come in between."""
    with Theatre(app, cloud, clock, meanwhile=read).open() as stage:
        yield stage


def read() -> None:
    """A reading of Acme's data center."""
    service_id = vdc_of("acme-vdc").service_id
    db.session.rollback()
    sync.refresh(service_id)


def foreign() -> list[object]:
    """What is told to have been done in vCloud itself."""
    db.session.rollback()
    events = select(VmEvent).where(VmEvent.operation_id.is_(None))
    return [
        *((event.vm.name, event.kind, event.changes) for event in db.session.scalars(events)),
        *((drift.vm.name, drift.what, drift.agreed, drift.vcloud) for drift in db.session.scalars(select(Drift))),
    ]


@pytest.mark.parametrize("name", SCENES)
def test_a_reading_in_the_middle_of_an_operation_spoils_nothing(
    cast: Cast, theatre: Theatre, name: str, record_property: Callable[[str, object], None]
) -> None:
    for earlier in SCENES[name].before:
        theatre.prepare(partial(earlier, cast))
    undisturbed = theatre.play(partial(SCENES[name].ask, cast))
    for number in count(1):
        ending = theatre.play_again(partial(SCENES[name].ask, cast), Fate.PASSED, number)
        if ending is None:
            break
        assert ending == undisturbed, f"a reading before command or poll {number}"
        read()
        assert foreign() == [], f"a reading before command or poll {number}"
    assert number > 1
    record_property(f"{COUNTED}readings in the middle of an operation", number - 1)

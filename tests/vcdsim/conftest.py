"""A fresh demo world under a manual clock, and a VDC administrator talking to it."""

import pytest

from tests.vcdsim.talk import Talk
from vcdsim import Simulator


@pytest.fixture
def sim() -> Simulator:
    """The demo world; time moves by hand."""
    return Simulator("demo", manual_clock=True)


@pytest.fixture
def talk(sim: Simulator) -> Talk:
    """Acme's administrator at API 36.0."""
    return Talk(sim)

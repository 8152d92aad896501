"""Simulators as programs of their own, that other people's clients speak to over HTTP."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import Program
from vcdsim.api.version import SUPPORTED, text

#: So fast that a task is done before its client asks for the first time: they wait seconds between two looks.
SPEED = 100_000
_NEWEST_OF_OLD = (30, 0)


def _serve(output: Path, *options: str) -> Iterator[str]:
    arguments = ["-m", "vcdsim", "--port", "0", "--world", "demo", "--speed", str(SPEED), *options]
    with Program(arguments, output) as program:
        program.wait_for("/api")
        found = re.search(r"(http://\S+)/api", program.said)
        assert found is not None
        yield found[1]


@pytest.fixture(scope="session")
def vcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of `python -m vcdsim` with the demo world, of every version; each test leaves it as it found it."""
    yield from _serve(tmp_path_factory.mktemp("vcloud") / "vcdsim.log")


@pytest.fixture(scope="session")
def old_vcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same as a vCD up to 9.1 is: nothing above API 30.0 is offered, and all log in at /api/sessions."""
    folder = tmp_path_factory.mktemp("old-vcloud")
    newer = [text(version) for version in SUPPORTED if version > _NEWEST_OF_OLD]
    faults = folder / "faults.json"
    faults.write_text(json.dumps([{"operation": "*", "times": None, "withdrawn": newer}]))
    yield from _serve(folder / "vcdsim.log", "--faults", str(faults))

"""The API generations, for tests of what vCloud is asked to do."""

import pytest

from app.vcloud.query import version_key


@pytest.fixture(
    params=[
        pytest.param("5.5", marks=pytest.mark.one_database),
        pytest.param("36.0", marks=pytest.mark.one_database),
        "39.1",
    ]
)
def generation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes our client believe that this is the newest API version it knows. Name it before `cloud`."""
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(request.param), 1))
    return str(request.param)

"""No secret passes into the log."""

import pytest

from app.logs import without_secrets


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Basic S3CRET",
        "{'Authorization': 'Bearer S3CRET'}",
        "x-vcloud-authorization: S3CRET",
        "X-VMWARE-VCLOUD-ACCESS-TOKEN: S3CRET",
        "Cookie: skiff=S3CRET",
        "password=S3CRET",
        "{'password': 'S3CRET'}",
        "refresh_token=S3CRET&grant_type=refresh_token",
        "<AdminPassword>S3CRET</AdminPassword>",
        "<vcloud:AdminPassword>S3CRET</vcloud:AdminPassword>",
        "<Ticket>S3CRET</Ticket>",
        "postgresql://skiff:S3CRET@db/skiff",
    ],
)
def test_a_secret_in_a_log_line_is_taken_out(line: str) -> None:
    assert "S3CRET" not in without_secrets(line)


def test_an_ordinary_line_stays_as_it_is() -> None:
    line = "GET /api/vApp/vm-1 200 12 ms rq-20261112-1420-8c1f"
    assert without_secrets(line) == line

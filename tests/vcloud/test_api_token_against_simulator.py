"""Sessions opened with API tokens of the simulator, made there as their owner makes them."""

import pytest

from app.vcloud import ApiToken, Client, Refused, SessionExpired
from app.vcloud.query import version_key
from tests.vcdsim.test_tokens import JWT_BEARER, ask, bearer, loaded, register
from vcdsim import Simulator

DOOR = ("POST", "/oauth/tenant/acme/token")


@pytest.fixture
def token(sim: Simulator) -> ApiToken:
    """A token that the administrator of acme has just made for the panel."""
    jwt = bearer(sim)
    client_id = loaded(register(sim, jwt))["client_id"]
    made = loaded(ask(sim, "tenant/acme", grant_type=JWT_BEARER, assertion=jwt, client_id=client_id))
    sim.requests.clear()
    return ApiToken("acme", made["refresh_token"])


def disable(sim: Simulator, name: str) -> None:
    next(one for one in sim.world.users.values() if one.name == name).is_enabled = False


@pytest.mark.parametrize("version", ["36.3", "37.2", "38.0", "39.1"])
def test_a_made_token_opens_a_session(
    monkeypatch: pytest.MonkeyPatch, sim: Simulator, url: str, token: ApiToken, version: str
) -> None:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (*version_key(version), 1))
    with Client(url, token) as client:
        assert [vdc.name for vdc in client.vdcs()] == ["acme-vdc"]
        assert client.session
        assert (client.session.scheme, client.session.api_version) == ("bearer", version)
    assert sim.requests.count(DOOR) == 1


def test_the_providers_token_opens_the_providers_door(sim: Simulator, url: str) -> None:
    with Client(url, ApiToken("System", "System-administrator-token")) as client:
        assert client.version() == "39.1"
    assert ("POST", "/oauth/provider/token") in sim.requests


def test_an_ended_session_costs_one_new_login(sim: Simulator, url: str, token: ApiToken) -> None:
    with Client(url, token) as client:
        before = client.vdcs()
        sim.expire_sessions()
        assert client.vdcs() == before
    assert sim.requests.count(DOOR) == 2


def test_a_token_whose_user_was_disabled_meanwhile_is_told(sim: Simulator, url: str, token: ApiToken) -> None:
    with Client(url, token) as client:
        client.vdcs()
        disable(sim, "acme-admin")
        sim.expire_sessions()
        with pytest.raises(SessionExpired, match="does not accept this API token"):
            client.vdcs()
    assert sim.requests.count(DOOR) == 2


@pytest.mark.parametrize(("org", "secret"), [("acme", "made-up"), ("globex", "acme-acme-admin-token")])
def test_a_token_of_nobody_or_of_elsewhere_is_told(url: str, org: str, secret: str) -> None:
    with (
        Client(url, ApiToken(org, secret)) as client,
        pytest.raises(SessionExpired, match="does not accept this API token") as caught,
    ):
        client.vdcs()
    assert secret not in str(caught.value)


def test_a_vcloud_too_old_for_tokens_is_told(monkeypatch: pytest.MonkeyPatch, url: str, token: ApiToken) -> None:
    monkeypatch.setattr("app.vcloud.wire._TOO_NEW", (36, 0, 1))
    with Client(url, token) as client, pytest.raises(Refused, match=r"API tokens need version 36\.1"):
        client.vdcs()

"""Commands of the operator: what they say, and that they say what happened."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app.accounts.models import User
from app.cloud import gateway, packet_reader, packet_source
from app.cloud.models import Handler, Service
from app.db import db, transaction
from tests.support.cast import PASSWORD, Cast
from tests.support.clock import Clock
from tests.support.engine import vdc_of
from tests.support.machines import real_vm
from tests.support.packet import STORY
from tests.vcloud.sockets import Server, say
from tests.vcloud.support import fixture
from vcdsim import Simulator

Run = Callable[..., Result]
ATTACH = {
    "account": "Acme",
    "handler": "Moscow",
    "org": "acme",
    "vdc": "acme-vdc",
}


@pytest.fixture
def run(app: Flask) -> Run:
    """Runs `flask COMMAND --option value ...`."""

    def invoke(command: str, *flags: str, **options: str) -> Result:
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        return app.test_cli_runner().invoke(args=[command, *words, *flags])

    return invoke


def api_url() -> str:
    """Where the simulated vCloud of the test is."""
    return db.session.scalars(select(Handler.api_url)).one()


def test_a_vcloud_is_known_once_it_has_answered(run: Run, cloud: Simulator) -> None:
    done = run("handler-add", name="Second", url=api_url())
    assert done.exit_code == 0, done.output
    assert "answers" in done.output


def test_a_vcloud_that_does_not_answer_is_not_taken(run: Run, cloud: Simulator) -> None:
    assert run("handler-add", name="Wrong", url="http://127.0.0.1:1/api").exit_code != 0
    assert db.session.scalar(select(Handler).where(Handler.name == "Wrong")) is None


@pytest.mark.parametrize("url", ["not-an-url", "http://vcd.example/api", "https://u:p@vcd.example/api", "https://[bad"])
def test_an_address_that_cannot_be_right_is_named(run: Run, cast: Cast, url: str) -> None:
    refused = run("handler-add", name="Wrong", url=url)
    assert refused.exit_code != 0
    assert url in str(refused.exception or refused.output)


def test_a_vcloud_is_told_where_its_consoles_are(run: Run, cloud: Simulator) -> None:
    hosts = ["--console-host", "console.example:8443", "--console-host", "[2001:db8::1]"]
    done = run("handler-add", "--change", "--console-direct", *hosts, name="Moscow", url=api_url())
    assert done.exit_code == 0, done.output
    handler = db.session.scalars(select(Handler)).one()
    assert (handler.console_mode, handler.console_hosts) == ("direct", ["console.example:8443", "[2001:db8::1]"])
    assert run("handler-add", "--change", name="Moscow", url=api_url()).exit_code == 0
    db.session.rollback()
    assert (handler.console_mode, handler.console_hosts) == ("gateway", [])


def test_a_console_host_that_is_none_is_named(run: Run, cloud: Simulator) -> None:
    refused = run("handler-add", "--change", "--console-host", "https://vcd/", name="Moscow", url=api_url())
    assert refused.exit_code != 0
    assert "https://vcd/" in refused.output


def test_a_known_vcloud_keeps_its_address_unless_told(run: Run, cloud: Simulator) -> None:
    before = api_url()
    assert run("handler-add", name="Moscow", url=f"{before}/").exit_code != 0
    assert api_url() == before
    assert run("handler-add", "--change", name="Moscow", url=f"{before}/").exit_code == 0
    assert api_url() == f"{before}/"


def test_a_data_center_is_attached_and_read(run: Run, cloud: Simulator) -> None:
    done = run("service-attach", **ATTACH, username="acme-admin", password="secret")
    assert done.exit_code == 0, done.output
    assert len(list(db.session.scalars(select(Service)))) == 2


def test_a_refused_login_says_what_to_check(run: Run, cloud: Simulator) -> None:
    refused = run("service-attach", **ATTACH, username="acme-admin", password="wrong")
    assert refused.exit_code != 0
    assert "Check the organization" in refused.output


def test_a_repeated_command_says_that_nothing_was_changed(run: Run, cast: Cast) -> None:
    wish = {"email": "new@example.com", "name": "New", "role": "support", "locale": "en", "password": PASSWORD}
    assert "can sign in as support" in run("create-staff", **wish).output
    assert "nothing was changed" in run("create-staff", **(wish | {"role": "admin"})).output


def test_a_person_is_kept_out_by_a_command(run: Run, cast: Cast) -> None:
    assert run("user-disable", email="owner@example.com").exit_code == 0
    assert db.session.get_one(User, cast.owner.user_id).disabled_at is not None


def test_no_command_prints_a_password(run: Run, cast: Cast) -> None:
    assert PASSWORD not in run("user-password", email="owner@example.com", password=PASSWORD).output


def test_demo_data_is_made_in_a_demo_only(run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "skiff_config", replace(app.extensions["skiff_config"], demo=False))
    assert "not a demo installation" in run("demo").output


def test_a_data_center_is_attached_with_an_api_token_instead_of_a_password(run: Run, cloud: Simulator) -> None:
    done = run("service-attach", **(ATTACH | {"api_token": "acme-acme-admin-token"}))
    assert done.exit_code == 0, done.output
    service = db.session.scalars(select(Service).where(Service.org_name == "acme")).one()
    assert (service.api_token, service.username, service.password) == ("acme-acme-admin-token", "", None)
    assert service.api_token_sealed is not None
    assert "acme-acme-admin-token" not in service.api_token_sealed
    with gateway.client(service.id) as client:
        assert [vdc.name for vdc in client.vdcs()] == ["acme-vdc"]


def test_a_password_takes_the_place_of_an_api_token(run: Run, cloud: Simulator) -> None:
    run("service-attach", **(ATTACH | {"api_token": "acme-acme-admin-token"}))
    assert run("service-attach", **ATTACH, username="acme-admin", password="secret").exit_code == 0
    service = db.session.scalars(select(Service).where(Service.org_name == "acme")).one()
    assert (service.api_token, service.username, service.password) == (None, "acme-admin", "secret")


def test_a_secret_that_is_named_without_a_value_is_asked_for_and_not_shown(app: Flask, cloud: Simulator) -> None:
    words = [word for name, value in ATTACH.items() for word in (f"--{name}", value)]
    done = app.test_cli_runner().invoke(args=["service-attach", *words, "--api-token"], input="acme-acme-admin-token\n")
    assert done.exit_code == 0, done.output
    assert "acme-acme-admin-token" not in done.output


def test_a_login_that_is_not_given_is_asked_for(app: Flask, cloud: Simulator) -> None:
    words = [word for name, value in ATTACH.items() for word in (f"--{name}", value)]
    done = app.test_cli_runner().invoke(args=["service-attach", *words], input="acme-admin\nsecret\n")
    assert done.exit_code == 0, done.output


def test_a_login_of_two_kinds_is_refused(run: Run, cloud: Simulator) -> None:
    refused = run("service-attach", **ATTACH, username="acme-admin", password="secret", api_token="x")
    assert refused.exit_code != 0
    assert "not both" in refused.output


def test_a_refused_token_is_named_but_not_shown(run: Run, cloud: Simulator) -> None:
    refused = run("service-attach", **ATTACH, api_token="made-up")
    assert refused.exit_code != 0
    assert "--api-token" in refused.output
    assert "made-up" not in refused.output


@pytest.mark.parametrize(
    "login", [{"username": "administrator", "password": "secret"}, {"api_token": "System-administrator-token"}]
)
def test_the_providers_login_is_tried_and_kept_sealed(run: Run, cloud: Simulator, login: dict[str, str]) -> None:
    done = run("handler-add", "--change", name="Moscow", url=api_url(), **login)
    assert done.exit_code == 0, done.output
    handler = db.session.scalars(select(Handler)).one()
    kept = {"username": handler.username, "password": handler.password, "api_token": handler.api_token}
    assert {key: value for key, value in kept.items() if value} == login
    assert run("handler-check", "Moscow").exit_code == 0


def test_a_wrong_login_of_the_provider_is_not_taken(run: Run, cloud: Simulator) -> None:
    wish = {"name": "Second", "url": api_url(), "username": "administrator", "password": "wrong"}
    refused = run("handler-add", **wish)
    assert "Check the organization" in refused.output
    assert db.session.scalar(select(Handler).where(Handler.name == "Second")) is None


def test_the_providers_login_that_is_no_longer_good_is_found_by_the_check(run: Run, cloud: Simulator) -> None:
    run("handler-add", "--change", name="Moscow", url=api_url(), username="administrator", password="secret")
    next(one for one in cloud.world.users.values() if one.name == "administrator").password = "changed"
    refused = run("handler-check", "Moscow")
    assert refused.exit_code != 0
    assert "administrator" in refused.output


def test_what_is_not_given_with_a_change_is_taken_away(run: Run, cloud: Simulator) -> None:
    run("handler-add", "--change", name="Moscow", url=api_url(), api_token="System-administrator-token")
    run("handler-add", "--change", name="Moscow", url=api_url())
    assert db.session.scalars(select(Handler)).one().api_token is None


def test_a_vcloud_behind_a_proxy_is_asked_through_it(run: Run, cast: Cast) -> None:
    body = fixture("versions-39").encode()
    proxy = Server(say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    address = proxy.url.removesuffix("/api")
    try:
        done = run("handler-add", name="Far", url="http://localhost:1/api", proxy=address)
        assert done.exit_code == 0, done.output
        assert run("handler-check", "Far").exit_code == 0
    finally:
        proxy.close()
    assert [request.split()[1] for request in proxy.requests[:2]] == [b"http://localhost:1/api/versions"] * 2
    assert "proxy" in run("handler-check", "Far").output


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example:3128", "ftp://proxy.example", "http://u:pw@proxy.example", "http://proxy.example/x", "http://[bad"],
)
def test_a_proxy_that_cannot_be_one_is_named(run: Run, cast: Cast, proxy: str) -> None:
    refused = run("handler-add", name="Far", url="https://vcd.example/api", proxy=proxy)
    assert refused.exit_code != 0
    assert "--proxy" in refused.output
    assert "pw" not in refused.output


def test_a_ca_file_that_is_not_there_is_named(run: Run, cast: Cast) -> None:
    refused = run("handler-add", name="Far", url="https://vcd.example/api", ca_file="no-such.pem")
    assert "--ca-file" in refused.output
    assert "no-such.pem" in refused.output


def test_the_check_names_the_version_in_use(run: Run, cloud: Simulator) -> None:
    assert "API 39." in run("handler-check", "Moscow").output
    assert "no vCloud named Berlin" in run("handler-check", "Berlin").output


def test_a_deprecated_version_is_told_and_kept(run: Run, cast: Cast) -> None:
    body = fixture("versions-39").replace('"false"', '"true"').encode()
    vcloud = Server(say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    try:
        assert (
            "API 39.1, the newest that this panel knows, is deprecated"
            in run("handler-add", name="Old", url=vcloud.url).output
        )
    finally:
        vcloud.close()
    handler = db.session.scalars(select(Handler)).one()
    assert (handler.api_version, handler.is_api_deprecated) == ("39.1", True)


def test_a_version_that_has_become_deprecated_is_kept_by_the_probe(
    cloud: Simulator,
) -> None:
    assert not db.session.scalars(select(Handler)).one().is_api_deprecated
    body = fixture("versions-39").replace('"false"', '"true"').encode()
    vcloud = Server(say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    with transaction():
        db.session.scalars(select(Handler)).one().api_url = vcloud.url
    try:
        gateway.probe_all()
    finally:
        vcloud.close()
    assert db.session.scalars(select(Handler)).one().is_api_deprecated


# ---- the statistics packet -----------------------------------------------------------------------------------------


def test_a_packet_is_written_without_passwords(run: Run, cloud: Simulator) -> None:
    real_vm(cloud, "sandbox").customization.admin_password = "!R3!e3C7"
    done = run("packet", "acme-vdc")
    assert done.exit_code == 0, done.output
    service_id = vdc_of("acme-vdc").service_id
    assert packet_reader.read(done.stdout) == packet_source.collect(service_id)
    assert run("packet", str(service_id)).stdout == done.stdout


def test_a_packet_with_passwords_is_for_an_administrator_with_a_reason(run: Run, cloud: Simulator) -> None:
    real_vm(cloud, "sandbox").customization.admin_password = "!R3!e3C7"
    run("create-staff", email="admin@example.com", name="Admin", role="admin", locale="en", password=PASSWORD)
    options = {"by": "admin@example.com", "reason": "move to another panel"}
    done = run("packet", "acme-vdc", "--with-passwords", **options)
    assert 'value="!R3!e3C7"' in done.stdout
    assert "passwords of 1 of " in done.stderr
    for wrong, words in (
        ({"by": "support@example.com"}, "Only an administrator"),
        ({"by": "owner@example.com"}, "nobody of the provider"),
        ({"by": "unknown@example.com"}, "Nobody signs in"),
        ({"reason": " "}, "--reason"),
    ):
        refused = run("packet", "acme-vdc", "--with-passwords", **(options | wrong))
        assert refused.exit_code != 0
        assert words in refused.output
        assert "!R3!e3C7" not in refused.output


def test_passwords_need_somebody_and_a_reason(run: Run, cloud: Simulator) -> None:
    refused = run("packet", "acme-vdc", "--with-passwords", reason="because")
    assert refused.exit_code != 0
    assert "--by" in refused.output


def test_a_packet_of_nothing_names_the_next_step(run: Run, cloud: Simulator) -> None:
    refused = run("packet", "elsewhere")
    assert refused.exit_code != 0
    assert "GET /api/v1/services" in refused.output


def test_a_packet_in_a_file_is_checked(run: Run, cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "packet.xml"
    file.write_text(STORY)
    assert "1 vApps, 1 servers" in run("packet-check", str(file)).output
    file.write_bytes(STORY.encode().replace(b' ext_ip="92.242.45.21"', b""))
    refused = run("packet-check", str(file))
    assert refused.exit_code != 0
    assert "Line 1: <vm> has no ext_ip" in refused.output
    file.write_bytes(b"\xff\xfe<\0")
    assert "no XML" in run("packet-check", str(file)).output


def test_a_data_center_that_cannot_be_read_is_named_and_the_others_are_read(
    run: Run, cloud: Simulator, clock: Clock
) -> None:
    next(user for user in cloud.world.users.values() if user.name == "acme-admin").password = "another"
    cloud.expire_sessions()
    clock.move(1800)
    db.session.rollback()
    done = run("sync")
    assert done.exit_code == 1
    assert done.output.startswith("Acme, acme-vdc: ")
    assert done.output.endswith("1 of 2 data centers could not be read.\n")
    assert vdc_of("globex-vdc").seen_at == clock.at


def test_all_data_centers_are_read_without_a_word(run: Run, cloud: Simulator, clock: Clock) -> None:
    clock.move(1800)
    done = run("sync")
    assert (done.exit_code, done.output) == (0, "")
    assert [vdc_of(name).seen_at for name in ("acme-vdc", "globex-vdc")] == [clock.at] * 2

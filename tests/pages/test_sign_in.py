"""Signing in and out."""

import re

from flask.testing import FlaskClient
from sqlalchemy import update

from app import demo
from app.accounts.models import Membership
from app.accounts.rules import Role
from app.clock import now
from app.cloud.models import Handler
from app.db import db, transaction
from tests.pages.conftest import Browser
from tests.support.cast import PASSWORD, Cast, email_of
from tests.support.clock import Clock
from tests.support.page import open_page, sign_in
from vcdsim import Simulator


def test_the_right_password_leads_to_the_overview(client: FlaskClient, cast: Cast) -> None:
    answer = sign_in(client, cast.owner)
    assert (answer.status_code, answer.location) == (303, "/")
    assert open_page(client, "/").h1 == "Overview"


def test_after_signing_in_a_person_is_where_he_wanted_to_be(client: FlaskClient, cast: Cast) -> None:
    wanted = client.get("/vms?state=on").location
    assert sign_in(client, cast.owner, path=wanted).location == "/vms?state=on"


def test_nobody_is_sent_elsewhere_after_signing_in(client: FlaskClient, cast: Cast) -> None:
    assert sign_in(client, cast.owner, path="/sign-in?next=https://evil.example/").location == "/"


def test_staff_land_on_the_list_of_accounts(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast.support)
    assert client.get("/").location == "/staff/accounts"


def test_unknown_person_and_wrong_password_read_the_same(client: FlaskClient, cast: Cast) -> None:
    pages = []
    for email in (email_of(cast.owner), "nobody@example.com"):
        answer = open_page(client, "/sign-in").send("/sign-in", email=email, password="wrong")
        assert answer.status_code == 401
        pages.append(re.sub(r'value="[^"]*"|nobody@example.com', "", answer.text))
    assert pages[0] == pages[1]
    assert "This e-mail and password do not fit together. After 4 more tries we wait a minute." in pages[0]


def test_the_refused_form_keeps_the_email_and_not_the_password(client: FlaskClient, cast: Cast) -> None:
    answer = open_page(client, "/sign-in").send("/sign-in", email="a@example.com", password="hunter22")
    assert 'value="a@example.com"' in answer.text
    assert "hunter22" not in answer.text


def test_too_many_tries_are_told_how_long_to_wait(client: FlaskClient, cast: Cast, clock: Clock) -> None:
    for _ in range(5):
        open_page(client, "/sign-in").send("/sign-in", email=email_of(cast.owner), password="wrong")
    answer = open_page(client, "/sign-in").send("/sign-in", email=email_of(cast.owner), password=PASSWORD)
    assert answer.status_code == 429
    assert "Too many tries did not fit. Wait 61 seconds, then try again." in answer.text


def test_the_language_is_chosen_before_signing_in_and_stays(client: FlaskClient, cast: Cast) -> None:
    assert open_page(client, "/sign-in").send("/language/ru").location == "/sign-in"
    assert open_page(client, "/sign-in").h1 == "Вход"
    sign_in(client, cast.owner)
    assert open_page(client, "/").h1 == "Обзор"


def test_a_browser_that_prefers_russian_is_greeted_in_russian(client: FlaskClient, cast: Cast) -> None:
    assert 'lang="ru"' in client.get("/sign-in", headers={"Accept-Language": "ru-RU,ru;q=0.9"}).text


def test_the_sign_in_page_says_that_vcloud_is_silent(client: FlaskClient, cloud: Simulator, clock: Clock) -> None:
    assert not open_page(client, "/sign-in").texts(".sk-banner--warn")
    with transaction():
        db.session.execute(update(Handler).values(silent_since=clock.at))
    banner = "vCloud Director does not answer since 14:20."
    assert open_page(client, "/sign-in").texts(".sk-banner--warn b") == [banner]


def test_a_demo_names_its_logins(client: FlaskClient, cast: Cast) -> None:
    banner = open_page(client, "/sign-in").texts(".sk-banner")[0]
    assert f"the password {demo.PASSWORD}:" in banner
    for email in [email for _, email, *_ in demo.CUSTOMERS] + [email for email, *_ in demo.STAFF]:
        assert email in banner


def test_signing_out_ends_the_session_and_empties_the_browser(owner: FlaskClient, cast: Cast) -> None:
    answer = open_page(owner, "/").send("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert owner.get("/vms").location.startswith("/sign-in")


def test_a_form_without_its_token_changes_nothing(owner: FlaskClient, cast: Cast) -> None:
    answer = owner.post("/sign-out")
    assert answer.status_code == 400
    assert "This form is too old" in answer.text
    assert answer.headers["X-Request-Id"].startswith("rq-")
    assert answer.headers["X-Request-Id"] in answer.text
    assert owner.get("/").status_code == 200


def test_a_person_chooses_his_theme(owner: FlaskClient, cast: Cast) -> None:
    assert open_page(owner, "/vms").root.get("data-bs-theme") == "auto"
    assert open_page(owner, "/vms").send("/theme/dark").location == "/vms"
    assert open_page(owner, "/vms").root.get("data-bs-theme") == "dark"


def test_a_person_with_two_accounts_switches_between_them(owner: FlaskClient, cast: Cast, cloud: Simulator) -> None:
    theirs = cast.stranger.account_id
    assert theirs is not None
    with transaction():
        db.session.add(Membership(user_id=cast.owner.user_id, account_id=theirs, role=Role.VIEWER, created_at=now()))
    assert open_page(owner, "/vms").texts("tbody th a").count("sandbox") == 1
    assert open_page(owner, "/vms").send(f"/accounts/{theirs}/switch").location == "/"
    assert open_page(owner, "/vms").texts(".sk-top .btn-link") == ["Globex"]
    assert len(open_page(owner, "/vms").texts("tbody th a")) == 2


def test_nobody_switches_to_an_account_that_is_not_his(owner: FlaskClient, cast: Cast) -> None:
    token = open_page(owner, "/").root.cssselect("input[name=csrf_token]")[0].get("value")
    answer = owner.post(f"/accounts/{cast.stranger.account_id}/switch", data={"csrf_token": token})
    assert answer.status_code == 404


def test_a_role_that_sees_no_servers_is_told_so(browser: Browser, cast: Cast, cloud: Simulator) -> None:
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.user_id == cast.viewer.user_id).values(role=Role.ACCOUNTANT)
        )
    accountant = browser(cast.viewer)
    page = open_page(accountant, "/")
    assert page.texts(".sk-empty h2") == ["Nothing here for your role yet"]
    assert page.texts(".sk-side li") == ["Overview"]
    assert not page.root.cssselect("#bell")
    open_page(accountant, "/vms", status=403)


def test_staff_are_told_whose_page_it_is(browser: Browser, cast: Cast) -> None:
    page = open_page(browser(cast.support), "/vms", status=403)
    assert page.h1 == "This is not open to you"
    assert "This is a customer's page." in page.text

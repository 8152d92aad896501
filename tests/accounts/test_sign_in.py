"""Signing in: one answer for every refusal, patience, and sessions that end."""

import pytest
from sqlalchemy import func, select, update

from app.accounts import sign_in
from app.accounts.models import LoginAttempt, User, UserSession
from app.accounts.rules import Actor
from app.accounts.sign_in import SessionLimits
from app.db import db, transaction
from app.errors import AppError
from tests.support.cast import PASSWORD, Cast
from tests.support.clock import Clock

LIMITS = SessionLimits(idle_min=60, max_h=12)
HERE, THERE = "192.0.2.1", "192.0.2.2"


def enter(email: str = "owner@example.com", password: str = PASSWORD, *, address: str = HERE) -> str:
    return sign_in.sign_in(email, password, address=address, user_agent="test", limits=LIMITS)


def refusal(email: str = "owner@example.com", *, address: str = HERE) -> AppError:
    with pytest.raises(AppError) as caught:
        enter(email, "wrong", address=address)
    return caught.value


def test_the_right_password_opens_a_session_of_that_person(cast: Cast) -> None:
    person = sign_in.session_of(enter())
    assert person is not None
    assert person.actor == cast.owner
    assert person.account_name == "Acme"


def test_the_email_is_recognised_whatever_its_case(cast: Cast) -> None:
    assert sign_in.session_of(enter(" Owner@Example.com ")) is not None


def test_the_session_token_is_not_in_the_database(cast: Cast) -> None:
    token = enter()
    assert token not in str(list(db.session.execute(select(UserSession.__table__))))


def test_unknown_person_and_wrong_password_get_the_same_refusal(cast: Cast) -> None:
    unknown, wrong = refusal("nobody@example.com"), refusal()
    assert (unknown.code, unknown.params, unknown.status) == (wrong.code, wrong.params, wrong.status)


def test_a_disabled_person_is_refused_like_an_unknown_one(cast: Cast, clock: Clock) -> None:
    with transaction():
        db.session.execute(update(User).where(User.id == cast.owner.user_id).values(disabled_at=clock.at))
    with pytest.raises(AppError, match="sign_in_refused"):
        enter()


def test_after_five_failures_even_the_right_password_waits(cast: Cast, clock: Clock) -> None:
    refusals = [refusal() for _ in range(5)]
    assert [error.params["tries_left"] for error in refusals] == [4, 3, 2, 1, 0]
    with pytest.raises(AppError, match="sign_in_throttled") as caught:
        enter()
    assert caught.value.params["wait_s"] == 61
    assert caught.value.status == 429


def test_waiting_a_minute_is_enough(cast: Cast, clock: Clock) -> None:
    for _ in range(5):
        refusal()
    clock.move(61)
    assert enter()


def test_failures_of_a_stranger_elsewhere_do_not_lock_the_person_out(cast: Cast, clock: Clock) -> None:
    for _ in range(5):
        refusal(address=THERE)
    assert enter(address=HERE)


def test_one_address_cannot_try_many_people(cast: Cast, clock: Clock) -> None:
    for number in range(30):
        refusal(f"person-{number}@example.com")
    assert refusal("another@example.com").code == "sign_in_throttled"


def test_a_success_forgives_the_failures_before_it(cast: Cast, clock: Clock) -> None:
    for _ in range(4):
        refusal()
    clock.move(1)
    enter()
    clock.move(1)
    assert refusal().params["tries_left"] == 4


def test_throttling_hashes_nothing(cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        refusal()
    monkeypatch.setattr(sign_in, "_hasher", None)  # any use of it would fail
    assert refusal().code == "sign_in_throttled"


def test_a_session_ends_after_an_idle_hour(cast: Cast, clock: Clock) -> None:
    token = enter()
    clock.move(59 * 60)
    assert sign_in.session_of(token) is not None
    clock.move(59 * 60)
    assert sign_in.session_of(token) is not None
    clock.move(61 * 60)
    assert sign_in.session_of(token) is None


def test_a_session_ends_after_twelve_hours_however_busy(cast: Cast, clock: Clock) -> None:
    token = enter()
    for _ in range(23):
        clock.move(30 * 60)
        assert sign_in.session_of(token) is not None
    clock.move(31 * 60)
    assert sign_in.session_of(token) is None


def test_signing_out_ends_the_session_on_the_server(cast: Cast) -> None:
    token = enter()
    sign_in.sign_out(token)
    sign_in.sign_out(token)
    assert sign_in.session_of(token) is None


def test_disabling_a_person_ends_his_sessions_at_once(cast: Cast, clock: Clock) -> None:
    token = enter()
    with transaction():
        db.session.execute(update(User).where(User.id == cast.owner.user_id).values(disabled_at=clock.at))
    assert sign_in.session_of(token) is None


def test_nobody_switches_to_an_account_of_strangers(cast: Cast) -> None:
    person = sign_in.session_of(enter())
    assert person is not None
    assert cast.stranger.account_id is not None
    with pytest.raises(AppError, match="not_found"):
        sign_in.switch_account(person.actor, person.session_id, cast.stranger.account_id)


def test_staff_have_no_account(cast: Cast) -> None:
    person = sign_in.session_of(enter("support@example.com"))
    assert person is not None
    assert person.actor == Actor(user_id=cast.support.user_id, staff_role=cast.support.staff_role)


def test_every_try_is_counted_once(cast: Cast) -> None:
    enter()
    refusal()
    assert db.session.scalar(select(func.count(LoginAttempt.id))) == 2

"""Personal tokens of the API."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from app import clock as app_clock
from app.accounts import members, tokens
from app.accounts.models import ApiToken, AuditEntry, LoginAttempt, Membership
from app.accounts.rules import Role, TokenScope
from app.accounts.sign_in import SessionLimits, sign_in
from app.db import db, transaction
from app.errors import AppError
from tests.support.cast import PASSWORD, Cast, email_of
from tests.support.clock import Clock

ADDRESS = "203.0.113.7"


def create(cast: Cast, name: str = "backup", scope: TokenScope = TokenScope.CHANGE, days: int = 30) -> str:
    return tokens.create(cast.owner, name=name, scope=scope, days=days)


def is_refused(token: str) -> bool:
    db.session.rollback()
    with pytest.raises(AppError) as refused:
        tokens.check(token, address=ADDRESS)
    return (refused.value.code, refused.value.status) == ("api_token_refused", 401)


def test_a_token_acts_for_its_person_in_one_account(cast: Cast) -> None:
    bearer = tokens.check(create(cast, scope=TokenScope.READ), address=ADDRESS)
    assert bearer.actor == cast.owner
    assert (bearer.scope, bearer.locale) == (TokenScope.READ, "en")


def test_the_database_holds_no_token(cast: Cast) -> None:
    token = create(cast)
    row = db.session.scalars(select(ApiToken)).one()
    assert token.startswith("pat_")
    assert token not in repr({column: getattr(row, column) for column in ApiToken.__table__.columns.keys()})  # noqa: SIM118


def test_making_and_revoking_are_on_record(cast: Cast) -> None:
    token = create(cast)
    tokens.revoke(cast.owner, tokens.listed(cast.owner)[0].id)
    entries = list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.action)))
    assert [entry.action for entry in entries] == ["token.create", "token.revoke"]
    assert entries[0].details == {"name": "backup", "scope": "change", "days": 30}
    assert token not in str([entry.details for entry in entries])


def test_a_revoked_token_opens_nothing_at_once(cast: Cast) -> None:
    token = create(cast)
    token_id = tokens.listed(cast.owner)[0].id
    tokens.revoke(cast.owner, token_id)
    tokens.revoke(cast.owner, token_id)
    assert is_refused(token)
    assert tokens.listed(cast.owner) == []


def test_a_token_ends_with_its_last_day(cast: Cast, clock: Clock) -> None:
    token = create(cast, days=7)
    clock.move(timedelta(days=7).total_seconds() - 1)
    assert tokens.check(token, address=ADDRESS).actor == cast.owner
    clock.move(1)
    assert is_refused(token)


def test_a_person_who_is_kept_out_has_no_tokens(cast: Cast) -> None:
    token = create(cast)
    members.set_disabled(email_of(cast.owner), is_disabled=True)
    assert is_refused(token)


def test_who_is_no_member_any_more_has_no_tokens(cast: Cast) -> None:
    token = create(cast)
    with transaction():
        db.session.execute(delete(Membership).where(Membership.user_id == cast.owner.user_id))
    assert is_refused(token)


def test_a_token_has_the_role_that_its_person_has_now(cast: Cast) -> None:
    token = create(cast)
    with transaction():
        mine = Membership.user_id == cast.owner.user_id
        db.session.execute(update(Membership).where(mine).values(role=Role.VIEWER))
    assert tokens.check(token, address=ADDRESS).actor.role is Role.VIEWER


def test_use_is_written_down_once_a_minute(cast: Cast, clock: Clock) -> None:
    token, begin = create(cast), app_clock.now()
    for moved_s, expected_s in ((0, 0), (59, 0), (2, 61)):
        clock.move(moved_s)
        tokens.check(token, address=ADDRESS)
        assert tokens.listed(cast.owner)[0].last_used_at == begin + timedelta(seconds=expected_s)


def test_somebody_elses_token_is_neither_seen_nor_revoked(cast: Cast) -> None:
    token = create(cast)
    token_id = tokens.listed(cast.owner)[0].id
    for other in (cast.technician, cast.stranger):
        assert tokens.listed(other) == []
        with pytest.raises(AppError, match="not_found"):
            tokens.revoke(other, token_id)
    assert tokens.check(token, address=ADDRESS).actor == cast.owner


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81])
def test_a_name_must_be_readable(cast: Cast, name: str) -> None:
    with pytest.raises(AppError, match="token_name_bad"):
        create(cast, name)


def test_a_form_sent_twice_makes_no_second_token(cast: Cast) -> None:
    create(cast)
    with pytest.raises(AppError, match="token_name_taken"):
        create(cast)
    tokens.revoke(cast.owner, tokens.listed(cast.owner)[0].id)
    assert create(cast)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_no_token_works_for_ever(cast: Cast, days: int) -> None:
    with pytest.raises(AppError, match="token_days_bad"):
        create(cast, days=days)


def test_there_is_an_end_to_tokens(cast: Cast) -> None:
    for number in range(tokens.LIVE_MOST):
        create(cast, f"token {number}")
    with pytest.raises(AppError, match="tokens_too_many"):
        create(cast, "one more")


def test_staff_without_an_account_get_none(cast: Cast) -> None:
    with pytest.raises(AppError, match="not_permitted"):
        tokens.create(cast.support, name="backup", scope=TokenScope.READ, days=1)


def test_guessing_is_slowed_down_and_right_tokens_are_not(cast: Cast, clock: Clock) -> None:
    token = create(cast)
    for _ in range(tokens.MOST_WRONG):
        assert is_refused("pat_wrong")
    with pytest.raises(AppError, match="sign_in_throttled") as throttled:
        tokens.check("pat_wrong", address=ADDRESS)
    assert throttled.value.status == 429
    assert tokens.check(token, address=ADDRESS).actor == cast.owner
    with pytest.raises(AppError, match="api_token_refused"):
        tokens.check("pat_wrong", address="203.0.113.8")
    clock.move(61)
    assert is_refused("pat_wrong")


def test_a_script_with_a_wrong_token_keeps_nobody_from_signing_in(app: Flask, cast: Cast) -> None:
    for _ in range(tokens.MOST_WRONG):
        assert is_refused("pat_wrong")
    assert db.session.scalar(select(func.count(LoginAttempt.id))) == tokens.MOST_WRONG
    limits = SessionLimits(idle_min=60, max_h=12)
    assert sign_in(email_of(cast.owner), PASSWORD, address=ADDRESS, user_agent="", limits=limits)

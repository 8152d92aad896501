"""Opening accounts and adding staff: safe to repeat, clear when refused."""

import pytest
from sqlalchemy import func, select

from app.accounts import members, sign_in
from app.accounts.models import Account, User
from app.accounts.rules import StaffRole
from app.db import db
from app.errors import AppError
from tests.accounts.test_sign_in import enter
from tests.support.cast import Cast

WISH = {
    "name": "Nord Freight",
    "timezone": "Europe/Moscow",
    "owner_email": "Anna@nordfreight.example",
    "owner_name": "Anna Berg",
    "password": "long enough",
    "locale": "ru",
}


def test_opening_an_account_twice_makes_one(cast: Cast) -> None:
    first, second = members.open_account(**WISH), members.open_account(**WISH)
    assert first.id == second.id
    assert (first.is_new, second.is_new) == (True, False)
    assert db.session.scalar(select(func.count(Account.id)).where(Account.name == "Nord Freight")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "Acme"}, "account_taken"),
        ({"owner_email": "owner@example.com"}, "email_taken"),
        ({"owner_email": "nonsense"}, "email_bad"),
        ({"password": "short"}, "password_short"),
        ({"timezone": "Moscow"}, "timezone_unknown"),
        ({"name": "x" * 121}, "name_bad"),
        ({"owner_name": "a\0b"}, "name_bad"),
    ],
)
def test_a_wrong_wish_is_refused_by_name(cast: Cast, change: dict[str, str], code: str) -> None:
    with pytest.raises(AppError, match=code):
        members.open_account(**(WISH | change))


def test_a_customer_does_not_become_staff(cast: Cast) -> None:
    with pytest.raises(AppError, match="email_taken"):
        members.add_staff(
            email="owner@example.com", name="x", role=StaffRole.ADMIN, password="long enough", locale="en"
        )


def test_preferences_are_remembered(cast: Cast) -> None:
    members.set_locale(cast.owner.user_id, "ru")
    members.set_theme(cast.owner.user_id, "dark")
    user = db.session.get_one(User, cast.owner.user_id)
    assert (user.locale, user.theme) == ("ru", "dark")


def test_an_unknown_theme_is_refused(cast: Cast) -> None:
    with pytest.raises(AppError, match="theme_unknown"):
        members.set_theme(cast.owner.user_id, "pink")


def test_a_known_person_of_staff_stays_as_he_is(cast: Cast) -> None:
    again = members.add_staff(
        email="support@example.com", name="Other", role=StaffRole.ADMIN, password="long enough", locale="ru"
    )
    assert not again.is_new
    assert db.session.get_one(User, cast.support.user_id).staff_role == StaffRole.SUPPORT


def test_a_new_password_ends_the_sessions_of_the_old_one(cast: Cast) -> None:
    token = enter()
    members.set_password("Owner@example.com", "another long one")
    assert sign_in.session_of(token) is None
    assert sign_in.session_of(enter(password="another long one")) is not None


def test_a_disabled_person_is_out_at_once_and_may_be_let_in_again(cast: Cast) -> None:
    token = enter()
    members.set_disabled("owner@example.com", is_disabled=True)
    assert sign_in.session_of(token) is None
    members.set_disabled("owner@example.com", is_disabled=False)
    assert sign_in.session_of(token) is None
    assert sign_in.session_of(enter()) is not None


def test_an_unknown_person_is_named(cast: Cast) -> None:
    with pytest.raises(AppError, match="user_unknown"):
        members.set_password("nobody@example.com", "another long one")

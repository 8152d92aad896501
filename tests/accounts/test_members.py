"""Opening accounts and adding staff: safe to repeat, clear when refused."""

import pytest
from sqlalchemy import func, select

from app.accounts import members
from app.accounts.models import Account, User
from app.accounts.rules import StaffRole
from app.db import db
from app.errors import AppError
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
    assert members.open_account(**WISH) == members.open_account(**WISH)
    assert db.session.scalar(select(func.count(Account.id)).where(Account.name == "Nord Freight")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "Acme"}, "account_taken"),
        ({"owner_email": "owner@example.com"}, "email_taken"),
        ({"owner_email": "nonsense"}, "email_bad"),
        ({"password": "short"}, "password_short"),
        ({"timezone": "Moscow"}, "timezone_unknown"),
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

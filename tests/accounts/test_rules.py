"""Who may do what."""

import uuid

import pytest

from app.accounts.rules import Actor, Permission, Role, StaffRole, can

MATRIX = {
    Role.OWNER: {"account.see", "vm.see", "vm.create", "vm.change"},
    Role.TECHNICIAN: {"account.see", "vm.see", "vm.create", "vm.change"},
    Role.ACCOUNTANT: {"account.see"},
    Role.VIEWER: {"account.see", "vm.see"},
}


@pytest.mark.parametrize("role", Role)
def test_a_member_may_exactly_what_the_matrix_says(role: Role) -> None:
    actor = Actor(user_id=uuid.uuid4(), account_id=uuid.uuid4(), role=role)
    assert {permission.value for permission in Permission if can(actor, permission)} == MATRIX[role]


@pytest.mark.parametrize("role", StaffRole)
def test_staff_see_the_staff_pages_and_no_account(role: StaffRole) -> None:
    actor = Actor(user_id=uuid.uuid4(), staff_role=role)
    of_admin = [Permission.PASSWORDS_READ] if role is StaffRole.ADMIN else []
    assert [permission for permission in Permission if can(actor, permission)] == [Permission.STAFF_SEE, *of_admin]


def test_a_person_without_account_may_nothing() -> None:
    assert not any(can(Actor(user_id=uuid.uuid4()), permission) for permission in Permission)

"""Staff: the list of accounts, where signing in lands."""

import uuid
from dataclasses import dataclass

from flask import Blueprint, render_template
from sqlalchemy import func, select

from app.accounts.models import Account, Membership, User
from app.accounts.rules import Permission, Role
from app.blueprints import web
from app.cloud.models import Service, Vdc, Vm
from app.cloud.operation_models import ACTIVE, Operation
from app.db import db

bp = Blueprint("staff", __name__, url_prefix="/staff")


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """One account with the numbers that tell whether somebody must look."""

    name: str
    owner: str
    vm_count: int
    running_count: int
    attention_count: int


@bp.get("/accounts")
@web.requires(Permission.STAFF_SEE)
def accounts() -> web.Answer:
    """Every account, those that need attention first."""
    vm_counts, running, attention = _vm_counts(), _operation_counts(ACTIVE), _operation_counts(("needs_attention",))
    owners = _owners()
    lines = [
        AccountLine(
            name=account.name,
            owner=owners.get(account.id, ""),
            vm_count=vm_counts.get(account.id, 0),
            running_count=running.get(account.id, 0),
            attention_count=attention.get(account.id, 0),
        )
        for account in db.session.scalars(select(Account).order_by(Account.name))
    ]
    lines.sort(key=lambda line: line.attention_count == 0)
    return render_template("staff/accounts.html", lines=lines)


def _owners() -> dict[uuid.UUID, str]:
    rows = select(Membership.account_id, User.name).join(Membership.user).where(Membership.role == Role.OWNER)
    return dict(db.session.execute(rows).all())


def _vm_counts() -> dict[uuid.UUID, int]:
    rows = (
        select(Service.account_id, func.count(Vm.id))
        .join(Vdc, Vdc.service_id == Service.id)
        .join(Vm, Vm.vdc_id == Vdc.id)
        .where(Vm.gone_at.is_(None))
        .group_by(Service.account_id)
    )
    return dict(db.session.execute(rows).all())


def _operation_counts(states: tuple[str, ...]) -> dict[uuid.UUID, int]:
    rows = select(Operation.account_id, func.count()).where(Operation.state.in_(states)).group_by(Operation.account_id)
    return dict(db.session.execute(rows).all())

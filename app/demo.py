"""What `./run` fills an empty demo installation with: the simulator as vCloud, two customers, two people of staff."""

from pathlib import Path

from sqlalchemy import func, select, update

from app.accounts import members, sign_in
from app.accounts.models import User
from app.accounts.rules import StaffRole
from app.cloud import services
from app.cloud.models import Service
from app.db import db, transaction

PASSWORD = "demo"  # noqa: S105  of the demo logins, which exist only where SKIFF_DEMO=1
CUSTOMERS = (
    ("Acme Logistics", "owner@acme.example", "Anna Berg", "acme"),
    ("Globex", "owner@globex.example", "Georg Brandt", "globex"),
)
STAFF = (
    ("support@skiff.example", "Sofia Lindqvist", StaffRole.SUPPORT),
    ("admin@skiff.example", "Alexander Orlov", StaffRole.ADMIN),
)


def fill(*, api_url: str, console_host: str, console_certificate: Path, locale: str) -> None:
    """Make the demo data; what is there already stays as it is. The simulator must answer at `api_url`."""
    handler = "Demo vCloud"
    services.add_handler(
        name=handler,
        api_url=api_url,
        ca_file=str(console_certificate) if console_certificate.is_file() else None,  # its API is plain http
        consoles=services.Consoles(hosts=(console_host,)),
        change=True,
    )
    if db.session.scalar(select(func.count(Service.id))) == len(CUSTOMERS):
        return
    longer = PASSWORD * 8  # replaced below: the ordinary way in refuses a short one
    for email, name, role in STAFF:
        members.add_staff(email=email, name=name, role=role, password=longer, locale=locale)
    for account, email, name, _ in CUSTOMERS:
        members.open_account(
            name=account, timezone="Europe/Moscow", owner_email=email, owner_name=name, password=longer, locale=locale
        )
    short_hash = sign_in.hash_password(PASSWORD)
    with transaction():
        db.session.execute(update(User).values(password_hash=short_hash))
    for account, _, _, org in CUSTOMERS:
        services.attach(
            account=account,
            handler=handler,
            org=org,
            username=f"{org}-admin",
            password="secret",  # noqa: S106  the simulator's
            vdc=f"{org}-vdc",
        )

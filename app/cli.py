"""Commands of the operator: `flask --help` lists them."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from app import demo, sealing
from app.accounts import members
from app.accounts.rules import StaffRole
from app.cloud import services, sync
from app.db import transaction
from app.errors import AppError
from app.texts import error_text
from app.vcloud import VcloudError
from config import LOCALES, Config

P = ParamSpec("P")
CHANGES = "See flask user-password and flask user-disable."


def init(app: Flask) -> None:
    """Make the commands known to `flask`."""
    for command in (
        account_add,
        create_staff,
        demo_command,
        handler_add,
        rotate_secrets,
        service_attach,
        sync_command,
        user_disable,
        user_password,
    ):
        app.cli.add_command(command)


def _plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Say what is wrong in one sentence instead of a traceback."""

    @wraps(command)
    def plain(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with current_app.test_request_context():  # sentences need a language
                command(*args, **kwargs)
        except AppError as error:
            with current_app.test_request_context():
                sys.exit(str(error_text(error)))
        except VcloudError as error:
            sys.exit(str(error))
        except OperationalError as error:
            sys.exit(f"The database does not answer or has no tables yet: {error.orig}. Next: ./run --setup-only.")

    return plain


def _secret(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A password option: asked for without echo where it is not given, so that it stands in no shell history."""
    return click.option("--password", prompt=what, hide_input=True, confirmation_prompt=True)


@click.command("handler-add")
@click.option("--name", prompt="Name of this vCloud, for example Moscow")
@click.option("--url", prompt="Address of its API, for example https://vcd.example/api")
@click.option("--ca-file", help="File with the CA that signed its certificate, if the system does not know it.")
@click.option("--insecure", is_flag=True, help="Do not verify the certificate. For a laboratory only.")
@click.option("--change", is_flag=True, help="Give a known vCloud this address and these TLS settings instead.")
@with_appcontext
@_plainly
def handler_add(name: str, url: str, ca_file: str | None, *, insecure: bool, change: bool) -> None:
    """Make a vCloud Director known; it is asked whether it is there."""
    services.add_handler(name=name, api_url=url, verify_tls=not insecure, ca_file=ca_file, change=change)
    click.echo(f"vCloud {name} answers at {url}. Next: flask account-add, flask service-attach.")


@click.command("account-add")
@click.option("--name", prompt="Name of the account, for example Nord Freight")
@click.option("--timezone", prompt="Its time zone", default="Europe/Moscow")
@click.option("--owner-email", prompt="E-mail of its owner")
@click.option("--owner-name", prompt="Name of its owner")
@click.option("--locale", type=click.Choice(LOCALES), default="en", prompt="Language of its owner")
@_secret("First password of its owner")
@with_appcontext
@_plainly
def account_add(name: str, timezone: str, owner_email: str, owner_name: str, locale: str, password: str) -> None:
    """Open an account with its owner."""
    account = members.open_account(
        name=name,
        timezone=timezone,
        owner_email=owner_email,
        owner_name=owner_name,
        password=password,
        locale=locale,
    )
    if account.is_new:
        click.echo(f"{owner_email} can sign in and owns {name}. Next: flask service-attach.")
    else:
        click.echo(f"{name} with this owner is known already; nothing was changed. {CHANGES}")


@click.command("service-attach")
@click.option("--account", prompt="Name of the account")
@click.option("--handler", prompt="Name of the vCloud, as given to handler-add")
@click.option("--org", prompt="Organization in vCloud")
@click.option("--vdc", prompt="Virtual data center in that organization")
@click.option("--username", prompt="VDC administrator, without @organization")
@_secret("His password")
@with_appcontext
@_plainly
def service_attach(account: str, handler: str, org: str, vdc: str, username: str, password: str) -> None:
    """Give an account a virtual data center that exists in vCloud, and read it."""
    services.attach(account=account, handler=handler, org=org, username=username, password=password, vdc=vdc)
    click.echo(f"{account} has {vdc}, and its servers are read.")


@click.command("create-staff")
@click.option("--email", prompt="E-mail")
@click.option("--name", prompt="Name")
@click.option("--role", type=click.Choice([role.value for role in StaffRole]), prompt="Role")
@click.option("--locale", type=click.Choice(LOCALES), default="en", prompt="Language")
@_secret("First password")
@with_appcontext
@_plainly
def create_staff(email: str, name: str, role: str, locale: str, password: str) -> None:
    """Add a person of the provider."""
    person = members.add_staff(email=email, name=name, role=StaffRole(role), password=password, locale=locale)
    if person.is_new:
        click.echo(f"{email} can sign in as {role}.")
    else:
        click.echo(f"{email} is known already; nothing was changed. {CHANGES}")


@click.command("user-password")
@click.option("--email", prompt="E-mail")
@_secret("New password")
@with_appcontext
@_plainly
def user_password(email: str, password: str) -> None:
    """Give anybody a new password; his sessions end."""
    members.set_password(email, password)
    click.echo(f"{email} has a new password, and his sessions have ended.")


@click.command("user-disable")
@click.option("--email", prompt="E-mail")
@click.option("--undo", is_flag=True, help="Let the person in again.")
@with_appcontext
@_plainly
def user_disable(email: str, *, undo: bool) -> None:
    """Keep a person out, at once."""
    members.set_disabled(email, is_disabled=not undo)
    click.echo(f"{email} can sign in again." if undo else f"{email} is out and cannot sign in any more.")


@click.command("sync")
@with_appcontext
@_plainly
def sync_command() -> None:
    """Read every virtual data center now."""
    for service_id in sync.all_services():
        sync.refresh(service_id)


@click.command("rotate-secrets")
@with_appcontext
@_plainly
def rotate_secrets() -> None:
    """Seal every secret in the database with the first of the sealing keys."""
    with transaction():
        count = sealing.rotate()
    click.echo(f"{count} secrets were sealed anew; older keys may be taken out of the settings now.")


@click.command("demo")
@with_appcontext
@_plainly
def demo_command() -> None:
    """Fill an empty demo installation; repeating it changes nothing."""
    config: Config = current_app.extensions["skiff_config"]
    if not config.demo:
        sys.exit("This is not a demo installation: SKIFF_DEMO is not 1. Nothing was changed.")
    demo.fill(api_url=f"http://127.0.0.1:{config.sim_port}/api", locale=config.locale)

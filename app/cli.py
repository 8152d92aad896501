"""Commands of the operator: `flask --help` lists them."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TextIO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from app import demo, sealing
from app.accounts import members
from app.accounts.rules import StaffRole
from app.cloud import packet, packet_reader, packet_source, services, sync_all
from app.cloud.console_rules import ConsoleMode
from app.db import transaction
from app.errors import AppError
from app.texts.errors import error_text
from app.vcloud import ApiVersion, VcloudError
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
        handler_check,
        packet_check,
        packet_command,
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


def _vcloud_login(who: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Options for a login to vCloud. A password or token that is named without a value is asked for, without echo."""
    options = (
        click.option("--username", help=f"{who}, without @organization."),
        click.option(
            "--password",
            prompt="Password in vCloud",
            prompt_required=False,
            hide_input=True,
            help="Asked for where it is not given, so that it stands in no shell history.",
        ),
        click.option(
            "--api-token",
            prompt="API token",
            prompt_required=False,
            hide_input=True,
            help="An API token instead of user and password; vCloud knows them from 10.3.1 on.",
        ),
    )

    def decorated(command: Callable[P, None]) -> Callable[P, None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def _asked_password(username: str | None, password: str | None) -> str | None:
    """The password, asked for where somebody is named and it is not given."""
    if username is None or password is not None:
        return password
    return str(click.prompt("Password in vCloud", hide_input=True))


@click.command("handler-add")
@click.option("--name", prompt="Name of this vCloud, for example Moscow")
@click.option("--url", prompt="Address of its API, for example https://vcd.example/api")
@click.option("--ca-file", help="File with the CA that signed its certificate, if the system does not know it.")
@click.option("--insecure", is_flag=True, help="Do not verify the certificate. For a laboratory only.")
@click.option("--proxy", help="Address of the HTTP proxy on the way there, for example http://proxy.example:3128.")
@click.option(
    "--console-host",
    "console_hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Where its consoles are, if not where its API is. May be repeated.",
)
@click.option("--console-direct", is_flag=True, help="Browsers go to its consoles themselves, not through the panel.")
@_vcloud_login("Administrator of the organization System, if the panel may use the provider's rights")
@click.option("--change", is_flag=True, help="Give a known vCloud these settings instead of all that it has.")
@with_appcontext
@_plainly
def handler_add(  # noqa: PLR0913  one parameter for each option
    name: str,
    url: str,
    ca_file: str | None,
    proxy: str | None,
    username: str | None,
    password: str | None,
    api_token: str | None,
    *,
    console_hosts: tuple[str, ...],
    console_direct: bool,
    insecure: bool,
    change: bool,
) -> None:
    """Make a vCloud Director known; it is asked whether it is there and whether the login is good."""
    password = _asked_password(username, password)
    provider = None
    if (username, password, api_token) != (None, None, None):
        provider = services.login(services.PROVIDER, username=username, password=password, api_token=api_token)
    version = services.add_handler(
        name=name,
        api_url=url,
        verify_tls=not insecure,
        ca_file=ca_file,
        proxy=proxy,
        provider=provider,
        consoles=services.Consoles(
            mode=ConsoleMode.DIRECT if console_direct else ConsoleMode.GATEWAY, hosts=console_hosts
        ),
        change=change,
    )
    click.echo(f"vCloud {name} answers at {url}. {_about(version)} Next: flask account-add, flask service-attach.")


@click.command("handler-check")
@click.argument("name")
@with_appcontext
@_plainly
def handler_check(name: str) -> None:
    """Ask a known vCloud whether it is there, which API it speaks, and whether the provider's login is good."""
    version = services.check_handler(name)
    click.echo(f"vCloud {name} answers. {_about(version)}")


def _about(version: ApiVersion) -> str:
    if version.deprecated:
        return (
            f"Warning: it says that API {version.number}, the newest that this panel knows, is deprecated; an upgrade "
            "of vCloud will withdraw it. Update the panel before that."
        )
    return f"API {version.number}."


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
@_vcloud_login("VDC administrator")
@with_appcontext
@_plainly
def service_attach(
    account: str,
    handler: str,
    org: str,
    vdc: str,
    username: str | None,
    password: str | None,
    api_token: str | None,
) -> None:
    """Give an account a virtual data center that exists in vCloud, and read it. Again: change its login."""
    if username is None and api_token is None:
        username = str(click.prompt("VDC administrator, without @organization"))
    services.attach(
        account=account,
        handler=handler,
        org=org,
        vdc=vdc,
        username=username,
        password=_asked_password(username, password),
        api_token=api_token,
    )
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
    """Read every virtual data center now; one that cannot be read is named and holds up no other."""
    count, failed = sync_all.refresh_all()
    for line in failed:
        click.echo(line, err=True)
    if failed:
        sys.exit(f"{len(failed)} of {count} data centers could not be read.")


@click.command("packet")
@click.argument("service")
@click.option("--with-passwords", is_flag=True, help="Read the passwords from vCloud too. It is written down who asks.")
@click.option("--by", metavar="EMAIL", help="The administrator of the panel who asks for passwords.")
@click.option("--reason", help="Why passwords are asked for.")
@with_appcontext
@_plainly
def packet_command(service: str, by: str | None, reason: str | None, *, with_passwords: bool) -> None:
    """Write the statistics packet of SERVICE: the id of a service, or the name of its data center."""
    service_id = packet_source.service_of(service)
    if not with_passwords:
        click.echo(packet.write(packet_source.collect(service_id)))
        return
    if by is None or reason is None:
        raise click.UsageError("--with-passwords needs --by and --reason.")
    whole = packet_source.collect_with_passwords(members.staff_actor(by), service_id, reason)
    click.echo(packet.write(whole))
    known = sum(vm.password != "" for vm in whole.vms)
    click.echo(f"vCloud told the passwords of {known} of {len(whole.vms)} servers.", err=True)


@click.command("packet-check")
@click.argument("file", type=click.File(encoding="utf-8", errors="surrogateescape"))
@with_appcontext
@_plainly
def packet_check(file: TextIO) -> None:
    """Read a statistics packet from FILE (- is the standard input) and say what it holds, or what is wrong with it."""
    found = packet_reader.read(file.read())
    click.echo(f"Service {found.id}, data center {found.vdc_id}: {len(found.vapps)} vApps, {len(found.vms)} servers.")


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
    demo.fill(
        api_url=f"http://127.0.0.1:{config.sim_port}/api",
        console_host=f"127.0.0.1:{config.sim_console_port}",
        console_certificate=config.sim_console_certificate,
        locale=config.locale,
    )

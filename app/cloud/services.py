"""Virtual data centers sold to accounts: which vCloud, which Org, and the credentials that work on them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from app import clock, vcloud
from app.accounts.models import Account
from app.cloud import gateway, sync
from app.cloud.console_rules import ConsoleMode, address_of
from app.cloud.models import Handler, Service
from app.db import db, transaction
from app.errors import AppError

PROVIDER = "System"
"""The organization of the provider's own people in every vCloud."""

Login = vcloud.Login | vcloud.ApiToken


@dataclass(frozen=True, kw_only=True)
class Consoles:
    """How browsers reach the screens of a vCloud: `hosts` are `host[:port]`s beside that of its API."""

    mode: ConsoleMode = ConsoleMode.GATEWAY
    hosts: tuple[str, ...] = ()


def login(org: str, *, username: str | None, password: str | None, api_token: str | None) -> Login:
    """How to log in: a user with his password, or an API token instead (vCloud 10.3.1 and later).

    Raises AppError `login_ambiguous` for both, `login_missing` for neither.
    """
    if api_token is not None:
        if username is not None or password is not None:
            raise AppError("login_ambiguous", 400)
        return vcloud.ApiToken(org=org, token=api_token)
    if username is None or password is None:
        raise AppError("login_missing", 400)
    return vcloud.Login(org=org, user=username, password=password)


def add_handler(  # noqa: PLR0913  what a vCloud has
    *,
    name: str,
    api_url: str,
    verify_tls: bool = True,
    ca_file: str | None = None,
    proxy: str | None = None,
    provider: Login | None = None,
    consoles: Consoles | None = None,
    change: bool = False,
) -> vcloud.ApiVersion:
    """Make a vCloud Director known, once it has answered; returns the API version that it will be asked with.

    `proxy` is the HTTP proxy on the way there, `provider` a login of the organization System. `change` gives a known
    one these settings instead of all that it has. Raises AppError `handler_url_bad`, `ca_file_bad`, `proxy_bad`,
    `console_host_bad`, `handler_known` (with the address it has), `login_refused`, `token_refused`, or a VcloudError
    when it does not answer.
    """
    consoles = consoles or Consoles()
    _require_url(api_url)
    _require_reachable(ca_file, proxy)
    _require_hosts(consoles)
    known = db.session.scalar(select(Handler.api_url).where(Handler.name == name))
    db.session.rollback()
    if known is not None and not change:
        raise AppError("handler_known", name=name, url=known)
    values = {"api_url": api_url, "verify_tls": verify_tls, "ca_file": ca_file, "proxy": proxy}
    with gateway.connect(Handler(name=name, **values), provider or gateway.NOBODY) as client:
        version = vcloud.best_version(client.versions())
        if provider is not None:
            _require_login(client, provider)
    with transaction():
        handler = db.session.scalar(select(Handler).where(Handler.name == name))
        if handler is None:
            handler = Handler(name=name, module="vmware_vcd")
            db.session.add(handler)
        for key, value in values.items():
            setattr(handler, key, value)
        _keep_login(handler, provider)
        handler.console_mode, handler.console_hosts = consoles.mode, list(consoles.hosts)
        handler.api_version, handler.is_api_deprecated = version.number, version.deprecated
    return version


def check_handler(name: str) -> vcloud.ApiVersion:
    """Ask a known vCloud whether it is there and whether the provider's login, if it has one, is accepted.

    Returns the API version that it is asked with. Raises AppError `handler_unknown`, `login_refused`,
    `token_refused`, or a VcloudError.
    """
    handler = _handler(name)
    provider = gateway.login_of(handler, PROVIDER) if handler.username or handler.api_token else None
    version = gateway.probe(handler.id)
    if provider is not None:
        with gateway.connect(_handler(name), provider) as client:
            db.session.rollback()
            _require_login(client, provider)
    return version


def attach(
    *,
    account: str,
    handler: str,
    org: str,
    vdc: str,
    username: str | None = None,
    password: str | None = None,
    api_token: str | None = None,
) -> uuid.UUID:
    """Give an account a virtual data center that exists in vCloud, and read it; returns the id of the service.

    `account` and `handler` are names, `vdc` is the name of the virtual data center in the Org. Repeating it for the
    same one renews the credentials. Raises what `login` raises, AppError `account_unknown`, `handler_unknown`,
    `vdc_unknown`, `vdc_attached` when it is another account's, `login_refused`, `token_refused`, or a VcloudError.
    """
    credentials = login(org, username=username, password=password, api_token=api_token)
    account_id = db.session.scalar(select(Account.id).where(Account.name == account))
    if account_id is None:
        raise AppError("account_unknown", 404, name=account)
    known = _handler(handler)
    handler_id = known.id
    vdc_urn = _find_vdc(known, credentials, vdc)
    with transaction():
        service = db.session.scalar(select(Service).where(Service.handler_id == handler_id, Service.vdc_urn == vdc_urn))
        if service is None:
            service = Service(account_id=account_id, handler_id=handler_id, vdc_urn=vdc_urn, created_at=clock.now())
            db.session.add(service)
        elif service.account_id != account_id:
            raise AppError("vdc_attached", name=vdc)
        service.org_name, service.session = org, None
        _keep_login(service, credentials)
        service_id = service.id
    sync.refresh(service_id)
    return service_id


def _handler(name: str) -> Handler:
    known = db.session.scalar(select(Handler).where(Handler.name == name))
    if known is None:
        raise AppError("handler_unknown", 404, name=name)
    return known


def _keep_login(holder: Handler | Service, credentials: Login | None) -> None:
    """Keep this login and nothing of an earlier one."""
    holder.username, holder.password, holder.api_token = "", None, None
    if isinstance(credentials, vcloud.ApiToken):
        holder.api_token = credentials.token
    elif credentials is not None:
        holder.username, holder.password = credentials.user, credentials.password


def _require_url(url: str) -> None:
    """Credentials go there, so it must be https; plain http is for a simulator on this machine."""
    try:
        parts = urlsplit(url)
        is_local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        fits = parts.scheme == "https" or (parts.scheme == "http" and is_local)
        fits = fits and bool(parts.hostname) and (parts.port or 443) > 0 and not (parts.query or parts.username)
    except ValueError:
        fits = False
    if not fits:
        raise AppError("handler_url_bad", 400, url=url)


def _require_reachable(ca_file: str | None, proxy: str | None) -> None:
    """A proxy with a password in its address is not taken: the address is kept and logged in clear."""
    if ca_file is not None and not Path(ca_file).is_file():
        raise AppError("ca_file_bad", 400, path=ca_file)
    if proxy is None:
        return
    try:
        parts = urlsplit(proxy)
        fits = parts.scheme == "http" and bool(parts.hostname) and (parts.port or 80) > 0
        fits = fits and parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        fits = False
    if not fits:
        raise AppError("proxy_bad", 400)


def _require_hosts(consoles: Consoles) -> None:
    for host in consoles.hosts:
        try:
            address_of(host)
        except ValueError:
            raise AppError("console_host_bad", 400, host=host) from None


def _find_vdc(handler: Handler, credentials: Login, name: str) -> str:
    with gateway.connect(handler, credentials) as client:
        db.session.rollback()  # the handler's values are read; nothing slow inside a transaction
        with _refusals_named(credentials):
            names = {vdc.name: vdc.id for vdc in client.vdcs()}
    if name not in names:
        raise AppError("vdc_unknown", 404, name=name, names=", ".join(sorted(names)) or "none")
    return names[name]


def _require_login(client: vcloud.Client, credentials: Login) -> None:
    with _refusals_named(credentials):
        client.version()


@contextmanager
def _refusals_named(credentials: Login) -> Iterator[None]:
    """Say which of the things that were given vCloud does not accept."""
    try:
        yield
    except vcloud.SessionExpired:
        if isinstance(credentials, vcloud.ApiToken):
            raise AppError("token_refused", org=credentials.org) from None
        raise AppError("login_refused", org=credentials.org, username=credentials.user) from None

"""Virtual data centers sold to accounts: which vCloud, which Org, and the credentials that work on them."""

import uuid
from urllib.parse import urlsplit

from sqlalchemy import select

from app import clock, vcloud
from app.accounts.models import Account
from app.cloud import gateway, sync
from app.cloud.models import Handler, Service
from app.db import db, transaction
from app.errors import AppError


def add_handler(
    *, name: str, api_url: str, verify_tls: bool = True, ca_file: str | None = None, change: bool = False
) -> None:
    """Make a vCloud Director known, once it has answered; `change` lets a known one have another address.

    Raises AppError `handler_url_bad`, `handler_known` (with the address it has), or a VcloudError when it does not
    answer at this address.
    """
    _require_url(api_url)
    known = db.session.scalar(select(Handler.api_url).where(Handler.name == name))
    db.session.rollback()
    if known is not None and not change:
        raise AppError("handler_known", name=name, url=known)
    values = {"api_url": api_url, "verify_tls": verify_tls, "ca_file": ca_file}
    with gateway.connect(Handler(name=name, **values), vcloud.Login(org="", user="", password="")) as client:
        client.versions()
    with transaction():
        handler = db.session.scalar(select(Handler).where(Handler.name == name))
        if handler is None:
            handler = Handler(name=name, module="vmware_vcd")
            db.session.add(handler)
        handler.api_url, handler.verify_tls, handler.ca_file = api_url, verify_tls, ca_file


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


def attach(*, account: str, handler: str, org: str, username: str, password: str, vdc: str) -> uuid.UUID:
    """Give an account a virtual data center that exists in vCloud, and read it; returns the id of the service.

    `account` and `handler` are names, `vdc` is the name of the virtual data center in the Org. Repeating it for the
    same one renews the credentials. Raises AppError `account_unknown`, `handler_unknown`, `vdc_unknown`,
    `vdc_attached` when it is another account's, `login_refused`, or a VcloudError.
    """
    account_id = db.session.scalar(select(Account.id).where(Account.name == account))
    if account_id is None:
        raise AppError("account_unknown", 404, name=account)
    known = db.session.scalar(select(Handler).where(Handler.name == handler))
    if known is None:
        raise AppError("handler_unknown", 404, name=handler)
    handler_id = known.id
    vdc_urn = _find_vdc(known, vcloud.Login(org=org, user=username, password=password), vdc)
    with transaction():
        service = db.session.scalar(select(Service).where(Service.handler_id == handler_id, Service.vdc_urn == vdc_urn))
        if service is None:
            service = Service(account_id=account_id, handler_id=handler_id, vdc_urn=vdc_urn, created_at=clock.now())
            db.session.add(service)
        elif service.account_id != account_id:
            raise AppError("vdc_attached", name=vdc)
        service.org_name, service.username = org, username
        service.password, service.session = password, None
        service_id = service.id
    sync.refresh(service_id)
    return service_id


def _find_vdc(handler: Handler, login: vcloud.Login, name: str) -> str:
    with gateway.connect(handler, login) as client:
        db.session.rollback()  # the handler's values are read; nothing slow inside a transaction
        try:
            names = {vdc.name: vdc.id for vdc in client.vdcs()}
        except vcloud.SessionExpired:
            raise AppError("login_refused", org=login.org, username=login.user) from None
    if name not in names:
        raise AppError("vdc_unknown", 404, name=name, names=", ".join(sorted(names)) or "none")
    return names[name]

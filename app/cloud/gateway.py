"""The only place that builds a vCloud client and knows the credentials."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from datetime import timedelta

from sqlalchemy import select

from app import clock, vcloud
from app.cloud.models import Handler, Service
from app.db import db, transaction

LIMITS = vcloud.Limits(connect_s=5, answer_s=20, call_s=20)
"""A call to vCloud ends after 20 s, whatever happens on the line: a turn makes about three."""
PROBE_LIMITS = vcloud.Limits(connect_s=5, answer_s=10, call_s=10)
"""Whether somebody is there is a question that takes no work to answer."""
_PROBED_AT_ONCE = 16
NOTE_AFTER = timedelta(seconds=10)
TIMER = vcloud.Timer(wall=lambda: clock.now().timestamp())
"""The moments that are compared with vCloud's clock are ours, so the difference must be that to ours."""
NOBODY = vcloud.Login(org="", user="", password="")
"""For questions that need no login."""


def _nobody(_handler_id: uuid.UUID) -> None:
    """Nobody wants to know."""


returned: Callable[[uuid.UUID], None] = _nobody
"""Is told which vCloud answers again after it was silent; `jobs` puts the sync here, which stands above this room."""


@contextmanager
def client(
    service_id: uuid.UUID,
    *,
    limits: vcloud.Limits | None = None,
    before_command: Callable[[], None] = lambda: None,
) -> Iterator[vcloud.Client]:
    """A client that works with the rights of the service's VDC administrator.

    `before_command` is called right before each command leaves; what it raises keeps the command here. `limits` other
    than the usual ones are for somebody who waits.

    The vCloud session is shared by all workers through the database. Whether vCloud answered is written down on
    the way out, for the pages.
    """
    service = db.session.get_one(Service, service_id)
    handler_id = service.handler_id
    login = login_of(service, service.org_name)
    session = vcloud.Session.load(service.session) if service.session else None
    connection = connect(service.handler, login, session, limits=limits, before_command=before_command)
    db.session.rollback()  # nothing slow inside a transaction, not even inside one that only reads
    try:
        yield connection
    except vcloud.Unavailable:
        if limits is None:  # else a person waits, and the clock asks soon by itself
            _find_out_who_fails(handler_id)
        raise
    except vcloud.VcloudError:
        note_answer(handler_id, answered=True)
        raise
    else:
        note_answer(handler_id, answered=True)
    finally:
        connection.close()
        if connection.session is not None and connection.session != session:
            _keep_session(service_id, connection.session)


def login_of(holder: Handler | Service, org: str) -> vcloud.Login | vcloud.ApiToken:
    """The login that was given with this vCloud (the provider's, org "System") or with this service."""
    if holder.api_token is not None:
        return vcloud.ApiToken(org=org, token=holder.api_token)
    return vcloud.Login(org=org, user=holder.username, password=holder.password or "")


def probe(handler_id: uuid.UUID) -> vcloud.ApiVersion:
    """Ask one vCloud whether it is there, without logging in, and write down what it says; raises a VcloudError.

    Returns the API version that it is asked with.
    """
    answer = _version_of(_of_nobody(handler_id))
    _note_probe(handler_id, answer)
    if isinstance(answer, vcloud.VcloudError):
        raise answer
    return answer


def probe_all() -> None:
    """Ask every vCloud whether it is there, and write down what they say; none waits for one that is down."""
    connections = {handler_id: _of_nobody(handler_id) for handler_id in list(db.session.scalars(select(Handler.id)))}
    with ThreadPoolExecutor(_PROBED_AT_ONCE) as threads:
        asked = {threads.submit(_version_of, one): handler_id for handler_id, one in connections.items()}
        for answer in as_completed(asked):
            _note_probe(asked[answer], answer.result())


def _of_nobody(handler_id: uuid.UUID) -> vcloud.Client:
    connection = connect(db.session.get_one(Handler, handler_id), NOBODY, limits=PROBE_LIMITS)
    db.session.rollback()
    return connection


def _version_of(connection: vcloud.Client) -> vcloud.ApiVersion | vcloud.VcloudError:
    """What a vCloud says or why it does not; in any thread, for it has nothing to do with the database."""
    with connection:
        try:
            return vcloud.best_version(connection.versions())
        except vcloud.VcloudError as error:
            return error


def _note_probe(handler_id: uuid.UUID, answer: vcloud.ApiVersion | vcloud.VcloudError) -> None:
    note_answer(handler_id, answered=not isinstance(answer, vcloud.Unavailable))
    if isinstance(answer, vcloud.ApiVersion):
        _note_version(handler_id, answer)


def note_answer(handler_id: uuid.UUID, *, answered: bool) -> None:
    """Remember since when this vCloud is silent, or when it last answered (to about ten seconds)."""
    now = clock.now()
    handler = db.session.get_one(Handler, handler_id)
    fresh = handler.answered_at is not None and now - handler.answered_at < NOTE_AFTER
    known = handler.silent_since is None and fresh if answered else handler.silent_since is not None
    db.session.rollback()
    if known:
        return
    with transaction():
        handler = db.session.get_one(Handler, handler_id)
        has_returned = answered and handler.silent_since is not None
        if answered:
            handler.answered_at, handler.silent_since = now, None
        else:
            handler.silent_since = handler.silent_since or now
    if has_returned:
        returned(handler_id)


def _find_out_who_fails(handler_id: uuid.UUID) -> None:
    """Call a vCloud silent only if it does not say its versions either.

    It may be one organization whose inventory never stays the same, or one answer that is cut each time: the other
    organizations are read all the same.
    """
    is_known = db.session.get_one(Handler, handler_id).silent_since is not None
    db.session.rollback()
    if not is_known:
        with suppress(vcloud.VcloudError):
            probe(handler_id)


def connect(
    handler: Handler,
    login: vcloud.Login | vcloud.ApiToken,
    session: vcloud.Session | None = None,
    *,
    limits: vcloud.Limits | None = None,
    before_command: Callable[[], None] = lambda: None,
) -> vcloud.Client:
    """A client of this vCloud; close it, or use it in a `with`."""
    return vcloud.Client(
        handler.api_url,
        login,
        session=session,
        verify=handler.ca_file or handler.verify_tls,
        proxy=handler.proxy,
        limits=limits or LIMITS,
        timer=TIMER,
        before_command=before_command,
    )


def _note_version(handler_id: uuid.UUID, version: vcloud.ApiVersion) -> None:
    handler = db.session.get_one(Handler, handler_id)
    known = (handler.api_version, handler.is_api_deprecated) == (version.number, version.deprecated)
    db.session.rollback()
    if not known:
        with transaction():
            handler = db.session.get_one(Handler, handler_id)
            handler.api_version, handler.is_api_deprecated = version.number, version.deprecated


def _keep_session(service_id: uuid.UUID, session: vcloud.Session) -> None:
    with transaction():
        db.session.get_one(Service, service_id).session = session.dump()

"""Who may come in: path, Origin, session and one-time id. What asks the database is to be called in a thread."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from websockets.datastructures import Headers

from app.accounts import sign_in
from app.cloud import console_seats
from app.cloud.console_seats import ConsoleEnd, ConsoleEndedError, Seat, Upstream

if TYPE_CHECKING:
    from flask import Flask

_PATH = re.compile(r"/console/ws/\d{1,5};([A-Za-z0-9_-]{16,64})", re.ASCII)
_PERSON = "_user_id"  # where Flask-Login keeps what `Visitor.get_id` gave it


class Door:
    """The panel's own judgement, asked from outside of a request."""

    def __init__(self, app: "Flask", origins: Collection[str]) -> None:
        self._app, self._origins = app, origins

    def id_in(self, path: str) -> str | None:
        """The one-time id of an address, as it came; None if that is no address of a console."""
        found = _PATH.fullmatch(path)
        return found.group(1) if found else None

    def is_ours(self, headers: Headers) -> bool:
        """Whether a page of the panel asks. Cookies come along with pages of others too, their Origin tells."""
        origins = headers.get_all("Origin")
        return len(origins) == 1 and origins[0].lower() in self._origins

    def admit(self, headers: Headers, one_time_id: str) -> Upstream:
        """The way to the cell for the person behind the cookie; raises ConsoleEndedError. Asks the database."""
        with self._app.app_context():
            token = self._token("; ".join(headers.get_all("Cookie")))
            person = sign_in.session_of(token) if token else None
            if person is None:
                raise ConsoleEndedError(ConsoleEnd.SESSION_OVER)
            return console_seats.take(one_time_id, person.session_id)

    def look_round(self, seats: Collection[Seat]) -> dict[Seat, ConsoleEnd]:
        """Who of these has to go; deletes tickets that are too old, besides. Asks the database."""
        with self._app.app_context():
            console_seats.forget_expired()
            return console_seats.ended(seats) if seats else {}

    def _token(self, cookie: str) -> str | None:
        """What the signed cookie of the panel holds of its session on the server."""
        request = self._app.request_class({"REQUEST_METHOD": "GET", "HTTP_COOKIE": cookie})
        session = self._app.session_interface.open_session(self._app, request)
        token = session.get(_PERSON) if session is not None else None
        return token if isinstance(token, str) else None

"""Who we are to vCloud, the doors through which a session is opened, and the session itself."""

import base64
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from app.vcloud.errors import Refused, SessionExpired, Unavailable, VcloudError
from app.vcloud.query import version_key
from app.vcloud.refusals import refusal
from app.vcloud.transport import Answer

OLD_TOKEN = "X-VCLOUD-AUTHORIZATION"  # noqa: S105 -- names of headers
_NEW_TOKEN = "X-VMWARE-VCLOUD-ACCESS-TOKEN"  # noqa: S105
_BEARER_SINCE = (33,)
_API_TOKEN_SINCE = (36, 1)


@dataclass(frozen=True, slots=True)
class Door:
    """The request that opens a session."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are. An `org` of "System" is the provider."""

    org: str
    user: str
    password: str = field(repr=False)

    @property
    def is_provider(self) -> bool:
        """Whether this is a login of the provider, who sees all organizations."""
        return self.org.lower() == "system"

    def door(self, host: str, version: str) -> Door:
        """Return the request that opens a session: the old one below 33, from there on the one of the younger API."""
        known = "Basic " + base64.b64encode(f"{self.user}@{self.org}:{self.password}".encode()).decode()
        if version_key(version) < _BEARER_SINCE:
            return Door(
                f"{host}/api/sessions", {"Accept": f"application/*+xml;version={version}", "Authorization": known}
            )
        url = f"{host}/cloudapi/1.0.0/sessions" + "/provider" * self.is_provider
        return Door(url, {"Accept": f"application/json;version={version}", "Authorization": known})

    def session(self, answer: Answer, version: str) -> "Session":
        """Return the session that was opened, or raise what kept it shut."""
        bearer = version_key(version) >= _BEARER_SINCE
        token = answer.headers.get(_NEW_TOKEN if bearer else OLD_TOKEN)
        if answer.status not in {200, 201} or not token:
            raise _login_refusal(answer)
        return Session(token, "bearer" if bearer else "vcloud", version)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A user known by a token made in vCloud's own pages, from 10.3.1 on. It can neither manage users nor tokens."""

    org: str
    token: str = field(repr=False)

    @property
    def is_provider(self) -> bool:
        """Whether this is a token of the provider."""
        return self.org.lower() == "system"

    def door(self, host: str, version: str) -> Door:
        """Return the request that trades the token for a session; Refused where vCloud is too old for it."""
        if version_key(version) < _API_TOKEN_SINCE:
            raise Refused(f"API tokens need version 36.1, and {version} is the newest that both sides know")
        place = "provider" if self.is_provider else f"tenant/{quote(self.org, safe='')}"
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        form = urlencode({"grant_type": "refresh_token", "refresh_token": self.token})
        return Door(f"{host}/oauth/{place}/token", headers, form.encode())

    def session(self, answer: Answer, version: str) -> "Session":
        """Return the session that was opened, or raise what kept it shut."""
        said = _json_object(answer.body)
        token = said.get("access_token")
        if answer.status == 200 and isinstance(token, str) and re.fullmatch(r"[!-~]+", token):
            return Session(token, "bearer", version)
        if answer.status in {400, 401} and said.get("error") in {"invalid_grant", "invalid_request"}:
            raise SessionExpired("vCloud does not accept this API token", request_id=answer.request_id)
        raise _login_refusal(answer)


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, to be kept sealed and used by other processes. `scheme`: "vcloud" (old header) or "bearer"."""

    token: str = field(repr=False)
    scheme: str
    api_version: str

    def dump(self) -> str:
        """Return the session as text. It is a secret."""
        return json.dumps({"token": self.token, "scheme": self.scheme, "api_version": self.api_version})

    @classmethod
    def load(cls, text: str) -> "Session":
        """Return the session that `dump` wrote; ValueError for any other text."""
        said = json.loads(text)
        if not isinstance(said, dict) or set(said) != {"token", "scheme", "api_version"}:
            raise ValueError("not a stored session")
        return cls(str(said["token"]), str(said["scheme"]), str(said["api_version"]))

    def header(self) -> dict[str, str]:
        """Return the one header that authorizes a request."""
        return {"Authorization": f"Bearer {self.token}"} if self.scheme == "bearer" else {OLD_TOKEN: self.token}


def _login_refusal(answer: Answer) -> VcloudError:
    if answer.status == 401:
        return SessionExpired("vCloud does not accept this login", request_id=answer.request_id)
    if 200 <= answer.status < 300:
        return Unavailable("vCloud opened a session without a token", request_id=answer.request_id)
    return refusal(answer, command=False, names_object=False)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}

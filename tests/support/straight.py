"""Requests to vCloud that go straight to the simulator, past the sockets, so that thousands of them take seconds."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from vcdsim import Answer, Simulator

Send = Callable[[HTTPAdapter, requests.PreparedRequest], requests.Response]


@contextmanager
def instead_of_sockets(send: Send) -> Iterator[None]:
    """While the block runs, `send` answers every request."""
    usual = HTTPAdapter.send
    HTTPAdapter.send = lambda adapter, request, **_: send(adapter, request)  # type: ignore[method-assign]
    try:
        yield
    finally:
        HTTPAdapter.send = usual  # type: ignore[method-assign]


def ask(cloud: Simulator, request: requests.PreparedRequest) -> Answer:
    """What the simulator answers; requests.ConnectionError where it cuts the line."""
    answer = cloud.handle(request.method or "", path_of(request), _headers(request), _body(request))
    if answer.is_cut or answer.cut_after is not None:
        raise requests.ConnectionError("the line was cut")
    return answer


def response(adapter: HTTPAdapter, request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    """The answer as it would have come through a socket."""
    raw = HTTPResponse(
        body=io.BytesIO(answer.body), headers=answer.headers, status=answer.status, preload_content=False
    )
    return adapter.build_response(request, raw)


def path_of(request: requests.PreparedRequest) -> str:
    """The path with its query."""
    parts = urlsplit(request.url or "")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _headers(request: requests.PreparedRequest) -> Mapping[str, str]:
    return {"Host": urlsplit(request.url or "").netloc, **request.headers}


def _body(request: requests.PreparedRequest) -> Any:
    return request.body.encode() if isinstance(request.body, str) else (request.body or b"")

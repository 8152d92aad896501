"""The line between a panel and a simulated vCloud, and what happens on it: edits in between, a listing cut short."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import requests
from flask import Flask
from requests.adapters import HTTPAdapter
from sqlalchemy import select

from app.cloud.sync_models import SyncRun
from app.db import db
from tests.support import straight
from vcdsim import Simulator

TAKES_S = 0.001
"""So long is a request on its way: what comes from an earlier one is older, as it is outside of tests."""
_RECORD = re.compile(rb"<VMRecord .*?/>", re.DOTALL)
_TOTAL = re.compile(rb'total="(\d+)"')
Act = Callable[[], object]


class Line:
    """Takes the requests of a panel to the simulator, without sockets."""

    def __init__(self, app: Flask, cloud: Simulator, pass_time: Callable[[float], None]) -> None:
        self.app, self.cloud, self.pass_time = app, cloud, pass_time
        self.spoil: Callable[[bytes], bytes] | None = None  # done to the next listing of machines
        self.when_listed: tuple[datetime, Act] | None = None  # called once a reading from then has written its listing
        self._acts: dict[int, Act] = {}
        self._requests = 0

    def send(self, adapter: HTTPAdapter, request: requests.PreparedRequest) -> requests.Response:
        """Answer a request, after whatever is to happen before it."""
        self._requests += 1
        act = self._acts.pop(self._requests, None)
        with self.app.app_context():
            self.pass_time(TAKES_S)
            if act is not None:
                act()
            if self.when_listed is not None:
                self._look_if_listed(*self.when_listed)
        answer = straight.ask(self.cloud, request)
        if self.spoil is not None and b"<VMRecord " in answer.body:
            answer.body, self.spoil = self.spoil(answer.body), None
        return straight.response(adapter, request, answer)

    def _look_if_listed(self, since: datetime, look: Act) -> None:
        """Look once the listing of a reading that began since then is written."""
        fresh = select(SyncRun.id).where(SyncRun.state == "running", SyncRun.listed_at >= since)
        is_listed = db.session.scalar(fresh.limit(1)) is not None
        db.session.rollback()
        if is_listed:
            self.when_listed = None
            look()

    @contextmanager
    def interrupted(self, number: int, act: Act) -> Iterator[None]:
        """Let something happen before the `number`-th request of the block."""
        self._acts = {self._requests + number: act}
        yield
        self._acts = {}

    def spoil_listing(self, *, hides_it: bool) -> None:
        """Let the next listing of machines lack its last one; with `hides_it` its total says so, too."""

        def cut(body: bytes) -> bytes:
            body = body.replace(_RECORD.findall(body)[-1], b"")
            return _TOTAL.sub(lambda total: b'total="%d"' % (int(total[1]) - 1), body) if hides_it else body

        self.spoil = cut

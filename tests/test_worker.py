"""The worker's sign of life: rare, without an open connection at a fork, and never a reason to stop."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq.serializers import JSONSerializer
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

import worker
from app.cloud.heartbeats import Heartbeat
from app.db import db
from tests.support.ports import free_port
from tests.support.settings import settings
from tests.support.statements import statements


@pytest.fixture
def own_worker(app: Flask, redis_url: str) -> Iterator[worker.PanelWorker]:
    """A worker that has just begun."""
    connection = Redis.from_url(redis_url)
    made = worker.PanelWorker(["nothing"], connection=connection, serializer=JSONSerializer)
    yield made
    connection.delete(made.key, made.executions_key)
    connection.close()


def test_redis_that_does_not_answer_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in settings(tmp_path, REDIS_URL=f"redis://:hidden@127.0.0.1:{free_port()}").items():
        monkeypatch.setenv(name, value)
    assert worker.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("worker: Redis does not answer: ")
    assert said.endswith(" Start it, or correct REDIS_URL.\n")
    assert "hidden" not in said


def signs() -> int:
    return db.session.scalar(select(func.count(Heartbeat.id))) or 0


def test_it_is_written_once_in_half_a_minute_and_leaves_no_connection_open(own_worker: worker.PanelWorker) -> None:
    own_worker.heartbeat()
    assert db.engine.pool.checkedin() == db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with statements() as sent:
        own_worker.heartbeat()
    assert sent == []
    assert signs() == 1


def test_a_database_that_is_away_does_not_stop_the_worker(
    own_worker: worker.PanelWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("the database is away"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        own_worker.heartbeat()
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)
    assert "no sign of life was written: OperationalError" in caplog.text
    assert signs() == 0

"""Signs of life of our own programs: RQ forgets its workers when Redis is emptied, these rows do not."""

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import String, delete, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.db import Row, db, transaction

EVERY_S = 30
"""A program that lives says so this often."""
ALIVE = timedelta(minutes=2)
"""One that has said nothing for so long is taken for silent. A worker without Redis looks for it once a minute."""
_FORGOTTEN = timedelta(days=1)


class Heartbeat(Row):
    """The last sign of one process; it stays for a day after the process has gone."""

    __tablename__ = "heartbeats"
    program: Mapped[str] = mapped_column(String(20))  # "clock", "worker"
    process: Mapped[str] = mapped_column(String(120), unique=True)
    seen_at: Mapped[datetime]


def own_process(program: str) -> str:
    """A name for this process that no other one has at the same time."""
    return f"{program} {os.getpid()} {socket.gethostname()}"[:120]


def beat(program: str, process: str) -> None:
    """Write down that this process lives, and forget those of long ago."""
    now = clock.now()
    with transaction():
        known = update(Heartbeat).where(Heartbeat.process == process).values(seen_at=now)
        found = db.session.execute(known.returning(Heartbeat.id), execution_options={"synchronize_session": False})
        if found.first() is None:
            db.session.execute(delete(Heartbeat).where(Heartbeat.seen_at < now - _FORGOTTEN))
            db.session.add(Heartbeat(program=program, process=process, seen_at=now))

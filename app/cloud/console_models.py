"""The table of consoles that were granted and not yet opened."""

import hashlib
import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Row
from app.sealing import Sealed


class ConsoleGrant(Row):
    """A ticket of vCloud under a one-time id, for half a minute; whoever takes it deletes it."""

    __tablename__ = "console_grants"
    id_hash: Mapped[str] = mapped_column(String(64), unique=True)  # the browser alone holds the id itself
    vm_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("vms.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_sessions.id"))
    address_sealed: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address = Sealed()  # wss://HOST/PORT;TICKET


def hash_of(one_time_id: str) -> str:
    """What stands for an id in the table: it has 256 random bits, so a plain hash is right."""
    return hashlib.sha256(one_time_id.encode("utf-8", "surrogateescape")).hexdigest()

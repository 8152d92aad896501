"""Secrets at rest: AES-256-GCM, each value bound to its table, row and column, keys rotatable.

A sealed text is `v1:KEY-ID:base64(nonce + ciphertext)`. The place it belongs to is authenticated with it, so a
ciphertext that was copied to another row does not open. Keys come from the settings, never from the database.
"""

import base64
import os
from typing import Any, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, current_app
from sqlalchemy import select

from app.db import Base, Row, db


class SealingError(Exception):
    """A sealed value cannot be opened: its key is gone, or it does not belong to this place."""


class Sealer:
    """Seals and opens texts; the first key seals, every key opens."""

    def __init__(self, keys: tuple[tuple[str, bytes], ...]) -> None:
        self._newest = keys[0][0]
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys}

    def seal(self, text: str, place: str) -> str:
        """Encrypt `text` for `place`, a name such as "services:<id>:password"."""
        nonce = os.urandom(12)
        sealed = self._ciphers[self._newest].encrypt(nonce, text.encode(), place.encode())
        return f"v1:{self._newest}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Decrypt what `seal` made for the same place; raises SealingError."""
        version, key_id, encoded = sealed.split(":")
        if version != "v1":
            raise SealingError("unknown form of sealed value")
        if key_id not in self._ciphers:
            raise SealingError(f"the sealing key {key_id!r} is not among SKIFF_SEALING_KEYS")
        blob = base64.b64decode(encoded)
        try:
            return self._ciphers[key_id].decrypt(blob[:12], blob[12:], place.encode()).decode()
        except InvalidTag:
            raise SealingError("the sealed value does not belong here or was changed") from None

    def is_newest(self, sealed: str) -> bool:
        """Whether the value was sealed with the first key."""
        return sealed.startswith(f"v1:{self._newest}:")


class Sealed:
    """A text attribute of a model that is kept sealed in the column `<name>_sealed` of the same row."""

    def __set_name__(self, owner: type[Row], name: str) -> None:
        self.name = name
        self.column = f"{name}_sealed"

    @overload
    def __get__(self, row: None, owner: type[Row]) -> "Sealed": ...
    @overload
    def __get__(self, row: Row, owner: type[Row]) -> str | None: ...

    def __get__(self, row: Row | None, owner: type[Row]) -> "Sealed | str | None":
        """The text in clear, or None."""
        if row is None:
            return self
        sealed = getattr(row, self.column)
        return None if sealed is None else _sealer().open(sealed, self._place(row))

    def __set__(self, row: Row, text: str | None) -> None:
        """Seal and keep the text; None erases it."""
        setattr(row, self.column, None if text is None else _sealer().seal(text, self._place(row)))

    def reseal(self, row: Row) -> bool:
        """Seal again with the newest key; True if that was needed."""
        sealed = getattr(row, self.column)
        if sealed is None or _sealer().is_newest(sealed):
            return False
        self.__set__(row, self.__get__(row, type(row)))
        return True

    def _place(self, row: Row) -> str:
        return f"{type(row).__tablename__}:{row.id}:{self.name}"


def init(app: Flask, keys: tuple[tuple[str, bytes], ...]) -> None:
    """Give the application its keys."""
    app.extensions["skiff_sealer"] = Sealer(keys)


def _sealer() -> Sealer:
    sealer: Sealer = current_app.extensions["skiff_sealer"]
    return sealer


def rotate() -> int:
    """Seal every secret in the database with the newest key; runs inside the caller's transaction.

    Returns how many values were sealed again.
    """
    count = 0
    for mapper in Base.registry.mappers:
        model: Any = mapper.class_
        secrets = [value for value in vars(model).values() if isinstance(value, Sealed)]
        for row in db.session.scalars(select(model)) if secrets else ():
            count += sum(secret.reseal(row) for secret in secrets)
    return count

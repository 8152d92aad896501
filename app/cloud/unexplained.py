"""Refusals that no rule of the book explains: gathered for the staff, with the rule that each of them lacks."""

import hashlib
import json
import re
import uuid

from sqlalchemy import select

from app import clock
from app.accounts import audit
from app.accounts.rules import Actor, Permission, can
from app.cloud.explain import explain
from app.cloud.operation_models import UnexplainedError
from app.db import db, transaction
from app.errors import AppError

MOST = 200
"""So many of the list are looked at: a longer one is not worked through from its end."""
GENERAL_CODES = ("BAD_REQUEST", "INTERNAL_SERVER_ERROR")
"""Codes that say nothing of the cause: the same text comes under several of them."""
_SAID_FIRST = re.compile(r"^\s*\[ [0-9a-f-]+ \]\s*")  # the id of the request
_IDS = re.compile(r"\[ [0-9a-f-]{36} \]|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"[^\"]*\"|\d+")
_SIGNS = frozenset(r"\.^$*+?{}[]|()")


def gather(minor_code: str | None, message: str, operation_id: uuid.UUID) -> None:
    """Keep a refusal that no rule explains, inside the caller's transaction; a known one does nothing.

    Texts that differ only in ids, names and numbers are counted as one.
    """
    if explain(minor_code, message, language="en") is not None:
        return
    fingerprint = hashlib.sha256(f"{minor_code} {_IDS.sub('*', message)}".encode()).hexdigest()
    known = select(UnexplainedError).where(UnexplainedError.fingerprint == fingerprint).with_for_update()
    row = db.session.scalar(known)
    now = clock.now()
    if row is None:
        row = UnexplainedError(fingerprint=fingerprint, minor_code=minor_code, times=0, first_at=now)
        db.session.add(row)
    row.message, row.operation_id, row.last_at = message, operation_id, now
    row.times += 1


def count() -> int:
    """How many of them still want a rule, `MOST` at most."""
    rows = db.session.execute(select(UnexplainedError.minor_code, UnexplainedError.message).limit(MOST))
    return sum(explain(minor_code, message, language="en") is None for minor_code, message in rows)


def remove(actor: Actor, error_id: uuid.UUID) -> None:
    """Take one off the list; it is there again when vCloud says it again and still no rule explains it.

    Safe to repeat. Raises AppError `not_permitted`.
    """
    if not can(actor, Permission.STAFF_SEE):
        raise AppError("not_permitted", 403)
    with transaction():
        row = db.session.get(UnexplainedError, error_id)
        if row is not None:
            audit.record(actor, "unexplained_error.remove", object_id=row.id, message=row.message[:500])
            db.session.delete(row)


def rule_for(minor_code: str | None, message: str) -> str:
    """A rule for `explanations.toml` that fits this refusal and those that differ in ids; its sentences are to do."""
    parts, at = [], 0
    text = _SAID_FIRST.sub("", message).strip() or message
    for found in _IDS.finditer(text):
        parts += [_literally(text[at : found.start()]), _pattern_of(found.group())]
        at = found.end()
    parts.append(_literally(text[at:]))
    is_telling = minor_code is not None and minor_code not in GENERAL_CODES
    lines = [
        "[[rule]]",
        *([f'code = "{minor_code}"'] if is_telling else []),
        f"text = {_toml(''.join(parts))}",
        'who = "provider"',
        'en = { cause = "What it means.", next = "What to do." }',
        'ru = { cause = "Что это значит.", next = "Что делать." }',
    ]
    return "\n".join(lines)


def _literally(text: str) -> str:
    return "".join(_sign(character) for character in text)


def _sign(character: str) -> str:
    if character.isspace() and character != " ":
        return r"\s"
    return f"\\{character}" if character in _SIGNS else character if character.isprintable() else "."


def _pattern_of(found: str) -> str:
    if found.startswith('"'):
        return '"[^"]*"'
    return r"\d+" if found.isdigit() else "[0-9a-f-]+" if not found.startswith("[") else r"\[ [0-9a-f-]+ \]"


def _toml(text: str) -> str:
    """A string of TOML: as it stands where that is allowed, else with the escapes of JSON, which TOML has as well."""
    return json.dumps(text, ensure_ascii=False) if "'" in text else f"'{text}'"

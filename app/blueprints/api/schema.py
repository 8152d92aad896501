"""One description of what is sent and answered: dataclasses, read from JSON, written as JSON, told as JSON Schema.

Known types: str, int, bool, UUID, datetime, StrEnum, `X | None`, tuple[X, ...], dict[str, Any], and dataclasses of
these; `Annotated[..., Note(...)]` adds bounds and words. What is told is what is checked.
"""

import re
import types
import typing
import uuid
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any

from app.errors import AppError

Json = dict[str, Any]
WHOLE_MOST = 2**31 - 1
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNTYPABLE = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_HALF = re.compile("[\ud800-\udfff]")  # half of a character: JSON can name it, no database can keep it
_TYPABLE = f"[^{_UNTYPABLE}]*"
_NAMES = {str: "string", int: "integer", bool: "boolean", uuid.UUID: "string", datetime: "string"}
_FORMATS = {uuid.UUID: "uuid", datetime: "date-time"}


@dataclass(frozen=True, kw_only=True)
class Note:
    """What a type alone does not say. `least` and `most` bound a number, the length of a text, or that of a list."""

    about: str = ""
    least: int | None = None
    most: int | None = None
    pattern: str | None = None  # the whole text must be so


NewPassword = Annotated[str | None, Note(about="Left out: one is made. It is shown once.", most=200)]


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of an object."""

    name: str
    type: Any
    note: Note
    is_required: bool
    default: Any


@cache
def properties(model: type) -> tuple[Property, ...]:
    """The properties of a dataclass, in their order."""
    hints = typing.get_type_hints(model, include_extras=True)
    found = []
    for one in fields(model):
        plain, note = _apart(hints[one.name])
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        found.append(
            Property(name=one.name, type=plain, note=note, is_required=default is MISSING, default=default),
        )
    return tuple(found)


def _apart(hint: Any) -> tuple[Any, Note]:
    if typing.get_origin(hint) is Annotated:
        plain, *notes = typing.get_args(hint)
        return plain, next((note for note in notes if isinstance(note, Note)), Note())
    return hint, Note()


def _inside(hint: Any) -> Any:
    """X of `X | None`; None for other types."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(one for one in typing.get_args(hint) if one is not types.NoneType)
    return None


def _item(hint: Any) -> Any:
    """X of `tuple[X, ...]`; None for other types."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


# ---- told ----------------------------------------------------------------------------------------------------------


def json_schema(hint: Any, seen: dict[str, type]) -> Json:
    """The JSON Schema of a type. Dataclasses are named; `seen` gathers them by name."""
    plain, note = _apart(hint)
    words = {"description": note.about} if note.about else {}
    if (inner := _inside(plain)) is not None:
        return {"anyOf": [json_schema(Annotated[inner, _silent(note)], seen), {"type": "null"}], **words}
    if (item := _item(plain)) is not None:
        bounds = {"minItems": note.least, "maxItems": note.most}
        return {"type": "array", "items": json_schema(item, seen), **_given(bounds), **words}
    if is_dataclass(plain) and isinstance(plain, type):
        seen[plain.__name__] = plain
        return {"$ref": f"#/components/schemas/{plain.__name__}", **words}
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return {"type": "string", "enum": [member.value for member in plain], **words}
    if plain in _NAMES:
        return {"type": _NAMES[plain], **_scalar_bounds(plain, note), **words}
    return {"type": "object", **words}


def object_schema(model: type, seen: dict[str, type]) -> Json:
    """The JSON Schema of a dataclass itself."""
    every = properties(model)
    told: Json = {"type": "object", "description": _words(model), "additionalProperties": False}
    told["properties"] = {one.name: _property_schema(one, seen) for one in every}
    required = [one.name for one in every if one.is_required]
    return {**told, "required": required} if required else told


def _property_schema(one: Property, seen: dict[str, type]) -> Json:
    told = json_schema(Annotated[one.type, one.note], seen)
    is_plain = one.default is not None and isinstance(one.default, str | int)
    return {**told, "default": one.default} if is_plain else told


def _scalar_bounds(plain: Any, note: Note) -> Json:
    if plain is int:
        return _given({"minimum": note.least, "maximum": note.most})
    # Only a text that is sent has bounds; what is answered comes from vCloud and is told as it is.
    pattern = note.pattern or (_TYPABLE if plain is str and note.most is not None else None)
    pattern = f"^(?:{pattern})$" if pattern else None
    lengths = {"minLength": note.least, "maxLength": note.most, "pattern": pattern}
    return _given({**lengths, "format": _FORMATS.get(plain)})


def _silent(note: Note) -> Note:
    return Note(least=note.least, most=note.most, pattern=note.pattern)


def _given(values: Mapping[str, Any]) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _words(model: type) -> str:
    return " ".join((model.__doc__ or "").split())


# ---- read ----------------------------------------------------------------------------------------------------------


def read(hint: Any, value: Any, path: str = "") -> Any:
    """A JSON value as the type that it must be; AppError with `field` telling where it is not."""
    plain, note = _apart(hint)
    if (inner := _inside(plain)) is not None:
        return None if value is None else read(Annotated[inner, note], value, path)
    if (item := _item(plain)) is not None:
        if not isinstance(value, list):
            raise _bad(path, "array")
        _check_bounds(len(value), note, path)
        return tuple(read(item, one, f"{path}.{number}".strip(".")) for number, one in enumerate(value))
    if is_dataclass(plain) and isinstance(plain, type):
        return _read_object(plain, value, path)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        if not isinstance(value, str) or value not in [member.value for member in plain]:
            raise AppError("value_not_listed", 400, field=path, choices=", ".join(member.value for member in plain))
        return plain(value)
    return _read_scalar(plain, note, value, path)


def _read_object(model: type, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise _bad(path, "object")
    every = properties(model)
    for name in value:
        if name not in [one.name for one in every]:
            # The name is the sender's own and may hold anything, so only a plain one is repeated.
            plain = name if re.fullmatch(r"[\w.-]{1,60}", name, re.ASCII) else "?"
            names = ", ".join(one.name for one in every)
            raise AppError("value_unknown", 400, field=f"{path}.{plain}".strip("."), names=names)
    found = {}
    for one in every:
        where = f"{path}.{one.name}".strip(".")
        if one.name in value:
            found[one.name] = read(Annotated[one.type, one.note], value[one.name], where)
        elif one.is_required:
            raise AppError("value_missing", 400, field=where)
    return model(**found)


def _read_scalar(plain: Any, note: Note, value: Any, path: str) -> Any:
    if plain is int and isinstance(value, float) and value.is_integer():
        value = int(value)  # in JSON 1 and 1.0 are one number
    wanted = str if plain in (uuid.UUID, datetime) else plain
    if not isinstance(value, wanted) or (plain is int and isinstance(value, bool)):
        raise _bad(path, _NAMES[plain])
    if plain is int:
        _check_bounds(int(value), note, path)
    elif plain is str:
        _check_text(value, note, path)
    elif plain is uuid.UUID:
        if not _UUID.fullmatch(value):
            raise _bad(path, "UUID")
        return uuid.UUID(value)
    return value


def _check_text(value: str, note: Note, path: str) -> None:
    if _HALF.search(value) or not re.fullmatch(_TYPABLE, value):
        raise AppError("value_unreadable", 400, field=path)
    if note.pattern and not re.fullmatch(note.pattern, value):
        raise AppError("value_bad", 400, field=path, wanted=note.pattern)
    _check_bounds(len(value), note, path)


def _check_bounds(size: int, note: Note, path: str) -> None:
    if note.least is not None and size < note.least:
        raise AppError("value_too_small", 400, field=path, least=note.least)
    if note.most is not None and size > note.most:
        raise AppError("value_too_large", 400, field=path, most=note.most)


def _bad(path: str, wanted: str) -> AppError:
    return AppError("value_bad", 400, field=path, wanted=wanted)


def read_query(model: type, given: Mapping[str, list[str]]) -> Any:
    """The arguments of an address as a dataclass: each at most once, numbers as digits, yes and no as in JSON."""
    values: dict[str, Any] = {}
    kinds = {one.name: _inside(one.type) or one.type for one in properties(model)}
    for name, texts in given.items():
        if len(texts) > 1 and name in kinds:
            raise AppError("value_twice", 400, field=name)
        kind, text = kinds.get(name), texts[0]
        is_number = kind is int and re.fullmatch(r"-?[0-9]{1,12}", text, re.ASCII)
        is_choice = kind is bool and text in ("true", "false")
        values[name] = int(text) if is_number else text == "true" if is_choice else text
    return _read_object(model, values, "")


# ---- written -------------------------------------------------------------------------------------------------------


def written(value: Any) -> Any:
    """A dataclass, and what it is made of, as JSON values."""
    if is_dataclass(value):
        return {one.name: written(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple | list):
        return [written(one) for one in value]
    if isinstance(value, dict):
        return {name: written(one) for name, one in value.items()}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, uuid.UUID):
        return str(value)
    return str(value.value) if isinstance(value, StrEnum) else value

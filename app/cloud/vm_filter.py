"""The filter language of the list of machines: `status:on vapp:web ram:>=8gb 10.0.`. Pure: text in, conditions out.

Every part must hold; a comma inside a part means *or* (`status:on,off`). A part without a known form is a `Problem`
and the rest still works, so a typing error never hides what was found by the other parts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MOST_PARTS = 12
MOST_NUMBER = 2**31 - 1  # what a column of whole numbers holds


@dataclass(frozen=True)
class Word:
    """Stands in the name, an address, the vApp or the operating system."""

    text: str


@dataclass(frozen=True)
class Text:
    """One of the texts stands in that field; an address begins with it."""

    field: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """The machine is in one of these states, keys of `STATES`."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Number:
    """A size compared with a number: of processors, or of MB. `sign` is one of = < > <= >=."""

    field: str
    sign: str
    value: int


@dataclass(frozen=True)
class Flag:
    """The machine has it, or has it not."""

    field: str
    wanted: bool


@dataclass(frozen=True)
class Problem:
    """A part that says nothing. `code`: field, state, number, flag, empty or many."""

    code: str
    field: str
    value: str


Condition = Word | Text | State | Number | Flag


@dataclass(frozen=True)
class VmFilter:
    """What was understood of a text, and what was not."""

    conditions: tuple[Condition, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def states(self) -> frozenset[str]:
        """All states that are asked for by name."""
        return frozenset(name for part in self.conditions if isinstance(part, State) for name in part.names)

    def __str__(self) -> str:
        """The conditions in the language itself, in English; reading it gives the same conditions."""
        return " ".join(_written(part) for part in self.conditions)


FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "status": ("state", "статус", "состояние"),
        "name": ("имя", "название"),
        "vapp": ("вапп",),
        "os": ("system", "ос", "система"),
        "net": ("network", "сеть"),
        "ip": ("address", "адрес"),
        "cpu": ("цп", "процессор", "ядра"),
        "ram": ("memory", "mem", "память", "озу"),
        "disk": ("hdd", "диск"),
        "vdc": ("цод",),
        "snapshot": ("снимок", "снапшот"),
    }
)
"""The fields and their other names."""

STATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "on": ("running", "started", "up", "вкл", "включен", "включена", "работает"),
        "off": ("stopped", "down", "выкл", "выключен", "выключена", "остановлен"),
        "suspended": ("paused", "приостановлен", "приостановлена", "пауза"),
        "partly": ("partly_off", "partly-off", "частично"),
        "building": ("создается", "собирается"),
        "failed": ("broken", "сломан", "сбой"),
        "unknown": ("неизвестно",),
        "attention": ("внимание",),
        "busy": ("занят", "занята"),
        "deleted": ("recycled", "bin", "trash", "корзина", "удален", "удалена"),
        "gone": ("missing", "пропал", "пропала", "исчез"),
    }
)
"""The states that can be asked for and their other names; `attention` is partly, failed or unknown."""

NUMBERS = ("cpu", "ram", "disk")
FLAGS = ("snapshot",)
_YES = frozenset(("yes", "y", "true", "1", "да", "есть"))
_NO = frozenset(("no", "n", "false", "0", "нет"))
_GB, _TB = 1024, 1024**2
_MB = {"mb": 1, "m": 1, "мб": 1, "gb": _GB, "g": _GB, "гб": _GB, "": _GB, "tb": _TB, "t": _TB, "тб": _TB}
_NUMBER = re.compile(r"(>=|<=|=|>|<|≥|≤)?(\d{1,10})(?:[.,](\d{1,3}))?([a-zа-я]{0,2})")
_SIGNS = {"≥": ">=", "≤": "<=", None: "="}
_FIELD = re.compile(r"([^\W\d_]+):(?!:)(.*)", re.DOTALL)
_PART = re.compile(r'(?:"(?:[^"]|"")*(?:"|$)|[^\s"])+')
_PIECE = re.compile(r'"((?:[^"]|"")*)(?:"|$)|([^"]+)')


def _names(known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {name: key for key, others in known.items() for name in (key, *others)}


_FIELD_OF, _STATE_OF = _names(FIELDS), _names(STATES)


def parse(text: str) -> VmFilter:
    """Read a text that somebody typed; never raises."""
    parts = _PART.findall(text)
    read = [_read(part) for part in parts[:MOST_PARTS]]
    if len(parts) > MOST_PARTS:
        read.append(Problem("many", "", parts[MOST_PARTS]))
    return VmFilter(
        conditions=tuple(part for part in read if part is not None and not isinstance(part, Problem)),
        problems=tuple(part for part in read if isinstance(part, Problem)),
    )


def _read(part: str) -> Condition | Problem | None:
    found = _FIELD.fullmatch(part)
    if found is None:  # a word; so is everything that only looks like a field: an IPv6 or MAC address, "quoted:text"
        word = _unquoted(part)
        return Word(word) if word else None
    typed, rest = found.groups()
    field = _FIELD_OF.get(_plain(typed))
    if field is None:
        return Problem("field", typed, rest)
    values = tuple(value for value in map(_unquoted, _split(rest)) if value)
    if not values:
        return Problem("empty", field, "")
    return _condition(field, values)


def _condition(field: str, values: tuple[str, ...]) -> Condition | Problem:
    if field == "status":
        unknown = [value for value in values if _plain(value) not in _STATE_OF]
        names = tuple(dict.fromkeys(_STATE_OF[_plain(value)] for value in values if _plain(value) in _STATE_OF))
        return Problem("state", field, unknown[0]) if unknown else State(names)
    if field in NUMBERS:
        return _number(field, ",".join(values))
    if field in FLAGS:
        answer = _plain(values[0])
        return Flag(field, answer in _YES) if answer in _YES | _NO else Problem("flag", field, values[0])
    return Text(field, tuple(dict.fromkeys(values)))


def _number(field: str, text: str) -> Condition | Problem:
    found = _NUMBER.fullmatch(_plain(text).replace(" ", ""))
    bad = Problem("number", field, text)
    if found is None:
        return bad
    sign, whole, fraction, unit = found.groups()
    if (unit not in _MB) if field != "cpu" else (unit or fraction):
        return bad
    value = int(whole) if field == "cpu" else round(float(f"{whole}.{fraction or 0}") * _MB[unit])
    return Number(field, _SIGNS.get(sign, sign), value) if value <= MOST_NUMBER else bad


def _plain(text: str) -> str:
    """Case and the two spellings of "ё" mean nothing in names of fields and values."""
    return text.casefold().replace("ё", "е")


def _split(text: str) -> list[str]:
    """At the commas outside of quotes."""
    pieces, quoted = [""], False
    for letter in text:
        quoted = quoted != (letter == '"')
        if letter == "," and not quoted:
            pieces.append("")
        else:
            pieces[-1] += letter
    return pieces


def _unquoted(text: str) -> str:
    """Without its quotes; inside of them a doubled one stands for itself."""
    return "".join(quoted.replace('""', '"') or plain for quoted, plain in _PIECE.findall(text)).strip()


def _written(part: Condition) -> str:
    if isinstance(part, Word):
        return _quoted(part.text)
    if isinstance(part, Text):
        return f"{part.field}:{','.join(map(_quoted, part.texts))}"
    if isinstance(part, State):
        return f"status:{','.join(part.names)}"
    if isinstance(part, Flag):
        return f"{part.field}:{'yes' if part.wanted else 'no'}"
    sign = "" if part.sign == "=" else part.sign
    if part.field == "cpu":
        return f"cpu:{sign}{part.value}"
    whole, rest = divmod(part.value, 1024)
    return f"{part.field}:{sign}{f'{part.value}mb' if rest else f'{whole}gb'}"


def _quoted(text: str) -> str:
    needs = not text.isprintable() or any(letter in ' ",:' or letter.isspace() for letter in text)
    return '"' + text.replace('"', '""') + '"' if needs else text

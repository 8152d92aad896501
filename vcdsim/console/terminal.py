"""A text screen: lines that scroll, a prompt, a line being typed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from vcdsim.console.keyboard import BACKSPACE, DELETE
from vcdsim.console.tiles import BLACK, CELL_HEIGHT, CELL_WIDTH, Colour, Plain, Span, TextRow, Tile

GREY: Colour = (190, 190, 190)
WHITE: Colour = (255, 255, 255)
RED: Colour = (255, 0, 0)
GREEN: Colour = (0, 255, 0)
BLUE: Colour = (0, 0, 255)
YELLOW: Colour = (255, 255, 0)
SOFT_GREEN: Colour = (85, 220, 110)
SOFT_BLUE: Colour = (110, 160, 255)

_KEPT_LINES = 500
Line = tuple[Span, ...]


class LineEditor:
    """The line being typed, with a history for those who give one."""

    def __init__(self) -> None:
        self.text = ""
        self.caret = 0
        self.history: list[str] = []
        self._back = 0

    def press(self, key: str) -> None:
        """A character, or a key that edits; any other does nothing."""
        before, after = self.text[: self.caret], self.text[self.caret :]
        if len(key) == 1:
            self._put(before + key, after)
        elif key in (BACKSPACE, "Ctrl+H"):
            self._put(before[:-1], after)
        elif key == DELETE:
            self._put(before, after[1:])
        elif key == "Ctrl+U":
            self._put("", after)
        elif key == "Ctrl+W":
            self._put(before.rstrip().rpartition(" ")[0] + " " * (" " in before.strip()), after)
        elif key in ("Up", "Down"):
            self._recall(1 if key == "Up" else -1)
        else:
            places = {"Left": self.caret - 1, "Right": self.caret + 1, "Home": 0, "Ctrl+A": 0}
            ends = {"End": len(self.text), "Ctrl+E": len(self.text)}
            self.caret = max(0, min(len(self.text), {**places, **ends}.get(key, self.caret)))

    def take(self) -> str:
        """The finished line; the next one begins."""
        line, self.text, self.caret, self._back = self.text, "", 0, 0
        return line

    def _put(self, before: str, after: str) -> None:
        self.text, self.caret = before + after, len(before)

    def _recall(self, step: int) -> None:
        self._back = max(0, min(len(self.history), self._back + step))
        self._put(self.history[-self._back] if self._back else "", "")


class Terminal:
    """What was written, and what stands under it."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=_KEPT_LINES)
        #: Before what is typed; None while there is nothing to type.
        self.prompt: Line | None = None
        self.editor = LineEditor()
        self.is_secret = False

    def write(self, *lines: str | Line) -> None:
        """Add lines; plain ones are grey."""
        self._lines.extend((Span(one, GREY),) if isinstance(one, str) else one for one in lines)

    def clear(self) -> None:
        """Nothing but the prompt."""
        self._lines.clear()

    def enter(self) -> str:
        """What was typed, which now stands among the lines."""
        self._lines.append(self._typed())
        return self.editor.take()

    def tiles(self, width: int, height: int) -> list[Tile]:
        """The last lines that fit, a tile each, and what remains at the bottom."""
        columns, count = width // CELL_WIDTH, height // CELL_HEIGHT
        rows = self._rows(columns, count)
        rows += [TextRow(())] * (count - len(rows))
        tiles = [
            Tile((0, place * CELL_HEIGHT, width, CELL_HEIGHT), Plain(BLACK) if row == TextRow(()) else row)
            for place, row in enumerate(rows)
        ]
        rest = height - count * CELL_HEIGHT
        return [*tiles, Tile((0, count * CELL_HEIGHT, width, rest), Plain(BLACK))] if rest else tiles

    def _typed(self) -> Line:
        return (*(self.prompt or ()), Span("" if self.is_secret else self.editor.text, GREY))

    def _rows(self, columns: int, count: int) -> list[TextRow]:
        rows: list[TextRow] = []
        if self.prompt is not None:
            column = sum(len(span.text) for span in self.prompt) + (0 if self.is_secret else self.editor.caret)
            rows = _wrapped((*self._typed(), Span(" ", GREY)), columns)
            rows[column // columns] = TextRow(rows[column // columns].spans, column % columns)
        for line in reversed(self._lines):
            if len(rows) >= count:
                break
            rows = _wrapped(line, columns) + rows
        return rows[-count:]


def _wrapped(line: Iterable[Span], columns: int) -> list[TextRow]:
    rows: list[list[Span]] = [[]]
    room = columns
    for text, colour in line:
        rest = text
        while rest:
            if not room:
                rows.append([])
                room = columns
            rows[-1].append(Span(rest[:room], colour))
            rest, room = rest[room:], room - len(rest[:room])
    return [TextRow(tuple(row)) for row in rows]

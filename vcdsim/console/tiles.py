"""Pictures of a screen, cut into tiles whose encoded form is shared by all screens that show them.

A line of text is a tile: when a screen scrolls, every line has been encoded before, and a
hundred guests that boot encode their lines once.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from PIL import Image, ImageDraw, ImageFont

from vcdsim.console import wire
from vcdsim.console.wire import PixelFormat

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

BLACK: Colour = (0, 0, 0)
_CURSOR: Colour = (190, 190, 190)
#: Pillow's built-in bitmap font, Latin-1: 11 pixels high, 6 from letter to letter, but letters are up to 7 wide.
_FONT = ImageFont.load_default_imagefont()
_ADVANCE = 6
_GLYPH_WIDTH, _GLYPH_HEIGHT = 7, 12
_SCALE = 2
CELL_WIDTH, CELL_HEIGHT = _GLYPH_WIDTH * _SCALE, _GLYPH_HEIGHT * _SCALE
#: Drawn as a solid block, as no bitmap font of Latin-1 has it.
BLOCK = "█"


class Content(Protocol):
    """What a tile shows: equal contents look the same, so that the encoded form can be kept."""

    def __hash__(self) -> int:
        """Contents are keys."""

    def paint(self, width: int, height: int) -> Image.Image:
        """The picture, in RGB."""


class Tile(NamedTuple):
    """A part of a screen."""

    box: Box
    content: Content


@dataclass(frozen=True)
class Plain:
    """One colour."""

    colour: Colour

    def paint(self, width: int, height: int) -> Image.Image:
        """The colour, everywhere."""
        return Image.new("RGB", (width, height), self.colour)


class Span(NamedTuple):
    """Text of one colour."""

    text: str
    colour: Colour


@dataclass(frozen=True)
class TextRow:
    """A line of text on black; the cursor stands at a column, or nowhere."""

    spans: tuple[Span, ...]
    cursor: int | None = None

    def paint(self, width: int, height: int) -> Image.Image:
        """Drawn small and doubled: hard edges, as in text mode."""
        small = Image.new("RGB", (-(-width // _SCALE), -(-height // _SCALE)), BLACK)
        left = 0
        for span in self.spans:
            for letter in span.text:
                small.paste(span.colour, (left, 0), _glyph(letter))
                left += _GLYPH_WIDTH
        if self.cursor is not None:
            small.paste(_CURSOR, (self.cursor * _GLYPH_WIDTH, 0), _glyph(BLOCK))
        doubled = small.resize((small.width * _SCALE, small.height * _SCALE), Image.Resampling.NEAREST)
        return doubled.crop((0, 0, width, height))


@functools.lru_cache(maxsize=512)
def _glyph(letter: str) -> Image.Image:
    """A letter as a mask. It is drawn after a space: letters reach one pixel to the left of where they stand."""
    mask = Image.new("L", (_GLYPH_WIDTH, _GLYPH_HEIGHT))
    if letter == BLOCK:
        mask.paste(255, (0, 0, _GLYPH_WIDTH, _GLYPH_HEIGHT - 1))
    else:
        known = letter.encode("latin-1", "replace").decode("latin-1")
        ImageDraw.Draw(mask).text((1 - _ADVANCE, 0), " " + known, font=_FONT, fill=255)
    return mask


def as_tight(tile: Tile) -> bytes:
    """As a PNG file, or as a colour."""
    if isinstance(tile.content, Plain):
        return wire.rectangle(tile.box, wire.TIGHT_PNG, wire.fill(tile.content.colour))
    return wire.rectangle(tile.box, wire.TIGHT_PNG, _png(tile.content, tile.box[2], tile.box[3]))


def as_raw(tile: Tile, pixel_format: PixelFormat) -> bytes:
    """As pixels in the order the client wants."""
    return wire.rectangle(tile.box, wire.RAW, _pixels(tile.content, tile.box[2], tile.box[3], pixel_format))


@functools.lru_cache(maxsize=4096)
def _png(content: Content, width: int, height: int) -> bytes:
    file = io.BytesIO()
    content.paint(width, height).save(file, "PNG")
    return wire.png(file.getvalue())


@functools.lru_cache(maxsize=256)
def _pixels(content: Content, width: int, height: int, pixel_format: PixelFormat) -> bytes:
    red, green, blue = content.paint(width, height).split()
    bytes_of = {pixel_format.red: red, pixel_format.green: green, pixel_format.blue: blue}
    unused = Image.new("L", (width, height))
    return Image.merge("RGBA", [bytes_of.get(place, unused) for place in range(4)]).tobytes()

"""Pictures of text and rectangles on a gradient, for guests that are not in text mode."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from vcdsim.console.tiles import Box, Colour, Tile

_WHOLE = 100


@dataclass(frozen=True)
class Text:
    """A line in the middle of the screen, so many pixels high, its centre at `at` hundredths of the band's height."""

    words: str
    size: int
    at: int
    colour: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Bar:
    """A filled rectangle around the middle of the screen, `left` pixels from there."""

    left: int
    width: int
    height: int
    at: int
    colour: Colour


@dataclass(frozen=True)
class Poster:
    """A band of the screen."""

    top: Colour
    bottom: Colour
    items: tuple[Text | Bar, ...]

    def paint(self, width: int, height: int) -> Image.Image:
        """From one colour to the other, the items on it."""
        shade = Image.linear_gradient("L").resize((width, height))
        picture = Image.composite(_plain(self.bottom, shade), _plain(self.top, shade), shade)
        pen = ImageDraw.Draw(picture)
        for item in self.items:
            middle = (width // 2, height * item.at // _WHOLE)
            if isinstance(item, Text):
                pen.text(middle, item.words, font=_font(item.size), fill=item.colour, anchor="mm")
            else:
                left, top = middle[0] + item.left, middle[1] - item.height // 2
                pen.rectangle((left, top, left + item.width - 1, top + item.height - 1), fill=item.colour)
        return picture


def bands(size: tuple[int, int], posters: list[Poster]) -> list[Tile]:
    """The posters from top to bottom, equally high; what changes in one does not have the others sent."""
    width, height = size
    edges = [height * place // len(posters) for place in range(len(posters) + 1)]
    boxes: list[Box] = [(0, top, width, end - top) for top, end in pairwise(edges)]
    return [Tile(box, poster) for box, poster in zip(boxes, posters, strict=True)]


def _plain(colour: Colour, like: Image.Image) -> Image.Image:
    return Image.new("RGB", like.size, colour)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's built-in outline font; a bitmap one where Pillow was built without FreeType."""
    return ImageFont.load_default(size)

"""Pages of a PDF filled from top to bottom with text, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D

from aesdream.appendix.chapters import Listing
from aesdream.appendix.style import GREY, PAGE

MARGIN = 0.6
WIDTH = PAGE[0] - 2 * MARGIN
_POINTS = 72.0
_GUTTER = 0.08  # between two columns of a table
_KEPT = 3  # rows that stay with a table's notes


@dataclass(frozen=True)
class Entry:
    """Something that contents or bookmarks lead to: a chapter (``level`` 0), a table (1) or a figure (2), on a page, at ``top`` inches."""

    level: int
    title: str
    page: int
    top: float


@dataclass(frozen=True)
class Reference:
    """A line of text in a ``box`` (left, bottom, right, top; inches) of a ``page`` that leads to page ``to`` of the body."""

    page: int
    box: tuple[float, float, float, float]
    to: int


class Book:
    """Writes pages one after another; whatever does not fit on the page under way opens the next. Sizes are in inches, font sizes in points.

    ``entries`` are what was entered so far, ``links`` the lines that refer to another book's entries.
    """

    def __init__(self, pages: PdfPages, running_title: str, *, roman: bool = False) -> None:
        self._pages, self._running_title, self._roman = pages, running_title, roman
        self.entries: list[Entry] = []
        self.links: list[Reference] = []
        self._figure: Figure | None = None
        self._top = 0.0  # where the next block begins, from the lower edge of the page
        self._number = 0

    def new_page(self) -> None:
        """End the page under way; a page that is still empty stays."""
        self.close()
        self._number += 1
        self._figure = Figure(figsize=PAGE)
        self._top = PAGE[1] - MARGIN
        foot: dict[str, Any] = {"fontsize": 7, "color": GREY}
        self._figure.text(MARGIN / PAGE[0], 0.35 / PAGE[1], self._running_title, **foot)
        self._figure.text(1 - MARGIN / PAGE[0], 0.35 / PAGE[1], _roman(self._number) if self._roman else str(self._number), ha="right", **foot)

    def close(self) -> None:
        """Write the page under way."""
        if self._figure is not None:
            self._pages.savefig(self._figure)
            self._figure = None

    def room(self, height: float) -> None:
        """Open a page unless ``height`` is left on this one."""
        if self._figure is None or self._top - height < MARGIN:
            self.new_page()

    def part(self, height: float) -> None:
        """Begin something new: below what stands on the page under way where ``height`` is left, else on a new one."""
        self.room(height)
        if self._top < PAGE[1] - MARGIN:
            self.space(0.3)

    def space(self, height: float) -> None:
        """Leave a gap."""
        self._top -= height

    def block(self, height: float) -> SubFigure:
        """A part of the page as wide as the text, to draw in."""
        self.room(height)
        assert self._figure is not None
        rows = (PAGE[1] - self._top, height, self._top - height)
        grid = GridSpec(3, 3, figure=self._figure, height_ratios=rows, width_ratios=(MARGIN, WIDTH, MARGIN), wspace=0, hspace=0)
        self._top -= height
        part = self._figure.add_subfigure(grid[1, 1])
        part.set_facecolor("none")
        return part

    def enter(self, level: int, title: str) -> None:
        """Note what begins here, for contents and bookmarks."""
        self.entries.append(Entry(level, title, self._number, self._top))

    def reference(self, entry: Entry, size: float = 7.5) -> None:
        """A line of contents: a title, cut where it is too long, and its page."""
        height = 1.5 * size / _POINTS
        self.room(height)
        assert self._figure is not None
        title = wrapped(entry.title, WIDTH - 0.5, size)
        self._put(title[0] + (" …" if len(title) > 1 else ""), 0.0, height, size, {})
        at: dict[str, Any] = {"ha": "right", "fontsize": size}
        self._figure.text(1 - MARGIN / PAGE[0], (self._top - 0.75 * height) / PAGE[1], str(entry.page), **at)
        self.links.append(Reference(self._number, (MARGIN, self._top - height, PAGE[0] - MARGIN, self._top), entry.page))
        self._top -= height

    def heading(self, text: str, size: float = 12, *, keep: float = 1.0) -> None:
        """A heading with at least ``keep`` inches below it on the same page."""
        self.room(0.35 + keep)
        self.space(0.1)
        self.text(text, size, fontweight="bold")
        self.space(0.06)

    def text(self, text: str, size: float = 8.5, *, indent: float = 0.0, **look: Any) -> None:
        """Wrapped text."""
        for line in wrapped(text, WIDTH - indent, size, bold="fontweight" in look):
            height = 1.35 * size / _POINTS
            self.room(height)
            self._put(line, indent, height, size, look)
            self._top -= height

    def _put(self, line: str, left: float, below: float, size: float, look: Any) -> None:
        assert self._figure is not None
        self._figure.text((MARGIN + left) / PAGE[0], (self._top - 0.75 * below) / PAGE[1], line, fontsize=size, **look)

    def rule(self) -> None:
        """A hair line."""
        assert self._figure is not None
        y = self._top / PAGE[1]
        self._figure.add_artist(_hairline(y))

    def listing(self, table: Listing, size: float = 6.8) -> None:
        """A table with its heading and notes; its heads are repeated on every page that it runs over to, and its notes never stand alone."""
        if table.title:
            title = f"{table.number}: {table.title}" if table.number else table.title
            self.room(1.15)
            if table.number.startswith("Table"):
                self.enter(1, title)
            self.heading(title, 10, keep=0.8)
        self._heads(table, size)
        rows = [_cells(row, table.widths, size) for row in table.rows]
        heights = [_height(cells, size) for cells in rows]
        for place, (cells, height) in enumerate(zip(rows, heights, strict=True)):
            before = self._number
            last = place == len(rows) - _KEPT
            self.room(sum(heights[place:]) + self._notes(table, size) if last else height)
            if self._number != before:
                self._heads(table, size)
            self._row(cells, table.widths, size, {})
            self._top -= height
        if not table.rows:
            self.text("None.", size)
        self.rule()
        self.space(0.05)
        for note in table.notes:
            self.text(note, size, color="#333333")
        self.space(0.15)

    def measured(self, table: Listing, size: float = 6.8) -> float:
        """The height that a table takes where it need not run over."""
        rows = [_height(_cells(row, table.widths, size), size) for row in (table.heads, *table.rows)]
        return sum(rows) + self._notes(table, size) + (0.55 if table.title else 0.0) + 0.3

    def _notes(self, table: Listing, size: float) -> float:
        return sum(1.35 * size / _POINTS * len(wrapped(note, WIDTH, size)) for note in table.notes) + 0.1

    def _heads(self, table: Listing, size: float) -> None:
        self.rule()
        cells = _cells(table.heads, table.widths, size, bold=True)
        self._row(cells, table.widths, size, {"fontweight": "bold"})
        self._top -= _height(cells, size)
        self.rule()
        self.space(0.02)

    def _row(self, cells: Sequence[Sequence[str]], widths: Sequence[float], size: float, look: Any) -> None:
        left = 0.0
        height = 1.4 * size / _POINTS
        for lines, share in zip(cells, widths, strict=True):
            for place, line in enumerate(lines):
                self._put(line, left, height * (1 + place / 0.75), size, look)
            left += share * WIDTH


def _cells(row: Sequence[str], widths: Sequence[float], size: float, *, bold: bool = False) -> list[list[str]]:
    return [wrapped(cell, share * WIDTH - _GUTTER, size, bold=bold) for cell, share in zip(row, widths, strict=True)]


def _height(cells: Sequence[Sequence[str]], size: float) -> float:
    return 1.4 * size / _POINTS * max(map(len, cells)) + 0.02


def wrapped(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Lines no wider than ``width`` inches, broken at spaces and after slashes, or nowhere; any white space is a space."""
    lines = [""]
    for word in re.findall(r"[^ /]+/?|/| ", " ".join(text.split())):
        longer = lines[-1] + word
        if lines[-1] and _width(longer.rstrip(), bold) * size > width * _POINTS:
            lines.append(word.lstrip())
        else:
            lines[-1] = longer
    return [line.rstrip() for line in lines]


def fitted(text: str, width: float, sizes: Sequence[float], *, bold: bool = False) -> tuple[str, float]:
    """One line no wider than ``width`` inches, in the first of these sizes in which it is whole; cut short in the last where it is in none."""
    for size in sizes:
        if _width(text, bold) * size <= width * _POINTS:
            return text, size
    while text and _width(text + "…", bold) * sizes[-1] > width * _POINTS:
        text = text[:-1]
    return text + "…", sizes[-1]


def _width(text: str, bold: bool) -> float:
    """How wide a text is, in font sizes."""
    return sum(_advance(letter, bold) for letter in text)


@cache
def _advance(letter: str, bold: bool) -> float:
    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))
    if not font.get_char_index(ord(letter)):
        return 1.0  # the font lacks it, and loading it would raise
    font.set_size(100, _POINTS)
    return float(font.load_char(ord(letter), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100)


def _roman(number: int) -> str:
    """A small number as a front counts its pages."""
    parts = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
    text = ""
    for value, letters in parts:
        text += letters * (number // value)
        number %= value
    return text


def _hairline(y: float) -> Line2D:
    return Line2D([MARGIN / PAGE[0], 1 - MARGIN / PAGE[0]], [y, y], color="#555555", linewidth=0.5)

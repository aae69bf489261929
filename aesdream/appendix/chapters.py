"""What page and PDF are made of: chapters of blocks. Each block is drawn by one piece of code on the page and by one in the PDF.

A study of another kind adds a *part*: a module with ``numbers(material)``, the keys that it adds to results.json, and ``chapters(material)``, which
prints only what stands there. ``aesdream.appendix.parts`` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from matplotlib.figure import Figure, SubFigure


@dataclass(frozen=True)
class Text:
    """A paragraph; a ``note`` is set smaller, a ``warning`` cannot be overlooked."""

    block: ClassVar[str] = "text"
    text: str
    kind: Literal["plain", "note", "warning"] = "plain"


@dataclass(frozen=True)
class Heading:
    """A heading inside a chapter."""

    block: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Terms:
    """Names, each with what is to be said of it."""

    block: ClassVar[str] = "terms"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Listing:
    """A table: a title, heads of columns with their share of the width, rows of text, and notes below it; ``number`` is ``Table 6.1`` or the like."""

    block: ClassVar[str] = "listing"
    title: str
    heads: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)
    number: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure, ``size`` inches wide and high, that ``draw`` draws into a figure or a part of one.

    ``name`` is its file's, without suffix, below ``figures/``; ``number`` is ``6.2`` or the like. ``alt`` says in words what is to be seen, unless
    the caption does. Without ``draw`` there is nothing to see, and the caption says why. A picture of a ``dream`` appears on the page as that
    dream's card, which can be heard; ``sound`` is what else is heard with a picture, as paths from the run folder: a listening copy, and the exact
    sound. ``title`` is what the list of figures calls it, where the caption is long: the caption's beginning.
    """

    block: ClassVar[str] = "picture"
    name: str
    caption: str
    size: tuple[float, float]
    draw: Callable[[Figure | SubFigure], None] | None
    alt: str = ""
    number: str = ""
    title: str = ""
    dream: str = ""
    sound: tuple[str, str] | None = None


@dataclass(frozen=True)
class Audio:
    """Sounds to listen to, on the page alone: what each is, its listening copy and the exact sound (or nothing) as paths from the run folder."""

    block: ClassVar[str] = "audio"
    title: str
    sounds: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Dreams:
    """Every dream, to filter, sort, search and hear on the page; the PDF prints ``names`` of them (of results.json) in rows of small pictures."""

    block: ClassVar[str] = "dreams"
    names: Sequence[str] = ()


@dataclass(frozen=True)
class BlindTest:
    """The page's test of whether a dream is told from its start by ear, over ``names`` (dreams of results.json)."""

    block: ClassVar[str] = "blind"
    names: Sequence[str]


Block = Text | Heading | Terms | Listing | Picture | Audio | Dreams | BlindTest


@dataclass(frozen=True)
class Chapter:
    """Blocks under a title. ``key`` is its anchor on the page, ``short`` its name in the page's navigation (none: it is not listed there)."""

    key: str
    title: str
    blocks: Sequence[Block]
    short: str = ""
    medium: Literal["both", "page", "pdf"] = "both"

"""The appendix as one page that opens from disk: everything by relative path, nothing from the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as package_files
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from aesdream import files
from aesdream.appendix import words
from aesdream.appendix.analysis import COLUMNS, ROWS
from aesdream.appendix.chapters import Block, Chapter, Picture
from aesdream.appendix.thumbnails import height

Content = Mapping[str, Any]
SCRIPTS = ("data", "player", "grid", "address", "detail", "pictures", "keys", "blind", "page")
"""In the order in which they are loaded."""
ASSETS = ("page.css", *(f"{name}.js" for name in SCRIPTS))
THUMBNAIL = (COLUMNS // 2, height(2, ROWS))


@dataclass(frozen=True)
class Source:
    """Where a page finds the dreams of one run: the path of its appendix from the page, and what to call it among others (alone: nothing)."""

    folder: str = ""
    label: str = ""


@dataclass(frozen=True)
class Cards:
    """Pictures of dreams that stand side by side."""

    block: str
    pictures: Sequence[Picture]


def write(folder: Path, content: Content, chapters: Sequence[Chapter]) -> list[Path]:
    """Write the page of a run with its style and its script, whole or not at all; returns their paths."""
    entries = {entry["dream"]: entry for sweep in content["sweeps"].values() for entry in sweep["dreams"]}
    synthetic = words.synthetic(content["sounds"])
    lede = "What small networks learned to hear in these sounds, and what they dreamed, to listen to."
    page = rendered(content["study"]["study"], lede, chapters, [Source()], synthetic=synthetic, entries=entries)
    return written(folder, page)


def written(folder: Path, page: str) -> list[Path]:
    """Write ``index.html`` and what it needs, in ``page/`` beside it."""
    files.write_bytes(folder / "index.html", page.encode())
    for name in ASSETS:
        files.write_bytes(folder / "page" / name, package_files("aesdream.appendix").joinpath("templates", name).read_bytes())
    return [folder / "index.html", *(folder / "page" / name for name in ASSETS)]


def rendered(
    title: str,
    lede: str,
    chapters: Sequence[Chapter],
    sources: Sequence[Source],
    *,
    synthetic: tuple[str, str] | None,
    entries: Mapping[str, Content],
) -> str:
    """The page's HTML: chapters of a run, or of several side by side; ``entries`` are the dreams of results.json whose cards stand in chapters."""
    environment = Environment(
        loader=PackageLoader("aesdream.appendix"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["url"] = quote
    shown = [(chapter, _with_cards(chapter.blocks)) for chapter in chapters if chapter.medium != "pdf"]
    return environment.get_template("index.html.j2").render(
        title=title,
        lede=lede,
        chapters=shown,
        sources=sources,
        synthetic=synthetic,
        entries=entries,
        words=words,
        thumbnail=THUMBNAIL,
        scripts=SCRIPTS,
    )


def _with_cards(blocks: Sequence[Block]) -> list[Block | Cards]:
    """Blocks, with pictures of dreams that follow each other put side by side."""
    grouped: list[Block | Cards] = []
    for dreamt, members in groupby(blocks, lambda block: isinstance(block, Picture) and bool(block.dream)):
        if dreamt:
            grouped.append(Cards("cards", [picture for picture in members if isinstance(picture, Picture)]))
        else:
            grouped += members
    return grouped

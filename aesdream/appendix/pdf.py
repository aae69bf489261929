"""The appendix as a PDF: every chapter set page by page, then a front with contents and list of figures, joined with bookmarks and links."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages

from aesdream import files
from aesdream.appendix import sheets, words
from aesdream.appendix.binding import bound
from aesdream.appendix.chapters import Block, Chapter, Dreams, Heading, Listing, Picture, Terms, Text
from aesdream.appendix.layout import WIDTH, Book, Entry
from aesdream.appendix.material import Material

_WARNING: dict[str, Any] = {"color": "#a33b00", "fontweight": "bold"}
_TABLE, _LONG = 6.3, 4.5  # a table's font size in points; inches up to which it is kept on one page
_OPENING = 5.0  # inches without which a chapter begins on a page of its own
FACTS: dict[str, Any] = {"CreationDate": None, "Creator": None, "Producer": None}


def write(path: Path, material: Material, chapters: Sequence[Chapter]) -> None:
    """Write appendix.pdf, whole or not at all; the same bytes each time."""
    content = material.content
    name = content["study"]["study"]
    made = words.synthetic(content["sounds"])
    foot = f"aesdream – {name}" + (f" – {made[0].lower()}" if made else "")
    printed = [chapter for chapter in chapters if chapter.medium != "page"]
    body = io.BytesIO()
    with PdfPages(body, metadata=FACTS) as pages:
        book = Book(pages, foot)
        for chapter in printed:
            _chapter(book, chapter, material)
        book.close()
    front = io.BytesIO()
    with PdfPages(front, metadata=FACTS) as pages:
        opening = Book(pages, foot, roman=True)
        _front(opening, name, content, book.entries)
        opening.close()
    title = f"{name}: appendix of visualisations"
    files.write_bytes(path, bound(front.getvalue(), body.getvalue(), title, book.entries, opening.links))


def _front(book: Book, name: str, content: Mapping[str, Any], entries: Sequence[Entry]) -> None:
    book.new_page()
    book.space(0.5)
    book.text(name, 22, fontweight="bold")
    book.text("Appendix: what the networks learned, and every dream of this study", 12)
    made = words.synthetic(content["sounds"])
    if made:
        book.text(f"{made[0]}. {made[1]}", 9.5, **_WARNING)
    book.space(0.3)
    book.text("The same to listen to is index.html beside this file; every number is in results.json.", 9)
    for level, head in ((0, "Contents"), (1, "List of tables"), (2, "List of figures")):
        listed = [entry for entry in entries if entry.level == level]
        if listed:
            book.heading(head, 13)
            for entry in listed:
                book.reference(entry)


def _chapter(book: Book, chapter: Chapter, material: Material) -> None:
    book.part(_OPENING)
    book.enter(0, chapter.title)
    book.heading(chapter.title, 13)
    for place, block in enumerate(chapter.blocks):
        if isinstance(block, Heading | Listing):
            book.room(_together(book, chapter.blocks[place:]))
        _block(book, block, material)


def _together(book: Book, blocks: Sequence[Block]) -> float:
    """What a heading needs with the table below it, or a table with one without a title that belongs to it; nothing where that is long."""
    above = 0.5 if isinstance(blocks[0], Heading) else 0.0
    tables = [block for block in blocks[1 if above else 0 :][:1] if isinstance(block, Listing) and block.title]
    tables += [block for block in blocks[2 if above else 1 :][:1] if tables and isinstance(block, Listing) and not block.title]
    height = sum(book.measured(each, _TABLE) for each in tables)
    return above + height if height < _LONG else 0.0


def _block(book: Book, block: Block, material: Material) -> None:
    if isinstance(block, Text):
        book.text(block.text, 7.5 if block.kind == "note" else 8.5, **(_WARNING if block.kind == "warning" else {}))
        book.space(0.08)
    elif isinstance(block, Heading):
        book.heading(block.text, 10.5)
    elif isinstance(block, Terms):
        for name, text in block.pairs:
            book.room(0.45)
            book.text(name, 8, fontweight="bold")
            book.text(text, 8, indent=0.15)
            book.space(0.04)
    elif isinstance(block, Listing):
        book.listing(block, _TABLE)
    elif isinstance(block, Picture):
        _picture(book, block)
    elif isinstance(block, Dreams):
        _sheets(book, block, material)


def _picture(book: Book, picture: Picture) -> None:
    numbered = f"Figure {picture.number}: " if picture.number else ""
    height = picture.size[1] * WIDTH / picture.size[0] if picture.draw else 0.0
    book.room(height + 0.55)
    if picture.number:
        book.enter(2, f"{numbered}{picture.title or picture.caption}")
    if picture.draw:
        picture.draw(book.block(height))
    book.text(f"{numbered}{picture.caption}", 8)
    book.space(0.14)


def _sheets(book: Book, block: Dreams, material: Material) -> None:
    """Rows of small pictures, grouped by sweep, model and side; of several starts in one group each picture names its own."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for name in block.names:
        entry = material.entries[name]
        groups.setdefault((name.partition("/")[0], entry["model"], words.side(entry["layer"], entry["side"])), []).append(entry)
    if groups:
        book.text(words.SHEET, 7.5)
    for (sweep, model, side), members in groups.items():
        starts = {entry["start"] for entry in members}
        begun = f"from {members[0]['start']}" if len(starts) == 1 else f"from {len(starts)} starts"
        book.heading(f"Sweep “{sweep}”: {model}, {side}, {begun}", 10.5, keep=sheets.HEIGHT)
        for first in range(0, len(members), sheets.COLUMNS):
            sheets.row(book.block(sheets.HEIGHT), members[first : first + sheets.COLUMNS], material, starts=len(starts) > 1)

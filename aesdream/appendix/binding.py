"""PDFs put together and taken apart: a book with bookmarks, page labels and links, which matplotlib cannot write, and pages as files of their own."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.constants import PageLabelStyle
from pypdf.generic import DictionaryObject, Fit

from aesdream.appendix.layout import Entry, Reference


def bound(front: bytes, body: bytes, title: str, entries: Sequence[Entry], references: Sequence[Reference]) -> bytes:
    """One PDF: the front's pages counted in Roman numbers, the body's from 1; a bookmark for every chapter, and below it every table and figure.

    ``references`` are lines of the front that lead to ``entries``. The same input gives the same bytes.
    """
    writer = PdfWriter()
    opening, rest = PdfReader(io.BytesIO(front)), PdfReader(io.BytesIO(body))
    first = len(opening.pages)
    for page in [*opening.pages, *rest.pages]:
        writer.add_page(page)
    writer.set_page_label(0, first - 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(first, first + len(rest.pages) - 1, style=PageLabelStyle.DECIMAL, start=1)
    writer.add_metadata({"/Title": title, "/Creator": "aesdream", "/Producer": "matplotlib, pypdf"})
    chapter = None
    for entry in entries:
        fit = Fit.xyz(left=0, top=entry.top * 72)
        made = writer.add_outline_item(
            title=entry.title, page_number=first + entry.page - 1, parent=chapter if entry.level else None, fit=fit, is_open=False
        )
        chapter = made if not entry.level else chapter
    for line in references:
        left, below, right, above = (72 * side for side in line.box)
        link = Link(rect=(left, below, right, above), target_page_index=first + line.to - 1, border=[0, 0, 0])
        writer.add_annotation(line.page - 1, link)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def singles(pages: bytes) -> Iterator[bytes]:
    """Every page of a PDF of matplotlib's as a PDF of its own.

    Figures are written as pages of one file first, because making its fonts anew takes each file longer than all else. Its pages share their
    resources, of which each keeps what it uses.
    """
    for number in range(len(PdfReader(io.BytesIO(pages)).pages)):
        reader = PdfReader(io.BytesIO(pages))  # anew, because what a page does not use is taken out of what all share
        _keep_what_is_used(reader.pages[number])
        writer = PdfWriter()
        writer.add_page(reader.pages[number])
        writer.add_metadata({"/Creator": "aesdream", "/Producer": "matplotlib, pypdf"})
        out = io.BytesIO()
        writer.write(out)
        yield out.getvalue()


def _keep_what_is_used(page: PageObject) -> None:
    contents = page.get_contents()
    used = {name.decode() for name in re.findall(rb"/([^\s/<>()\[\]]+)", b"" if contents is None else contents.get_data())}
    shared = page["/Resources"]
    assert isinstance(shared, DictionaryObject)
    for kind in {"/XObject", "/Font", "/ExtGState", "/Pattern", "/Shading"} & {*shared}:
        found = shared[kind]
        assert isinstance(found, DictionaryObject)
        for name in [name for name in found if name[1:] not in used]:
            del found[name]

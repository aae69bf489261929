"""The front and the body of a book as one PDF, with bookmarks, page labels and links, which matplotlib cannot write."""

from __future__ import annotations

import io
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.constants import PageLabelStyle
from pypdf.generic import Fit

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
        made = writer.add_outline_item(entry.title, first + entry.page - 1, parent=chapter if entry.level else None, fit=fit, is_open=False)
        chapter = made if not entry.level else chapter
    for line in references:
        link = Link(rect=tuple(72 * side for side in line.box), target_page_index=first + line.to - 1, border=[0, 0, 0])
        writer.add_annotation(line.page - 1, link)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()

"""The parts of an appendix, by name nowhere else: whose numbers results.json holds, and whose chapters page and PDF print, in their order.

To add one: a module with ``numbers`` and ``chapters`` (see ``chapters``), its lines here, and its numbers' form in ``schema``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aesdream.appendix import alike, gallery, glance, glossary, inside, judges, likeness
from aesdream.appendix.chapters import Chapter
from aesdream.appendix.instruments import part as instruments
from aesdream.appendix.material import Material
from aesdream.appendix.truth import part as truth

NUMBERS: Sequence[Callable[[Material], dict[str, Any]]] = (
    judges.numbers,
    inside.numbers,
    likeness.numbers,
    gallery.numbers,
    instruments.numbers,
    truth.numbers,
)
"""Each may use what those before it have found."""

CHAPTERS: Sequence[Callable[[Material], list[Chapter]]] = (
    glance.chapters,
    instruments.chapters,
    truth.chapters,
    gallery.chapters,
    alike.chapters,
    judges.chapters,
    inside.chapters,
    glossary.chapters,
)


def chapters(material: Material) -> list[Chapter]:
    """All chapters that a run has something for."""
    return [chapter for part in CHAPTERS for chapter in part(material)]

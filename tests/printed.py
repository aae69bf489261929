"""What a run's page and PDF print, as text, and whether results.json holds it: for runs that are made up, and for real ones."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pypdf import PdfReader

from aesdream import files
from aesdream.appendix import words
from tests.fabricated import squeezed

UNIT = ("schema", "unit", "digest", "recipe", "files")
PROSE = {"2019": "the thesis's year", "5.2": "the network's figure", "6.14": "the last figure of a living filter", "6.5": "the last table"}
PROSE |= {"200": "Hz, of low_share", "85": "%, of rolloff_hz", "90": "dB, of every spectrogram", "95": "% intervals"}
"""Numbers of sentences that are the same whatever a run finds."""


def read(run: Path) -> SimpleNamespace:
    """A run's ``content`` (results.json), its page's ``source``, ``page`` and ``pdf`` as text without white space, ``leaves``, the PDF's pages, and
    ``ticks``, the numbers inside its figures.
    """
    source = (run / "appendix/index.html").read_text()
    leaves = [sheet.extract_text() for sheet in PdfReader(run / "appendix/appendix.pdf").pages]
    content = files.read_json(run / "results.json")
    ticks = {number for figure in (run / "appendix/figures").glob("*.pdf") for number in numerals(PdfReader(figure).pages[0].extract_text())}
    texts = {"page": squeezed(seen(source)), "pdf": squeezed("".join(leaves))}
    return SimpleNamespace(run=run, content=content, source=source, leaves=leaves, ticks=ticks, **texts)


def seen(source: str) -> str:
    """The text of a page's body: header, headings, tables with their heads, captions and notes."""
    return html.unescape(re.sub(r"<[^>]+>", " ", source.partition("<body>")[2]))


def in_pdf(printed: SimpleNamespace, text: str) -> bool:
    """Whether the PDF holds a text, on one leaf or going on over the foot of one."""
    wanted, leaves = squeezed(text), [squeezed(leaf) for leaf in printed.leaves]
    cuts = [(wanted[:place], wanted[place:]) for place in range(1, len(wanted))]
    return wanted in printed.pdf or any(one.endswith(head) and tail in other for one, other in pairwise(leaves) for head, tail in cuts)


def numerals(text: str) -> set[str]:
    """Every number in a text, as it is printed."""
    return {found.strip(",") for found in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e−?\d+)?", text)}


def renderings(value: Any) -> set[str]:
    """Every way in which the appendix may print what results.json holds."""
    if isinstance(value, dict):
        return {text for key, inner in value.items() for text in renderings(inner) | numerals(str(key))}
    if isinstance(value, list):
        return {str(len(value)), *(text for inner in value for text in renderings(inner))}
    if isinstance(value, str):
        return numerals(value)
    if isinstance(value, bool) or value is None:
        return set()
    forms = [words.number(value, digits) for digits in (2, 3, 4)] + [
        words.significant(value),
        words.percent(value),
        words.decibels(value),
        f"{value:g}",
    ]
    return numerals(" ".join((*forms, str(value), words.count(value) if isinstance(value, int) else "")))


def held(content: dict[str, Any]) -> set[str]:
    """Every number that may be printed: results.json's, the digests of a unit's own JSON apart, and those of prose."""
    return renderings({key: value for key, value in content.items() if key not in UNIT}) | {*PROSE}


def check(printed: SimpleNamespace) -> None:
    """Fail where page or PDF print a number that results.json does not hold, or lack one that stands in its tables, headline or captions."""
    assert strange(printed) == {}
    assert "mathdefault" not in printed.pdf  # of matplotlib's ticks, where mathematics is off
    for text in [*tabled(printed.content), *sums(printed.content)]:
        assert squeezed(text) in printed.page, text
        assert in_pdf(printed, text), text
    for text in captions(printed.content):
        assert squeezed(text) in printed.pdf, text


def strange(printed: SimpleNamespace) -> dict[str, set[str]]:
    """The numbers that page and PDF print and results.json does not hold, by where they stand."""
    allowed = held(printed.content)
    inside_figures = printed.ticks | {str(number) for number in range(len(printed.leaves))}
    found = {"page": numerals(seen(printed.source)) - allowed}
    found |= {f"PDF, leaf {place}": numerals(leaf) - allowed - inside_figures for place, leaf in enumerate(printed.leaves)}
    return {where: numbers for where, numbers in found.items() if numbers}


def tabled(content: dict[str, Any]) -> list[str]:
    """Lines of the tables that results.json's numbers must give."""
    lines = []
    for table in (table for table in content.get("tables", []) if table["mean"] and table["named"]):
        for measure, found in table["mean"].items():
            lines.append(f"{words.interval(table['named']['measures'][measure])} {words.interval(found)} {words.number(found['sd_splits'])}")
        lines.append("ŷ = 1 {tp} {fp}".format(**table["named"]["confusion"]))
    sticks = [f"{words.JUDGES[stick['judge']]}{whose(stick)} {words.interval(stick['mean']['roc_auc'])}" for stick in content.get("yardsticks", [])]
    levels = [f"{words.LEVELS[level['descriptor']]}{whose(level)} {words.interval(level['roc_auc'])}" for level in content.get("levels", [])]
    paired = [words.interval(entry["difference"]) for entry in content.get("comparisons", []) if entry["difference"]]
    moved = [f"{words.significant(one['rms_moved'])} × {words.significant(one['largest_moved'])} ×" for one in content["pooled"]["conv1"].values()]
    return [*lines, *sticks, *levels, *paired, *moved, *truths(content)]


def whose(row: dict[str, Any]) -> str:
    """By whose labels a judge was judged, where several composers judge the sounds."""
    return f", {row['composer']}" if "composer" in row else ""


def truths(content: dict[str, Any]) -> list[str]:
    """What is said of whether dreams tell the truth, and the change of every composer's own determinant both ways."""
    told = content.get("truth") or {"said": {}, "networks": []}
    rows = [" ".join(words.interval(one) for one in row["toward"]) for network in told["networks"] for row in network["rows"]]
    return [*(text for texts in told["said"].values() for text in texts), *rows]


def sums(content: dict[str, Any]) -> list[str]:
    """What is said of corpus, models and dreams as a whole."""
    sounds, outcome = content["sounds"], content["outcome"]
    labels = ", ".join(f"{words.count(count)} {name}" for name, count in sounds["labels"].items())
    there = sum(model["problem"] is None for model in content["models"])
    made = f"{outcome['made']} of {outcome['asked']} made. Of these {outcome['rose']} raised"
    return [labels, f"{there} of {len(content['models'])} trained", made, f"{words.count(content['network'][0]['parameters'])} parameters"]


def captions(content: dict[str, Any]) -> list[str]:
    """The caption of every numbered dream, and the numbers below every small picture."""
    dreams = {dream["dream"]: dream for sweep in content["sweeps"].values() for dream in sweep["dreams"]}
    numbered = [f"Figure {entry['figure']}: {words.caption(dreams[entry['dream']])}" for entry in content["figures"] if entry["dream"]]
    rises = [f"{words.significant(dream['first'])} → {words.significant(dream['last'])}" for dream in dreams.values() if not dream["problem"]]
    return numbered + rises

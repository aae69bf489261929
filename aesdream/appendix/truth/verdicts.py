"""What is said of the matrix: a verdict for every composer and network by rules that stand here, and the paragraphs that follow from them.

**The rules.** A network that does not tell a composer's sounds apart (its AUC's interval reaches down to chance) learned nothing that its dreams
could tell. Of one that does, dreams *tell* the truth where the composer's own determinant (the diagonal) moved toward what is interesting, more than
in every control, and more than every rival of its row moved in either direction. They *hint* at it where the first two hold and the third does not,
they *mislead* where the diagonal moved the other way beyond every control, and else they are *silent*. Each is a claim of 95 % intervals alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.training.statistics import LEVEL
from aesdream.truth.contrasts import above, below

Content = Mapping[str, Any]
CHANCE = 0.5
"""ROC AUC of guessing."""
CORRELATED = 0.4
"""Rank correlation from which two determinants are named as hard to tell apart."""
JUDGED = ("tells", "hints", "misleads", "silent")
VERDICTS = {
    "tells": "tells",
    "hints": "hints",
    "misleads": "misleads",
    "silent": "silent",
    "unheard": "not heard",
    "uncontrolled": "no controls yet",
    "missing": "not made yet",
}


def verdict(row: Content, auc: Content | None, determinants: Sequence[str]) -> str:
    """A key of ``VERDICTS`` for one composer in one network."""
    place = list(determinants).index(row["composer"])
    if not row["models"]:
        return "missing"
    if auc is None or auc["low"] is None or auc["low"] <= CHANCE:
        return "unheard"
    if set(row["against"]) != set(CONTROLS):
        return "uncontrolled"
    if not row["beyond"][place]:
        return "silent"
    if below(row["cells"][place]):
        return "misleads"
    return "tells" if row["margin"] is not None and above(row["margin"]) else "hints"


def chance(networks: Sequence[Content]) -> dict[str, Any]:
    """How many intervals there are, how many exclude zero, and how many would by chance; of rows that learned and, apart, of shuffled labels."""
    learned = [cell for network in networks for row in network["rows"] for cell in row["cells"]]
    shuffled = [cell for network in networks for row in network["controls"] if row["control"] == "shuffled" for cell in row["cells"]]
    return {name: _count(cells) for name, cells in (("learned", learned), ("shuffled", shuffled))}


def _count(cells: Sequence[Content]) -> dict[str, Any]:
    bounded = [cell for cell in cells if cell["low"] is not None]
    excluding = sum(above(dict(cell)) or below(dict(cell)) for cell in bounded)
    return {"cells": len(bounded), "excluding": excluding, "expected": round((1 - LEVEL) * len(bounded), 2)}


def sentences(found: Content) -> list[str]:
    """The paragraphs: what holds, what does not, how sure that is."""
    rows = [(network["network"], row) for network in found["networks"] for row in network["rows"]]
    return [*_outcome(rows), *_misses(found, rows), _sure(found), *_networks(found), *_correlated(found)]


def _named(rows: Sequence[tuple[str, Content]], kind: str) -> str:
    """``bright in short and many; wide in short``."""
    by_composer: dict[str, list[str]] = {}
    for network, row in rows:
        if row["verdict"] == kind:
            by_composer.setdefault(row["composer"], []).append(network)
    return "; ".join(f"“{composer}” in {_listed(names)}" for composer, names in by_composer.items())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count_of(rows: Sequence[tuple[str, Content]], *kinds: str) -> int:
    return sum(row["verdict"] in kinds for _, row in rows)


def _outcome(rows: Sequence[tuple[str, Content]]) -> list[str]:
    judged = _count_of(rows, *JUDGED)
    if not judged:
        return ["Whether dreams tell the truth cannot be said yet: no network that heard its composer has its dreams and all three controls."]
    tells = _count_of(rows, "tells")
    head = (
        f"Of {len(rows)} pairs of a composer and a network, {judged} can be judged: the network heard the composer, and all controls are there. "
        f"In {tells} of these {judged} the dreams tell the truth: toward “interesting” they move the composer's own determinant, more than controls "
        "do and more than any of its rivals."
    )
    lines = [head + (f" These are {_named(rows, 'tells')}." if tells else " None does.")]
    for kind, said in (
        ("hints", "The composer's own determinant moved as it should and beyond the controls, but not beyond every rival"),
        ("misleads", "It moved the wrong way, beyond the controls"),
        ("silent", "It was heard, and yet its dreams do not move its determinant beyond the controls"),
    ):
        named = _named(rows, kind)
        if named:
            lines.append(f"{said}: {named}.")
    return lines


def _misses(found: Content, rows: Sequence[tuple[str, Content]]) -> list[str]:
    said = []
    unheard = _named(rows, "unheard")
    if unheard:
        said.append(f"Not heard, so that their dreams have nothing to tell: {unheard}. That is no failure of dreaming.")
    pending = [f"“{row['composer']}” in {network}" for network, row in rows if row["verdict"] in ("missing", "uncontrolled")]
    pending += [f"“{name}” in {network['network']}" for network in found["networks"] for name in network["absent"]]
    if pending:
        said.append(f"Not made yet, or without all controls: {'; '.join(pending)}.")
    return said


def _sure(found: Content) -> str:
    learned, shuffled = found["chance"]["learned"], found["chance"]["shuffled"]
    splits = [row["splits"] for network in found["networks"] for row in network["rows"] if row["splits"]]
    models = [row["models"] for network in found["networks"] for row in network["rows"] if row["models"]]
    judged = _count_of([("", row) for network in found["networks"] for row in network["rows"]], *JUDGED)
    text = (
        f"How sure: every number stands on {_range(models)} models from {_range(splits)} splits of one corpus; intervals are Student's over splits. "
        f"Of {learned['cells']} cells {learned['excluding']} exclude zero, where {learned['expected']:g} would by chance"
    )
    if shuffled["cells"]:
        text += f"; of {shuffled['cells']} cells of shuffled labels {shuffled['excluding']} do, where {shuffled['expected']:g} would"
    if judged:
        text += f". Of {judged} pairs with nothing to tell, {judged * (1 - LEVEL) / 2:.2g} or fewer would be said to tell the truth"
    short = [f"{words.percent(1 - network['reached'])} in {network['network']}" for network in found["networks"] if (network["reached"] or 1) < 1]
    if short:
        text += f". Some dreams did not come as far from their start as others ({', '.join(short)}), which makes their contrast the smaller"
    return text + "."


def _range(values: Sequence[int]) -> str:
    if not values:
        return "no"
    return str(values[0]) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def _networks(found: Content) -> list[str]:
    """For every network how alike the two directions are."""
    parts = []
    for network in found["networks"]:
        alike = network["directions"]["determinants"]
        if alike["value"] is not None:
            how = "alike" if above(alike) else "in opposite ways" if below(alike) else "neither alike nor in opposite ways for sure"
            parts.append(f"{how} in {network['network']} (cosine {words.interval(alike)})")
    if not parts:
        return []
    return [
        f"Dreams toward “interesting” and toward “not” move the determinants {'; '.join(parts)}. Where they move them alike, most of what is heard "
        "in a dream is what any dream of that network does, and only the contrast speaks of the composer."
    ]


def _correlated(found: Content) -> list[str]:
    names, ranks = found["determinants"], found["rank_correlations"]
    pairs = [
        f"{names[i]} with {names[j]} {words.number(ranks[i][j], 2)}"
        for i in range(len(names))
        for j in range(i)
        if ranks[i][j] is not None and abs(ranks[i][j]) >= CORRELATED
    ]
    if not pairs:
        return []
    return [
        f"Over the corpus some determinants go together (rank correlation: {', '.join(pairs)}). A network may learn one by the other, which is no "
        "lie, but a row's diagonal is then hard to tell from its neighbour: a table says what is left of it once what comes along with its closest "
        "rival is taken out. A mixture and its parts are no rivals of each other."
    ]

"""A verdict on every composer and network, by rules that stand here.

**The rules.** A network that does not tell a composer's sounds apart (its AUC's interval reaches down to chance) learned nothing that its dreams
could tell. Of one that does, dreams *tell* the truth where the composer's own determinant (the diagonal) moved toward what is interesting, more than
in every control, and more than every rival of its row moved in either direction. They *hint* at it where the first two hold and the third does not,
they *mislead* where the diagonal moved the other way beyond every control, and else they are *silent*. Each is a claim of 95 % intervals alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.training.statistics import LEVEL
from aesdream.truth.contrasts import above, below

Content = Mapping[str, Any]
CHANCE = 0.5
"""ROC AUC of guessing."""
BY_CHANCE = 0.05
"""Pairs of filters that count as found again between models of shuffled labels."""
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


def exceeds(found: Content, limit: float) -> bool:
    """Whether the whole interval of a share lies above a limit; a share of 1 in every split has none."""
    return found["value"] == 1 if found["low"] is None else found["low"] > limit

"""A verdict on every composer and network, by rules of intervals that stand here (what was changed after seeing results: docs/truth.md).

A network that does not tell a composer's sounds apart better than one of shuffled labels does, or hardly, learned nothing that its dreams could tell.
Of one that does, the composer's own determinant is judged (the diagonal), of a mixture every part:

- *tells*: its contrast, and that less every control, lies beyond ``SMALLEST`` of what dreams of the rule itself move; above the size of every rival
  of its row; and above what dreams of the other composers that this network heard move it. Of a mixture every part does; where only some do, it tells
  in *part*.
- *faint*: all of that holds but for the size, which may be less than ``SMALLEST``.
- *misleads*: it lies as far beyond ``SMALLEST`` the other way.
- *another*: a rival that lies beyond every control surely moved more.
- *hints*: as *tells*, but not surely beyond every rival or other composer, or one of them is not known.
- *trace*: as *hints*, but for the size: it surely goes the right way beyond every control, and no more can be said.
- *nothing*: the contrast less each control lies within ± ``SMALLEST`` (equivalence), of a mixture that of every part.
- *undecided*: none of these can be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix.truth.claims import SMALLEST
from aesdream.appendix.truth.gathered import CONTROLS, MOST_MISSING
from aesdream.training.statistics import LEVEL
from aesdream.truth.contrasts import above, below, holm

Content = Mapping[str, Any]
CHANCE = 0.5
"""ROC AUC of guessing."""
FLOOR = 0.6
"""The ROC AUC under which a composer counts as not heard, however sure it is."""
JUDGED = ("tells", "part", "faint", "hints", "trace", "another", "misleads", "nothing", "undecided")
VERDICTS = {
    "tells": "tells",
    "part": "tells in part",
    "faint": "tells, faintly",
    "hints": "hints",
    "trace": "hints, faintly",
    "another": "tells of another",
    "misleads": "misleads",
    "nothing": "tells nothing",
    "undecided": "undecided",
    "unheard": "not heard",
    "incomparable": "not comparable",
    "unmoved": "cannot be moved",
    "few": "too few splits",
    "uncontrolled": "not all there",
    "missing": "not made yet",
}


def is_heard(told: Content) -> bool:
    """Whether a network heard a composer: its AUC lies above guessing (over families) and over the floor, and above that of shuffled labels' models
    for the same labels (over splits).
    """
    auc = told["roc_auc"]
    return auc is not None and above(auc, CHANCE) and auc["value"] >= FLOOR and above(told["heard"])


def verdict(row: Content) -> str:
    """A key of ``VERDICTS`` for one composer in one network, of whose claims the verdicts are known."""
    claims = row["claims"]
    reasons = (
        ("missing", not row["models"] or row["roc_auc"] is None),
        ("uncontrolled", row["heard"]["value"] is None),
        ("few", row["heard"]["low"] is None),
        ("unheard", not is_heard(row)),
        ("incomparable", any(share > MOST_MISSING for share in row["short"].values())),
        ("uncontrolled", set(row["against"]) != set(CONTROLS) or any(claim["reach"]["low"] is None for claim in claims)),
        ("unmoved", any(claim["contrast"]["value"] is None for claim in claims)),
    )
    return next((said for said, holds in reasons if holds), None) or together(claims)


def of_claim(claim: Content) -> str:
    """What is said of one determinant."""
    needed = [claim["contrast"], *claim["less"].values()]
    if all(below(one, -SMALLEST) for one in needed):
        return "misleads"
    if claim["surpassed"]:
        return "another"
    stands_out = all(one is not None and above(one) for one in (claim["margin"], claim["column"]))
    if all(above(one, SMALLEST) for one in needed):
        return "tells" if stands_out else "hints"
    if all(above(one) for one in needed):
        return "faint" if stands_out else "trace"
    return "nothing" if is_small(claim) else "undecided"


def is_small(claim: Content) -> bool:
    """Whether what dreams moved is what every control moved, to within ``SMALLEST``: there may be a difference, but none that counts."""
    return claim["within"] is not None and claim["within"] <= SMALLEST


def together(claims: Sequence[Content]) -> str:
    """One verdict of those on every part."""
    kinds = {claim["verdict"]: None for claim in claims}
    if len(kinds) == 1:
        return next(iter(kinds))
    found = next((said for kind, said in (("misleads", "misleads"), ("tells", "part"), ("another", "another")) if kind in kinds), None)
    return found or ("nothing" if all(map(is_small, claims)) else "undecided")


def corrected(rows: Sequence[Content], key: str) -> list[float | None]:
    """For every row the p under a key, of all that "tells" needs or "tells, faintly", corrected for the number of rows that are judged (Holm); None
    for the others, and where a rival or another composer is not known.
    """
    judged = [row for row in rows if row["verdict"] in JUDGED]
    doubts = [max(1.0 if claim[key] is None else claim[key] for claim in row["claims"]) for row in judged]
    found = dict(zip([id(row) for row in judged], holm(doubts), strict=True))
    return [None if any(claim[key] is None for claim in row["claims"]) else found.get(id(row)) for row in rows]


def chance(networks: Sequence[Content]) -> dict[str, Any]:
    """How many intervals there are, how many exclude zero, and how many would by chance; of rows that learned and, apart, of shuffled labels."""
    learned = [cell for network in networks for row in network["rows"] for cell in row["cells"]]
    shuffled = [cell for network in networks for row in network["controls"] if row["control"] == "shuffled" for cell in row["cells"]]
    return {name: _count(cells) for name, cells in (("learned", learned), ("shuffled", shuffled))}


def _count(cells: Sequence[Content]) -> dict[str, Any]:
    bounded = [cell for cell in cells if cell["low"] is not None]
    excluding = sum(above(dict(cell)) or below(dict(cell)) for cell in bounded)
    return {"cells": len(bounded), "excluding": excluding, "expected": round((1 - LEVEL) * len(bounded), 2)}

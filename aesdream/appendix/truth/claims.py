"""What is claimed of one determinant in one network: that dreams moved it, beyond controls, rivals of its row, and other composers' dreams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aesdream.training.statistics import Estimate, number
from aesdream.truth.contrasts import Array, Margin, Pairs, apart, by_split, closest, doubt, equivalent, estimate, less, margins, surpassing

Numbers = dict[str, Any]
SMALLEST = 0.1
"""The smallest contrast that counts, as a share of what a dream of the composer's own rule moves at that distance. Until such dreams were made it was
.2 standard deviations of the corpus, which at the verdict's distance is twice what even they move of brightness (docs/truth.md).
"""


@dataclass(frozen=True)
class Compared:
    """What a composer's dreams are compared with: its own contrasts, those of every control, and those of other composers' dreams (of rivals that
    were heard); ``corpus`` holds every determinant over the corpus, in its standard deviations, and ``rivals`` those that count; ``reach`` is what
    dreams of each determinant's own rule move it (docs/truth.md), in whose shares all is compared but what is ``apart``.
    """

    own: Pairs
    controls: Mapping[str, Pairs]
    others: Mapping[str, Pairs]
    corpus: Mapping[str, Array]
    rivals: Sequence[str]
    reach: Mapping[str, float]

    @property
    def names(self) -> list[str]:
        """All determinants."""
        return list(self.corpus)

    def raw(self, determinant: str, moved: Pairs) -> Array:
        """The contrast of a determinant in every split (splits,), in standard deviations of the corpus."""
        place = self.names.index(determinant)
        return np.array([values[place] for values in by_split(moved).values()])

    def of(self, determinant: str, moved: Pairs) -> Array:
        """The same as a share of its reach; NaN where that is not known."""
        return self.raw(determinant, moved) / self.reach.get(determinant, np.nan)


def claim(determinant: str, all_of: Compared) -> Numbers:
    """Everything that a verdict needs of one determinant; ``verdicts.of_claim`` adds its verdict."""
    own = all_of.of(determinant, all_of.own)
    beside = {name: all_of.of(determinant, less(all_of.own, moved)) for name, moved in all_of.controls.items()}
    rivals = {name: all_of.of(name, all_of.own) for name in all_of.rivals if name in all_of.reach}
    rows, columns = margins(own, rivals), _columns(determinant, all_of)
    needed = [estimate(values) for values in (own, *beside.values())]
    halves = [(one["high"] - one["low"]) / 2 for one in needed if one["low"] is not None and one["high"] is not None]
    doubts = [*(doubt(values, SMALLEST) for values in (own, *beside.values())), *(doubt(one.values) for one in (*rows, *columns))]
    return {
        "determinant": determinant,
        "reach": number(all_of.reach.get(determinant, float("nan"))),
        "contrast": estimate(own),
        "median": estimate(_medians(determinant, all_of)),
        "less": {name: estimate(values) for name, values in beside.items()},
        "margin": _told(closest(rows)),
        "surpassed": surpassing(own, rivals) if rivals else None,
        "column": _told(closest(columns)),
        "compared": list(dict.fromkeys(one.rival for one in columns)),
        "apart": _apart(determinant, all_of),
        "within": number(max((equivalent(values) for values in beside.values()), default=float("nan"))),
        "shown": number(SMALLEST + max(halves)) if len(halves) == len(needed) else None,
        "p": number(max(doubts)),
    }


def _columns(determinant: str, all_of: Compared) -> list[Margin]:
    """How far the determinant's contrast lies above its size in other composers' dreams, at the starts that both have."""
    found = []
    for name, moved in all_of.others.items():
        common = {key: all_of.own[key] for key in all_of.own if key in moved}
        theirs = {key: moved[key] for key in common}
        if common:
            found += margins(all_of.of(determinant, common), {name: all_of.of(determinant, theirs)})
    return found


def _medians(determinant: str, all_of: Compared) -> list[float]:
    """The median over starts in every split: determinants are skewed, and a few starts may carry a mean."""
    place = all_of.names.index(determinant)
    splits = sorted({split for split, _ in all_of.own})
    reach = all_of.reach.get(determinant, np.nan)
    return [float(np.median([values[place] for (own, _), values in all_of.own.items() if own == split])) / reach for split in splits]


def _apart(determinant: str, all_of: Compared) -> Estimate | None:
    own, rivals = all_of.raw(determinant, all_of.own), {name: all_of.raw(name, all_of.own) for name in all_of.rivals}
    varying = [name for name in rivals if np.isfinite(all_of.corpus[name]).all()]
    if not own.size or not varying or not np.isfinite(all_of.corpus[determinant]).all():
        return None
    beside, corpus = (np.array([source[name] for name in varying]).T for source in (rivals, all_of.corpus))
    return estimate(apart(own, beside, all_of.corpus[determinant], corpus))


def _told(one: Margin | None) -> Numbers | None:
    return None if one is None else {"rival": one.rival, **one.found}

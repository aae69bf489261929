"""What is claimed of one determinant in one network: that dreams moved it, beyond controls, rivals of its row, and other composers' dreams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aesdream.training.statistics import Estimate, number
from aesdream.truth.contrasts import Array, Margin, Pairs, above, apart, by_split, closest, doubt, equivalent, estimate, less, margins, surpassing

Numbers = dict[str, Any]
SMALLEST = 0.1
"""The smallest contrast that counts, as a share of what a dream of the composer's own rule moves at that distance. Until such dreams were made it was
.2 standard deviations of the corpus, which at the verdict's distance is twice what even they move of brightness (docs/truth.md).
"""


@dataclass(frozen=True)
class Compared:
    """What a composer's dreams are compared with: its own contrasts, those of every control, and those of other composers' dreams (of rivals that
    were heard); ``rules`` what dreams of each determinant's own rule move, in whose shares all is compared but what is ``apart``; ``corpus`` holds
    every determinant over the corpus, in its standard deviations, ``rivals`` those that count, and ``beyond`` those that these dreams moved beyond
    zero and every control.
    """

    own: Pairs
    controls: Mapping[str, Pairs]
    others: Mapping[str, Pairs]
    rules: Mapping[str, Pairs]
    corpus: Mapping[str, Array]
    rivals: Sequence[str]
    beyond: Sequence[str]

    def place(self, determinant: str) -> int:
        """Where a determinant stands in all contrasts."""
        return list(self.corpus).index(determinant)

    def raw(self, determinant: str, moved: Pairs) -> Array:
        """The contrast of a determinant in every split (splits,), in standard deviations of the corpus."""
        return np.array([values[self.place(determinant)] for values in by_split(moved).values()])

    def reach(self, determinant: str) -> Array:
        """The same in dreams of its own rule, in every split of these dreams, at the starts that both have; NaN where there are none."""
        rule = self.rules.get(determinant, {})
        there = by_split({key: rule[key] for key in self.own if key in rule})
        return np.array([there[split][self.place(determinant)] if split in there else np.nan for split in by_split(self.own)])

    def movable(self, determinant: str) -> bool:
        """Whether dreams of its own rule are there in every split, and surely raise it: only of what can be moved there are shares."""
        reach = self.reach(determinant)
        return bool(reach.size and np.isfinite(reach).all() and above(estimate(reach)))

    def of(self, determinant: str, moved: Pairs) -> Array:
        """The contrast of a determinant in every split (splits,) as a share of what dreams of its own rule move there, from the same starts; NaN
        where it cannot be moved, in all splits where it is not raised in one of them.
        """
        unknown = np.full(len(by_split(moved)), np.nan)
        if not self.movable(determinant):
            return unknown
        rule, place = self.rules[determinant], self.place(determinant)
        both = [key for key in moved if key in rule]
        ours, theirs = (by_split({key: source[key] for key in both}) for source in (moved, rule))
        if any(values[place] <= 0 for values in theirs.values()):
            return unknown
        return np.array([ours[split][place] / theirs[split][place] if split in ours else np.nan for split in by_split(moved)])


def claim(determinant: str, all_of: Compared) -> Numbers:
    """Everything that a verdict needs of one determinant; ``verdicts.of_claim`` adds its verdict."""
    own, reach = all_of.of(determinant, all_of.own), all_of.reach(determinant)
    beside = {name: all_of.of(determinant, less(all_of.own, moved)) for name, moved in all_of.controls.items()}
    rivals = {name: all_of.of(name, all_of.own) for name in all_of.rivals}
    rows, columns = margins(own, rivals), _columns(determinant, all_of)
    needed = [estimate(values) for values in (own, *beside.values())]
    halves = [(one["high"] - one["low"]) / 2 for one in needed if one["low"] is not None and one["high"] is not None]
    known = rows and columns and all(one.found["low"] is not None for one in (*rows, *columns))
    p = {
        limit: number(max(*(doubt(values, limit) for values in (own, *beside.values())), *(doubt(one.values) for one in (*rows, *columns))))
        for limit in (SMALLEST, 0.0)
        if known
    }
    return {
        "determinant": determinant,
        "reach": estimate(reach if np.isfinite(reach).all() else []),
        "contrast": estimate(own),
        "median": estimate(_medians(determinant, all_of)),
        "less": {name: estimate(values) for name, values in beside.items()},
        "margin": _told(closest(rows)),
        "surpassed": surpassing(own, rivals, all_of.beyond),
        "column": _told(closest(columns)),
        "compared": list(dict.fromkeys(one.rival for one in columns)),
        "apart": _apart(determinant, all_of),
        "within": number(max((equivalent(values) for values in beside.values()), default=float("nan"))),
        "shown": number(SMALLEST + max(halves)) if len(halves) == len(needed) else None,
        "p": p.get(SMALLEST),
        "p_faint": p.get(0.0),
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


def _medians(determinant: str, all_of: Compared) -> Array:
    """The median over starts in every split, as a share of what the rule moves on average: determinants are skewed, and a few starts may carry a
    mean.
    """
    place, splits = all_of.place(determinant), by_split(all_of.own)
    if not all_of.movable(determinant):
        return np.full(len(splits), np.nan)
    there = {key: values[place] for key, values in all_of.own.items() if key in all_of.rules[determinant]}
    return np.array([np.median([value for (own, _), value in there.items() if own == split]) for split in splits]) / all_of.reach(determinant)


def _apart(determinant: str, all_of: Compared) -> Estimate | None:
    own, rivals = all_of.raw(determinant, all_of.own), {name: all_of.raw(name, all_of.own) for name in all_of.rivals}
    varying = [name for name in rivals if np.isfinite(all_of.corpus[name]).all()]
    if not own.size or not varying or not np.isfinite(all_of.corpus[determinant]).all():
        return None
    beside, corpus = (np.array([source[name] for name in varying]).T for source in (rivals, all_of.corpus))
    return estimate(apart(own, beside, all_of.corpus[determinant], corpus))


def _told(one: Margin | None) -> Numbers | None:
    return None if one is None else {"rival": one.rival, **one.found}

"""Which held-out sounds are dreamed: evenly over the classes, drawn from the study's seed, with a wrong class for each (paper, section 2); or spread
over what was measured in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from aesdream.errors import UserError
from aesdream.seeding import generator


@dataclass(frozen=True)
class Excerpt:
    """A held-out sound of one class: its ``index`` in its set, its class and the wrong one that was drawn for it, by number."""

    index: int
    right: int
    wrong: int


def excerpt(number: int, labels: NDArray[np.integer], families: Sequence[str], among: Sequence[int], classes: Sequence[str], seed: int) -> Excerpt:
    """The held-out sound ``number`` of those ``among`` a set's sounds that have one label: of class ``number`` modulo the number of classes.

    ``labels`` [shape=(N, classes)] and ``families`` (N,) are the whole set's. Within a class the order is drawn, and a family comes again only when
    each has been there; wrong classes are drawn without coming again before all have. Raises UserError where a class has too few sounds.
    """
    right, turn = number % len(classes), number // len(classes)
    candidates = np.array([index for index in among if labels[index].sum() == 1 and labels[index, right] == 1], dtype=np.int64)
    if turn >= len(candidates):
        raise UserError(
            f"held-out-{number} would be sound {turn + 1} of class {classes[right]!r}, which has {len(candidates)} held-out sounds of one label; "
            f"ask for at most {len(candidates) * len(classes)}"
        )
    shuffled = generator(seed, "held-out", right).permutation(np.sort(candidates)).tolist()
    seen: Counter[str] = Counter()
    rounds: list[tuple[int, int, int]] = []
    for index in shuffled:
        rounds.append((seen[families[index]], len(rounds), index))
        seen[families[index]] += 1
    others = generator(seed, "wrong class", right).permutation([other for other in range(len(classes)) if other != right])
    return Excerpt(sorted(rounds)[turn][2], right, int(others[turn % len(others)]))


def spread(measures: NDArray[np.float64]) -> list[int]:
    """The rows of ``measures`` [shape=(n, measures)] in an order whose first, however many, are spread over every column at once: the one whose ranks
    are nearest the middle, then each the farthest in ranks from the nearest that is already chosen. Ties go to the earlier row. So the first lie at
    the edges of what was measured rather than where most sounds are.
    """
    ranks = np.rint(2 * rankdata(measures, axis=0))  # whole numbers, so that no rounding decides a tie
    far = sum(np.square(np.subtract.outer(column, column)) for column in ranks.T)
    middle = np.square(ranks - (len(measures) + 1)).sum(axis=1)
    return farthest(np.asarray(far), int(np.argmin(middle)), len(measures))


def farthest(far: NDArray[np.float64], first: int, count: int) -> list[int]:
    """``count`` rows of a matrix of distances, from ``first`` on, each the farthest from the nearest that is already chosen."""
    chosen = [first]
    while len(chosen) < min(count, len(far)):
        closest = far[:, chosen].min(axis=1)
        closest[chosen] = -np.inf
        chosen.append(int(np.argmax(closest)))
    return chosen

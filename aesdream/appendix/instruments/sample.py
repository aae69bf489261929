"""Numbers of a few held-out sounds, each with how far it can be trusted: their recordings are drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from aesdream.seeding import generator
from aesdream.training.evaluation import DRAWS
from aesdream.training.statistics import Draws, Estimate, Resampling, estimate, number, ratio, wilson


class Sample:
    """Sounds whose recordings are ``families``, drawn again from the study's ``seed``; every mean over them has the same draws."""

    def __init__(self, families: Sequence[str], seed: int) -> None:
        self.families = list(families)
        self.resampling = Resampling(families, DRAWS, generator(seed, "instruments"))
        self.weights = self.resampling.weights(families)

    def means(self, values: ArrayLike) -> tuple[float, Draws]:
        """The mean of values (n,), what is undefined left out, and that mean in every draw."""
        given = np.asarray(values, dtype=np.float64)
        defined = np.isfinite(given)
        filled = np.where(defined, given, 0)
        mean = float(filled.sum() / defined.sum()) if defined.any() else float("nan")
        return mean, ratio(self.weights @ filled, self.weights @ defined.astype(np.float64))

    def mean(self, values: ArrayLike) -> Estimate:
        """The same as a value with its interval."""
        return estimate(*self.means(values))

    def share(self, hits: ArrayLike) -> Estimate:
        """The share of hits (n,) with its interval; where all or none hit, Wilson's, each recording being one trial."""
        given = np.asarray(hits, dtype=np.float64)
        value, draws = self.means(given)
        if value not in (0.0, 1.0):
            return estimate(value, draws)
        n = len(set(self.families))
        low, high = wilson(n if value else 0, n)
        return {"value": value, "low": number(low), "high": number(high)}

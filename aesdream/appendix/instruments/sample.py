"""Numbers of a few held-out sounds, each with how far it can be trusted: their recordings are drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aesdream.seeding import generator
from aesdream.training.evaluation import DRAWS
from aesdream.training.statistics import Draws, Estimate, Resampling, estimate, number, wilson


class Sample:
    """Sounds whose recordings are ``families``, drawn again from the study's ``seed``; every mean over them has the same draws."""

    def __init__(self, families: Sequence[str], seed: int) -> None:
        self.families = list(families)
        self.weights = Resampling(families, DRAWS, generator(seed, "instruments")).weights(families)

    def means(self, values: ArrayLike) -> tuple[float, Draws]:
        """The mean of values (n,), what is undefined left out, and that mean in every draw."""
        given = np.asarray(values, dtype=np.float64)
        defined = np.isfinite(given)
        filled = np.where(defined, given, 0)
        mean = float(filled.sum() / defined.sum()) if defined.any() else float("nan")
        return mean, divided(self.weights @ filled, self.weights @ defined.astype(np.float64))

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


def divided(part: NDArray[np.float64], whole: NDArray[np.float64]) -> Draws:
    """A quotient, NaN where it is undefined."""
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=np.asarray(whole) > 0)

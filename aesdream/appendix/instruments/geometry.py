"""Two changes of one spectrogram: how far apart they are, beside how far apart they must be.

The paper finds right-dreamed and wrong-dreamed spectrograms further from each other than from their original, and takes it for separated classes. Two
orthogonal changes of equal size lie at exactly twice the mean square error (facts, section 2), and in so many dimensions nearly all changes are
orthogonal. So the error between two dreams is divided by the sum of both errors, which is 1 for orthogonal changes and more only where they point
away from each other, and both this and the cosine are held against random changes of the same sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.appendix.instruments.sample import Sample
from aesdream.training.statistics import LEVEL, number

DRAWS = 1000
Change = NDArray[np.floating]


def cosine(one: Change, other: Change) -> float:
    """Of two changes of one shape; NaN where one is zero."""
    norms = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(np.vdot(one, other)) / norms if norms > 0 else float("nan")


def over_sum(one: Change, other: Change) -> float:
    """The mean square error between two changes over the sum of both: 1 where they are orthogonal, up to 2 where they are opposite; NaN if both are
    zero."""
    whole = float(np.vdot(one, one)) + float(np.vdot(other, other))
    return float(np.vdot(one - other, one - other)) / whole if whole > 0 else float("nan")


def random_cosines(dimension: int, shape: tuple[int, ...], drawn: np.random.Generator) -> NDArray[np.float64]:
    """Cosines of independent random directions of a space, whatever their lengths: each is a coordinate of a point on the unit sphere."""
    first = drawn.standard_normal(shape)
    others = drawn.chisquare(dimension - 1, shape) if dimension > 1 else np.zeros(shape)
    return first / np.sqrt(np.square(first) + others)


def geometry(pairs: Sequence[tuple[Change, Change]], sample: Sample, drawn: np.random.Generator) -> dict[str, Any]:
    """Cosine and quotient of the right and the wrong change of every sound, their means beside those of random changes of the same sizes, and whether
    the classes are separated: whether the whole interval of the cosine lies below the random one. A sound one of whose dreams changed nothing (it was
    reached already) has no angle and is left out; ``n`` counts the others.
    """
    found = np.array([cosine(*pair) for pair in pairs])
    quotients = np.array([over_sum(*pair) for pair in pairs])
    quotients[~np.isfinite(found)] = np.nan
    sizes = np.array([[np.linalg.norm(one), np.linalg.norm(other)] for one, other in pairs])
    with_angle = np.isfinite(found)
    told: dict[str, Any] = {"n": int(with_angle.sum()), "cosine": sample.mean(found), "over_sum": sample.mean(quotients)}
    if not with_angle.any():
        return {**told, "random": None, "separated": None}
    dimension, (right, wrong) = pairs[0][0].size, sizes[with_angle].T
    cosines = random_cosines(dimension, (DRAWS, int(with_angle.sum())), drawn)
    expected = 1 - 2 * right * wrong * cosines / (right**2 + wrong**2)
    told["dimensions"] = dimension
    told["random"] = {"cosine": _range(cosines.mean(1)), "over_sum": _range(expected.mean(1))}
    high = told["cosine"]["high"]
    return {**told, "separated": high is not None and high < told["random"]["cosine"]["low"]}


def _range(draws: NDArray[np.float64]) -> dict[str, float | None]:
    low, high = np.percentile(draws, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return {"mean": number(float(draws.mean())), "low": number(float(low)), "high": number(float(high))}

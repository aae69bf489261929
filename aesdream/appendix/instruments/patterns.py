"""Dreams from noise: whether what is dreamed to a class is alike whichever noise it began from (paper, figure 3).

From every change the mean over the classes of its start is taken away: what a network adds to any noise for any class is no pattern of a class. What
is left is compared by its cosine: the same class from different starts, different classes from the same start, and both different. By that
subtraction alone, different classes lie at -1 / (classes - 1) of the same one; the pattern is what the same class has beyond both different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from aesdream.appendix.instruments.dreamt import Dreamt
from aesdream.dreaming.settings import drawn
from aesdream.seeding import generator
from aesdream.training.statistics import LEVEL, Estimate, number, ratio

DRAWS = 1000
FEWEST = 3
"""Starts from which on something is claimed: of two, no draw but the pair itself has a pair in it, and so no spread."""
STRONG = 0.9
"""The quantile of a class's mean change from which on a bin where all starts agree is marked."""
AROUND = 5
"""Frames and bands over which changes are averaged first: regions are marked, not bins."""
Changes = NDArray[np.floating]


def without_common(changes: Changes) -> Changes:
    """Changes [shape=(starts, classes, frames, bands)] without the mean over the classes of each start."""
    return changes - changes.mean(1, keepdims=True)


def similarities(left: Changes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosines between all changes [shape=(starts, classes, starts, classes)]: as they lie, and the largest over all shifts in time, in which what is
    pushed out over an end is lost. Zero for a change that is zero.
    """
    starts, classes, frames, bands = left.shape
    flat = left.reshape(starts * classes, frames, bands).astype(np.float64)
    norms = np.linalg.norm(flat, axis=(1, 2))
    flat = flat / np.where(norms > 0, norms, 1)[:, None, None]
    turned = np.fft.rfft(flat, 2 * frames, axis=1)
    shifted = np.empty((len(flat), len(flat)))
    for row, one in enumerate(turned):
        shifted[row] = np.fft.irfft(np.einsum("nfb,fb->nf", turned, one.conj()), 2 * frames, axis=1).max(1)
    plain = np.einsum("nfb,mfb->nm", flat, flat)
    shape = (starts, classes, starts, classes)
    return plain.reshape(shape), shifted.reshape(shape)


class _Groups:
    """Cosines [shape=(starts, classes, starts, classes)] by what two dreams share, a mean for every pair of starts."""

    def __init__(self, cosines: NDArray[np.float64]) -> None:
        starts, classes = cosines.shape[:2]
        self.cosines = cosines
        own = np.einsum("icjc->ij", cosines)
        self.same_class = own / classes
        self.different_class = (cosines.sum((1, 3)) - own) / (classes * (classes - 1))
        self.apart = 1 - np.eye(starts)

    def means(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Means (draws,) of the three groups where starts count by ``weights`` (draws, starts); a start is never held against itself."""
        pairs = np.einsum("di,dj,ij->dij", weights, weights, self.apart)
        whole = pairs.sum((1, 2))
        found = {
            "same_class": ratio(np.einsum("dij,ij->d", pairs, self.same_class), whole),
            "same_start": ratio(weights @ np.diag(self.different_class), weights.sum(1)),
            "both_different": ratio(np.einsum("dij,ij->d", pairs, self.different_class), whole),
        }
        return {**found, "excess": found["same_class"] - found["both_different"]}

    def permuted(self, drawn: np.random.Generator) -> NDArray[np.float64]:
        """The mean of the same class (draws,) when the classes of every start are called by each other's names."""
        starts, classes = self.cosines.shape[:2]
        found = []
        for _ in range(DRAWS):
            names = [drawn.permutation(classes) for _ in range(starts)]
            pairs = [(i, j) for i in range(starts) for j in range(i)]
            found.append(np.mean([self.cosines[i, names[i], j, names[j]].mean() for i, j in pairs]))
        return np.array(found)


def alike(changes: Changes, seed: int) -> dict[str, Any]:
    """How alike changes [shape=(starts, classes, frames, bands)] are, as they lie and at the best shift in time: means of the three groups and what
    the same class has beyond both different (``excess``), with intervals over starts drawn again (``over_starts``); ``p`` how often classes that are
    called by each other's names are as alike; beside ``below`` where different classes must lie. At least two starts and classes.
    """
    left = without_common(changes)
    starts, classes = left.shape[:2]
    told: dict[str, Any] = {"starts": starts, "classes": classes, "below": -1 / (classes - 1)}
    weights = generator(seed, "noise starts").multinomial(starts, np.full(starts, 1 / starts), size=DRAWS).astype(np.float64)
    for name, cosines in zip(("as_they_lie", "shifted"), similarities(left), strict=True):
        groups = _Groups(cosines)
        values, draws = groups.means(np.ones((1, starts))), groups.means(weights)
        permuted = groups.permuted(generator(seed, "noise classes", name))
        told[name] = {key: over_starts(float(values[key][0]), draws[key], starts) for key in values}
        reached = int((permuted >= values["same_class"][0] - 1e-12).sum())
        told[name]["p"] = (1 + reached) / (1 + DRAWS)
    return told


def over_starts(value: float, draws: NDArray[np.float64], starts: int) -> Estimate:
    """A value with its 95 % interval: Student's, for as many starts, with the standard deviation of the draws as of a sample's mean.

    Starts are few, and percentiles of so few are far too narrow: in trials with 4 starts they held the truth three times in four. There are no bounds
    (None) of fewer than three starts, nor where the draws never vary.
    """
    if starts < FEWEST:
        return {"value": number(value), "low": None, "high": None}
    spread = float(np.nanstd(draws)) * (starts / (starts - 1)) ** 0.5
    half = float(stats.t.ppf((1 + LEVEL) / 2, starts - 1)) * spread
    low, high = number(value - half), number(value + half)
    return {"value": number(value), **({"low": low, "high": high} if low != high else {"low": None, "high": None})}


def agreeing(changes: Changes) -> tuple[NDArray[np.bool_], list[Estimate]]:
    """Where the changes to a class, each averaged over its surroundings, agree: bins [shape=(classes, frames, bands)] whose sign is the same from
    every start and whose mean is among the largest tenth; and for every class the share of bins of one sign, beside 2 ** (1 - starts) for chance.
    """
    left = ndimage.uniform_filter(without_common(changes).astype(np.float64), (0, 0, AROUND, AROUND), mode="nearest")
    same = np.abs(np.sign(left).sum(0)) == len(left)
    mean = np.abs(left.mean(0))
    strong = mean >= np.quantile(mean, STRONG, axis=(1, 2), keepdims=True)
    chance = number(2.0 ** (1 - len(left)))
    return same & strong, [{"share": number(float(one.mean())), "chance": chance} for one in same]


def noises(dreams: Sequence[Dreamt], classes: Sequence[str], seed: int) -> dict[str, Any]:
    """Everything that is said of one model's dreams from noise to every class, JSON-able; empty where there are fewer than two starts or classes."""
    grid = whole_grid(dreams, classes)
    if grid is None:
        return {}
    changes = changes_of(grid)
    outputs = np.array([[one.content["outputs"]["dream"] for one in row] for row in grid])
    return {
        **alike(changes, seed),
        "success": number(float(np.mean([[one.content["success"] for one in row] for row in grid]))),
        "mean_output": [[number(float(value)) for value in row] for row in outputs.mean(0)],
        "rmse_db": number(float(np.mean([[one.content["distance"]["rmse_db"] for one in row] for row in grid]))),
        "agreeing": dict(zip(classes, agreeing(changes)[1], strict=True)),
    }


def whole_grid(dreams: Sequence[Dreamt], classes: Sequence[str]) -> list[list[Dreamt]] | None:
    """Dreams from noise by start and class: the starts from which every class was dreamed; None where there are fewer than two of them."""
    found: dict[str, dict[str, Dreamt]] = {}
    for one in dreams:
        if drawn(str(one.content["start"]))[0] == "noise" and one.kind in classes:
            found.setdefault(str(one.content["start"]), {})[one.kind] = one
    rows = [[row[name] for name in classes] for row in found.values() if len(row) == len(classes)]
    return rows if len(rows) > 1 and len(classes) > 1 else None


def changes_of(grid: Sequence[Sequence[Dreamt]]) -> Changes:
    """The changes of dreams by start and class [shape=(starts, classes, frames, bands)], in dB."""
    return np.array([[np.concatenate(list(one.change)) for one in row] for row in grid])


def beyond_controls(real: Mapping[str, Any], controls: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether the same class is more alike in a model than in every control with permuted labels: whether the intervals of their excess lie apart."""
    low, highs = real["as_they_lie"]["excess"]["low"], [control["as_they_lie"]["excess"]["high"] for control in controls]
    return None if low is None or None in highs else bool(low > max(highs))

"""Spectrograms as dreams need them: what the bands of a network's training spectrograms are like, and how far apart two spectrograms are in decibels.

Log-mel spectrograms here are natural logarithms of magnitudes (facts, section 3): one neper is 8.686 dB, and 2 dB are .230.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

DECIBELS = 20 / math.log(10)
"""Of a natural logarithm of a magnitude."""
AUDIBLE = 1.0
"""The change in dB above which a bin counts as changed: about what is just heard of a level (facts, section 6)."""


@torch.no_grad()
def bands(front_end: nn.Module, batches: Iterable[torch.Tensor]) -> dict[str, Any]:
    """What spectrograms (batch, 1, frames, bands) a front end makes of waveforms: the mean and the standard deviation of each band over all frames,
    and the lowest and highest value of all, JSON-able. The sums are in double precision. Raises ValueError without a batch.
    """
    count, plain, squares = 0, torch.zeros(()), torch.zeros(())
    low, high = math.inf, -math.inf
    for batch in batches:
        values = front_end(batch).flatten(0, -2).double().cpu()
        count, plain, squares = count + len(values), plain + values.sum(0), squares + values.square().sum(0)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    if not count:
        raise ValueError("no spectrograms to describe the bands of")
    mean = plain / count
    deviation = (squares / count - mean.square()).clamp_min(0).sqrt()
    return {"low": low, "high": high, "mean": mean.tolist(), "deviation": deviation.tolist()}


def noise(known: dict[str, Any], frames: int, drawn: np.random.Generator) -> NDArray[np.float32]:
    """Gaussian noise with each band's mean and deviation, kept within the range of the training spectrograms: (1, frames, bands)."""
    mean, deviation = np.array(known["mean"]), np.array(known["deviation"])
    values = mean + deviation * drawn.standard_normal((1, frames, len(mean)))
    return values.clip(known["low"], known["high"]).astype(np.float32)


def distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> dict[str, float]:
    """How far apart two log-mel spectrograms of one shape are: root mean square and mean absolute difference in dB, and the share of their bins that
    differ by more than 1 dB. A mean square has no such unit (facts, section 2), its root has.
    """
    change = DECIBELS * (other.astype(np.float64) - one)
    return {
        "rmse_db": float(np.sqrt(np.square(change).mean())),
        "mean_abs_db": float(np.abs(change).mean()),
        "share_over_1db": float((np.abs(change) > AUDIBLE).mean()),
    }

"""Regularisers below the threshold of hearing, the thesis's future work: what they take from a dream nobody hears (docs/hearing.md).

Each is made once for a batch and then turns the gradient of one sound (..., samples), the last axis time, into another that still points uphill: it
multiplies parts of the gradient by factors that are never negative. The rule's step then is along that. Every sound is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from aesdream.dreaming.climb import Asked, SteadyClimb, clipped
from aesdream.errors import UserError, one_of
from aesdream.hearing import LOWEST_HEARD, bank, threshold

LOUDNESS = 0.02
"""Root mean square of a change whose own distance is not said: 60 dB SPL."""
PER_ERB = 4
"""Bands an ERB between which a gradient is smoothed."""
MOST = 10.0
"""By how much at most a band is raised to what is around it (20 dB): what is nothing but rounding stays that."""
ROUNDS = 2
"""How often a change that was clipped is freed of infrasound and clipped again. What that leaves the next step takes out again."""
NEWTON = 6

Regulariser = Callable[[torch.Tensor, int], torch.Tensor]
"""The gradient of one sound, and which of the starts it came from."""


@dataclass(frozen=True)
class Ground:
    """What the dreams of a batch have in common: ``starts`` (starts, ..., samples), their ``rate`` in hertz, and the distance at which they stop."""

    starts: torch.Tensor
    rate: int
    rms: float | None


def infrasound(ground: Ground) -> Regulariser:
    """Nothing under 20 Hz: an orthogonal projection in the spectrum of the whole sound, so that what is left is the steepest way without
    infrasound."""
    samples = ground.starts.shape[-1]
    below = int(np.searchsorted(np.fft.rfftfreq(samples, 1 / ground.rate), LOWEST_HEARD))

    def projected(gradient: torch.Tensor, _: int) -> torch.Tensor:
        spectrum = torch.fft.rfft(gradient)
        spectrum[..., :below] = 0
        return torch.fft.irfft(spectrum, n=samples)

    return projected


def smooth(ground: Ground) -> Regulariser:
    """Magnitude smoothed over one ERB in frames of 20 ms, with the phase kept: a quarter of an ERB takes the mean power of the ERB around it, but is
    raised by 20 dB at most. Of magnitudes the ear needs no more than one a critical band (Breebaart, Nater and Kohlrausch 2010)."""
    bands = bank(ground.starts.shape[-1], ground.rate, PER_ERB, ground.starts.dtype, ground.starts.device)
    kernel = ground.starts.new_tensor([0.5, *[1.0] * (PER_ERB - 1), 0.5])[None, None]

    def over(cells: torch.Tensor) -> torch.Tensor:
        flat = cells.transpose(-1, -2).flatten(0, -2)[:, None]
        sums = nn.functional.conv1d(flat, kernel, padding=PER_ERB // 2)
        return sums.view(*cells.shape[:-2], cells.shape[-1], cells.shape[-2]).transpose(-1, -2)

    def gains(power: torch.Tensor) -> torch.Tensor:
        if not len(bands.bins):
            return power
        around = over(power) / over(torch.ones_like(power))
        return torch.where(around > 0, (around / power.maximum(around / MOST**2)).sqrt(), 1)

    return lambda gradient, _: _at_full_scale(gradient, lambda scaled: bands.shaped(scaled, gains, below=1.0))


def masked(ground: Ground) -> Regulariser:
    """A penalty on what is not heard: nothing under 20 Hz, as ``infrasound``, and every cell of a band and a frame multiplied by P / (P + T). T is
    the threshold there, in quiet or masked by the start; P the power that the cell would have in a change that goes this very way, and in the end as
    far as the dream stops. What lies 20 dB under the threshold is taken back by 40 dB, what lies 20 dB above it stays."""
    shape, starts = ground.starts.shape, ground.starts
    bands = bank(shape[-1], ground.rate, 1, starts.dtype, starts.device)
    limits = [torch.from_numpy(threshold(start.double().cpu().numpy(), ground.rate)).to(starts.device) for start in starts]
    energy = (ground.rms or LOUDNESS) ** 2 * shape[1:].numel() * bands.frames / bands.size

    def gains(power: torch.Tensor, limit: torch.Tensor) -> torch.Tensor:
        # So many times the gradient that what the gains leave of it has the energy of the change. Newton's way, of logarithms: it does not overshoot.
        exact = power.double()
        if not exact.sum() > 0:
            return torch.zeros_like(power)
        times = energy / exact.sum()
        for _ in range(NEWTON):
            share = times * exact / (times * exact + limit)
            left = times * exact * share**2
            slope = 3 - 2 * (left * share).sum() / left.sum()
            times = times * (energy / left.sum()) ** (1 / slope)
        return (times * exact / (times * exact + limit)).to(power.dtype)

    without = infrasound(ground)

    def heard(gradient: torch.Tensor, row: int) -> torch.Tensor:
        shaped = partial(bands.shaped, gains=lambda power: gains(power, limits[row]), below=0.0)
        return without(_at_full_scale(without(gradient, row), shaped), row)  # on both sides, so that it still points uphill

    return heard


REGULARISERS: dict[str, Callable[[Ground], Regulariser]] = {"smooth": smooth, "masked": masked, "infrasound": infrasound}
"""In the order in which they act: what the last one promises holds of all."""


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Names of regularisers, each once, in the order in which they act. Raises UserError for an unknown one."""
    if unknown := [name for name in names if name not in REGULARISERS]:
        raise one_of("regularisers", unknown[0], REGULARISERS)
    return tuple(name for name in REGULARISERS if name in names)


def _at_full_scale(gradient: torch.Tensor, shaped: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """A gradient shaped at a largest magnitude of 1, where its powers are neither too small nor too large to be told, and brought back."""
    largest = gradient.abs().max()
    return shaped(gradient / largest) * largest if largest > 0 else gradient


class RegularisedClimb(SteadyClimb):
    """The same with every gradient regularised."""

    def __init__(self, asked: Asked, momentum: float, regularisers: Sequence[str], rate: int | None) -> None:
        if rate is None:
            raise UserError("regularisers: need the sample rate of the start; say sample_rate")
        super().__init__(asked, momentum)
        ground = Ground(asked.starts, rate, asked.stop.rms)
        self.regularisers = [REGULARISERS[name](ground) for name in regularisers]
        self.without_infrasound = infrasound(ground) if {"masked", "infrasound"} & set(regularisers) else None

    def _shaped(self, gradient: torch.Tensor) -> torch.Tensor:
        shaped = torch.zeros_like(gradient)
        for row in torch.nonzero(self.moving).flatten().tolist():
            # A tensor of its own: sums depend on where in memory a sound begins.
            own, start = gradient[row].clone(memory_format=torch.contiguous_format), row % len(self.starts)
            for regulariser in self.regularisers:
                own = regulariser(own, start)
            shaped[row] = own
        return super()._shaped(shaped)

    def _placed(self, moved: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        if self.without_infrasound is None or self.bounds is None:
            return clipped(moved, self.bounds)
        low, high = self.bounds
        touched = ((moved < low) | (moved > high)).flatten(1).any(1)
        clipped(moved, self.bounds)
        for place in torch.nonzero(touched).flatten().tolist():
            row = rows[place] % len(self.starts)
            for _ in range(ROUNDS):
                change = (moved[place] - self.starts[row]).contiguous()
                moved[place] = (self.starts[row] + self.without_infrasound(change, row)).clamp(low, high)
        return moved

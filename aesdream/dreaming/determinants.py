"""What synthetic composers measure, as a judge that can be dreamed: how far a dream gets that knows the rule itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import nn
from torch.nn.functional import max_pool1d, pad

from aesdream.sounds import measures
from aesdream.sounds.composers import CLASSES, COMPOSERS
from aesdream.sounds.measures import BLOCK, FAINTEST, LOUDNESS, MIXTURE, ONSET, ROUGHEST, erb_number, hertz_of

SILENT = 1e-20
"""Power from which on a root has a slope."""


class Rule(nn.Module):
    """A composer's measure m of waveforms (batch, channels, samples) as logits (batch, 2) of ``CLASSES``: -m and m, what ``said`` puts out.

    The values are those of ``aesdream.sounds.measures`` (which say what each is from) but for rounding, in double precision on the CPU, 0 where
    nothing is heard; gradients leave out how the filters of 20 Hz treat a sound's two ends. Equal channels are the narrowest there are: ``wide`` has
    no slope there. Raises KeyError for a composer that is none.
    """

    def __init__(self, composer: str, rate: int) -> None:
        super().__init__()
        self.composer, self.rate = composer, rate
        self.measure = DIFFERENTIABLE[COMPOSERS[composer].measure]
        self.said = nn.Identity()

    def forward(self, sounds: torch.Tensor) -> torch.Tensor:
        kept = _Audible.apply(sounds.double(), self.rate)
        heard = kept.detach().abs().amax(dim=(1, 2)) > FAINTEST * sounds.detach().abs().amax(dim=(1, 2))
        measured = torch.where(heard, self.measure(kept, self.rate), 0.0)
        said: torch.Tensor = self.said(torch.stack([-measured, measured], 1).to(sounds.dtype))
        assert said.shape[1] == len(CLASSES)
        return said

    def extra_repr(self) -> str:
        """What tells rules from each other, also in the digest of what was kept of a dream."""
        return f"{self.composer}, {self.rate}"


class _Audible(torch.autograd.Function):
    """Sounds without what lies under 20 Hz. A filter that runs forward and back is its own transpose, but for the ends."""

    @staticmethod
    def forward(ctx: Any, sounds: torch.Tensor, rate: int) -> torch.Tensor:
        ctx.rate = rate
        return _filtered(sounds, rate)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _filtered(gradients[0], ctx.rate), None


def _filtered(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    kept = measures.without_infrasound(sounds.detach().cpu().numpy(), rate)
    return torch.from_numpy(np.ascontiguousarray(kept)).to(sounds.device)


def _like(values: Any, other: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values, np.float64), device=other.device)


def _brightness(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    size = next_fast_len(sounds.shape[-1], real=True)
    power = torch.fft.rfft(sounds, size).abs().square().sum(1)
    return power @ _like(erb_number(np.fft.rfftfreq(size, 1 / rate)), sounds) / power.sum(1).clamp(min=SILENT)


def _fluctuation(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    block = max(1, round(BLOCK * rate))
    blocks = sounds.shape[-1] // block
    power = sounds[..., : blocks * block].unflatten(-1, (blocks, block)).square().mean(dim=(1, 3))
    loudness = power.clamp(min=SILENT) ** LOUDNESS
    window = torch.hann_window(blocks, periodic=True, dtype=sounds.dtype, device=sounds.device)
    mean = (loudness @ window / window.sum())[:, None]
    swings = torch.fft.rfft((loudness - mean) * window).abs().square()
    hertz = np.fft.rfftfreq(blocks, block / rate)
    band = swings[:, (hertz >= 2) & (hertz <= 8)].sum(1) / (blocks * window.square().sum())
    return (2 * band / loudness.square().mean(1)).clamp(min=SILENT).sqrt()


def _onsets(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    hop, size = max(1, round(BLOCK * rate)), 2 ** max(4, round(math.log2(0.03 * rate)))
    frames = pad(sounds, (size, size)).unfold(-1, size, hop)
    power = torch.fft.rfft(frames * torch.hann_window(size, periodic=True, dtype=sounds.dtype, device=sounds.device)).abs().square().sum(1)
    edges = np.unique(np.searchsorted(np.fft.rfftfreq(size, 1 / rate), hertz_of(np.arange(2, float(erb_number(rate / 2)), 1.5))))
    spans = zip(edges[:-1], [*edges[1:-1], power.shape[-1]], strict=True)
    loudness = torch.stack([power[..., first:last].sum(-1) for first, last in spans], -1).clamp(min=SILENT) ** LOUDNESS
    rises = (loudness[:, 2:] - loudness[:, :-2]).clamp(min=0).mean(-1) / loudness.mean(dim=(1, 2))[:, None]
    peaks = rises * (rises.detach() == max_pool1d(rises.detach(), 5, 1, 2))
    return (peaks.square() / (peaks.square() + ONSET**2)).sum(1) * rate / sounds.shape[-1]


def _width(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    differing = sounds - sounds.mean(1, keepdim=True)
    return differing.square().sum(dim=(1, 2)) / sounds.square().sum(dim=(1, 2)).clamp(min=SILENT)


def _roughness(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    depths, weights = [], []
    for signal, sampling in _bands(sounds, rate):
        spectrum = torch.fft.rfft(signal.abs().square()).abs()
        hertz = np.fft.rfftfreq(signal.shape[-1], 1 / sampling)
        weight = _like(np.where(hertz < 15, 0, hertz / ROUGHEST * np.exp(1 - hertz / ROUGHEST)), sounds)
        power = (spectrum[..., 0].square() + 2 * spectrum[..., 1:].square().sum(-1)).sum(1)
        depths.append((2 * (weight * spectrum).square().sum(dim=(1, 2)) / power.clamp(min=SILENT)).clamp(min=SILENT).sqrt())
        weights.append(spectrum[..., 0].sum(1).clamp(min=SILENT).sqrt())
    weighted = torch.stack(weights)
    return (torch.stack(depths) * weighted).sum(0) / weighted.sum(0)


def _bands(sounds: torch.Tensor, rate: int) -> Iterator[tuple[torch.Tensor, float]]:
    size = next_fast_len(sounds.shape[-1], real=True)
    spectra = torch.fft.rfft(sounds, size)
    numbers = erb_number(np.fft.rfftfreq(size, 1 / rate))
    for centre in np.arange(4.5, float(numbers[-1]) - 1.5, 1.5):
        first, last = (int(place) for place in np.searchsorted(numbers, [centre - 1.5, centre + 1.5]))
        if last - first < 2:
            continue
        few = next_fast_len(2 * (last - first))
        shape = _like(np.cos(np.pi / 3 * (numbers[first:last] - centre)), sounds)
        yield torch.fft.ifft(spectra[..., first:last] * shape, few), few * rate / size


def _mixture(sounds: torch.Tensor, rate: int) -> torch.Tensor:
    return torch.stack([DIFFERENTIABLE[measure](sounds, rate) / scale for measure, scale in MIXTURE.items()]).sum(0)


DIFFERENTIABLE: dict[measures.Measure, Callable[[torch.Tensor, int], torch.Tensor]] = {  # (batch, channels, samples), hertz: (batch,)
    measures.brightness: _brightness,
    measures.fluctuation: _fluctuation,
    measures.onsets: _onsets,
    measures.width: _width,
    measures.roughness: _roughness,
    measures.mixture: _mixture,
}

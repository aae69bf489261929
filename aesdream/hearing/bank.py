"""A sound as cells of a band by a frame, and back: the filter bank on which hearing is modelled.

Filters stand evenly on the scale of ERB numbers (Glasberg and Moore 1990), are half a cosine on it from one neighbour's middle to the other's, and
their squares add up to one at every frequency from 20 Hz up, so that cells keep a sound's energy and a sound is put together again from them without
loss: a tight frame in the sense of the ERBlet transform (Necciari, Balazs, Holighaus and Sondergaard 2013). A band is sampled no more often than it
needs, a whole number of times a frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from scipy.fft import next_fast_len

from aesdream.sounds.measures import erb_number, hertz_of

LOWEST_HEARD = 20.0
"""Hz; what lies below is infrasound, and part of no band."""
FRAME = 0.02
"""Seconds, nearly: a padded sound is cut into a whole number of frames."""
FIRST_ERB = 3
"""Bands at least in the lowest ERB, from 20 to 49 Hz, in which the threshold in quiet falls by more than 30 dB."""
PADDING = 0.2
"""Seconds of silence behind a sound, in which the ringing of the lowest bands ends: the bank is circular."""
EVEN = 64
"""A padded sound is a multiple of this many samples, which transforms fast."""
Gains = Callable[[torch.Tensor], torch.Tensor]


class Bank:
    """The bank for sounds of ``samples`` at ``rate`` hertz, with ``per_erb`` bands an ERB, nearly: a whole number of them ends at half the rate.

    ``edges`` (bands + 1,) ERB numbers at which neighbours share the energy evenly, and the two ends; ``frames`` how many a sound has. At rates up to
    40 Hz there are no bands.
    """

    def __init__(self, samples: int, rate: int, per_erb: int, dtype: torch.dtype, device: torch.device) -> None:
        self.samples, self.dtype = samples, dtype
        self.size = EVEN * next_fast_len(math.ceil((samples + PADDING * rate) / EVEN), real=True)
        self.frames = next_fast_len(math.ceil(self.size / rate / FRAME))
        hertz = np.fft.rfftfreq(self.size, 1 / rate)
        self.first = int(np.searchsorted(hertz, LOWEST_HEARD))
        self.edges = _edges(rate, per_erb)
        self.bins, self.windows = _filters(self.edges, hertz, self.first)
        often = [self.frames * next_fast_len(math.ceil(max(1, part.stop - part.start) / self.frames)) for part in self.bins]
        self.groups = [Group([b for b, o in enumerate(often) if o == each], each, self, device) for each in sorted(set(often))]

    @property
    def centres(self) -> np.ndarray:
        """The middles of the bands on the ERB scale, in hertz (bands,)."""
        return hertz_of((self.edges[1:] + self.edges[:-1]) / 2)

    def powers(self, sound: torch.Tensor) -> torch.Tensor:
        """Mean square of a sound (..., samples) in every cell (..., bands, frames). Over frames their mean, added up over bands, is the mean square
        of the padded sound without what lies under 20 Hz."""
        spectrum = self._spectrum(sound)
        return self._powers([group.held(spectrum) for group in self.groups], sound)

    def fluctuation(self, sound: torch.Tensor) -> torch.Tensor:
        """How unsteady a sound's (..., samples) power is about every cell (..., bands, frames): its variance over the frame and the two beside it,
        out of its squared mean; 0 for a tone, about 1 for Gaussian noise where a band is sampled often enough to see it."""
        powers, squares = (sound.new_zeros(*sound.shape[:-1], len(self.bins), self.frames) for _ in range(2))
        spectrum = self._spectrum(sound)
        for group in self.groups:
            power = torch.view_as_real(group.held(spectrum)).square().sum(-1).unflatten(-1, (self.frames, -1))
            powers[..., group.bands, :], squares[..., group.bands, :] = power.mean(-1), power.square().mean(-1)
        mean, square = (self._about(value) for value in (powers, squares))
        return torch.where(mean > 0, square / mean.square() - 1, 0)

    @staticmethod
    def _about(cells: torch.Tensor) -> torch.Tensor:
        """Means over three frames, at the ends over two."""
        flat = cells.flatten(0, -2)[:, None]
        return torch.nn.functional.avg_pool1d(flat, 3, 1, 1, count_include_pad=False).view_as(cells)

    def shaped(self, sound: torch.Tensor, gains: Gains, below: float) -> torch.Tensor:
        """A sound (..., samples) with every cell multiplied by what ``gains`` says of their powers (..., bands, frames), infrasound by ``below``.

        Gains that depend on nothing make it a linear operator that is its own transpose; gains from 0 to 1 never make a sound larger.
        """
        spectrum = self._spectrum(sound)
        held = [group.held(spectrum) for group in self.groups]
        factors = gains(self._powers(held, sound))
        out = torch.zeros_like(spectrum)
        out[..., : self.first] = spectrum[..., : self.first] * below
        for group, coefficients in zip(self.groups, held, strict=True):
            given = factors[..., group.bands, :].unsqueeze(-1)
            group.give_back(torch.view_as_complex(torch.view_as_real(coefficients).unflatten(-2, (self.frames, -1)) * given.unsqueeze(-1)), out)
        out[..., -1] *= 2**0.5
        return torch.fft.irfft(out, n=self.size)[..., : self.samples]

    def _spectrum(self, sound: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.rfft(sound, n=self.size)
        spectrum[..., -1] /= 2**0.5  # the one frequency above 20 Hz that has no twin below zero
        return spectrum

    def _powers(self, held: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
        found = like.new_zeros(*like.shape[:-1], len(self.bins), self.frames)
        for group, coefficients in zip(self.groups, held, strict=True):
            squares = torch.view_as_real(coefficients).flatten(-2).unflatten(-1, (self.frames, -1)).square().sum(-1)
            found[..., group.bands, :] = squares * (2 * self.frames / group.often * (group.often / self.size) ** 2)
        return found


def _edges(rate: int, per_erb: int) -> np.ndarray:
    """ERB numbers (bands + 1,) from 20 Hz to half the rate; one number where that is no higher."""
    low, high = erb_number([LOWEST_HEARD, rate / 2])
    if high <= low:
        return np.array([low])
    bands = max(1, round((high - low) * per_erb))
    even = np.linspace(low, high, bands + 1)
    whole = min(per_erb, bands)
    return np.concatenate([np.linspace(low, even[whole], max(per_erb, FIRST_ERB), endpoint=False), even[whole:]])


def _filters(edges: np.ndarray, hertz: np.ndarray, first: int) -> tuple[list[slice], list[np.ndarray]]:
    """Which frequencies each band has a part in, and its filter there. Each rises where the one before it falls, from one's middle to the other's;
    the first and the last stay up at their ends."""
    numbers = erb_number(hertz)
    numbers[:first] = -np.inf
    middles = (edges[1:] + edges[:-1]) / 2
    bins, windows = [], []
    for band, middle in enumerate(middles):
        last = band == len(middles) - 1
        start = int(np.searchsorted(numbers, middles[band - 1])) if band else first
        stop = len(hertz) if last else int(np.searchsorted(numbers, middles[band + 1]))
        away = numbers[start:stop] - middle
        rising = -away / (middle - middles[band - 1]) if band else np.zeros_like(away)
        falling = np.zeros_like(away) if last else away / (middles[band + 1] - middle)
        bins.append(slice(start, stop))
        windows.append(np.cos(np.pi / 2 * np.where(away < 0, rising, falling)))
    return bins, windows


class Group:
    """Bands that are sampled alike: ``often`` times in the padded sound."""

    def __init__(self, bands: list[int], often: int, of: Bank, device: torch.device) -> None:
        self.bands, self.often = bands, often
        places = np.zeros((len(bands), often), np.int64)
        windows = np.zeros((len(bands), often))
        for row, band in enumerate(bands):
            part = of.bins[band]
            places[row, : part.stop - part.start] = np.arange(part.start, part.stop)
            windows[row, : part.stop - part.start] = of.windows[band]
        self.places = torch.from_numpy(places.reshape(-1)).to(device)
        self.windows = torch.from_numpy(windows).to(device, of.dtype)

    def held(self, spectrum: torch.Tensor) -> torch.Tensor:
        """What the bands hold of a sound's spectrum (..., bins): (..., bands, often)."""
        return torch.fft.ifft(spectrum[..., self.places].unflatten(-1, (len(self.bands), self.often)) * self.windows)

    def give_back(self, shaped: torch.Tensor, out: torch.Tensor) -> None:
        """Add what the bands hold (..., bands, frames, times a frame) to a spectrum (..., bins). No more than two bands share a frequency, so that
        the order in which they are added does not matter."""
        whole = torch.fft.fft(shaped.flatten(-2)) * self.windows
        out.index_add_(-1, self.places, whole.flatten(-2))


@lru_cache(maxsize=8)
def bank(samples: int, rate: int, per_erb: int = 1, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu") -> Bank:
    """The one bank of its kind."""
    return Bank(samples, rate, per_erb, dtype, torch.device(device))

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
        low, high = erb_number([LOWEST_HEARD, rate / 2])
        bands = max(1, round((high - low) * per_erb)) if high > low else 0
        even = np.linspace(low, max(low, high), bands + 1)
        whole = min(per_erb, bands)
        self.edges = np.concatenate([np.linspace(low, even[whole], max(per_erb, FIRST_ERB), endpoint=False), even[whole:]]) if bands else even
        self.first = int(np.searchsorted(hertz, LOWEST_HEARD))
        numbers = erb_number(hertz)
        numbers[: self.first] = -np.inf
        # Each filter rises where the one before it falls, from centre to centre; the two at the ends stay up.
        centres = (self.edges[1:] + self.edges[:-1]) / 2
        self.bins: list[slice] = []
        self.windows: list[np.ndarray] = []
        for band in range(len(centres)):
            before, centre, after = centres[max(band - 1, 0)], centres[band], centres[min(band + 1, len(centres) - 1)]
            from_ = int(np.searchsorted(numbers, before)) if band else self.first
            to = int(np.searchsorted(numbers, after)) if after > centre else len(hertz)
            up, down = (np.abs(numbers[from_:to] - centre) / max(abs(centre - other), 1e-9) for other in (before, after))
            away = np.where(numbers[from_:to] < centre, up if band else 0, down if after > centre else 0)
            self.bins.append(slice(from_, to))
            self.windows.append(np.cos(np.pi / 2 * away))
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

"""What can be heard: the threshold in quiet, the masking of a sound, and how much of a change stands above both (docs/hearing.md).

Levels rest on one assumption, ``FULL_SCALE``. Every channel is heard by itself, as over headphones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from aesdream.hearing.bank import Bank, bank
from aesdream.sounds.measures import hertz_of

FULL_SCALE = 94.0
"""dB SPL of a sound whose root mean square is 1, so that a sample is a sound pressure in pascal. Nobody knows how loud a listener plays: this is loud
(a sound at -20 dB is heard at 74 dB SPL), and whoever plays more softly hears less of a change in quiet."""
HERTZ = (
    20, 25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000, 10000,
    12500, 14000, 16000,
)  # fmt: skip
IN_QUIET = (
    78.5, 68.7, 59.5, 51.1, 44.0, 37.5, 31.5, 26.5, 22.1, 17.9, 14.4, 11.4, 8.6, 6.2, 4.4, 3.0, 2.2, 2.4, 3.5, 1.7, -1.3, -4.2, -6.0, -5.4, -1.5, 6.0,
    12.6, 13.9, 12.3, 18.4, 40.2,
)  # fmt: skip
"""dB SPL at which a tone of each frequency is just heard: ISO 226:2003, table 1; 14 and 16 kHz: ISO 389-7:2005."""
TONE, NOISE = 14.5, 5.5
"""dB that a masker stands above what it masks in its own band: where it is a tone so much and one more a Bark, where it is noise (Johnston 1988), the
former up to ``FAINTEST``."""
FAINTEST = 24.5
"""dB below a tone under which what is added in its band is not heard: it makes the tone louder by half a decibel, the least that is noticed of a
steady tone (facts, section 6: .5 to 1 dB). Johnston's offset passes that above 10 Bark, and would hear a tenth of a decibel at 8 kHz."""
Values = npt.NDArray[np.float64]
Sound = npt.NDArray[np.floating]


def in_quiet(hertz: npt.ArrayLike) -> Values:
    """The threshold in quiet in dB SPL, between the frequencies of the table along log frequency, above 16 kHz as it rises to there."""
    at, table = np.log2(np.maximum(np.asarray(hertz, np.float64), HERTZ[0])), np.log2(HERTZ)
    slope = (IN_QUIET[-1] - IN_QUIET[-2]) / (table[-1] - table[-2])
    return np.asarray(np.interp(at, table, IN_QUIET) + slope * np.maximum(at - table[-1], 0))


def bark(hertz: npt.ArrayLike) -> Values:
    """Critical-band rate (facts, section 6)."""
    f = np.asarray(hertz, np.float64)
    return np.asarray(13 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500) ** 2))


def spreading(barks: npt.ArrayLike) -> Values:
    """How far below a masker its effect is so many Bark above it, in dB (Schroeder, Atal and Hall 1979): -25 dB a Bark downwards, -10 upwards."""
    z = np.asarray(barks, np.float64) + 0.474
    return np.asarray(15.81 + 7.5 * z - 17.5 * np.sqrt(1 + z**2))


def power_of(level: npt.ArrayLike) -> Values:
    """The mean square of a sound at a level in dB SPL."""
    return np.asarray(10 ** ((np.asarray(level, np.float64) - FULL_SCALE) / 10))


def _quiet(bands: Bank) -> Values:
    """Mean squares (bands,) of the softest tone that is heard in each: a band is as sensitive as its most sensitive part, as in MPEG-1's model 1."""
    inside = np.linspace(bands.edges[:-1], bands.edges[1:], 17)
    return power_of(in_quiet(hertz_of(inside)).min(axis=0))


def _spread(bands: Bank) -> Values:
    """(bands, bands) what stands in the first band of a mean square in the second. Rows are divided by their sum, so that a spectrum that is even
    over bands is not raised by being spread (Johnston 1988)."""
    z = bark(bands.centres)
    spread = 10 ** (spreading(z[:, None] - z) / 10)
    return np.asarray(spread / spread.sum(axis=1, keepdims=True))


def _offset(bands: Bank, masker: torch.Tensor) -> Values:
    """dB (..., bands, frames) by which what is masked lies below a masker: between a tone's and noise's by how much its power swings."""
    tonal = 1 - bands.fluctuation(masker).clamp(0, 1).numpy()
    tone = np.minimum(TONE + bark(bands.centres), FAINTEST)[:, None]
    return np.asarray(tonal * tone + (1 - tonal) * NOISE)


def _of(sound: Sound) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(sound, np.float64))


def threshold(sound: Sound, rate: int) -> Values:
    """The mean square from which on something is heard beside a sound (..., samples) at ``rate`` hertz: (..., bands, frames), the bands and frames of
    ``bank``: the larger of the threshold in quiet and what the sound masks in the same frame. Masking before and after is left out."""
    bands, masker = bank(sound.shape[-1], rate), _of(sound)
    masked = _spread(bands) @ (bands.powers(masker).numpy() * 10 ** (-_offset(bands, masker) / 10))
    return np.maximum(_quiet(bands)[:, None], masked)


def audibility(change: Sound, start: Sound, rate: int) -> dict[str, float | None]:
    """How much of a ``change`` is heard beside its ``start``, both (..., samples) at ``rate`` hertz.

    ``share_audible``: energy in cells above the threshold, out of all of the change, infrasound included; None for no change. ``above_db``: by how
    much these cells stand above it, on average over them; None where there are none.
    """
    bands, limits = bank(change.shape[-1], rate), threshold(start, rate)
    power = bands.powers(_of(change)).numpy()
    heard = power > limits
    total = float(np.square(change, dtype=np.float64).sum())
    share = float(power[heard].sum()) * bands.size / bands.frames / total if total else None
    return {"share_audible": share, "above_db": float(np.mean(10 * np.log10(power[heard] / limits[heard]))) if heard.any() else None}

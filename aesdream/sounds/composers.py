"""Synthetic composers: fixed rules that judge sounds, so that a study can be run, and checked, without a person's ear.

Their "interesting" is invented, and pages say so. A composer measures every sound; the sounds that measure highest are called interesting, and
a few judgements are then exchanged, because a person's would not follow a rule either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import next_fast_len, rfft

Samples = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]

CLASSES = ("not interesting", "interesting")
"""What composers say; labels are indices into it."""


def erb_number(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Frequency on the scale of the ear's equivalent rectangular bandwidths (facts, section 6)."""
    return np.asarray(21.4 * np.log10(1 + 0.00437 * np.asarray(hertz, dtype=np.float64)))


def brightness(sound: Samples, rate: int) -> float:
    """Mean ERB number of a sound (channels, samples) at ``rate`` hertz, weighted by power above 20 Hz; 0 for silence.

    The power is the sum of the channels' power spectra over the whole sound, so neither level nor phase between channels matters.
    """
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak:
        return 0.0
    size = next_fast_len(sound.shape[1], real=True)
    spectra = rfft(sound.astype(np.float64) / peak, size, axis=1)
    power = np.sum(spectra.real**2 + spectra.imag**2, axis=0)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    heard = hertz > 20
    total = float(power[heard].sum())
    return float(power[heard] @ erb_number(hertz[heard])) / total if total else 0.0


@dataclass(frozen=True)
class Composer:
    """A rule: ``measure`` takes a sound (channels, samples) and its rate in hertz; ``rule`` says it in one plain sentence for the pages."""

    name: str
    rule: str
    measure: Callable[[Samples, int], float]


COMPOSERS = {
    composer.name: composer
    for composer in (
        Composer(
            "bright",
            "The sounds with the highest brightness (the mean ERB number of the long-term spectrum above 20 Hz, weighted by power) are interesting.",
            brightness,
        ),
    )
}


@dataclass(frozen=True)
class Judgement:
    """Labels (n,), 1 for interesting, and the ascending indices of the sounds whose judgement was exchanged."""

    labels: Labels
    exchanged: Labels


def sizes(count: int, share: float, exchanged: float) -> tuple[int, int]:
    """How many of ``count`` sounds are interesting, and how many of those change places with others: (164, 8) for 998, .164 and .05."""
    positives = round(share * count)
    return positives, round(exchanged * positives)


def judge(scores: npt.ArrayLike, share: float, exchanged: float, rng: np.random.Generator) -> Judgement:
    """Judge sounds by their scores (n,): the highest are interesting (earlier sounds win ties), then as many of each side are exchanged at random."""
    values = np.asarray(scores, dtype=np.float64)
    positives, moved = sizes(len(values), share, exchanged)
    order = np.argsort(-values, kind="stable")
    both = [rng.choice(side, moved, replace=False) for side in (order[:positives], order[positives:])]
    swapped = np.sort(np.concatenate(both)).astype(np.int64)
    labels = np.zeros(len(values), dtype=np.int64)
    labels[order[:positives]] = 1
    labels[swapped] = 1 - labels[swapped]
    return Judgement(labels, swapped)

"""The excerpts of a study that has no IRMAS: which there are, from which made-up recordings, and each of them when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesdream.seeding import Name, generator
from aesdream.sounds.instruments import fonts, players
from aesdream.sounds.instruments.rendering import RATE, recorded, sketch_of
from aesdream.sounds.instruments.settings import SECOND_FONT, Instruments
from aesdream.sounds.irmas import CLASSES

DESCRIPTION = "random pieces played on sampled instruments (a soundfont), in the layout of IRMAS; it is not IRMAS"
LABELS_A_CLIP = (1, 2, 1, 3, 1, 4, 1, 5)
"""Labels of the test clips, round after round of one clip a class."""
BETWEEN = (0.5, 2.0)
"""Seconds of a recording between two of its excerpts."""


@dataclass(frozen=True)
class Excerpt:
    """``seconds`` of a recording from ``first`` on. ``recording`` is the path of names that its random numbers are drawn by."""

    id: str
    labels: tuple[str, ...]
    recording: tuple[Name, ...]
    first: float
    seconds: float
    whole: float
    """Length of the recording."""

    @property
    def family(self) -> str:
        """The recording's name."""
        return "/".join(map(str, self.recording))


def training(settings: Instruments, seed: int, seconds: float) -> list[Excerpt]:
    """The training excerpts, class by class, those of a recording together and named as IRMAS's are."""
    found = []
    for label in CLASSES:
        for number in range(settings.recordings):
            recording: tuple[Name, ...] = ("training", label, number)
            sketch = sketch_of(seed, recording, (label,))
            name = f"{label}/[{label}][{'dru' if sketch.drums else 'nod'}][{sketch.style.genre}]{number + 1:04d}"
            gaps = generator(seed, "instruments", *recording, "gaps").uniform(*BETWEEN, settings.excerpts)
            firsts = [float(gaps[: one + 1].sum()) + one * seconds for one in range(settings.excerpts)]
            whole = firsts[-1] + seconds + BETWEEN[0]
            found += [Excerpt(f"{name}__{one + 1}.wav", (label,), recording, first, seconds, whole) for one, first in enumerate(firsts)]
    return found


def test(settings: Instruments, seed: int) -> list[Excerpt]:
    """The test clips, a recording each; all classes come first in equally many. Another font plays the same ones."""
    found = []
    for number in range(settings.tests):
        recording: tuple[Name, ...] = ("test", number)
        rng = generator(seed, "instruments", *recording, "clip")
        first, rounds = CLASSES[number % len(CLASSES)], number // len(CLASSES)
        more = LABELS_A_CLIP[rounds % len(LABELS_A_CLIP)] - 1
        others = rng.choice([label for label in CLASSES if label != first], more, replace=False)
        seconds = round(float(rng.uniform(*settings.test_seconds)), 2)
        labels = (first, *map(str, others))
        found.append(Excerpt(f"test/made-up {number + 1:04d}-1.wav", labels, recording, 0.0, seconds, seconds))
    return found


def excerpts(settings: Instruments, seed: int, set_name: str, seconds: float) -> list[Excerpt]:
    """The excerpts of a set; those for training are ``seconds`` long."""
    return test(settings, seed) if set_name else training(settings, seed, seconds)


def font(settings: Instruments, set_name: str) -> Path | None:
    """The soundfont that plays a set; None where none is given and the packaged one is not installed."""
    if set_name == SECOND_FONT:
        assert settings.second_font is not None
        return Path(settings.second_font.path)
    return Path(settings.font) if settings.font is not None else fonts.packaged()


def problems(settings: Instruments) -> list[str]:
    """A line for everything that keeps the soundfonts of a study from playing it."""
    lines = fonts.wrong(font(settings, ""), players.presets(), "sounds.instruments.font")
    if settings.second_font is not None:
        lines += fonts.wrong(font(settings, SECOND_FONT), players.presets(), "sounds.instruments.second_font.path")
    return lines


def rendered(excerpt: Excerpt, played_on: Path, seed: int) -> NDArray[np.float32]:
    """An excerpt: (2, samples) at ``RATE``. The last recording is kept, so that walking through a set renders each once."""
    whole = _recorded(played_on, seed, excerpt.recording, excerpt.labels, excerpt.whole)
    first = round(excerpt.first * RATE)
    return whole[:, first : first + round(excerpt.seconds * RATE)].astype(np.float32)


@lru_cache(maxsize=1)
def _recorded(played_on: Path, seed: int, recording: tuple[Name, ...], labels: tuple[str, ...], seconds: float) -> NDArray[np.float64]:
    return recorded(played_on, seed, recording, labels, seconds)


def labels_of(found: Sequence[Excerpt]) -> NDArray[np.uint8]:
    """(N, classes) 1 where an excerpt has the label."""
    return np.array([[label in excerpt.labels for label in CLASSES] for excerpt in found], np.uint8)

"""Levels of a generation: which sound comes from which, and the making of one.

A sound is a function of the generation's seed, its level and number, and its parent; so sounds may be made in any order, by any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from aesdream.seeding import generator
from aesdream.sounds.oracular.chains import Grown, grow
from aesdream.sounds.oracular.mixing import Samples
from aesdream.sounds.processes import Uniform

Choose = Callable[[int, Sequence[Path]], Collection[Path]]
"""Given a level and its sounds, which of them stay in the pool that the next level is drawn from."""

EVEN = Uniform(0, 0)


def keep_all(level: int, sounds: Sequence[Path]) -> Collection[Path]:
    """Every sound stays."""
    return sounds


def name_of(level: int, number: int) -> str:
    """The id of a sound: its level and its number there."""
    return f"{level}-{number:04d}"


def parents(pool: Sequence[str], outputs: int, seed: int, level: int) -> list[str]:
    """Which of ``pool`` each of ``outputs`` sounds of a level comes from, drawn evenly, so that some have many children and some none."""
    return [pool[int(place)] for place in generator(seed, "sounds", "parents", level).integers(len(pool), size=outputs)]


def child(parent: Samples, rate: int, seed: int, level: int, number: int, seconds: tuple[float, float]) -> Grown:
    """Sound ``number`` of a level, grown from its parent (channels, samples) to a length in the range ``seconds``. Raises Silent."""
    rng_of: Callable[[int], np.random.Generator] = partial(generator, seed, "sounds", level, number)
    return grow(rng_of, parent, rate, lengths=Uniform(*seconds), kept=seconds[1], gain_db=EVEN)

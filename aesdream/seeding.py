"""Every random number of a study comes from its one seed, by a path of names.

``generator(seed, "training", "order", 3)`` is independent of ``generator(seed, "training", "order", 4)`` and of every other path,
whatever else the study draws: adding a seed or a sweep changes no number that was drawn before.
"""

from __future__ import annotations

import zlib

import numpy as np

Name = str | int


def sequence(seed: int, *path: Name) -> np.random.SeedSequence:
    """The seed sequence at ``path`` below ``seed``."""
    return np.random.SeedSequence(seed, spawn_key=tuple(p if isinstance(p, int) else zlib.crc32(p.encode()) for p in path))


def generator(seed: int, *path: Name) -> np.random.Generator:
    """A numpy generator of its own for ``path``."""
    return np.random.default_rng(sequence(seed, *path))


def integer(seed: int, *path: Name) -> int:
    """A 63-bit seed for libraries that take one number, such as ``torch.Generator.manual_seed``."""
    return int(sequence(seed, *path).generate_state(1, np.uint64)[0] >> 1)

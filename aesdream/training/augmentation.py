"""What is added to sounds in training that nobody hears, so that a network learns to judge without it (thesis, future work)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aesdream.hearing import quiet_noise, threshold
from aesdream.seeding import generator
from aesdream.sounds.audio import floating
from aesdream.sounds.splits import Items
from aesdream.sounds.store import Corpus


class Inaudible:
    """Noise for every piece of a training side, fresh every epoch, whoever hears it: it follows from the seeds, the epoch and the piece's number."""

    def __init__(self, corpus: Corpus, items: Items, study_seed: int, seed: int) -> None:
        self.corpus, self.items, self.seeds = corpus, items, (study_seed, seed)
        self.limits: dict[tuple[int, int], NDArray[np.float32]] = {}

    def noise(self, epoch: int, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, channels, samples) for the pieces of these numbers."""
        study_seed, seed = self.seeds
        rate = self.corpus.sample_rate
        drawn = (generator(study_seed, "inaudible", seed, epoch, number) for number in numbers.tolist())
        return np.stack([quiet_noise(self._limit(n), self.items.samples, rate, draw) for n, draw in zip(numbers.tolist(), drawn, strict=True)])

    def _limit(self, number: int) -> NDArray[np.float32]:
        """The threshold beside a piece; copies share it."""
        piece = int(self.items.sound[number]), int(self.items.offset[number])
        if piece not in self.limits:
            heard = floating(self.corpus.read(*piece, self.items.samples))
            self.limits[piece] = threshold(heard, self.corpus.sample_rate).astype(np.float32)
        return self.limits[piece]

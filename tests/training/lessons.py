"""A small corpus on disk and lessons on it, for the tests of training."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from aesdream.models.han import Han
from aesdream.models.jenkins import Jenkins
from aesdream.models.layers import Output
from aesdream.seeding import generator
from aesdream.sounds import store
from aesdream.sounds.splits import Items, Split
from aesdream.training import loop
from aesdream.training.settings import Training

RATE, SAMPLES, CLASSES = 8000, 600, ["no", "yes"]
NETWORK = Jenkins(kernel=40, stride=20, start="mean", filters=(6, 7, 8), pool=3, pool_stride=2, hidden=12)
SPECTROGRAM = Han(fft=64, hop=32, mels=8, centre=-6, filters=(8, 8), hidden=24, dropout=0.1, hidden_dropout=0.2)
"""With sigmoid outputs and dropout."""


def write_corpus(folder: Path, count: int) -> Path:
    """``sounds.h5`` with ``count`` noises, of which every third hums below them and is called ``yes``."""
    random = generator(5, "sounds")
    labels = (np.arange(count) % 3 == 0).astype(np.int64)
    hum = 8000 * np.sin(2 * np.pi * 40 * np.arange(SAMPLES) / RATE)
    sounds = (random.standard_normal((count, 2, SAMPLES)) * 4000 + hum * labels[:, None, None]).clip(-32768, 32767).astype(np.int16)
    prepared = [store.Prepared(f"s{i}", sound, SAMPLES, "{}", f"{i:064x}", np.zeros(12), np.nan) for i, sound in enumerate(sounds)]
    store.write_slice(folder / "slice.h5", prepared, count, SAMPLES)
    store.join(
        folder / "sounds.h5",
        [folder / "slice.h5"],
        labels=labels,
        families=[f"f{i}" for i in range(count)],
        start=sounds[0],
        attributes={"sample_rate": RATE, "classes": CLASSES, "families_known": False, "preparation": {}},
    )
    return folder / "sounds.h5"


def everything(corpus: store.Corpus) -> Items:
    """All sounds as they are."""
    count = len(corpus.label)
    return Items(np.arange(count), np.zeros(count, np.int64), corpus.label, corpus.samples)


def lesson(
    corpus: store.Corpus,
    state: Path,
    *,
    train: int,
    epochs: int,
    batch: int = 8,
    precision: str = "float32",
    seed: int = 0,
    output: Output = "softmax",
    patience: int | None = None,
) -> loop.Lesson:
    """Training on the first ``train`` sounds, validation on the others."""
    items = everything(corpus)
    split = Split(items[np.arange(train)], items[np.arange(train, len(items))])
    settings = Training(batch=batch, learning_rate=0.01, precision=precision, patience=patience)
    return loop.Lesson(corpus, split, settings, epochs, study_seed=11, seed=seed, state=state, digest="0123456789abcdef", output=output)


def for_epochs(given: loop.Lesson, epochs: int) -> loop.Lesson:
    return replace(given, epochs=epochs)


def network_for(given: loop.Lesson) -> nn.Module:
    """Untrained: a waveform network, or one on spectrograms where the lesson is about sigmoid outputs."""
    settings = NETWORK if given.output == "softmax" else SPECTROGRAM
    build = partial(settings.build, given.split.train.samples, len(given.corpus.classes), channels=2, sample_rate=RATE)
    return loop.initial_network(build, given.study_seed, given.seed, given.settings.precision)


def weights(network: nn.Module) -> torch.Tensor:
    """All parameters in a row."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])

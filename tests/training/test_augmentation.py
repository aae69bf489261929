"""Training with noise that nobody hears: fresh every epoch, the same for whoever hears a piece, and never on the validation side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aesdream.hearing import audibility
from aesdream.sounds.audio import floating
from aesdream.sounds.store import Corpus
from aesdream.training import loop
from aesdream.training.augmentation import Inaudible
from aesdream.training.distributed import Place
from tests.training.lessons import RATE, SAMPLES, everything, for_epochs, lesson, network_for, weights, write_corpus

HERE = Place(0, 1, torch.device("cpu"))
COUNT, TRAIN = 20, 14


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(write_corpus(tmp_path_factory.mktemp("corpus"), COUNT))


def trained(given: loop.Lesson) -> tuple[torch.Tensor, loop.History]:
    network = network_for(given)
    history = loop.train(network, given, HERE)
    return weights(network), history


def test_noise_follows_from_epoch_and_piece_and_lies_under_its_sound(corpus: Corpus) -> None:
    items = everything(corpus)
    made = Inaudible(corpus, items, 11, 0)
    one = made.noise(1, np.array([3, 5, 3]))
    assert one.shape == (3, 2, SAMPLES)
    assert np.array_equal(one[0], one[2])
    assert np.array_equal(Inaudible(corpus, items, 11, 0).noise(1, np.array([5])), one[1:2])
    for other in (made.noise(2, np.array([3])), Inaudible(corpus, items, 11, 1).noise(1, np.array([3])), made.noise(1, np.array([4]))):
        assert not np.array_equal(other, one[:1])
    for number, noise in zip((3, 5), one, strict=False):
        share = audibility(noise, floating(corpus.read(number)), RATE)["share_audible"]
        assert share is not None
        assert share < 1e-3
        assert noise.std() > 1e-4


def test_copies_of_a_piece_have_noise_of_their_own(corpus: Corpus) -> None:
    twice = everything(corpus)[np.array([4, 4])]
    noise = Inaudible(corpus, twice, 11, 0).noise(1, np.array([0, 1]))
    assert not np.array_equal(noise[0], noise[1])


def test_only_what_is_trained_on_gets_noise_once_an_epoch(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    noise = Inaudible.noise
    monkeypatch.setattr(Inaudible, "noise", lambda self, epoch, numbers: (asked.extend((epoch, n) for n in numbers), noise(self, epoch, numbers))[1])
    given = replace(lesson(corpus, tmp_path / "state.pt", train=TRAIN, epochs=2), augmentation="inaudible")
    trained(given)
    assert sorted(asked) == [(epoch, number) for epoch in (1, 2) for number in range(TRAIN)]


def test_training_that_was_ended_goes_on_to_the_same_bits(corpus: Corpus, tmp_path: Path) -> None:
    given = replace(lesson(corpus, tmp_path / "state.pt", train=TRAIN, epochs=3), augmentation="inaudible")
    trained(for_epochs(given, 1))
    resumed, history = trained(given)
    whole, _ = trained(replace(given, state=tmp_path / "other.pt"))
    plain, _ = trained(replace(given, augmentation=None, state=tmp_path / "plain.pt"))
    assert len(history) == 3
    assert torch.equal(resumed, whole)
    assert not torch.equal(whole, plain)

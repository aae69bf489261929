from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from aesdream.models import Network
from aesdream.models.han import Han
from aesdream.seeding import generator
from aesdream.sounds import audio
from aesdream.sounds.audio import Preparation
from aesdream.sounds.splits import Items
from aesdream.sounds.store import Corpus
from aesdream.training import loop
from aesdream.training.checkpoints import Checkpoint, describe
from aesdream.training.judging import judge, segments
from tests.training.lessons import NETWORK, RATE, SAMPLES, everything, write_corpus

AS_IT_IS = Preparation(sample_rate=RATE, seconds=SAMPLES / RATE, fade_out=0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(write_corpus(tmp_path_factory.mktemp("corpus"), 12))


def checkpoint(samples: int = SAMPLES, how: Preparation = AS_IT_IS) -> Checkpoint:
    network = NETWORK.build(samples, 2, torch.Generator().manual_seed(2)).eval()
    return Checkpoint(
        network, describe(Network(jenkins=NETWORK), how, ["no", "yes"], samples, max(1, samples // 2), {}), network.conv1.weight.detach()
    )


def test_a_sound_of_the_corpus_is_judged_as_it_was_predicted(corpus: Corpus):
    model = checkpoint()
    predicted = loop.predict(model.network, corpus, everything(corpus))
    for index in range(12):
        (segment,) = segments(audio.floating(corpus.read(index)), RATE, AS_IT_IS)
        assert np.array_equal(segment, corpus.read(index))
        assert judge(model, [segment]) == pytest.approx(predicted[index], abs=1e-6)


def test_a_longer_sound_is_averaged_over_segments_that_overlap_by_half_and_reach_its_end(corpus: Corpus):
    model = checkpoint()
    whole = np.concatenate([corpus.read(0), corpus.read(1), corpus.read(2)[:, :100]], axis=1)
    cut = list(segments(audio.floating(whole), RATE, AS_IT_IS))
    starts = [0, 300, 600, 700]
    assert len(cut) == len(starts)
    assert all(np.array_equal(part, whole[:, first : first + SAMPLES]) for part, first in zip(cut, starts, strict=True))
    assert judge(model, cut) == pytest.approx(np.mean([judge(model, [part]) for part in cut], axis=0))


def test_a_windowed_model_hears_windows_of_its_own_length_and_is_averaged(corpus: Corpus):
    model = checkpoint(samples=400)
    items = Items(np.array([3, 3]), np.array([0, 200]), np.zeros(2, np.int64), 400)
    wanted = loop.predict(model.network, corpus, items).mean(0)
    assert judge(model, [corpus.read(3)]) == pytest.approx(wanted, abs=1e-6)


def test_mono_is_judged_like_the_same_sound_on_both_channels():
    sound = (generator(1, "mono").standard_normal((1, SAMPLES)) * 0.1).astype(np.float32)
    model = checkpoint()
    mono, stereo = (judge(model, list(segments(given, RATE, AS_IT_IS))) for given in (sound, np.repeat(sound, 2, 0)))
    assert np.array_equal(mono, stereo)


def test_another_sample_rate_is_brought_to_the_studys():
    seconds = np.arange(2 * SAMPLES) / (2 * RATE)
    slow = 0.3 * np.sin(2 * np.pi * 200 * seconds[None]) * np.hanning(2 * SAMPLES)
    (fitted,) = segments(slow, 2 * RATE, AS_IT_IS)
    wanted = 0.3 * np.sin(2 * np.pi * 200 * np.arange(SAMPLES) / RATE) * np.hanning(2 * SAMPLES)[::2]
    assert fitted.shape == (2, SAMPLES)
    assert np.abs(fitted[0] / 32768 - wanted).max() < 0.005
    assert judge(checkpoint(), [fitted]).sum() == pytest.approx(1)


def test_a_short_sound_is_padded_with_silence():
    sound = (generator(1, "short").standard_normal((2, 250)) * 0.1).astype(np.float32)
    (fitted,) = segments(sound, RATE, AS_IT_IS)
    assert fitted.shape == (2, SAMPLES)
    assert fitted[:, 249].any()
    assert not fitted[:, 250:].any()


def test_every_segment_is_prepared_like_the_corpus(tmp_path: Path):
    how = Preparation(sample_rate=RATE, seconds=SAMPLES / RATE, fade_out=0.02, levels="peak")
    sound = (generator(1, "long").standard_normal((2, 2 * SAMPLES)) * 0.05).astype(np.float32)
    for first, segment in zip((0, 300, 600), segments(sound, RATE, how), strict=True):
        assert np.array_equal(segment, audio.prepare(sound[:, first : first + SAMPLES], RATE, how))
        assert np.abs(segment.astype(int)).max() == 32767


def test_classes_that_may_sound_together_are_judged_each_for_itself():
    settings = Han(fft=64, hop=32, mels=8, filters=(2, 2), hidden=4)
    how = Preparation(sample_rate=RATE, seconds=SAMPLES / RATE, fade_out=0, channels=1)
    network = settings.build(SAMPLES, 3, torch.Generator().manual_seed(1), channels=1, sample_rate=RATE).eval()
    model = Checkpoint(network, describe(Network(han=settings), how, ["a", "b", "c"], SAMPLES, SAMPLES, {}), torch.zeros(1))
    sound = (generator(1, "together").standard_normal((2, SAMPLES)) * 0.1).astype(np.float32)
    (segment,) = segments(sound, RATE, how)
    with torch.no_grad():
        wanted = torch.sigmoid(network(torch.from_numpy(audio.floating(segment))[None]).double())[0]
    assert judge(model, [segment]) == pytest.approx(wanted.numpy(), abs=1e-6)

from __future__ import annotations

import numpy as np
import pytest
import torch

from aesdream.dreaming.alone import dream_alone
from aesdream.dreaming.ascent import dream
from aesdream.errors import UserError
from aesdream.models import Network
from aesdream.sounds.audio import Preparation
from aesdream.training.checkpoints import Checkpoint, describe
from tests.dreaming.networks import SAMPLES, SETTINGS, lively, noise

RATE = 8000
HOW = Preparation(sample_rate=RATE, seconds=SAMPLES / RATE, fade_out=0)
RULE = {"side": "pre", "rule": "std", "step": 0.002, "steps": 6}


def checkpoint() -> Checkpoint:
    network = lively().eval()
    return Checkpoint(network, describe(Network(jenkins=SETTINGS), HOW, ["no", "yes"], SAMPLES, SAMPLES, {}), network.conv1.weight.detach())


@pytest.mark.parametrize("samples", [SAMPLES, 3 * SAMPLES + 77, 200])
def test_a_filter_dreams_a_sound_of_any_length_as_a_whole(samples: int):
    sound = noise(shape=(2, samples)).numpy()
    dreamed, activation = dream_alone(checkpoint(), sound, RATE, "conv2", (1,), **RULE)
    wanted = dream(checkpoint().network, "conv2", [1], torch.from_numpy(sound), **RULE)
    assert np.array_equal(dreamed, wanted.sounds[0].numpy())
    assert activation == wanted.activation[0].tolist()
    assert activation[-1] > activation[0]


def test_a_class_dreams_window_by_window_laid_end_to_end():
    sound = noise(shape=(2, 2 * SAMPLES + 77)).numpy()
    dreamed, activation = dream_alone(checkpoint(), sound, RATE, "class", (1,), **RULE)
    assert dreamed.shape == sound.shape
    padded = np.pad(sound, ((0, 0), (0, SAMPLES - 77)))
    parts = [dream(checkpoint().network, "class", [1], torch.from_numpy(part), **RULE) for part in np.split(padded, 3, axis=1)]
    assert np.array_equal(dreamed[:, SAMPLES : 2 * SAMPLES], parts[1].sounds[0].numpy())
    assert np.array_equal(dreamed[:, 2 * SAMPLES :], parts[2].sounds[0].numpy()[:, :77])
    assert activation == pytest.approx(torch.stack([part.activation[0] for part in parts]).mean(0).tolist())


def test_a_dream_that_stops_at_a_distance_comes_to_it():
    sound = noise(shape=(2, 2 * SAMPLES)).numpy()
    for layer in ("conv2", "class"):
        dreamed, _ = dream_alone(checkpoint(), sound, RATE, layer, (1,), **{**RULE, "steps": 60}, stop_rms=0.01, momentum=0.9)
        assert np.sqrt(np.square(dreamed.astype(np.float64) - sound).mean()) == pytest.approx(0.01, rel=1e-3)


def test_mono_and_other_rates_are_accepted():
    sound = noise(shape=(1, 4 * SAMPLES)).numpy()
    dreamed, _ = dream_alone(checkpoint(), sound, 2 * RATE, "conv2", (0, 2), **RULE)
    assert dreamed.shape == (2, 2 * SAMPLES)
    assert np.abs(dreamed).max() <= 1


@pytest.mark.parametrize(("layer", "samples"), [("conv1", 39), ("conv2", 20), ("conv3", 50)])
def test_a_sound_too_short_for_the_layer_is_told(layer: str, samples: int):
    with pytest.raises(UserError, match=f"too short for {layer} \\({samples} samples\\)"):
        dream_alone(checkpoint(), noise(shape=(2, samples)).numpy(), RATE, layer, (0,), **RULE)

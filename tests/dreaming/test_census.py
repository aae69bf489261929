from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from aesdream.dreaming import census, dream
from aesdream.models.han import Han
from tests.dreaming.networks import Pointwise, lively, noise

SAMPLES = 16
WEIGHTS = [1.0, 1.0, -1.0, 0.01, 1.0, 1.0, 1.0, 2.0]
BIASES = [0.0, -0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
ALIVE, QUIET_START, DEAD, SLOW, TWICE = 0, 1, 2, 3, 7
START = torch.full((1, SAMPLES), 0.5)
CORPUS = torch.tensor([0.1, 0.4, 1.0, -0.2])[:, None, None].expand(4, 1, SAMPLES)


def counted(network: nn.Module | None = None, corpus: Any = None) -> dict[str, Any]:
    return census(network or Pointwise(WEIGHTS, BIASES), ["conv1", "conv2"], START, corpus or [CORPUS])


def test_every_test_of_death_finds_its_own_filters_and_no_others():
    filters = counted()["layers"]["conv2"]
    assert [record["filter"] for record in filters] == list(range(len(WEIGHTS)))
    assert [n for n, record in enumerate(filters) if record["silent_on_start"]] == [QUIET_START, DEAD]
    assert [n for n, record in enumerate(filters) if record["silent_on_corpus"]] == [DEAD]
    assert [n for n, record in enumerate(filters) if record["slow"]["pre"]] == [SLOW]
    assert [n for n, record in enumerate(filters) if record["slow"]["post"]] == [SLOW]
    assert not any(record["upstream"] for record in filters)


def test_means_largest_values_and_gains_are_those_of_the_closed_form():
    filters = counted()["layers"]["conv2"]
    heard = CORPUS[:, 0, 0].relu()
    for record, weight, bias in zip(filters, WEIGHTS, BIASES, strict=True):
        before = weight * heard + bias
        assert record["start_pre_mean"] == pytest.approx(weight * 0.5 + bias)
        assert record["start_post_mean"] == pytest.approx(max(0, weight * 0.5 + bias))
        assert record["corpus_pre_max"] == pytest.approx(float(before.max()))
        assert record["corpus_post_mean"] == pytest.approx(float(before.relu().mean()))
        assert record["gain_pre"] == pytest.approx(abs(weight) / math.sqrt(SAMPLES))
        assert record["gain_post"] == pytest.approx(abs(weight) / math.sqrt(SAMPLES) if weight * 0.5 + bias > 0 else 0)


def test_a_silent_first_layer_is_named_as_the_cause_of_all_that_follows():
    found = counted(Pointwise(WEIGHTS, BIASES, conv1_bias=-10.0))
    assert found["bottleneck"] == {"layer": "conv1", "silent_on_start": True, "silent_on_corpus": True, "share_silent": 1.0}
    assert all(record["upstream"] for record in found["layers"]["conv2"])
    assert not any(record["upstream"] for record in found["layers"]["conv1"])
    assert not any(math.isnan(value) for record in found["layers"]["conv2"] for value in record.values() if isinstance(value, float))


def test_a_first_layer_silent_on_the_start_alone_speaks_on_the_corpus():
    bottleneck = counted(Pointwise(WEIGHTS, BIASES, conv1_bias=-0.6))["bottleneck"]
    assert bottleneck == {"layer": "conv1", "silent_on_start": True, "silent_on_corpus": False, "share_silent": 0.75}


def test_the_share_of_sounds_on_which_the_first_layer_is_silent():
    assert counted()["bottleneck"] == {"layer": "conv1", "silent_on_start": False, "silent_on_corpus": False, "share_silent": 0.25}


def test_batches_of_the_corpus_do_not_matter():
    assert counted(corpus=[CORPUS[:1], CORPUS[1:]]) == counted()
    assert counted(corpus=iter(CORPUS.split(2))) == counted()


def test_gains_are_what_a_first_step_of_the_dream_adds():
    network, start = lively(dtype=torch.float64), noise(dtype=torch.float64)
    found = census(network, network.layers(), start, [start[None]])
    for layer, side in (("conv1", "pre"), ("conv2", "post"), ("conv3", "pre"), ("class", "pre"), ("class", "post")):
        records = found["layers"][layer]
        step = 1e-7
        dreams = dream(network, layer, list(range(len(records))), start, side=side, rule="norm", step=step, steps=1)
        rise = (dreams.activation[:, 1] - dreams.activation[:, 0]) / step
        assert rise.tolist() == pytest.approx([record[f"gain_{side}"] for record in records], rel=1e-4, abs=1e-7)


def test_all_layers_are_counted_with_all_their_filters():
    network = lively()
    found = census(network, network.layers(), noise(), [torch.stack([noise(2), noise(3)])])
    assert {name: len(records) for name, records in found["layers"].items()} == {"conv1": 1, "conv2": 4, "conv3": 5, "class": 2}
    logits = network(noise()[None]).detach()[0]
    assert [record["start_pre_mean"] for record in found["layers"]["class"]] == pytest.approx(logits.tolist(), abs=1e-6)
    assert sum(record["start_post_mean"] for record in found["layers"]["class"]) == pytest.approx(1)


def test_the_network_is_left_as_it_was():
    network = Pointwise(WEIGHTS, BIASES).train()
    network.conv1.requires_grad_(False)
    counted(network)
    assert network.training
    assert [parameter.requires_grad for parameter in network.parameters()] == [False, False, True, True]
    assert not any(module._forward_hooks for module in network.modules())


def test_any_torch_module_is_counted_by_the_names_of_its_parts():
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3))
    picture = noise(shape=(1, 12, 10))
    found = census(network, ["0", "2"], picture, [picture[None]])
    assert found["bottleneck"]["layer"] == "0"
    assert [len(found["layers"][name]) for name in ("0", "2")] == [3, 4]


def test_a_leaky_filter_is_not_dead_but_may_never_be_positive():
    settings = Han(fft=64, hop=32, mels=8, filters=(3, 4), hidden=8)
    network = settings.build(600, 3, torch.Generator().manual_seed(1), channels=1, sample_rate=8000).eval()
    with torch.no_grad():
        network.body.convolutions["conv3"].bias[2] = -1000.0
    sounds = 0.1 * torch.randn(4, 1, 600, generator=torch.Generator().manual_seed(2))
    found = census(network, network.layers(), sounds[0], [sounds])
    assert found["never_positive"]["conv3"] == [2]
    assert list(found["never_positive"]) == ["conv1", "conv2", "conv3", "conv4"]
    record = found["layers"]["conv3"][2]
    assert record["corpus_pre_max"] < 0
    assert not record["silent_on_corpus"]
    assert record["gain_post"] == pytest.approx(0.33 * record["gain_pre"], rel=1e-4)
    assert {name: len(records) for name, records in found["layers"].items()} == settings.layer_filters(3)


def test_a_network_of_rectifiers_has_no_leaky_filters_to_tell_of():
    assert counted().keys() == {"bottleneck", "layers"}

from __future__ import annotations

import pytest
import torch

from aesdream import config
from aesdream.errors import UserError
from aesdream.models import Network
from aesdream.models.jenkins import Jenkins
from aesdream.models.layers import Dreamable

SMALL = Jenkins(kernel=40, stride=16, start="mean", filters=(3, 5), pool=3, pool_stride=2, hidden=4)


def drawn(seed: int, samples: int = 500, settings: Jenkins = SMALL) -> torch.nn.Module:
    return settings.build(samples, 3, torch.Generator().manual_seed(seed))


def test_frames_are_the_lengths_that_the_network_puts_out():
    network = drawn(0)
    lengths = []
    for module in (network.conv1, network.pool):
        module.register_forward_hook(lambda _m, _i, output: lengths.append(output.shape[-1]))
    with torch.no_grad():
        logits = network(torch.zeros(2, 2, 500))
    assert lengths == SMALL.frames(500)
    assert logits.shape == (2, 3)


def test_the_listed_layers_are_those_of_the_network_in_order_of_depth():
    network = drawn(0)
    assert isinstance(network, Dreamable)
    assert {name: layer.filters for name, layer in network.layers().items()} == SMALL.layer_filters(3)
    assert list(network.layers()) == ["conv1", "conv2", "conv3", "class"]


def test_the_same_generator_state_draws_the_same_weights_and_another_draws_others():
    first, same, other = (drawn(seed).state_dict() for seed in (4, 4, 5))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["deeper.conv2.weight"], other["deeper.conv2.weight"])
    assert torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_the_mean_start_is_one_over_the_kernel_and_biases_start_at_zero():
    weights = drawn(1).state_dict()
    assert torch.equal(weights["conv1.weight"], torch.full((1, 2, 40), 1 / 40))
    assert not any(value.any() for name, value in weights.items() if name.endswith("bias"))


def test_several_first_filters_are_listed_differ_when_drawn_and_cost_more():
    many = SMALL.model_copy(update={"first": 6, "start": "xavier"})
    network = drawn(2, settings=many)
    assert many.layer_filters(3)["conv1"] == network.layers()["conv1"].filters == 6
    weight = network.conv1.weight.flatten(1)
    assert torch.linalg.matrix_rank(weight) == 6
    assert torch.linalg.vector_norm(weight, dim=1).std() < 0.3 * torch.linalg.vector_norm(weight, dim=1).mean()
    assert network(torch.zeros(2, 2, 500)).shape == (2, 3)
    assert many.seconds(500, 2) > SMALL.seconds(500, 2)


def test_one_first_filter_stays_unsaid_so_that_digests_are_what_they_were():
    assert "first" not in config.plain(SMALL)
    assert config.plain(SMALL.model_copy(update={"first": 2}))["first"] == 2
    assert Jenkins.model_validate(config.plain(SMALL)) == SMALL


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"width": 4}, "width must be odd"),
        ({"pool": 2, "pool_stride": 3}, "pool_stride must not exceed pool"),
        ({"kernel": 100, "stride": 101}, "stride must not exceed kernel"),
        ({"filters": []}, "network.jenkins.filters"),
        ({"start": "random"}, "'ones', 'mean' or 'xavier'"),
        ({"kernal": 100}, "did you mean kernel"),
    ],
)
def test_settings_that_fit_no_network_are_refused_with_the_reason(settings: dict[str, object], problem: str):
    with pytest.raises(UserError, match=problem):
        config.validate(_Whole, {"network": {"jenkins": settings}}, "study.yaml")


class _Whole(config.Section):
    network: Network


def test_a_kernel_longer_than_the_sound_is_refused_with_both_lengths():
    with pytest.raises(UserError, match=r"kernel: 40 samples is longer than the sound \(39 samples\)"):
        drawn(0, 39)


def test_a_stride_that_leaves_too_few_frames_is_refused():
    with pytest.raises(UserError, match="stride: 16 leaves 4 frames of 90 samples, too few for 2 pools of 3"):
        drawn(0, 90)


def test_a_network_section_holds_exactly_one_network():
    with pytest.raises(UserError, match="exactly one of jenkins"):
        config.validate(Network, {}, "study.yaml")


def test_its_parameters_are_counted_without_building_it() -> None:
    settings = Jenkins(kernel=64, stride=32, filters=(2, 3), hidden=5)
    network = settings.build(4000, 2, torch.Generator().manual_seed(1))
    assert settings.parameters(4000, 2, 2) == sum(parameter.numel() for parameter in network.parameters())

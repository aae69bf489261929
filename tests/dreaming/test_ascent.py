from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from aesdream.dreaming import dream
from aesdream.dreaming.rules import RULES
from aesdream.errors import UserError
from tests.dreaming.networks import SAMPLES, SETTINGS, Pointwise, lively, noise


def laid(kernel: torch.Tensor, frames: int, stride: int, samples: int) -> torch.Tensor:
    """A kernel (channels, length) added up where ``frames`` windows lie: (channels, samples)."""
    total = torch.zeros(len(kernel), samples, dtype=kernel.dtype)
    for frame in range(frames):
        total[:, frame * stride : frame * stride + kernel.shape[1]] += kernel
    return total


@pytest.mark.parametrize(("kernel", "stride"), [(40, 16), (32, 16), (16, 16), (45, 9)])
def test_conv1_before_its_relu_converges_to_the_sign_of_its_kernel_laid_over_the_sound(kernel: int, stride: int):
    network = lively(dtype=torch.float64, settings=SETTINGS.model_copy(update={"kernel": kernel, "stride": stride}))
    start = noise(dtype=torch.float64)
    found = dream(network, "conv1", [0], start, side="pre", rule="plain", step=1e5, steps=20).sounds[0]
    frames = (SAMPLES - kernel) // stride + 1
    wanted = laid(network.conv1.weight.detach()[0], frames, stride, SAMPLES)
    covered = (frames - 1) * stride + kernel
    assert covered < SAMPLES
    assert wanted[:, :covered].abs().min() > 1e-6
    assert torch.equal(found[:, :covered], wanted[:, :covered].sign())
    assert torch.equal(found[:, covered:], start[:, covered:])


def test_samples_between_windows_keep_the_start():
    network = nn.Sequential(nn.Conv1d(2, 1, 5, stride=8)).double()
    start = noise(dtype=torch.float64)
    found = dream(network, "0", [0], start, side="pre", rule="plain", step=1e5, steps=5).sounds[0]
    wanted = laid(network[0].weight.detach()[0], (SAMPLES - 5) // 8 + 1, 8, SAMPLES)
    touched = wanted != 0
    assert torch.equal(found[touched], wanted[touched].sign())
    assert torch.equal(found[~touched], start[~touched])
    assert (~touched).sum() > 300


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("side", ["pre", "post"])
def test_a_dream_rises_stays_in_bounds_and_traces_what_the_network_hears(rule: str, side: str):
    network, start = lively(), noise()
    step = {"std": 0.002, "mean": 0.002, "max": 0.01, "norm": 0.05, "plain": 0.5}[rule]
    dreams = dream(network, "conv3", list(range(5)), start, side=side, rule=rule, step=step, steps=30)
    assert dreams.activation.shape == (5, 31)
    assert dreams.sounds.abs().max() <= 1
    assert torch.equal(dreams.steps, torch.full((5,), 30))
    outputs: list[torch.Tensor] = []
    handle = network.deeper["conv3"].register_forward_hook(lambda _m, _i, output: outputs.append(output.detach()))
    network(torch.stack([*dreams.sounds, *[start] * 5]))
    handle.remove()
    seen = outputs[0].relu() if side == "post" else outputs[0]
    means = seen.mean(2)
    torch.testing.assert_close(dreams.activation[:, -1], means[:5].diagonal(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(dreams.activation[:, 0], means[5:].diagonal(), rtol=1e-5, atol=1e-6)
    assert (dreams.activation[:, -1] >= dreams.activation[:, 0]).all()
    assert (dreams.activation[:, -1] > dreams.activation[:, 0]).sum() >= 3


def test_every_step_is_clipped():
    """A sample beyond the bounds would be pulled back late: with bounds the path is that of a ball that stops at the wall."""
    network = Pointwise([1.0], [0.0])
    start = torch.tensor([[0.5, 0.9]])
    rising = dream(network, "conv2", [0], start, side="pre", rule="plain", step=0.4, steps=3)
    assert rising.activation[0].tolist() == pytest.approx([0.7, 0.85, 0.95, 1.0])
    assert rising.sounds[0].max() == 1
    free = dream(network, "conv2", [0], start, side="pre", rule="plain", step=0.4, steps=3, bounds=None)
    assert free.sounds[0].tolist()[0] == pytest.approx([1.1, 1.5])


def test_a_batch_of_targets_is_each_target_bit_for_bit_when_filled_up_to_its_size():
    network, start = lively(), noise()
    together = dream(network, "conv3", [0, 1, 2, 3], start, steps=20)
    for number in range(4):
        alone = dream(network, "conv3", [number] * 4, start, steps=20)
        for row in range(4):
            assert torch.equal(together.sounds[number], alone.sounds[row])
            assert torch.equal(together.activation[number], alone.activation[row])
            assert torch.equal(together.coefficients[number], alone.coefficients[row])


def test_a_batch_of_targets_is_each_target_alone_but_for_rounding():
    network, start = lively(dtype=torch.float64), noise(dtype=torch.float64)
    together = dream(network, "conv3", [0, 1, 2, 3], start, steps=20)
    for number in range(4):
        alone = dream(network, "conv3", [number], start, steps=20)
        assert alone.sounds.shape == (1, 2, SAMPLES)
        torch.testing.assert_close(alone.sounds[0], together.sounds[number], rtol=0, atol=1e-9)
        torch.testing.assert_close(alone.activation[0], together.activation[number], rtol=0, atol=1e-9)


def test_several_targets_are_summed():
    network, start = lively(dtype=torch.float64), noise(dtype=torch.float64)
    found = dream(network, "conv2", [0, 2, (0, 2)], start, side="pre", rule="plain", step=1e-3, steps=1)
    change = found.sounds - start
    torch.testing.assert_close(change[2], change[0] + change[1])
    torch.testing.assert_close(found.activation[2, 0], found.activation[0, 0] + found.activation[1, 0])


def test_a_class_is_dreamed_by_its_logit_and_by_its_probability():
    network, start = lively(), noise()
    for side, wanted in (("pre", lambda logits: logits), ("post", lambda logits: logits.softmax(1))):
        found = dream(network, "class", [0, 1], start, side=side, steps=40)
        with torch.no_grad():
            ends = wanted(network(found.sounds)).diagonal()
        torch.testing.assert_close(found.activation[:, -1], ends, rtol=1e-4, atol=1e-5)
        assert (found.activation[:, -1] > found.activation[:, 0]).all()
    assert ((found.activation >= 0) & (found.activation <= 1)).all()
    torch.testing.assert_close(found.activation[:, 0].sum(), torch.tensor(1.0))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dead", ["conv1", "conv2"])
def test_a_silent_layer_leaves_the_start_as_it_is_and_never_gives_nan(rule: str, dead: str):
    network, start = lively(), noise()
    module = network.layers()[dead].module
    with torch.no_grad():
        module.bias.fill_(-1e3)
    found = dream(network, "conv2", [0, 1], start, side="post", rule=rule, steps=5)
    assert torch.equal(found.sounds, torch.stack([start, start]))
    assert torch.equal(found.activation, torch.full((2, 6), 0.0 if dead == "conv2" else network.deeper["conv2"].bias[0].item()))
    if dead == "conv1":
        before = dream(network, "conv3", [0], start, side="pre", rule=rule, steps=5)
        assert torch.equal(before.sounds[0], start)
        assert len(set(before.activation[0].tolist())) == 1


@pytest.mark.parametrize("rule", ["std", "plain"])
def test_a_dream_stops_at_its_distance(rule: str):
    network, start = lively(dtype=torch.float64), noise(dtype=torch.float64)
    step = {"std": 0.002, "plain": 0.2}[rule]
    free = dream(network, "conv3", [0, 1, 2, 3, 4], start, side="pre", rule=rule, step=step, steps=60, stop_rms=9.0)
    away = (free.sounds - start).flatten(1).square().mean(1).sqrt()
    limit = float(away.sort().values[2]) * 0.9
    held = dream(network, "conv3", [0, 1, 2, 3, 4], start, side="pre", rule=rule, step=step, steps=60, stop_rms=limit)
    distance = (held.sounds - start).flatten(1).square().mean(1).sqrt()
    assert (distance <= limit * (1 + 1e-12)).all()
    reached = away > limit
    assert reached.sum() >= 2
    torch.testing.assert_close(distance[reached], torch.full_like(distance[reached], limit), rtol=1e-6, atol=0)
    assert (held.steps[reached] < 60).all()
    assert torch.equal(held.sounds[~reached], free.sounds[~reached])
    for row in torch.nonzero(reached).flatten().tolist():
        stood = held.activation[row, held.steps[row] :]
        assert len(set(stood.tolist())) == 1
        assert torch.equal(held.activation[row, : held.steps[row]], free.activation[row, : held.steps[row]])


def test_coefficients_are_what_was_spread_through_the_first_kernel():
    network, start = lively(dtype=torch.float64), noise(dtype=torch.float64)
    for layer, side in (("conv1", "pre"), ("conv2", "post"), ("conv3", "pre"), ("class", "post")):
        found = dream(network, layer, [0, 1] if layer != "conv1" else [0], start, side=side, rule="norm", step=0.001, steps=10)
        assert found.sounds.abs().max() < 1
        spread = nn.functional.conv_transpose1d(found.coefficients[:, None], network.conv1.weight, stride=SETTINGS.stride)
        change = found.sounds - start
        torch.testing.assert_close(spread, change[..., : spread.shape[-1]], rtol=1e-9, atol=1e-12)
        assert not change[..., spread.shape[-1] :].any()


def test_no_steps_give_the_start_and_its_activation():
    network, start = lively(), noise()
    found = dream(network, "conv2", [0, 1], start, steps=0)
    assert torch.equal(found.sounds, torch.stack([start, start]))
    assert found.activation.shape == (2, 1)


def test_the_start_and_the_network_are_left_alone():
    network, start = lively(), noise()
    before, weights = start.clone(), {name: value.clone() for name, value in network.state_dict().items()}
    dream(network, "conv3", [0, 1], start, steps=5)
    assert torch.equal(start, before)
    assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def state(network: nn.Module) -> tuple[list[bool], list[bool], int]:
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in network.modules())
    return [m.training for m in network.modules()], [p.requires_grad for p in network.parameters()], hooks


class Failing(nn.Module):
    """Speaks a few times, then breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(2, 3, 5), nn.Conv1d(3, 3, 5)
        self.times = 0

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        hidden = self.first(sound)
        self.times += 1
        if self.times > 3:
            raise ArithmeticError("broken")
        return self.second(hidden)


def test_hooks_modes_and_gradients_are_restored_even_when_the_forward_raises():
    network = Failing()
    network.second.eval()
    network.first.weight.requires_grad_(False)
    before = state(network)
    with pytest.raises(ArithmeticError, match="broken"):
        dream(network, "second", [0], noise(), steps=9)
    assert state(network) == before
    network.times = -99
    dream(network, "second", [0], noise(), steps=2)
    assert state(network) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "conv9"}, "layer: 'conv9' is unknown; valid: conv1, conv2, conv3, class"),
        ({"targets": [4]}, "target: 4 is unknown; valid: 0 to 3"),
        ({"targets": [-1]}, "target: -1 is unknown"),
        ({"targets": [(0, 7)]}, "target: 7 is unknown"),
        ({"side": "after"}, "side: 'after' is unknown; valid: post, pre, margin"),
        ({"rule": "adam"}, "rule: 'adam' is unknown; valid: plain, std, max, mean, norm"),
        ({"start": torch.full((2, SAMPLES), float("nan"))}, "start: holds NaN"),
    ],
)
def test_wrong_arguments_are_answered_with_the_valid_ones(arguments: dict[str, object], message: str):
    given = {"layer": "conv2", "targets": [0], "start": noise(), **arguments}
    network = lively()
    before = state(network)
    with pytest.raises(UserError, match=message):
        dream(network, given.pop("layer"), given.pop("targets"), given.pop("start"), steps=1, **given)
    assert state(network) == before


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("weight", [float("inf"), float("nan"), 3e38])
def test_numbers_that_are_not_finite_are_told_not_written(rule: str, weight: float):
    network = Pointwise([weight], [0.0])
    network.conv1.weight.data.fill_(10.0)
    with pytest.raises(FloatingPointError, match="not finite"):
        dream(network, "conv2", [0], torch.full((1, 4), 0.5), side="pre", rule=rule, steps=1)


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (torch.zeros(1, 2, 300), r"start: has the shape \(1, 2, 300\); the network's first layer hears \(2, samples\): give that, without a batch"),
        (torch.zeros(300), r"start: has the shape \(300,\); the network's first layer hears \(2, samples\)"),
        (torch.zeros(1, 300), r"start: has the shape \(1, 300\); the network's first layer hears \(2, samples\)"),
        (torch.zeros(2, 300, dtype=torch.float64), r"start: is of torch.float64, the network's first layer of torch.float32"),
        (np.zeros((2, 300), np.float32), "start: must be a tensor"),
        ([torch.zeros(2, 300), torch.zeros(2, 301)], "start: must be a tensor, or as many of one shape as there are targets"),
    ],
)
@pytest.mark.parametrize("network", [nn.Sequential(nn.Conv1d(2, 3, 8), nn.ReLU()), lively()], ids=["foreign", "ours"])
def test_a_start_that_the_network_does_not_hear_is_told_with_the_shape_that_it_hears(network: nn.Module, start: Any, says: str):
    with pytest.raises(UserError, match=says):
        dream(network, "0" if isinstance(network, nn.Sequential) else "conv1", [0, 1], start, steps=1)


def test_a_start_that_a_network_reshapes_itself_is_as_it_says():
    network = nn.Sequential(nn.Unflatten(1, (2, 150)), nn.Conv1d(2, 3, 8))
    assert dream(network, "1", [0, 1], torch.zeros(300), side="pre", steps=1).sounds.shape == (2, 300)
    with pytest.raises(UserError, match=r"which the network does not hear \(.*\); give one input of it, without a batch dimension"):
        dream(network, "1", [0, 1], torch.zeros(301), side="pre", steps=1)


def test_after_its_activation_means_the_relu_of_what_a_foreign_module_puts_out():
    network = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Tanh())
    with torch.no_grad():
        network[0].weight.fill_(-1.0)
        network[0].bias.fill_(0.0)
    start = torch.full((1, 10), 0.5)
    assert dream(network, "0", [0], start, side="post", steps=0).activation.item() == 0
    assert dream(network, "0", [0], start, side="pre", steps=0).activation.item() == pytest.approx(-0.5)

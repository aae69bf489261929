"""The path by blocks of a stride gives the dreams of the generic path."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from aesdream.dreaming import Dreams, dream
from aesdream.dreaming.blocks import BlockClimb
from aesdream.dreaming.rules import RULES
from aesdream.models.layers import Layer, StridedConv1d
from tests.dreaming.networks import noise

STEPS = 256
STEP = {"plain": 0.05, "std": 0.002, "max": 0.005, "mean": 0.002, "norm": 0.05}


class Waveform(nn.Module):
    """A waveform network of any number of channels, first-layer filters, kernel and stride."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int) -> None:
        super().__init__()
        torch.manual_seed(channels * 1000 + kernel)
        self.conv1 = StridedConv1d(channels, filters, kernel, stride)
        self.conv2 = nn.Conv1d(filters, 4, 3, padding=1)
        self.out = nn.Linear(4, 2)
        nn.init.normal_(self.conv1.weight, std=0.3 / kernel**0.5)
        nn.init.constant_(self.conv1.bias, 0.5)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.conv2(torch.relu(self.conv1(sound)))).amax(2))

    def layers(self) -> dict[str, Layer]:
        return {
            "conv1": Layer(self.conv1, torch.relu, self.conv1.out_channels),
            "conv2": Layer(self.conv2, torch.relu, 4),
            "class": Layer(self.out, lambda logits: torch.softmax(logits, 1), 2),
        }


def both(monkeypatch: pytest.MonkeyPatch, network: nn.Module, start: torch.Tensor, layer: str, side: str, rule: str, count: int = 3) -> list[Dreams]:
    """The dreams by blocks, and by the generic path."""
    filters = network.layers()[layer].filters
    targets = [number % filters for number in range(count)]
    assert BlockClimb.serves(network, start)
    blocks = dream(network, layer, targets, start, side=side, rule=rule, step=STEP[rule], steps=STEPS)
    monkeypatch.setattr(BlockClimb, "serves", staticmethod(lambda network, start: False))
    return [blocks, dream(network, layer, targets, start, side=side, rule=rule, step=STEP[rule], steps=STEPS)]


def assert_alike(one: Dreams, other: Dreams) -> None:
    largest = other.activation.abs().amax(1, keepdim=True)
    assert ((one.activation - other.activation).abs() <= 1e-3 * largest + 1e-7).all()
    assert torch.equal(one.steps, other.steps)
    assert one.sounds.shape == other.sounds.shape
    assert one.coefficients is not None
    assert other.coefficients is not None
    torch.testing.assert_close(one.coefficients, other.coefficients, rtol=2e-2, atol=2e-2 * float(other.coefficients.abs().max()))


@pytest.mark.parametrize("side", ["pre", "post"])
@pytest.mark.parametrize("layer", ["conv1", "conv2", "class"])
@pytest.mark.parametrize("rule", list(RULES))
def test_traces_agree_for_every_rule_layer_and_side(monkeypatch: pytest.MonkeyPatch, rule: str, layer: str, side: str) -> None:
    assert_alike(*both(monkeypatch, Waveform(2, 1, 64, 32), noise(shape=(2, 700)), layer, side, rule))


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize(
    ("channels", "filters", "kernel", "stride", "samples"),
    [(1, 1, 64, 32, 640), (1, 3, 50, 32, 700), (2, 2, 100, 32, 333), (2, 1, 33, 33, 330), (2, 1, 96, 32, 96)],
    ids=["mono", "kernel no multiple", "several filters", "stride is kernel", "one window"],
)
def test_traces_agree_for_every_shape(
    monkeypatch: pytest.MonkeyPatch, channels: int, filters: int, kernel: int, stride: int, samples: int, count: int
) -> None:
    network, start = Waveform(channels, filters, kernel, stride), noise(shape=(channels, samples))
    assert_alike(*both(monkeypatch, network, start, "conv2", "pre", "std", count))


def test_samples_that_no_window_covers_keep_the_start_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    start = noise(shape=(2, 333))
    blocks, _ = both(monkeypatch, Waveform(2, 1, 100, 32), start, "conv1", "pre", "plain")
    covered = 100 + 32 * ((333 - 100) // 32)
    assert torch.equal(blocks.sounds[..., covered:], start[:, covered:].expand(3, 2, -1))
    assert not torch.equal(blocks.sounds[..., :covered], start[:, :covered].expand(3, 2, -1))


def test_a_module_that_answered_for_another_answers_for_itself_again() -> None:
    network, start = Waveform(2, 1, 64, 32), noise(shape=(2, 700))
    before = network(start[None])
    dream(network, "conv2", [0], start, steps=2)
    assert torch.equal(network(start[None]), before)
    assert "forward" not in vars(network.conv1)

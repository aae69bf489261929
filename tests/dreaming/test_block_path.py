"""The path by blocks of a stride, moved by torch or by the compiled pass, gives the dreams of the generic path."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import nn

from aesdream.dreaming import Dreams, blocks, dream
from aesdream.dreaming.blocks import BlockClimb
from aesdream.dreaming.climb import Asked, Stop
from aesdream.dreaming.rules import RULES
from aesdream.errors import UserError
from aesdream.models.jenkins import Jenkins
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


@pytest.fixture(params=["torch", "compiled"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How blocks are moved; the sounds of these tests are too short for the compiled pass to be taken by itself."""
    monkeypatch.setattr(blocks, "LARGE", 1 if request.param == "compiled" else float("inf"))
    monkeypatch.setattr(blocks, "ALONE", 1 if request.param == "compiled" else float("inf"))
    return str(request.param)


def both(
    monkeypatch: pytest.MonkeyPatch, network: nn.Module, start: torch.Tensor, layer: str, side: str, rule: str, count: int = 3, **more: Any
) -> list[Dreams]:
    """The dreams by blocks, and by the generic path."""
    filters = network.layers()[layer].filters
    targets = [number % filters for number in range(count)]
    stop = Stop(more.get("stop_rms") if blocks.lazily(start) else None)
    assert BlockClimb.serves(Asked(network, layer, [(target,) for target in targets], start[None], side, (-1, 1), stop))
    arguments = {"side": side, "rule": rule, "step": STEP[rule], "steps": STEPS, **more}
    by_blocks = dream(network, layer, targets, start, **arguments)
    monkeypatch.setattr(BlockClimb, "serves", staticmethod(lambda *_: False))
    return [by_blocks, dream(network, layer, targets, start, **arguments)]


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


@pytest.mark.parametrize("count", [1, 2, 5, 8])
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
    by_blocks, _ = both(monkeypatch, Waveform(2, 1, 100, 32), start, "conv1", "pre", "plain")
    covered = 100 + 32 * ((333 - 100) // 32)
    assert torch.equal(by_blocks.sounds[..., covered:], start[:, covered:].expand(3, 2, -1))
    assert not torch.equal(by_blocks.sounds[..., :covered], start[:, :covered].expand(3, 2, -1))


def test_a_module_that_answered_for_another_answers_for_itself_again() -> None:
    network, start = Waveform(2, 1, 64, 32), noise(shape=(2, 700))
    before = network(start[None])
    dream(network, "conv2", [0], start, steps=2)
    assert torch.equal(network(start[None]), before)
    assert "forward" not in vars(network.conv1)


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (-0.3, 0.25), (-2.0, 0.1), None])
def test_traces_agree_whatever_the_bounds_and_sounds_stay_within(monkeypatch: pytest.MonkeyPatch, bounds: tuple[float, float] | None) -> None:
    found = both(monkeypatch, Waveform(2, 1, 96, 32), noise(shape=(2, 700)), "conv2", "post", "std", bounds=bounds)
    assert_alike(*found)
    torch.testing.assert_close(found[0].sounds, found[1].sounds, rtol=0, atol=2e-2)
    if bounds is not None:
        assert found[0].sounds.min() >= bounds[0]
        assert found[0].sounds.max() <= bounds[1]


@pytest.mark.parametrize("rule", list(RULES))
def test_dreams_of_one_target_have_the_same_bits_whatever_else_is_in_the_batch(rule: str) -> None:
    network, start = Waveform(2, 1, 96, 32), noise(shape=(2, 700), level=0.3)
    found = dream(network, "conv2", [0, 1, 2, 3, 0, 1, 2, 3], start, rule=rule, step=5 * STEP[rule], steps=60)
    for targets in ([1] * 8, [3, 2, 1, 0] * 2, [2, 1], [1, 3, 1], [0, 1, 2, 3, 2]):
        other = dream(network, "conv2", targets, start, rule=rule, step=5 * STEP[rule], steps=60)
        for place, target in enumerate(targets):
            for name in ("sounds", "activation", "coefficients"):
                assert torch.equal(getattr(other, name)[place], getattr(found, name)[target]), (targets, place, name)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_out_blocks_without_changing_a_bit(threads: int) -> None:
    first, start = Waveform(2, 1, 96, 32).conv1.requires_grad_(False), noise(shape=(2, 700), level=0.3)
    before, found = torch.get_num_threads(), []
    for number in (1, threads):
        held = blocks.LazyBlocks(first, start, 3, (-0.5, 0.5), measured=False)
        torch.set_num_threads(number)
        try:
            for step in range(20):
                held.move(noise(step, held.kept["waiting"].shape, dtype=torch.float64))
            held.finish()
        finally:
            torch.set_num_threads(before)
        found.append((held.sounds.clone(), held.products.clone()))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_start_with_other_channels_than_the_network_hears_is_refused(channels: int) -> None:
    with pytest.raises(UserError, match=rf"has the shape \({channels}, 700\); the network's first layer hears \(2, samples\)"):
        dream(Waveform(2, 1, 96, 32), "conv2", [0], noise(shape=(channels, 700)), steps=2)


def test_what_writes_in_place_after_the_first_layer_changes_no_dream(monkeypatch: pytest.MonkeyPatch) -> None:
    class InPlace(Waveform):
        def forward(self, sound: torch.Tensor) -> torch.Tensor:
            return self.out(torch.relu(self.conv2(torch.relu_(self.conv1(sound)))).amax(2))

    start = noise(shape=(2, 700))
    wanted = dream(Waveform(2, 1, 96, 32), "conv2", [0, 1], start, side="pre", steps=32)
    for found in both(monkeypatch, InPlace(2, 1, 96, 32), start, "conv2", "pre", "std", 2, steps=32):
        assert_alike(found, wanted)


@pytest.mark.parametrize("way", ["compiled"], indirect=True)
def test_traces_agree_at_the_thesis_size(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Jenkins().build(480_000, 2, torch.Generator().manual_seed(0))
    start = noise(shape=(2, 480_000), level=0.1)
    monkeypatch.undo()
    assert_alike(*both(monkeypatch, network, start, "conv4", "pre", "std", 2, steps=32))


@pytest.mark.parametrize("way", ["compiled"], indirect=True)
@pytest.mark.parametrize("limit", [0.01, 0.1, 0.4])
def test_dreams_stop_at_the_same_distance_after_the_same_steps(monkeypatch: pytest.MonkeyPatch, limit: float) -> None:
    network, start = Waveform(2, 1, 96, 32), noise(shape=(2, 700), level=0.3)
    ours, generic = both(monkeypatch, network, start, "conv2", "pre", "std", 4, stop_rms=limit)
    assert_alike(ours, generic)
    assert limit > 0.3 or (ours.steps < STEPS).all()
    away = (ours.sounds - start).flatten(1).double().square().mean(1).sqrt()
    stopped = ours.steps < STEPS
    assert torch.allclose(away[stopped], torch.tensor(limit, dtype=torch.float64), rtol=1e-5)
    assert (away <= limit * (1 + 1e-5)).all()
    for row in torch.nonzero(stopped).flatten().tolist():
        assert len(set(ours.activation[row, ours.steps[row] :].tolist())) == 1


def test_without_a_compiler_dreams_are_the_same_and_one_line_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGE", 1)
    network, start = Waveform(2, 1, 96, 32), noise(shape=(2, 700))
    compiled = dream(network, "conv2", [0, 1], start, steps=20)
    monkeypatch.setitem(sys.modules, "numba", None)
    blocks.has_compiler.cache_clear()
    with pytest.warns(UserWarning, match="without numba") as told:
        found = [dream(network, "conv2", [0, 1], start, steps=20) for _ in range(3)]
    blocks.has_compiler.cache_clear()
    assert len(told) == 1
    torch.testing.assert_close(found[0].activation, compiled.activation, rtol=1e-3, atol=0)

"""Dreams of one batch that each begin from a start of their own, and that end where the network is sure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from aesdream.dreaming import dream
from aesdream.dreaming.climb import Climb
from aesdream.dreaming.clips import Averaged
from aesdream.errors import UserError
from aesdream.models.layers import Layer
from tests.dreaming.networks import SAMPLES, SETTINGS, lively, noise


class Linear(nn.Module):
    """(batch, 1, frames, bands) -> logits that are plain products with a template a class: every dream is known in closed form."""

    def __init__(self, templates: torch.Tensor) -> None:
        super().__init__()
        self.out = nn.Linear(templates[0].numel(), len(templates), bias=False)
        with torch.no_grad():
            self.out.weight.copy_(templates.flatten(1))

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return self.out(spectrogram.flatten(1))

    def layers(self) -> dict[str, Layer]:
        return {"class": Layer(self.out, torch.sigmoid, self.out.out_features)}


def templates(classes: int = 3, frames: int = 4, bands: int = 5) -> torch.Tensor:
    return torch.randn(classes, frames, bands, generator=torch.Generator().manual_seed(3)).double()


def test_a_linear_network_is_dreamed_along_its_template_from_every_start():
    given = templates()
    network, starts = Linear(given).double(), [torch.full((1, 4, 5), value).double() for value in (-0.5, 0.0, 0.7)]
    found = dream(network, "class", [0, 1, 2], starts, side="pre", rule="norm", step=0.1, steps=7, bounds=None)
    for row in range(3):
        direction = given[row] / given[row].norm()
        torch.testing.assert_close(found.sounds[row] - starts[row], 0.7 * direction[None])
        torch.testing.assert_close(found.activation[row, -1] - found.activation[row, 0], 0.7 * given[row].norm())


EVEN = SETTINGS.model_copy(update={"filters": (4, 8), "hidden": 8})
"""Layers whose inputs are multiples of four: a row of a matrix that begins elsewhere in memory is added up in another order."""


@pytest.mark.parametrize("shape", ["waveforms", "spectrograms"])
def test_what_a_dream_becomes_does_not_depend_on_whose_batch_it_is_in(shape: str):
    if shape == "waveforms":
        network, starts = lively(settings=EVEN), [noise(seed) for seed in range(5)]
    else:
        network = nn.Sequential(nn.Conv2d(1, 6, 3), nn.LeakyReLU(0.3), nn.Conv2d(6, 4, 3), nn.Flatten(), nn.Linear(4 * 16 * 12, 3))
        starts = [noise(seed, (1, 20, 16), 1.0) for seed in range(5)]
    layer, how = ("class", {}) if shape == "waveforms" else ("4", {"bounds": (-3.0, 3.0)})
    targets = [0, 1, 0, 1, 1]
    together = dream(network, layer, targets, starts, side="pre", steps=10, **how)
    for order in ([4, 3, 2, 1, 0], [2, 2, 2, 0, 1]):
        other = dream(network, layer, [targets[i] for i in order], [starts[i] for i in order], side="pre", steps=10, **how)
        for place, row in enumerate(order):
            assert torch.equal(other.sounds[place], together.sounds[row])
            assert torch.equal(other.activation[place], together.activation[row])


def test_starts_of_their_own_come_to_the_same_as_one_start_for_all():
    network, start = lively(dtype=torch.float64), noise(dtype=torch.float64)
    own = dream(network, "conv3", [0, 1, 2], [start] * 3, steps=10)
    shared = dream(network, "conv3", [0, 1, 2], start, steps=10)
    torch.testing.assert_close(own.sounds, shared.sounds, rtol=0, atol=1e-9)
    torch.testing.assert_close(own.coefficients, shared.coefficients, rtol=1e-6, atol=1e-9)


def test_one_dream_from_a_start_of_its_own_is_one_dream():
    found = dream(lively(), "class", [1], [noise()], side="pre", steps=3)
    assert found.sounds.shape == (1, 2, SAMPLES)


def test_a_dream_ends_in_the_first_step_in_which_its_class_is_sure_and_the_largest_as_soon_as_it_is():
    given = templates()
    network, start = Linear(given).double(), torch.zeros(1, 4, 5).double()
    free = dream(network, "class", [0, 1, 2], start, side="pre", rule="norm", step=0.05, steps=60, bounds=None)
    ended = dream(network, "class", [0, 1, 2], start, side="pre", rule="norm", step=0.05, steps=60, bounds=None, stop_confidence=0.9)
    for row in range(3):
        taken = int(ended.steps[row])
        assert 0 < taken < 60
        sure = torch.sigmoid(ended.activation[row])
        assert sure[taken] >= 0.9 > sure[taken - 1]
        assert torch.equal(ended.activation[row, :taken], free.activation[row, :taken])
        assert len(set(ended.activation[row, taken:].tolist())) == 1
        direction = given[row] / given[row].norm()
        way = (ended.sounds[row] * direction).sum()
        torch.testing.assert_close(ended.sounds[row], way * direction[None])
        needed = torch.tensor(0.9).double().logit() / given[row].norm()  # the others stay lower: their templates point elsewhere
        assert 0 <= way - needed <= 0.05 / 64 + 1e-9


def test_what_the_last_step_has_too_much_is_taken_back_from_coefficients_and_traces_too():
    network, starts = lively(dtype=torch.float64), [noise(seed, dtype=torch.float64) for seed in range(4)]
    found = dream(network, "class", [0, 1, 0, 1], starts, side="pre", steps=40, stop_confidence=0.8, step=0.02)
    ended = [row for row in range(4) if 0 < found.steps[row] < 40]
    assert ended
    spread = nn.functional.conv_transpose1d(found.coefficients[:, None], network.conv1.weight, stride=16)
    with torch.no_grad():
        logits = network(found.sounds)
    for row in ended:
        added = found.sounds[row] - starts[row]
        torch.testing.assert_close(added[:, : spread.shape[-1]], spread[row], rtol=1e-6, atol=1e-9)
        assert logits[row, row % 2] == pytest.approx(float(found.activation[row, -1]))
        assert 0.8 <= torch.softmax(logits[row], 0)[row % 2] < 0.81


def test_a_class_that_is_sure_but_not_the_largest_goes_on():
    network = Linear(torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]))
    start = torch.tensor([[[3.0, 4.0]]])
    found = dream(network, "class", [0, 1], start, side="pre", rule="norm", step=0.5, steps=9, bounds=None, stop_confidence=0.9)
    assert found.steps.tolist() == [2, 0]
    assert torch.equal(found.sounds[1], start)
    assert found.sounds[0].tolist() == [[[4.0, 4.0]]]


def test_a_batch_all_of_whose_dreams_have_ended_computes_no_more(monkeypatch: pytest.MonkeyPatch):
    network = Linear(torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]))
    looks = []
    look = Climb.look
    monkeypatch.setattr(Climb, "look", lambda self: (looks.append(1), look(self))[1])
    found = dream(
        network, "class", [0, 1], torch.zeros(1, 1, 2), side="pre", rule="norm", step=1.0, steps=500, bounds=None, stop_confidence=0.9
    )  # fmt: skip
    assert len(looks) < 8
    assert found.activation.shape == (2, 501)


def test_dreams_that_end_at_a_confidence_resume_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    network, starts = lively(), [noise(seed) for seed in range(3)]
    how = {"side": "pre", "steps": 30, "stop_confidence": 0.8, "step": 0.01}
    wanted = dream(network, "class", [0, 1, 0], starts, **how)
    assert (wanted.steps < 30).any()
    step, kept = Climb.step, tmp_path / "kept.pt"
    calls = []

    def until(self: Climb, rule: str, size: float) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        step(self, rule, size)

    with monkeypatch.context() as patch:
        patch.setattr(Climb, "step", until)
        with pytest.raises(KeyboardInterrupt):
            dream(network, "class", [0, 1, 0], starts, kept=kept, every=0.0, **how)
    assert kept.exists()
    found = dream(network, "class", [0, 1, 0], starts, kept=kept, every=0.0, **how)
    for name in ("sounds", "activation", "steps"):
        assert torch.equal(getattr(found, name), getattr(wanted, name))


def test_the_class_of_a_clip_is_its_mean_logit_over_windows():
    given = templates()
    network = Linear(given).double()
    clips = torch.randn(2, 3, 1, 4, 5, generator=torch.Generator().manual_seed(1)).double()
    whole = Averaged(network)
    torch.testing.assert_close(whole(clips), torch.stack([network(clip).mean(0) for clip in clips]))
    found = dream(whole, "class", [0, 2], list(clips), side="pre", rule="norm", step=0.3, steps=4, bounds=None)
    for row, target in enumerate((0, 2)):
        direction = given[target] / given[target].norm() / 3**0.5
        torch.testing.assert_close(found.sounds[row] - clips[row], 1.2 * direction.expand(3, 1, 4, 5))


def test_starts_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match="holds NaN"):
        dream(lively(), "class", [0, 1], [noise(), torch.full((2, SAMPLES), float("nan"))], steps=1)


def test_a_margin_is_what_the_other_classes_lack_and_both_of_two_go_opposite_ways():
    given = templates(2)
    network, start = Linear(given).double(), torch.full((1, 4, 5), 0.3).double()
    found = dream(network, "class", [0, 1], start, side="margin", rule="norm", step=0.1, steps=5, bounds=None)
    between = given[0] - given[1]
    torch.testing.assert_close(found.sounds[0] - start, 0.5 * (between / between.norm())[None])
    torch.testing.assert_close(found.sounds[0] - start, start - found.sounds[1])
    torch.testing.assert_close(found.activation[0, 0], -found.activation[1, 0])
    torch.testing.assert_close(found.activation[0].diff(), found.activation[1].diff())
    three = templates(3)
    found = dream(Linear(three).double(), "class", [2], start, side="margin", steps=0)
    assert float(found.activation[0, 0]) == pytest.approx(float(((three[2] - (three[0] + three[1]) / 2) * start[0]).sum()))


def test_a_margin_over_no_other_class_is_refused():
    with pytest.raises(UserError, match="margin is over the filters outside the target"):
        dream(Linear(templates(2)).double(), "class", [(0, 1)], torch.zeros(1, 4, 5).double(), side="margin", steps=1)


def far(sounds: torch.Tensor, starts: torch.Tensor) -> list[float]:
    return [float(value) for value in (sounds - starts).flatten(1).square().mean(1).sqrt()]


def test_a_dream_comes_to_every_distance_exactly_and_by_steps_in_proportion():
    given = templates()
    network, starts = Linear(given).double(), [torch.full((1, 4, 5), value).double() for value in (-0.5, 0.0, 0.7)]
    found = dream(network, "class", [0, 1, 2], starts, side="pre", step=0.025, steps=99, bounds=None, at=(0.01, 0.1), stop_rms=0.25)
    assert found.passed is not None
    for distance, there in zip((0.01, 0.1, 0.25), found.passed, strict=True):
        assert far(there, torch.stack(starts)) == pytest.approx([distance] * 3, rel=1e-6)
        for row in range(3):  # a linear network is climbed straight
            torch.testing.assert_close(there[row] - starts[row], distance / 0.25 * (found.sounds[row] - starts[row]), rtol=1e-5, atol=1e-8)
    assert torch.equal(found.passed[-1], found.sounds)
    # The rule divides by a deviation, a little less than the root mean square: ten steps to the first distance, nine and six more, or one less.
    assert all(22 <= steps <= 25 for steps in found.steps.tolist())


@pytest.mark.parametrize(("at", "stop"), [((0.1,), None), ((0.2, 0.1), 0.5), ((0.5,), 0.5), ((0.0,), 0.5)])
def test_distances_that_do_not_ascend_to_the_last_are_refused(at: tuple[float, ...], stop: float | None):
    with pytest.raises(UserError, match=r"at: .* must be above zero, ascend, and be less than stop_rms"):
        dream(Linear(templates()).double(), "class", [0], torch.zeros(1, 4, 5).double(), steps=1, at=at, stop_rms=stop)


def test_a_dream_whose_gradient_ends_is_kept_where_it_came_and_not_beyond():
    network = Linear(templates()).double()
    forward = network.forward
    network.forward = lambda sounds: forward(sounds.clamp(-0.05, 0.05))  # flat from there on
    found = dream(
        network, "class", [0, 1], [torch.zeros(1, 4, 5).double()] * 2, side="pre", step=0.02, steps=60, bounds=None, at=(0.01, 0.03), stop_rms=0.5
    )
    assert found.passed is not None
    assert torch.isfinite(found.passed[:2]).all()
    assert torch.isnan(found.passed[2]).all()
    assert max(far(found.sounds, torch.zeros(1, 4, 5).double())) < 0.5


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_where_a_dream_ends_depends_on_no_other_of_its_batch_on_several_threads_either():
    network = Linear(templates(3, 300, 128)).float()  # sums of so many values are shared between threads
    start, other = (0.1 * torch.randn(1, 300, 128, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    how = {"side": "pre", "step": 0.0031, "steps": 30, "bounds": None, "at": (0.01,), "stop_rms": 0.05}
    ends = [dream(network, "class", [0, target], [start, begun], **how).sounds[0] for target, begun in ((0, start), (1, other), (2, 40 * other))]
    assert all(torch.equal(end, ends[0]) for end in ends)


def test_what_is_kept_on_the_way_does_not_depend_on_the_batch_or_on_being_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    network, starts = lively(settings=EVEN), [noise(seed) for seed in range(4)]
    how = {"side": "margin", "step": 0.002, "steps": 40, "at": (0.002, 0.005), "stop_rms": 0.01}
    whole = dream(network, "class", [0, 1, 0, 1], starts, **how)
    other = dream(network, "class", [1, 0, 1, 0], starts[::-1], **how)
    assert whole.passed is not None
    assert other.passed is not None
    assert torch.equal(whole.passed.flip(1).nan_to_num(9), other.passed.nan_to_num(9))
    look = Climb.look

    def until(self: Climb) -> object:
        if len(self.trace) == 15:
            raise KeyboardInterrupt
        return look(self)

    with monkeypatch.context() as patch:
        patch.setattr(Climb, "look", until)
        with pytest.raises(KeyboardInterrupt):
            dream(network, "class", [0, 1, 0, 1], starts, kept=tmp_path / "kept.pt", every=0.0, **how)
    again = dream(network, "class", [0, 1, 0, 1], starts, kept=tmp_path / "kept.pt", every=0.0, **how)
    assert again.passed is not None
    assert torch.equal(again.passed.nan_to_num(9), whole.passed.nan_to_num(9))
    assert torch.equal(again.sounds, whole.sounds)

"""A batch of dreams that was ended goes on from its kept state to the bits of one that was not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from aesdream.dreaming import Dreams, blocks, dream
from aesdream.dreaming.blocks import BlockClimb
from aesdream.dreaming.climb import Climb
from tests.dreaming.networks import lively, noise

STEPS = 12


class Ended(BaseException):
    """As a kill would: nothing catches it."""


def ended_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let every climb end at the look that would begin the step after ``steps``."""
    look = Climb.look

    def until(self: Climb) -> Any:
        if len(self.trace) == steps:
            raise Ended
        return look(self)

    monkeypatch.setattr(Climb, "look", until)


def one(kept: Path | None, **changed: Any) -> Dreams:
    """A batch whose state is kept after every step."""
    arguments: dict[str, Any] = {"side": "pre", "rule": "std", "step": 0.004, "steps": STEPS, **changed}
    return dream(lively(), "conv3", [0, 1, 2], noise(), kept=kept, every=0.0, **arguments)


def assert_same_bits(found: Dreams, wanted: Dreams) -> None:
    for name in ("sounds", "activation", "coefficients", "steps"):
        assert torch.equal(getattr(found, name), getattr(wanted, name)), name


@pytest.mark.parametrize("stop_rms", [None, 0.02])
@pytest.mark.parametrize("way", ["generic", "blocks", "compiled"])
def test_a_batch_ended_at_any_step_goes_on_to_its_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str, stop_rms: float | None) -> None:
    if way == "generic":
        monkeypatch.setattr(BlockClimb, "serves", staticmethod(lambda *_: False))
    monkeypatch.setattr(blocks, "LARGE", 1 if way == "compiled" else float("inf"))
    wanted = one(None, stop_rms=stop_rms)
    assert stop_rms is None or wanted.steps.min() < STEPS
    kept = tmp_path / "jobs" / "kept" / "batch.pt"
    taken = int(wanted.steps.max())  # where all have stopped nothing more is computed
    ends = sorted(random.sample(range(1, taken + 1), 3))  # any step must do, so they are drawn anew every time
    for steps in ends:
        with monkeypatch.context() as patch:
            ended_after(patch, steps)
            with pytest.raises(Ended):
                one(kept, stop_rms=stop_rms)
    begun: list[int] = []
    restore = Climb.restore
    monkeypatch.setattr(Climb, "restore", lambda self, state: (restore(self, state), begun.append(len(self.trace))))
    assert_same_bits(one(kept, stop_rms=stop_rms), wanted)
    assert begun == ends[-1:]
    assert kept.exists()


@pytest.mark.parametrize("changed", [{"side": "post"}, {"rule": "norm"}, {"step": 0.005}, {"steps": STEPS + 1}, {"bounds": None}])
def test_a_state_of_other_arguments_is_not_gone_on_from(tmp_path: Path, changed: dict[str, Any]) -> None:
    one(tmp_path / "batch.pt")
    assert_same_bits(one(tmp_path / "batch.pt", **changed), one(None, **changed))


def test_a_state_of_other_weights_or_another_start_is_not_gone_on_from(tmp_path: Path) -> None:
    kept = tmp_path / "batch.pt"
    for network, start in ((lively(), noise()), (lively(seed=5), noise()), (lively(seed=5), noise(seed=6))):
        found = dream(network, "conv2", [0, 1], start, steps=4, kept=kept, every=0.0)
        assert_same_bits(found, dream(network, "conv2", [0, 1], start, steps=4))


@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_damaged_state_is_begun_again(tmp_path: Path, place: float) -> None:
    kept, wanted = tmp_path / "batch.pt", one(tmp_path / "batch.pt")
    whole = bytearray(kept.read_bytes())
    whole[int(place * len(whole))] ^= 0xFF
    for damaged in (bytes(whole), bytes(whole[: int(place * len(whole))]), b""):
        kept.write_bytes(damaged)
        assert_same_bits(one(kept), wanted)


def test_a_batch_that_is_quick_writes_nothing(tmp_path: Path) -> None:
    dream(lively(), "conv2", [0, 1], noise(), steps=4, kept=tmp_path / "batch.pt")
    assert not list(tmp_path.iterdir())

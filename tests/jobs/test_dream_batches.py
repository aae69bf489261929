"""A batch of dreams of a run, ended anywhere and begun again, leaves the files of an undisturbed one and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from aesdream import config, files
from aesdream.dreaming import ascent, together
from aesdream.dreaming.climb import Climb
from aesdream.study import Study
from jobs import dream
from jobs.executors import in_batches
from jobs.units import Unit
from tests.runs import TINY, aesdream, assert_same

MODEL = "oversampled/by-family/split0-seed0"


class Ended(BaseException):
    """As a kill would: nothing catches it."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the tiny study with one model and one batch of dreams."""
    run = tmp_path_factory.mktemp("tiny") / "run"
    done = aesdream("run", TINY, "--out", run, "--until", "dream", "--only", f"models/{MODEL}", "--only", "dreams/*/conv2/*/post/*")
    assert done.returncode == 0, done.stderr
    return run


def batch_of(run: Path) -> list[Unit]:
    """The dreams of a run as the units that they are."""
    told = {marker: files.read_marker(marker) for marker in sorted((run / "dreams").rglob("*.json"))}
    inputs = {"model": MODEL, "start": "source"}
    return [Unit(t["unit"], "dream", marker.relative_to(run).as_posix(), t["recipe"], inputs=inputs) for marker, t in told.items()]


def test_a_batch_ended_in_the_middle_goes_on_to_the_same_files_and_leaves_no_state(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, study = shutil.copytree(finished, tmp_path / "run"), config.validate(Study, config.read_yaml(TINY), "tiny")
    batch = batch_of(finished)
    assert len(batch) == 4
    shutil.rmtree(run / "dreams")
    look = Climb.look

    def until(self: Climb) -> Any:
        if len(self.trace) == 5:
            raise Ended
        return look(self)

    with monkeypatch.context() as patch:
        patch.setattr(Climb, "look", until)
        with pytest.raises(Ended):
            dream.make(run, study, batch, every=0.0)
    assert len(list((run / "jobs" / "kept").iterdir())) == 1
    dream.make(run, study, batch, every=0.0)
    assert not list((run / "jobs" / "kept").iterdir())
    assert_same(run, finished)


def test_a_batch_too_large_for_memory_goes_in_parts_to_the_same_files(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, study = shutil.copytree(finished, tmp_path / "run"), config.validate(Study, config.read_yaml(TINY), "tiny")
    shutil.rmtree(run / "dreams")
    monkeypatch.setattr(ascent, "BUDGET", 1)
    sizes: list[int] = []

    def counted(network: torch.nn.Module, layer: str, targets: Sequence[Any], *more: Any, **named: Any) -> ascent.Dreams:
        sizes.append(len(targets))
        return ascent.dream(network, layer, targets, *more, **named)

    monkeypatch.setattr(dream, "dream", counted)
    dream.make(run, study, batch_of(finished))
    assert sizes == [2, 2]
    assert_same(run, finished)


@pytest.mark.parametrize(("count", "parts"), [(2, [2]), (8, [8]), (55, [55]), (56, [28, 28]), (112, [38, 38, 36])])
def test_batches_of_the_thesis_size_are_split_as_evenly_as_can_be(count: int, parts: list[int]) -> None:
    size = together(count, torch.empty(2, 480_000))
    assert [len(part) for part in in_batches(range(count), size)] == parts

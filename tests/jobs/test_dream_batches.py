"""A batch of dreams of a run, ended anywhere and begun again, leaves the files of an undisturbed one and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from aesdream import config, files
from aesdream.dreaming.climb import Climb
from aesdream.study import Study
from jobs import dream
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

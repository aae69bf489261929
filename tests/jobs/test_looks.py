"""One look at every sound: kept in the run, asked again only of what has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from aesdream.errors import UserError
from aesdream.sounds import audio
from aesdream.study import Study, load
from jobs import executors, looks
from jobs.executors import Here
from jobs.graph import Graph
from tests import corpora
from tests.conftest import _InProcess


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study of ten sounds of a folder."""
    corpora.table(tmp_path / "sounds", corpora.good(tmp_path / "sounds"))
    return load(corpora.study(tmp_path), ())


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    monkeypatch.setattr(executors, "ProcessPoolExecutor", _InProcess)
    here = Here(1)
    yield here
    here.close()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The names of the folder's sounds, as often as one is decoded."""
    names: list[str] = []
    read = audio.read

    def noted(path: Path, start: float = 0.0, end: float | None = None) -> tuple[audio.Samples, int]:
        if path.is_relative_to(tmp_path):
            names.append(path.name)
        return read(path, start, end)

    monkeypatch.setattr(audio, "read", noted)
    return names


def test_a_sound_is_decoded_once_and_remembered(study: Study, here: Here, decoded: list[str], tmp_path: Path) -> None:
    assert looks.remembered(study, tmp_path / "run", unchanged=False) is None
    first = looks.looked_at(study, here, tmp_path / "run")
    assert sorted(decoded) == [f"{number:02}.wav" for number in range(10)]
    again = looks.looked_at(study, here, tmp_path / "run")
    known = looks.remembered(study, tmp_path / "run", unchanged=True)
    assert len(decoded) == 10
    assert known is not None
    assert first.recipe == again.recipe == known.recipe


def test_a_changed_file_alone_is_looked_at_again(study: Study, here: Here, decoded: list[str], tmp_path: Path) -> None:
    before = looks.looked_at(study, here, tmp_path / "run")
    decoded.clear()
    soundfile.write(tmp_path / "sounds" / "03.wav", corpora.noise(77, 0.7), corpora.RATE)
    assert looks.remembered(study, tmp_path / "run", unchanged=True) is None
    old = looks.remembered(study, tmp_path / "run", unchanged=False)
    assert old is not None
    assert old.recipe == before.recipe  # a task goes on with what was looked at
    assert looks.looked_at(study, here, tmp_path / "run").recipe != before.recipe
    assert decoded == ["03.wav"]


def test_a_new_row_alone_is_looked_at(study: Study, here: Here, decoded: list[str], tmp_path: Path) -> None:
    looks.looked_at(study, here, tmp_path / "run")
    decoded.clear()
    soundfile.write(tmp_path / "sounds" / "new.wav", corpora.noise(78), corpora.RATE)
    with (tmp_path / "sounds" / "labels.csv").open("a") as table:
        table.write("new.wav,dull,take new\n")
    assert looks.looked_at(study, here, tmp_path / "run").corpus.count == 11
    assert decoded == ["new.wav"]


def test_a_sound_that_cannot_be_used_is_not_remembered(study: Study, here: Here, decoded: list[str], tmp_path: Path) -> None:
    whole = (tmp_path / "sounds" / "04.wav").read_bytes()
    (tmp_path / "sounds" / "04.wav").write_bytes(whole[:1000])
    for _ in range(2):
        with pytest.raises(UserError, match=r"04\.wav: truncated"):
            looks.looked_at(study, here, tmp_path / "run")
    assert decoded.count("04.wav") == 2
    assert len(decoded) == 11
    (tmp_path / "sounds" / "04.wav").write_bytes(whole)
    looks.looked_at(study, here, tmp_path / "run")
    assert len(decoded) == 12


def test_a_torn_memory_is_as_none(study: Study, here: Here, decoded: list[str], tmp_path: Path) -> None:
    looks.looked_at(study, here, tmp_path / "run")
    path = tmp_path / "run" / "jobs" / "looks.json"
    path.write_bytes(path.read_bytes()[:-20])
    assert looks.remembered(study, tmp_path / "run", unchanged=False) is None
    looks.looked_at(study, here, tmp_path / "run")
    assert len(decoded) == 20


def test_unseen_sounds_give_the_names_of_all_units_without_opening_one(study: Study, here: Here, decoded: list[str], tmp_path: Path) -> None:
    for path in (tmp_path / "sounds").glob("*.wav"):
        path.write_bytes(b"nothing that could be decoded")
    unseen = Graph.of(study, looks.unseen(study))
    assert decoded == []
    corpora.good(tmp_path / "sounds")
    seen = Graph.of(study, looks.looked_at(study, here))
    assert [unit.name for unit in [*unseen.slices, *unseen.shown]] == [unit.name for unit in [*seen.slices, *seen.shown]]


def test_unseen_finds_missing_files_and_wrong_rows_without_opening_one(study: Study, decoded: list[str], tmp_path: Path) -> None:
    for name in ("02.wav", "05.wav"):
        (tmp_path / "sounds" / name).unlink()
    with (tmp_path / "sounds" / "labels.csv").open("a") as table:
        table.write("00.wav,bright,take 0\n")
    with pytest.raises(UserError) as wrong:
        looks.unseen(study)
    assert [line.partition(": ")[0].rpartition("/")[2] for line in wrong.value.lines if "no such file" in line] == ["02.wav", "05.wav"]
    assert any("labels.csv: line 12" in line for line in wrong.value.lines)
    assert decoded == []

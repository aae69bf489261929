"""``aesdream judge``: who sits on a panel, a row a sound as it comes, and whatever lies in a folder."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aesdream.sounds import audio
from aesdream.training import judging as hearing
from aesdream.training.checkpoints import load_network
from jobs import executors, judging
from jobs.progress import Progress
from tests import judges
from tests.conftest import Answer, Call
from tests.corpora import noise

HEADER = ["sound", "seconds", "p(dull)", "p(bright)", "disagreement", "models", "note"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judges.run(tmp_path_factory.mktemp("judges") / "run")


def rows(answer: Answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.out)))


def folder_of(home: Path, count: int = 3) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        soundfile.write(home / f"{number:03d}.wav", noise(number, 0.5), judges.RATE)
    return home


@pytest.fixture(autouse=True)
def _no_workers(call: Call) -> None:
    """``call`` makes worker processes do their work here."""


def test_a_row_is_the_mean_over_the_panel_and_how_far_its_models_differ(run: Path, tmp_path: Path, call: Call) -> None:
    folder = folder_of(tmp_path / "sounds")
    answer = call("judge", run, folder)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[0].split(",") == HEADER
    models = [load_network(path) for path in sorted(run.glob("models/plain/by-family/*/checkpoint.pt"))]
    assert len(models) == 4
    for row, path in zip(rows(answer), sorted(folder.iterdir()), strict=True):
        sound, rate = audio.read(path)
        said = [hearing.judge(model, [audio.prepare(sound, rate, model.preparation)]) for model in models]
        assert row["sound"] == str(path)
        assert [float(row["p(dull)"]), float(row["p(bright)"])] == pytest.approx(np.mean(said, axis=0), abs=1e-4)
        assert float(row["disagreement"]) == pytest.approx(judges.spread(said), abs=1e-4)
        assert (row["models"], row["note"]) == ("4", "")


def test_of_a_run_those_under_the_strictest_protocol_judge_and_never_controls(run: Path, tmp_path: Path, call: Call) -> None:
    assert {member.model.rpartition("/")[0] for member in judging.panel_of([run]).members} == {"plain/by-family"}
    assert len(judging.panel_of([run], "*").members) == 8
    assert {member.model for member in judging.panel_of([run], "*/augment-first/split1-*").members} == {
        "plain/augment-first/split1-seed0",
        "plain/augment-first/split1-seed1",
    }
    for protocols in (("augment-first", "split-first"), ("augment-first",)):
        other = judges.run(tmp_path / protocols[-1], protocols=protocols, splits=1)
        assert {member.model.split("/")[1] for member in judging.panel_of([other]).members} == {protocols[-1]}
    answer = call("judge", run, folder_of(tmp_path / "sounds", 1), "--model", "shuffled/*")
    assert answer.code == 2
    assert "no finished model is named 'shuffled/*'; models: plain/by-family" in answer.err


def test_sounds_of_any_rate_length_and_channels_are_judged_and_the_note_tells(run: Path, tmp_path: Path, call: Call) -> None:
    soundfile.write(tmp_path / "a.flac", noise(1, 0.2, 44_100, 1), 44_100, subtype="PCM_24")
    soundfile.write(tmp_path / "b.ogg", noise(2, 1.7, 22_050), 22_050)
    soundfile.write(tmp_path / "c.wav", noise(3, 0.5), judges.RATE, subtype="FLOAT")
    told = rows(call("judge", run, tmp_path))
    assert [row["note"] for row in told] == ["resampled from 44100 Hz; mono; padded to 0.5 s", "resampled from 22050 Hz; 6 segments", ""]
    assert [float(row["seconds"]) for row in told] == pytest.approx([0.2, 1.7, 0.5], abs=1e-3)
    long, rate = audio.read(tmp_path / "b.ogg")
    model = load_network(next(run.glob("models/plain/by-family/split0-seed0/checkpoint.pt")))
    segments = list(hearing.segments(long, rate, model.preparation))
    assert hearing.hear([model], long, rate).probabilities[0] == pytest.approx(np.mean([hearing.judge(model, [s]) for s in segments], axis=0))


def test_what_cannot_be_judged_is_a_row_with_its_reason_and_the_rest_is_judged(run: Path, tmp_path: Path, call: Call) -> None:
    folder = folder_of(tmp_path / "sounds")
    (folder / "001.wav").write_text("no sound")
    (folder / "deep").mkdir()
    soundfile.write(folder / "deep" / "silent.wav", np.zeros((800, 2)), judges.RATE)
    (folder / "notes.txt").write_text("not looked at")
    answer = call("judge", run, folder)
    assert answer.code == 1
    assert answer.lines == ["2 sounds could not be judged; the note in their row says why"]
    told = rows(answer)
    assert [Path(row["sound"]).name for row in told] == ["000.wav", "001.wav", "002.wav", "silent.wav"]
    assert [bool(row["p(bright)"]) for row in told] == [True, False, True, False]
    assert "cannot be decoded as audio" in told[1]["note"]
    assert "silent" in told[3]["note"]


def test_one_sound_that_raises_takes_no_other_with_it(run: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, hear = folder_of(tmp_path / "sounds"), hearing.hear
    bomb = audio.read(folder / "001.wav")[0]

    def raises(models: object, sound: np.ndarray, rate: int) -> object:
        if np.array_equal(sound, bomb):
            raise ValueError("bomb")
        return hear(models, sound, rate)  # type: ignore[arg-type]

    monkeypatch.setattr(hearing, "hear", raises)
    told = rows(call("judge", run, folder))
    assert [row["note"] for row in told] == ["", "ValueError: bomb", ""]


def test_of_sounds_whose_worker_is_killed_each_is_tried_alone(run: Path, tmp_path: Path) -> None:
    paths, log = sorted(folder_of(tmp_path / "sounds").iterdir()), tmp_path / "log"
    panel = judging.panel_of([run])
    killed = executors.Outcome(executors.Task(("batch 0",), judging.judged, (panel, paths), log), "its worker process was killed twice")
    assert [verdict.is_judged for verdict in judging._told(killed, panel, paths, log)] == [True] * 3
    (lost,) = judging._told(killed, panel, paths[:1], log)
    assert "killed twice" in lost.note


def test_a_name_that_is_not_text_is_a_row_with_its_bytes(run: Path, tmp_path: Path, call: Call) -> None:
    folder = folder_of(tmp_path / "sounds", 1)
    name = os.fsencode(folder) + b"/caf\xe9.wav"
    os.rename(folder / "000.wav", name)
    assert judging.judge([run, folder], tmp_path / "judged.csv", None, Progress()) == 0
    assert name in (tmp_path / "judged.csv").read_bytes()


def test_rows_are_written_as_they_come(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, there = folder_of(tmp_path / "sounds", 20), []
    monkeypatch.setattr(judging, "TOGETHER", 4)
    monkeypatch.setattr(executors, "cores", lambda: 2)
    plain = judging.judged

    def watched(panel: judging.Panel, paths: list[Path]) -> list[judging.Verdict]:
        there.append(len((tmp_path / "judged.csv").read_text().splitlines()) - 1)
        return plain(panel, paths)

    monkeypatch.setattr(judging, "judged", watched)
    assert judging.judge([run, folder], tmp_path / "judged.csv", None, Progress()) == 0
    assert there == [0, 0, 8, 8, 16]
    assert len((tmp_path / "judged.csv").read_text().splitlines()) == 21


def test_two_workers_write_the_same_rows_in_the_same_order(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path / "sounds", 12)
    judging.judge([run, folder], tmp_path / "here.csv", None, Progress())
    monkeypatch.undo()
    monkeypatch.setattr(executors, "cores", lambda: 2)
    judging.judge([run, folder], tmp_path / "there.csv", None, Progress())
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_wrong_calls_are_answered_before_anything_is_written(run: Path, tmp_path: Path, call: Call) -> None:
    sound = folder_of(tmp_path / "sounds", 1)
    other = judges.run(tmp_path / "other", classes=["no", "yes"], protocols=["by-family"], splits=1, seeds=1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine.csv").write_text("mine")
    answers = {
        "needs a run folder or a checkpoint.pt": call("judge", sound),
        "no sounds given": call("judge", run, tmp_path / "empty"),
        "nowhere: no such sound or folder": call("judge", run, tmp_path / "nowhere"),
        "knows the classes dull, bright": call("judge", run, other, sound, "--csv", tmp_path / "new.csv"),
        "mine.csv: exists already; give a new name, nothing is overwritten": call("judge", run, sound, "--csv", tmp_path / "mine.csv"),
    }
    for part, answer in answers.items():
        assert (answer.code, len(answer.lines)) == (2, 1), answer.err
        assert part in answer.err
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert not (tmp_path / "new.csv").exists()


def test_a_damaged_checkpoint_is_named(tmp_path: Path, call: Call) -> None:
    run = judges.run(tmp_path / "run", protocols=["by-family"], splits=1)
    path = run / "models/plain/by-family/split0-seed1/checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-100])
    answer = call("judge", run, folder_of(tmp_path / "sounds", 1))
    assert answer.code == 2
    assert "split0-seed1/checkpoint.pt: damaged" in answer.err


def test_checkpoints_may_be_named_alone(run: Path, tmp_path: Path, call: Call) -> None:
    one = run / "models/plain/by-family/split0-seed0/checkpoint.pt"
    (row,) = rows(call("judge", one, folder_of(tmp_path / "sounds", 1)))
    assert (row["models"], row["disagreement"]) == ("1", "")

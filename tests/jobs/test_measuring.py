"""``aesdream sounds measure``: what composers measure of files, generations and runs, and the rank correlations between their measures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import spearmanr

from aesdream.sounds import audio
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.store import Corpus
from jobs import executors, sounds
from jobs.progress import Progress
from tests.conftest import Call
from tests.corpora import noise
from tests.jobs.test_sounds import RATE, phrase
from tests.runs import TINY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds of several rates and channel counts."""
    home = tmp_path_factory.mktemp("takes")
    for number in range(12):
        soundfile.write(home / f"{number:02d}.wav", noise(number, 0.4)[:, : 1 + number % 2], RATE * (1 + number % 3))
    return home


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


def test_every_sound_has_a_row_and_the_printed_correlations_are_those_of_the_rows(folder: Path, tmp_path: Path, call: Call) -> None:
    answer = call("sounds", "measure", folder, "--csv", tmp_path / "measured.csv")
    assert answer.code == 0, answer.err
    table = rows(tmp_path / "measured.csv")
    assert [row["sound"] for row in table] == [str(path) for path in sorted(folder.iterdir())]
    for row in table[::4]:
        sound, rate = audio.read(Path(row["sound"]))
        for name, composer in COMPOSERS.items():
            assert float(row[name]) == pytest.approx(composer.measure(sound, rate), rel=1e-5)
    lines = answer.out.splitlines()
    assert lines[0] == "12 sounds"
    columns = {name: np.array([float(row[name]) for row in table]) for name in COMPOSERS}
    told = {line.split()[0]: line.split()[1:] for line in lines[-len(COMPOSERS) :]}
    for name, values in columns.items():
        assert [float(cell) for cell in told[name] if cell != "-"] == pytest.approx(
            [spearmanr(values, other).statistic for other in columns.values() if np.ptp(values) and np.ptp(other)], abs=0.006
        )
    summary = dict(zip(("mean", "sd", "lowest", "highest"), next(line for line in lines if line.startswith("bright")).split()[1:], strict=True))
    bright = columns["bright"]
    expected = {"mean": bright.mean(), "sd": bright.std(ddof=1), "lowest": bright.min(), "highest": bright.max()}
    assert {key: float(value) for key, value in summary.items()} == pytest.approx(expected, rel=1e-3)


def test_two_workers_write_the_same_table(folder: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for cores in (1, 2):
        monkeypatch.setattr(executors, "cores", lambda cores=cores: cores)
        assert call("sounds", "measure", folder, "--csv", tmp_path / f"{cores}.csv").code == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_of_a_run_the_sounds_are_measured_as_its_study_did(tmp_path: Path, call: Call) -> None:
    run = tmp_path / "run"
    settings = ("--set", "sounds.oracular.count=24", "--set", "sounds.oracular.levels=2")
    assert call("run", TINY, "--out", run, "--until", "preprocess", *settings).code == 0
    assert call("sounds", "measure", run, "--csv", tmp_path / "measured.csv").code == 0
    corpus, table = Corpus(run / "sounds.h5"), rows(tmp_path / "measured.csv")
    assert [row["sound"] for row in table] == corpus.ids
    assert [float(row["bright"]) for row in table] == pytest.approx(corpus.scores, rel=1e-5)


def test_of_a_generation_each_sound_of_the_pool_is_measured_once(tmp_path: Path, call: Call) -> None:
    out, source = tmp_path / "out", phrase(tmp_path / "phrase.wav")
    assert sounds.generate([source], out, Progress(), outputs=(4,), seconds=(0.2, 0.2), seed=1) == 0
    sounds.dropped(out, ["1-0001"])
    assert call("sounds", "measure", out).out.splitlines()[0] == "3 sounds"
    assert call("sounds", "measure", out / "dropped").out.splitlines()[0] == "1 sound"


def test_what_cannot_be_measured_is_told_and_the_rest_is_measured(folder: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    answer = call("sounds", "measure", tmp_path / "text.wav", *sorted(folder.iterdir())[:2], "--csv", tmp_path / "measured.csv")
    assert answer.code == 1
    assert "text.wav: cannot be decoded as audio" in answer.err
    assert answer.lines[-1] == "1 sounds could not be measured"
    assert answer.out.splitlines()[0] == "2 sounds"
    assert "correlations" not in answer.out
    table = rows(tmp_path / "measured.csv")
    assert (table[0]["bright"], bool(table[0]["note"]), bool(table[1]["bright"])) == ("", True, True)


def test_wrong_calls_are_answered_before_anything_is_measured(folder: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "mine.csv").write_text("years of work")
    (tmp_path / "empty").mkdir()
    answers = {
        "mine.csv: exists already; give a new name, nothing is overwritten": (folder, "--csv", tmp_path / "mine.csv"),
        "nowhere.wav: no such sound or folder": (folder, tmp_path / "nowhere.wav"),
        "empty: holds no sound": (tmp_path / "empty",),
    }
    for part, arguments in answers.items():
        answer = call("sounds", "measure", *arguments)
        assert (answer.code, len(answer.lines)) == (2, 1)
        assert part in answer.err
    assert (tmp_path / "mine.csv").read_text() == "years of work"

"""Whatever is wrong with a study or its sounds is told before any long work: a line each, file and remedy, exit code 2, never a traceback."""

from __future__ import annotations

import io
import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aesdream import files
from aesdream.sounds.store import Corpus
from jobs import running
from tests import corpora
from tests.conftest import Answer, Call
from tests.corpora import RATE, good, noise, table
from tests.runs import aesdream, contents

Write = Callable[[Path], object]


def cut(suffix: str) -> Write:
    """Write a file of which the last third is missing."""
    out = io.BytesIO()
    soundfile.write(out, noise(50, 1.0), RATE, format=suffix)
    return lambda path: path.write_bytes(out.getvalue()[: len(out.getvalue()) * 2 // 3])


def with_value(value: float) -> Write:
    sound = noise(51)
    sound[99, 0] = value
    return lambda path: soundfile.write(path, sound, RATE, subtype="FLOAT")


BAD: dict[str, tuple[Write, str]] = {
    "missing.wav": (lambda path: None, "no such file; correct its path"),
    "empty.wav": (lambda path: path.touch(), "empty; copy or export it again"),
    "cut.wav": (cut("WAV"), "truncated: it ends before its header says; copy or export it again"),
    "cut.flac": (cut("FLAC"), "if it was truncated copy it again"),
    "cut.ogg": (cut("OGG"), "copy"),
    "cut.aiff": (cut("AIFF"), "truncated: it ends before its header says; copy or export it again"),
    "text.wav": (lambda path: path.write_text("these are words\n" * 50), "cannot be decoded as audio"),
    "nan.wav": (with_value(np.nan), "holds NaN or infinite values; export it again"),
    "infinite.wav": (with_value(np.inf), "holds NaN or infinite values; export it again"),
    "silent.wav": (lambda path: soundfile.write(path, np.zeros((4000, 2)), RATE), "silent: nothing can be heard in it; leave it out"),
    "three.wav": (lambda path: soundfile.write(path, noise(52, channels=3), RATE), "3 channels; mix them down to one or two"),
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a corpus with everything wrong, and what ``aesdream run`` said of it."""
    home = tmp_path_factory.mktemp("bad")
    rows = good(home / "sounds")
    for number, (name, (write, _)) in enumerate(BAD.items()):
        write(home / "sounds" / name)
        rows.append(f"{name},dull,bad {number}")
    rows[6] = "06.wav,splendid,lost"
    rows += ["03.wav,dull,again", "04.wav,lovely,lost", ",dull,lost", "05.wav,,lost"]
    table(home / "sounds", rows)
    done = aesdream("run", corpora.study(home, ["sounds.folder.classes=[dull, bright]"]), "--out", home / "run")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("look at the sounds")]
    assert all(line.startswith("aesdream: ") for line in lines), done.stderr
    return home / "sounds", lines


@pytest.mark.parametrize("name", BAD)
def test_every_bad_sound_of_a_corpus_has_one_line_with_its_path_and_a_remedy(bad: tuple[Path, list[str]], name: str) -> None:
    folder, lines = bad
    (line,) = [line for line in lines if line.startswith(f"aesdream: {folder / name}: ")]
    assert BAD[name][1] in line


def test_bad_rows_and_labels_are_told_in_the_same_breath(bad: tuple[Path, list[str]]) -> None:
    folder, lines = bad
    others = [line.removeprefix(f"aesdream: {folder}/") for line in lines if not any(name in line for name in BAD)]
    assert sorted(others) == [
        "06.wav: its label 'splendid' is no class of the study; classes: dull, bright; correct it, or add it to sounds.folder.classes",
        "labels.csv: line 23: 03.wav stands in line 5 already; keep one row a sound",
        "labels.csv: line 24: 04.wav stands in line 6 already; keep one row a sound",
        "labels.csv: line 25: path is empty; every row needs both",
        "labels.csv: line 26: label is empty; every row needs both",
    ]


def test_nothing_was_prepared_or_trained_before_it_was_told(bad: tuple[Path, list[str]]) -> None:
    run = bad[0].parent / "run"
    assert not any((run / name).exists() for name in ("sounds.h5", "sounds.json", "sounds", "models", "dreams", "appendix"))


def refused(answer: Answer) -> str:
    """The one line with which a call was refused."""
    assert answer.code == 2, answer
    assert answer.out == ""
    (line,) = [line for line in answer.lines if not line.startswith("look at the sounds")]
    assert line.startswith("aesdream: ")
    return line.removeprefix("aesdream: ")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with good sounds, their table and their study."""
    table(tmp_path / "sounds", good(tmp_path / "sounds"))
    corpora.study(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("training.epoch=3", "training.epoch: unknown key (did you mean epochs?); valid here: batch, epochs, "),
        ("sounds.folder.pth=x", "sounds.folder.pth: unknown key (did you mean path?); valid here: classes, path"),
        ("training.epochs=many", "training.epochs: input should be a valid integer, unable to parse string as an integer, is 'many'"),
        ("network.jenkins.kernel=4001", "network.jenkins.kernel: 4001 samples is longer than the sound (4000 samples); choose a shorter kernel"),
        ("training.treatments.w={window: 0.6}", "training.treatments.w: window: 0.6 s is longer than the sound (0.5 s); choose a shorter one"),
        ("sounds.oracular={}", "sounds: needs exactly one of oracular (made here), folder (your own sounds), "),
        ("sounds.folder=null", "sounds: needs exactly one of oracular (made here), folder (your own sounds), "),
        ("sweeps.s={models: nobody, layers: conv4}", "sweeps.s.models: 'nobody' names no model; the first of 1: plain/by-family/split0-seed0"),
        ("sweeps.s={models: '*', layers: conv9}", "sweeps.s.layers: 'conv9' is unknown; valid: conv1, conv2, conv3, conv4, class"),
        ("sweeps.s={models: '*', layers: conv4, targets: 2}", "sweeps.s.targets: target conv4:2: conv4 has 2 filters; valid: 0 to 1"),
        ("sounds.folder.path=nowhere", "nowhere: no such folder; sounds.folder.path must name a folder with labels.csv, or with one folder a class"),
        ("sounds.start=nowhere.wav", "nowhere.wav: no such file; correct its path"),
        (
            "sweeps.s={models: '*', layers: class, targets: loud}",
            "sweeps.s.targets: target class:loud: class has 2 filters; valid: 0 to 1, or bright, dull",
        ),
    ],
)
def test_a_mistake_is_the_same_clear_line_from_the_study_file_and_from_set(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch, change: str, says: str
) -> None:
    monkeypatch.chdir(home)
    before = sorted(home.rglob("*"))
    from_set = refused(call("run", home / "study.yaml", "--set", change, "--out", home / "run"))
    assert says in from_set
    shutil.rmtree(home / "run", ignore_errors=True)
    corpora.study(home, [change])
    assert refused(call("check", home / "study.yaml")) == from_set
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("epochs", "--set epochs: must read key=value, for instance --set training.epochs=3"),
        ("training.epochs=[3", "--set training.epochs=[3: '[3' is not a YAML value"),
        ("a..b=3", "study.yaml: a: unknown key; valid here: network, networks, notes, seed, sounds, study, sweeps, threads, training"),
        ("training=3", "study.yaml: training: must hold keys and values, is 3"),
    ],
)
def test_a_wrong_set_is_told_as_it_was_given(home: Path, call: Call, given: str, says: str) -> None:
    assert says in refused(call("check", home / "study.yaml", "--set", given))


def test_study_files_that_cannot_be_read_are_named(home: Path, call: Call) -> None:
    (home / "broken.yaml").write_text("study: own\nsounds: {folder: [\n")
    (home / "one.yaml").write_text("base: two.yaml\n")
    (home / "two.yaml").write_text("base: one.yaml\n")
    assert f"{home / 'broken.yaml'}: not valid YAML at line 3" in refused(call("run", home / "broken.yaml"))
    assert "one.yaml stands on itself; a chain of bases must end" in refused(call("run", home / "one.yaml"))
    assert "no such file; give the path of a study" in refused(call("check", home / "none.yaml"))
    (home / "two.yaml").write_text("base: three.yaml\n")
    assert f"{home / 'two.yaml'}: base: {home / 'three.yaml'}: no such file" in refused(call("check", home / "one.yaml"))


def test_every_mistake_of_a_study_has_its_line(home: Path, call: Call) -> None:
    answer = call("check", home / "study.yaml", "--set", "training.epoch=3", "--set", "seed=x", "--set", "sounds.short=cut")
    assert answer.code == 2
    assert [line.split(": ")[2] for line in answer.lines] == ["seed", "sounds.short", "training.epoch"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (lambda rows: [row.replace("bright", "dull") for row in rows], "every sound is labelled 'dull'; a judge needs at least two classes"),
        (lambda rows: rows[:7], "class 'bright' has 3 sounds; at least 4 are needed to split it: add some, or leave it out"),
        (lambda rows: [*rows, rows[0].replace("dull", "dul")], "labels.csv: line 12: 00.wav stands in line 2 already; keep one row a sound"),
        (lambda rows: [f"{row.rsplit(',', 1)[0]}," for row in rows], "training.protocols has by-family, no sound a family; name them in labels.csv"),
        (lambda rows: [f"{r.rsplit(',', 1)[0]},{'x' if 'dull' in r else r[:2]}" for r in rows], "class 'dull' has 1 families"),
        (lambda rows: [row.replace("07.wav", "70.wav") for row in rows], "70.wav: no such file; correct its path, or take it out"),
    ],
    ids=["one class", "too few of a class", "twice", "no families", "too few families", "missing"],
)
def test_a_corpus_that_cannot_be_split_is_refused(home: Path, call: Call, rows: Callable[[list[str]], list[str]], says: str) -> None:
    written = (home / "sounds" / "labels.csv").read_text().splitlines()[1:]
    table(home / "sounds", [row.replace('"', "") for row in rows(written)])
    line = refused(call("run", home / "study.yaml", "--out", home / "run"))
    assert line.startswith(str(home / "sounds"))
    assert says in line
    assert not (home / "run" / "sounds.h5").exists()


def test_a_short_sound_is_refused_where_the_study_says_so_and_padded_otherwise(home: Path, call: Call) -> None:
    soundfile.write(home / "sounds" / "04.wav", noise(4, 0.3), RATE)
    line = refused(call("check", home / "study.yaml", "--set", "sounds.short=refuse"))
    assert f"{home / 'sounds' / '04.wav'}: is 0.300 s long, the study refuses less than 0.5 s" in line
    assert call("check", home / "study.yaml").code == 0


def test_a_start_that_is_no_sound_is_refused_before_any_work(home: Path, call: Call) -> None:
    (home / "start.wav").write_text("words")
    for change in ("sounds.start=start.wav", "sweeps.s={models: '*', layers: conv4, starts: start.wav}"):
        corpora.study(home, [change])
        assert f"{home / 'start.wav'}: cannot be decoded as audio" in refused(call("run", home / "study.yaml", "--out", home / "run"))
        assert not (home / "run" / "sounds.h5").exists()


def test_the_same_audio_under_two_labels_is_a_warning_that_names_both_and_one_family_in_the_store(home: Path, call: Call) -> None:
    sound, _ = soundfile.read(home / "sounds" / "00.wav", dtype="int16")
    soundfile.write(home / "sounds" / "03.flac", sound, RATE)
    rows = (home / "sounds" / "labels.csv").read_text().replace("03.wav", "03.flac")
    (home / "sounds" / "labels.csv").write_text(rows)
    warning = "00.wav and 03.flac: the same audio under the labels 'dull' and 'bright'; they count as one family"
    assert f"warning: {warning}" in call("check", home / "study.yaml").out
    assert call("run", home / "study.yaml", "--out", home / "run", "--until", "preprocess").code == 0
    told = json.loads((home / "run" / "sounds.json").read_text())
    assert told["warnings"] == [warning]
    assert told["families"] == 9
    corpus = Corpus(home / "run" / "sounds.h5")
    assert corpus.families[corpus.ids.index("00.wav")] == corpus.families[corpus.ids.index("03.flac")]


@pytest.mark.parametrize("out", ["/sys/aesdream", "study.yaml/run"])
def test_a_folder_that_cannot_be_written_is_named(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    monkeypatch.chdir(home)
    line = refused(call("run", "study.yaml", "--out", out))
    assert line.startswith(out)
    assert "cannot be written" in line
    assert "choose another folder with --out" in line


def test_more_than_the_disk_has_room_for_is_refused_before_any_work(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 90, 10))
    line = refused(call("run", home / "study.yaml", "--out", home / "run"))
    assert "are still to be written" in line
    assert not (home / "run" / "sounds.h5").exists()


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """A disk on which no file can grow beyond 100 kB; call it to free some space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield free
    free()


def test_a_disk_that_fills_during_the_work_is_told_and_what_was_written_is_whole(home: Path, call: Call, full_disk: Callable[[], None]) -> None:
    run = home / "run"
    arguments = ["run", home / "study.yaml", "--out", run, "--until", "preprocess", "--set", "sounds.slice=4"]
    answer = call(*arguments)
    assert answer.code == 2
    told = f"aesdream: {run / 'sounds.h5'}: the disk is full; what was finished is whole: free some space and give the same command again"
    assert answer.lines[-1] == told
    assert not (run / "sounds.h5").exists()
    assert not list(run.rglob("*.part"))
    slices = sorted((run / "sounds").glob("*.json"))
    assert len([files.verified(marker, marker.with_suffix(".h5").name) for marker in slices]) == 3
    full_disk()
    answer = call(*arguments)
    assert answer.code == 0
    assert "preprocess:" not in answer.err  # the slices were kept
    assert len(Corpus(run / "sounds.h5").ids) == 10


def test_changing_what_finished_units_used_is_refused_with_the_key_and_both_values_and_changes_nothing(home: Path, call: Call) -> None:
    arguments = ["run", home / "study.yaml", "--out", home / "run", "--until", "train"]
    assert call(*arguments).code == 0
    before = contents(home / "run")
    for change, says in {
        "training.epochs=2": "training.epochs: was 1, now 2 (models/plain/by-family/split0-seed0)",
        "network.jenkins.stride=128": "network.jenkins.stride: was 64, now 128 (models/plain/by-family/split0-seed0)",
        "sounds.seconds=0.4": "sounds.seconds: was 0.5, now 0.4 (sounds)",
        "sounds.levels=peak": 'sounds.levels: was "full_scale", now "peak" (sounds)',
    }.items():
        answer = call(*arguments, "--set", change)
        assert answer.code == 2
        assert f"aesdream: {says}" in answer.lines
        assert answer.lines[-1].endswith("or choose another folder with --out")
        assert contents(home / "run") == before
    labels = home / "sounds" / "labels.csv"
    labels.write_text(labels.read_text().replace("08.wav,dull", "08.wav,bright"))
    answer = call(*arguments)
    assert any(line.startswith("aesdream: files_and_labels: was ") for line in answer.lines), answer
    assert contents(home / "run") == before


def test_a_corpus_is_known_by_its_files_and_not_by_its_place(home: Path, call: Call) -> None:
    arguments = ["run", home / "study.yaml", "--out", home / "run", "--until", "preprocess"]
    assert call(*arguments).code == 0
    before = (home / "run" / "sounds.json").stat().st_mtime_ns
    (home / "sounds").rename(home / "moved")
    assert call(*arguments, "--set", f"sounds.folder.path={home / 'moved'}").code == 0
    assert (home / "run" / "sounds.json").stat().st_mtime_ns == before

"""A user's own folder of sounds becomes trained models and dreams by one command, and the same command again does nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aesdream import files
from aesdream.sounds import audio
from aesdream.sounds.audio import Preparation
from aesdream.sounds.store import Corpus
from tests.conftest import Call
from tests.corpora import noise
from tests.runs import aesdream, contents, events

STUDY = """\
study: mine
seed: 3
sounds:
  folder: {path: sounds, classes: ["no", "yes"]}
  sample_rate: 8000
  seconds: 0.5
  fade_out: 0.1
network:
  jenkins: {kernel: 256, stride: 64, start: mean, filters: [2, 2, 2], hidden: 4}
training:
  treatments: {plain: {}, windowed: {window: 0.3, overlap: 0.2}, oversampled: {oversampling: 2}}
  protocols: [split-first, by-family]
  epochs: 1
sweeps:
  first: {models: plain/by-family/*, layers: [conv4, class], sides: [pre], starts: [source, noise], steps: 3, batch: 2}
"""
FORMATS = [
    ("wav", "PCM_16", 8000),
    ("flac", "PCM_24", 44_100),
    ("ogg", None, 22_050),
    ("aiff", "PCM_16", 48_000),
    ("mp3", None, 16_000),
    ("wav", "FLOAT", 8000),
]
MONO = {1, 4}
LONG = "long.wav"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as someone might have it: formats, rates and channels mixed, sub-folders, a table from Windows, two takes in one long file."""
    home = tmp_path_factory.mktemp("mine")
    (home / "study.yaml").write_text(STUDY)
    rows = ["path,label,family,start,end"]
    for number in range(12):
        suffix, subtype, rate = FORMATS[number % len(FORMATS)]
        path = home / "sounds" / f"day {number % 2}" / f"take{number:02}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(number, 0.4 + 0.03 * number, rate, 1 if number in MONO else 2), rate, subtype=subtype)
        rows.append(f"{path.relative_to(home / 'sounds')},{'yes' if number % 3 == 0 else 'no'},person {number // 2 * 2 + number % 2},,")
    soundfile.write(home / "sounds" / LONG, noise(99, 2), 8000)
    rows += [f"{LONG},yes,evening,0,0.7", f"{LONG},no,morning,0.9,"]
    (home / "sounds" / "labels.csv").write_bytes(("\ufeff" + "\r\n".join(rows) + "\r\n").encode())
    done = aesdream("run", home / "study.yaml", "--out", home / "run", "--until", "dream")
    assert done.returncode == 0, done.stderr
    return home


def test_every_sound_is_prepared_from_its_format_rate_and_channels(mine: Path) -> None:
    corpus, how = Corpus(mine / "run" / "sounds.h5"), Preparation(sample_rate=8000, seconds=0.5, fade_out=0.1)
    assert corpus.ids == sorted(corpus.ids)
    assert len(corpus.ids) == 14
    assert corpus.classes == ["no", "yes"]
    assert corpus.label.sum() == 5
    for index, name in enumerate(corpus.ids):
        path, _, segment = name.partition("#")
        start, _, end = segment.partition("-")
        read = audio.read(mine / "sounds" / path, float(start or 0), float(end) if end else None)
        np.testing.assert_array_equal(corpus.read(index), audio.prepare(*read, how))
        assert json.loads(corpus.origins[index]) == {"path": path}


def test_the_marker_tells_labels_families_and_that_a_person_judged(mine: Path) -> None:
    told = files.read_marker(mine / "run" / "sounds.json")
    assert told["labels"] == {"no": 9, "yes": 5}
    assert told["positive"] == "yes"
    assert told["synthetic"] is None
    assert told["families"] == 13  # the two takes of the long file are one family, whatever their names
    corpus = Corpus(mine / "run" / "sounds.h5")
    assert len({family for name, family in zip(corpus.ids, corpus.families, strict=True) if name.startswith(LONG)}) == 1


@pytest.mark.parametrize("protocol", ["split-first", "by-family"])
@pytest.mark.parametrize("treatment", ["plain", "windowed", "oversampled"])
def test_every_model_is_trained_and_kept_sounds_and_relatives_apart(mine: Path, treatment: str, protocol: str) -> None:
    marker = mine / "run" / "models" / treatment / protocol / "split0-seed0" / "evaluation.json"
    assert set(files.read_marker(marker)["files"]) == {"split.json", "history.jsonl", "census.json", "checkpoint.pt", "responses.npz"}
    sides = files.read_json(files.verified(marker, "split.json"))
    corpus = Corpus(mine / "run" / "sounds.h5")
    families = dict(zip(corpus.ids, corpus.families, strict=True))
    train, validation = ({name.split("@")[0] for name in sides[side]} for side in ("train", "validation"))
    assert train | validation == set(corpus.ids)
    assert not train & validation
    if protocol == "by-family":
        assert not {families[name] for name in train} & {families[name] for name in validation}


def test_every_dream_is_there_with_its_trace(mine: Path) -> None:
    markers = sorted((mine / "run" / "dreams").rglob("*.json"))
    assert len(markers) == (2 + 2) * 2
    for marker in markers:
        told = files.read_marker(marker)
        assert len(told["activation"]) == 4
        assert np.isfinite(told["activation"]).all()
        assert np.abs(soundfile.read(files.verified(marker, marker.with_suffix(".wav").name))[0]).max() <= 1


def test_the_same_command_again_does_nothing(mine: Path, call: Call) -> None:
    before = contents(mine / "run")
    answer = call("run", mine / "study.yaml", "--out", mine / "run", "--until", "dream")
    assert answer.code == 0
    assert events(mine / "run") == []
    assert contents(mine / "run") == before


def test_check_tells_the_plan_and_which_class_is_positive(mine: Path, call: Call) -> None:
    answer = call("check", mine / "study.yaml")
    assert answer.code == 0
    assert "study mine: 14 sounds, 6 models, 8 dreams" in answer.out
    assert "positive class: 'yes' of no, yes (sounds.folder.classes changes the order)" in answer.out


def test_the_bytes_do_not_depend_on_slices_or_on_where_the_work_is_done(mine: Path, call: Call, tmp_path: Path) -> None:
    arguments = ["run", mine / "study.yaml", "--out", tmp_path / "run", "--set", "sounds.slice=3", "--until", "preprocess"]
    assert call(*arguments).code == 0
    for name in ("sounds.h5", "sounds.json"):
        assert (tmp_path / "run" / name).read_bytes() == (mine / "run" / name).read_bytes()


def test_one_folder_a_class_needs_no_table(call: Call, tmp_path: Path) -> None:
    for number in range(8):
        path = tmp_path / "sounds" / ("no", "yes")[number % 2] / f"{number}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(number), 8000)
    (tmp_path / "study.yaml").write_text(STUDY.replace("by-family/*", "split-first/*"))
    arguments = ["run", tmp_path / "study.yaml", "--out", tmp_path / "run", "--until", "preprocess"]
    assert "no sound a family" in call(*arguments).err
    assert call(*arguments, "--set", "training.protocols=[split-first]").code == 0
    told = files.read_marker(tmp_path / "run" / "sounds.json")
    assert told["labels"] == {"no": 4, "yes": 4}
    assert told["families"] is None

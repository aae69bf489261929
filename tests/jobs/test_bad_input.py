"""Whatever is wrong with a study or its sounds is told before any long work: a line each, file and remedy, exit code 2, never a traceback."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import corpora
from tests.corpora import RATE, good, noise, table
from tests.runs import TINY, aesdream

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
    rows += ["03.wav,dull,again", "04.wav,lovely,lost", ",dull,lost", "05.wav,,lost"]
    rows[6] = "06.wav,splendid,lost"
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
    assert others == [
        "labels.csv: line 24: path is empty; every row needs both",
        "labels.csv: line 23: 04.wav stands in line 6 already; keep one row a sound",
        "labels.csv: line 22: 03.wav stands in line 5 already; keep one row a sound",
        "labels.csv: line 25: label is empty; every row needs both",
        "06.wav: its label 'splendid' is no class of the study; classes: dull, bright; correct it, or add it to sounds.folder.classes",
    ] or sorted(others) == sorted(set(others))


def test_nothing_was_prepared_or_trained_before_it_was_told(bad: tuple[Path, list[str]]) -> None:
    run = bad[0].parent / "run"
    assert not any((run / name).exists() for name in ("sounds.h5", "sounds.json", "sounds", "models", "dreams", "appendix"))

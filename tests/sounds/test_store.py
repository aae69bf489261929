"""The corpus on disk: what went in comes out, a flipped bit is found, and slices of any size join to the same bytes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aesdream.errors import DamagedFile
from aesdream.seeding import generator
from aesdream.sounds import descriptors, store
from aesdream.sounds.store import Corpus, Prepared
from tests.runs import environment

COUNT, SAMPLES = 10, 120
WIDTH = len(descriptors.LEVEL + descriptors.PLAIN)
ATTRIBUTES: dict[str, Any] = {"sample_rate": 8000, "classes": ["dull", "grün"], "families_known": True, "preparation": {"seconds": 0.015}}
LABELS = np.arange(COUNT) % 2
FAMILIES = [f"take {i // 2}" for i in range(COUNT)]


def sound(index: int) -> np.ndarray:
    return generator(0, "sound", index).integers(-32768, 32767, (2, SAMPLES)).astype(np.int16)


def prepared(first: int = 0, last: int = COUNT) -> Iterator[Prepared]:
    for i in range(first, last):
        name = f"sub/{'é' * i}.wav"
        yield Prepared(name, sound(i), SAMPLES - i, f'{{"path": "{name}"}}', f"{i:064x}", np.arange(WIDTH) + i / 3, np.nan if i == 3 else i / 7)


def joined(folder: Path, size: int) -> Path:
    """A store that was prepared in slices of ``size`` sounds."""
    slices = []
    for first in range(0, COUNT, size):
        slices.append(folder / f"{size}-{first}.h5")
        store.write_slice(slices[-1], prepared(first, min(first + size, COUNT)), min(size, COUNT - first), SAMPLES)
    path = folder / f"joined-{size}.h5"
    store.join(path, slices, labels=LABELS, families=FAMILIES, start=sound(99), attributes=ATTRIBUTES)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return joined(tmp_path_factory.mktemp("store"), 4)


def everything(corpus: Corpus) -> list[Any]:
    """All that a corpus tells, as plain values."""
    columns = [corpus.ids, corpus.families, corpus.origins, corpus.label, corpus.scores, corpus.descriptors, corpus.start]
    facts = [corpus.attributes, corpus.classes, corpus.descriptor_names, corpus.families_known, corpus.sample_rate, corpus.samples]
    sounds = [corpus.read(index).tolist() for index in range(COUNT)]
    return [*(c.tolist() if isinstance(c, np.ndarray) else c for c in columns), *facts, *sounds]


def test_what_went_in_comes_out(path: Path) -> None:
    corpus, given = Corpus(path), list(prepared())
    assert corpus.ids == [p.id for p in given]
    assert corpus.origins == [p.origin for p in given]
    assert corpus.families == FAMILIES
    assert corpus.classes == ["dull", "grün"]
    assert corpus.attributes == {"schema": 1, **ATTRIBUTES}
    assert corpus.families_known is True
    assert (corpus.sample_rate, corpus.samples) == (8000, SAMPLES)
    assert corpus.descriptor_names == list(descriptors.LEVEL + descriptors.PLAIN)
    np.testing.assert_array_equal(corpus.label, LABELS)
    np.testing.assert_array_equal(corpus.scores, [p.score for p in given])
    np.testing.assert_array_equal(corpus.descriptors, [p.descriptors for p in given])
    np.testing.assert_array_equal(corpus.start, sound(99))
    for index, one in enumerate(given):
        np.testing.assert_array_equal(corpus.read(index), one.sound)
        np.testing.assert_array_equal(corpus.read(index, 20, 50), one.sound[:, 20:70])


def test_sounds_of_several_labels_and_lengths_in_one_channel_come_out_as_they_went_in(tmp_path: Path) -> None:
    given = [replace(one, sound=one.sound[:1, : SAMPLES - 7 * i], length=SAMPLES - 7 * i) for i, one in enumerate(prepared())]
    labels = np.array([[i % 3 == 0, i % 2 == 0, i == 5] for i in range(COUNT)], np.uint8)
    store.write_slice(tmp_path / "slice.h5", iter(given), COUNT, SAMPLES, channels=1)
    attributes = {**ATTRIBUTES, "classes": ["a", "b", "c"]}
    path = store.path(tmp_path, "test")
    assert path == tmp_path / "sounds-test.h5"
    store.join(path, [tmp_path / "slice.h5"], labels=labels, families=FAMILIES, attributes=attributes)
    corpus = Corpus(path)
    assert (corpus.channels, corpus.samples) == (1, SAMPLES)
    np.testing.assert_array_equal(corpus.labels, labels)
    np.testing.assert_array_equal(corpus.length, [one.length for one in given])
    for index, one in enumerate(given):
        np.testing.assert_array_equal(corpus.read(index)[:, : one.length], one.sound)
        assert not corpus.read(index)[:, one.length :].any()


def test_labels_are_a_bit_a_class_where_every_sound_has_one_label_too(path: Path, tmp_path: Path) -> None:
    corpus = Corpus(path)
    np.testing.assert_array_equal(corpus.labels, np.eye(2)[LABELS])
    again = tmp_path / "again.h5"
    store.join(again, [path.parent / f"4-{n}.h5" for n in (0, 4, 8)], labels=corpus.labels, families=FAMILIES, start=sound(99), attributes=ATTRIBUTES)
    assert again.read_bytes() == path.read_bytes()


def test_slices_of_any_size_join_to_the_same_bytes(path: Path, tmp_path: Path) -> None:
    assert {joined(tmp_path, size).read_bytes() for size in (1, 3, COUNT)} == {path.read_bytes()}


def test_sounds_are_read_as_they_were_written_whole_or_in_part(path: Path) -> None:
    corpus = Corpus(path)
    np.testing.assert_array_equal([corpus.read(i) for i in range(COUNT)], [p.sound for p in prepared()])
    np.testing.assert_array_equal(corpus.read(3, 5, 20), next(islice(prepared(), 3, None)).sound[:, 5:25])


def test_what_was_read_can_be_changed_without_changing_the_file(path: Path) -> None:
    corpus = Corpus(path)
    corpus.read(3)[:] = 0
    np.testing.assert_array_equal(Corpus(path).read(3), next(islice(prepared(), 3, None)).sound)


def test_a_flipped_bit_in_a_sound_is_found_when_read_and_names_the_sound(path: Path, tmp_path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(sound(7).tobytes()) + 100] ^= 0x10
    damaged = tmp_path / "sounds.h5"
    damaged.write_bytes(data)
    corpus = Corpus(damaged)
    with pytest.raises(DamagedFile, match=r"sounds\.h5: damaged \(the checksum of sound sub/ééééééé\.wav does not hold\)"):
        corpus.read(7)
    np.testing.assert_array_equal(corpus.read(6), sound(6))


def test_a_flipped_byte_anywhere_in_the_file_is_found_or_changes_nothing(path: Path, tmp_path: Path) -> None:
    good, told = path.read_bytes(), repr(everything(Corpus(path)))
    damaged = tmp_path / "sounds.h5"
    found = 0
    for at in range(0, len(good), 61):
        damaged.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        try:
            assert repr(everything(Corpus(damaged))) == told, f"byte {at}"
        except DamagedFile:
            found += 1
    assert found > len(good) / 61 * 0.7  # the rest is unused space


@pytest.mark.parametrize("left", [0.0, 0.3, 0.99])
def test_a_file_that_is_cut_short_missing_or_something_else_is_damaged(path: Path, tmp_path: Path, left: float) -> None:
    other = tmp_path / "sounds.h5"
    with pytest.raises(DamagedFile, match=r"sounds\.h5: damaged \(missing\)"):
        store.opened(other)
    with pytest.raises(DamagedFile, match=r"sounds\.h5: damaged \(missing\)"):
        everything(Corpus(other))
    other.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    with pytest.raises(DamagedFile):
        everything(Corpus(other))


def test_a_corpus_pickles_without_its_open_file(path: Path) -> None:
    corpus = Corpus(path)
    read = everything(corpus)
    assert len(pickle.dumps(corpus)) < 1000
    assert repr(everything(pickle.loads(pickle.dumps(corpus)))) == repr(read)


def test_a_corpus_is_opened_once_and_again_when_its_file_was_replaced(tmp_path: Path) -> None:
    first, second = joined(tmp_path, 2), tmp_path / "second.h5"
    opened = store.opened(first)
    assert store.opened(first) is opened
    store.join(second, [tmp_path / "2-0.h5"], labels=LABELS[:2], families=FAMILIES[:2], start=sound(1), attributes=ATTRIBUTES)
    second.replace(first)
    assert len(store.opened(first).ids) == 2


FULL_DISKS = """
import gc, resource, sys
from pathlib import Path
from aesdream import errors, files
from aesdream.sounds import store
from tests.sounds import test_store as given
path, part, most = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
works = [
    lambda aside: store.write_slice(aside, given.prepared(), given.COUNT, given.SAMPLES),
    lambda aside: store.join(
        aside, [part], labels=given.LABELS, families=given.FAMILIES, start=given.sound(99), attributes=given.ATTRIBUTES
    ),
]
for work in works:
    for room in [*range(0, most, 499), most - 1, resource.RLIM_INFINITY]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            with files.writing(path) as aside:
                work(aside)
            print("written")
        except errors.UserError as error:
            print(error)
        gc.collect()
"""


def test_a_disk_that_fills_at_any_point_ends_in_a_clear_line_and_no_crash_with_the_old_file_whole(tmp_path: Path) -> None:
    """HDF5 itself would end the process with a segmentation fault."""
    joined(tmp_path, COUNT)
    part, path = tmp_path / f"{COUNT}-0.h5", tmp_path / "sounds.h5"
    path.write_bytes(b"old")
    call = [sys.executable, "-c", FULL_DISKS, str(path), str(part), str(part.stat().st_size)]
    done = subprocess.run(call, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines.pop() == lines.pop(len(lines) // 2) == "written"
    assert set(lines) == {f"{path}: the disk is full; what was finished is whole: free some space and give the same command again"}
    assert len(lines) > 20
    assert path.read_bytes() == (tmp_path / f"joined-{COUNT}.h5").read_bytes()
    assert len(list(tmp_path.iterdir())) == 3

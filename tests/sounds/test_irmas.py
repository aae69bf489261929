"""IRMAS is read as it lies on disk, traps included; what is wrong with a copy is told all at once."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from aesdream.errors import UserError
from aesdream.sounds import audio, irmas
from aesdream.sounds.irmas import CLASSES, Irmas
from aesdream.sounds.labelled import Labelled
from tests.sounds import irmas_fixture
from tests.sounds.irmas_fixture import CLIPS


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> irmas_fixture.Irmas:
    return irmas_fixture.build(tmp_path_factory.mktemp("irmas"))


@pytest.fixture
def broken(tmp_path: Path) -> irmas_fixture.Irmas:
    """A copy to damage, of excerpts that are as short as may be."""
    return irmas_fixture.build(tmp_path, seconds=1.0)


def leave_two_recordings(inside: Path) -> None:
    for path in inside.glob("*.wav"):
        if "0001" not in path.name:
            path.unlink()


def read(folder: Path, conflicting: str = "exclude", validation: float = 0.3) -> dict[str, Labelled]:
    found = irmas.entries(folder)
    looks = [audio.Inspection() if entry.problem else audio.inspect(entry.path) for entry in found]
    settings = Irmas(path=str(folder), conflicting=conflicting)  # type: ignore[arg-type]
    return irmas.examined(settings, found, looks, by_family=True, validation=validation)


def wrong(folder: Path, validation: float = 0.3) -> list[str]:
    with pytest.raises(UserError) as error:
        read(folder, validation=validation)
    return list(error.value.lines)


def test_every_excerpt_has_its_folder_as_label_and_its_recording_as_family(copy: irmas_fixture.Irmas) -> None:
    sets = read(copy.folder, "keep")
    assert Counter(entry.label for entry in sets[""].entries) == copy.excerpts
    assert all(entry.label == Path(entry.id).parent.name and not entry.more for entry in sets[""].entries)
    joined = 2  # by the two pairs of files with the same bytes
    assert len({entry.family for entry in sets[""].entries}) == copy.recordings - joined
    assert sets[""].classes == CLASSES


def test_excerpts_of_one_recording_are_a_family_and_colliding_numbers_are_none(copy: irmas_fixture.Irmas) -> None:
    family = {entry.id.removeprefix("IRMAS-TrainingData/"): entry.family for entry in read(copy.folder)[""].entries}
    assert len({family[f"cel/[cel][cla]0001__{number}.wav"] for number in (1, 2, 3)}) == 1
    collided = ["cel/[cel][cla]0001__1.wav", "cel/008__[cel][nod][cla]0001__1.wav", "cla/[cla][cla]0001__1.wav"]
    assert len({family[name] for name in collided}) == 3


def test_test_clips_have_all_their_labels_and_a_song_over_all_parts_is_a_family(copy: irmas_fixture.Irmas) -> None:
    clips = {entry.id: entry for entry in read(copy.folder)["test"].entries}
    assert sorted(clips) == sorted(f"{part}/{name}.wav" for part, names in CLIPS.items() for name in names)
    assert Counter(label for entry in clips.values() for label in entry.labels) == {
        "cel": 1, "cla": 1, "flu": 1, "gac": 2, "gel": 1, "org": 2, "pia": 3, "sax": 1, "tru": 1, "vio": 1, "voi": 2,
    }  # fmt: skip
    songs = Counter(entry.family for entry in clips.values())
    assert songs == {
        "song 02 - And The Body Will Die": 3,
        "song (01) a song": 2,
        "song five": 2,
        "song 03. another one": 1,
        "song three": 1,
        "song four": 1,
    }
    five = clips["IRMAS-TestingData-Part2/IRTestingData-Part2/02 - And The Body Will Die-8.wav"]
    assert five.labels == ("flu", "gac", "org", "pia", "sax")
    assert clips["IRMAS-TestingData-Part3/Part3/five-3.wav"].labels == ("org",)


def test_the_same_bytes_under_two_labels_are_reported_and_left_out(copy: irmas_fixture.Irmas) -> None:
    excerpts = read(copy.folder)[""]
    assert not set(copy.conflicting) & {entry.id for entry in excerpts.entries}
    assert len(excerpts.entries) == sum(copy.excerpts.values()) - 2
    (line,) = [line for line in excerpts.warnings if "different labels" in line]
    assert all(name in line for name in copy.conflicting)
    assert "left out; sounds.irmas.conflicting: keep would keep them" in line


def test_the_same_bytes_under_two_labels_are_one_family_where_they_are_kept(copy: irmas_fixture.Irmas) -> None:
    excerpts = read(copy.folder, "keep")[""]
    family = {entry.id: entry.family for entry in excerpts.entries}
    twin = dict(zip(family, excerpts.twins, strict=True))
    for first, second in (copy.conflicting, copy.same):
        assert family[first] == family[second]
        assert twin[first] == twin[second]
        assert any(first in line and second in line for line in excerpts.warnings)
    assert len(set(excerpts.twins)) == len(excerpts.entries) - 2


def test_a_folder_that_is_not_irmas_is_refused_with_what_it_must_hold(tmp_path: Path) -> None:
    (tmp_path / "cel").mkdir()
    for folder, says in ((tmp_path, "is not IRMAS"), (tmp_path / "nowhere", "no such folder")):
        (line,) = wrong(folder)
        assert line.startswith(f"{folder}: {says}; ")
        assert "IRMAS-TrainingData, IRMAS-TestingData-Part1, IRMAS-TestingData-Part2, IRMAS-TestingData-Part3" in line


def test_everything_that_is_wrong_with_a_copy_is_told_at_once_with_its_remedy(broken: irmas_fixture.Irmas) -> None:
    training, parts = broken.training, [broken.folder / part for part in CLIPS]
    shutil.rmtree(parts[1].parent)
    shutil.rmtree(training / "gac")
    for path in (training / "org").iterdir():
        path.unlink()
    (training / "bass").mkdir()
    (parts[0] / "(01) a song-1.txt").unlink()
    (parts[0] / "(01) a song-10.txt").write_text("cla\t\nban\t\n")
    (parts[2] / "four-1.txt").write_text("\n")
    (parts[2] / "five-4.wav").unlink()
    (parts[2] / "orphan.txt").write_text("cel\t\n")
    (parts[2] / "README.txt").write_text("no labels")
    leave_two_recordings(training / "tru")
    irmas_fixture.write(training / "flu" / "[flu][cla]0002__1.wav", 0.9)
    (training / "flu" / "[flu][cla]0009__1.wav").write_bytes(b"words")
    irmas_fixture.write(training / "pia" / "[vio][cla]0002__1.wav", 3)
    irmas_fixture.write(training / "pia" / "mine.wav", 3)
    told = {
        parts[1]: "no such folder; unpack that part",
        training / "gac": "no such folder; copy it from the training data",
        training / "org": "holds no excerpts (.wav); copy it from the training data",
        training / "tru": "holds 2 recordings to train on; at least 4",
        training / "bass": "is no class of IRMAS; classes: cel, cla",
        parts[0] / "(01) a song-1.wav": "has no labels: (01) a song-1.txt is missing; copy it",
        parts[0] / "(01) a song-10.txt": "'ban' is no class of IRMAS; classes: cel, cla",
        parts[2] / "five-4.txt": "has no clip: five-4.wav is missing; copy it",
        parts[2] / "orphan.txt": "has no clip: orphan.wav is missing; copy it",
        parts[2] / "four-1.txt": "holds no label; write one of cel, cla",
        training / "flu" / "[flu][cla]0002__1.wav": "is 0.900 s long, a network hears 1 s at once; copy it again, or take it out",
        training / "flu" / "[flu][cla]0009__1.wav": "cannot be decoded as audio",
        training / "pia" / "[vio][cla]0002__1.wav": "lies in the folder of pia, its name says vio; put it back",
        training / "pia" / "mine.wav": "is not named like an excerpt of IRMAS ([cel][cla]0001__1.wav)",
    }
    lines = wrong(broken.folder)
    assert len(lines) == len(told)
    for path, what in told.items():
        assert [line for line in lines if line.startswith(f"{path}: {what}")], path


def test_labels_that_an_editor_has_marked_as_unicode_are_read(broken: irmas_fixture.Irmas) -> None:
    written = broken.folder / next(iter(CLIPS)) / "(01) a song-1.txt"
    written.write_bytes(b"\xef\xbb\xbf" + written.read_bytes())
    (clip,) = [entry for entry in read(broken.folder)["test"].entries if entry.id.endswith("(01) a song-1.wav")]
    assert clip.labels == ("cel",)


def test_a_class_with_too_few_recordings_to_split_is_named_with_what_would_be_enough(broken: irmas_fixture.Irmas) -> None:
    leave_two_recordings(broken.training / "tru")
    (line,) = wrong(broken.folder)
    needed = "at least 4 are needed to split them with training.validation: 0.3; add some from IRMAS's training data"
    assert line == f"{broken.training / 'tru'}: holds 2 recordings to train on; {needed}"
    lines = wrong(broken.folder, 0.15)
    assert [line.partition(":")[0] for line in lines] == [str(broken.training / label) for label in CLASSES]
    assert all("at least 7 are needed" in line and ("set it to 0.25, for which 4 are enough" in line) != ("/tru:" in line) for line in lines)

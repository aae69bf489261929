"""Corpora that someone judged: tables and folders as people write them, and every problem of them told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from aesdream.errors import UserError
from aesdream.sounds.audio import Inspection
from aesdream.sounds.labelled import Entry, Folder, Labelled, entries, examined, fewest


def written(folder: Path, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def sounds(count: int = 8, *, family: bool = True, classes: tuple[str, ...] = ("dull", "bright")) -> list[Entry]:
    return [Entry(Path(f"/c/{i}.wav"), f"{i}.wav", classes[i % len(classes)], f"take {i}" if family else "") for i in range(count)]


def looks(found: list[Entry], **audio: str) -> list[Inspection]:
    """A good look at each; sounds that are named have the audio that is given."""
    return [Inspection(f"file {e.id}", audio.get(f"_{e.name.split('.')[0]}", e.id), 1.0) for e in found]


def look(found: list[Entry], seen: list[Inspection] | None = None, *, by_family: bool = True, classes: tuple[str, ...] | None = None) -> Labelled:
    return examined(Folder(path="/c", classes=classes), found, seen or looks(found), by_family=by_family, validation=0.3)


def problems(
    found: list[Entry], seen: list[Inspection] | None = None, *, by_family: bool = True, classes: tuple[str, ...] | None = None
) -> list[str]:
    with pytest.raises(UserError) as refused:
        look(found, seen, by_family=by_family, classes=classes)
    return list(refused.value.lines)


def test_a_table_is_read_with_a_byte_order_mark_windows_line_ends_spaces_and_sub_folders(tmp_path: Path) -> None:
    folder = written(tmp_path, b'\xef\xbb\xbfpath, label ,family\r\nsub/b.wav, dull ,one\r\n\r\n"a, b.wav",bright,two\r\nsub\\c.wav,dull,one\r\n')
    assert entries(folder) == [
        Entry(folder / "a, b.wav", "a, b.wav", "bright", "two"),
        Entry(folder / "sub/b.wav", "sub/b.wav", "dull", "one"),
        Entry(folder / "sub/c.wav", "sub/c.wav", "dull", "one"),
    ]


def test_columns_may_stand_in_any_order_and_paths_may_be_absolute(tmp_path: Path) -> None:
    folder = written(tmp_path, "label,end,path,start\ndull,2.5,/far/a.wav,0.5\nbright,,b.wav,\n")
    assert entries(folder) == [Entry(Path("/far/a.wav"), "/far/a.wav", "dull", "", 0.5, 2.5), Entry(folder / "b.wav", "b.wav", "bright")]


def test_segments_of_one_file_have_ids_of_their_own(tmp_path: Path) -> None:
    folder = written(
        tmp_path, "path,label,start,end\na.wav,dull,0,1\na.wav,dull,1,\na.wav,dull,12345.6781,12345.6782\na.wav,dull,12345.6782,12345.6783\n"
    )
    assert [entry.problem for entry in entries(folder)] == [""] * 4
    assert [entry.id for entry in entries(folder)] == ["a.wav#0-1", "a.wav#1-", "a.wav#12345.6781-12345.6782", "a.wav#12345.6782-12345.6783"]


def test_one_folder_a_class_takes_every_sound_below_it_and_nothing_else(tmp_path: Path) -> None:
    for name in (
        "dull/a.wav",
        "dull/deep/b.FLAC",
        "bright/c.aif",
        "bright/notes.txt",
        "bright/._c.wav",
        ".hidden/d.wav",
        "cover.wav",
        "dull/e.wav/f.ogg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [(entry.name, entry.label, entry.family) for entry in entries(tmp_path)]
    assert found == [("bright/c.aif", "bright", ""), ("dull/a.wav", "dull", ""), ("dull/deep/b.FLAC", "dull", ""), ("dull/e.wav/f.ogg", "dull", "")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "needs a header that names each column once, and rows with path and label"),
        ("path,label\n", "needs a header that names each column once, and rows with path and label"),
        ("a.wav,dull\nb.wav,bright\n", "unknown column 'a.wav', 'dull'"),
        ("path,label,composer\na.wav,dull,me\n", "unknown column 'composer'"),
        ("path;label\na.wav;dull\n", "unknown column 'path;label'; the columns, between commas, are path,label and, if you like, family,start,end"),
        ("path,family\na.wav,one\n", "needs a header that names each column once, and rows with path and label"),
        ("path,label,label\na.wav,one,two\n", "needs a header that names each column once"),
        (b"path,label\nfl\xfcgel.wav,dull\n", "save it as CSV in UTF-8"),
        ('path,label\n"a.wav,dull\nb.wav,dull\n', "cannot be read as a table (unexpected end of data); save it as CSV in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_at_all_is_refused_with_its_name(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(UserError) as refused:
        entries(written(tmp_path, text))
    (line,) = refused.value.lines
    assert line.startswith(f"{tmp_path / 'labels.csv'}: ")
    assert says in line


def test_a_folder_that_is_missing_or_holds_no_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone: no such folder; sounds\.folder\.path must name a folder with labels\.csv"):
        entries(tmp_path / "gone")
    with pytest.raises(UserError, match=r"holds neither labels\.csv nor folders with sounds; write labels\.csv with the columns path,label"):
        entries(tmp_path)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",dull,,", "line 3: path is empty; every row needs both"),
        ("a.wav,,,", "line 3: label is empty; every row needs both"),
        ("a.wav,dull,soon,1", "line 3: a.wav: start and end must be seconds, start before end, are 'soon' and '1'"),
        ("a.wav,dull,2,1", "line 3: a.wav: start and end must be seconds, start before end, are '2' and '1'"),
        ("a.wav,dull,-1,1", "line 3: a.wav: start and end must be seconds"),
        ("a.wav,dull,nan,1", "line 3: a.wav: start and end must be seconds"),
        ("a.wav,dull,0,inf", "line 3: a.wav: start and end must be seconds"),
        ("a.wav,dull,1,1", "line 3: a.wav: start and end must be seconds"),
        ("a, b.wav,dull,1,2", "line 3: more cells than the header has columns; put a path that holds a comma between quotes"),
        ("./first.wav,dull,,", "line 3: first.wav stands in line 2 already; keep one row a sound"),
        ("sub/../first.wav,bright,0,", "line 3: first.wav stands in line 2 already"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_together_with_every_other_problem(tmp_path: Path, row: str, says: str) -> None:
    folder = written(tmp_path, f"path,label,start,end\nfirst.wav,dull,,\n{row}\nlast.wav,lost,,\n")
    found = entries(folder)
    lines = problems(found, [Inspection(e.name, e.id, 1.0) for e in found], by_family=False, classes=("dull", "bright"))
    assert lines[0].startswith(f"{folder / 'labels.csv'}: {says}")
    assert f"{folder / 'last.wav'}: its label 'lost' is no class of the study; classes: dull, bright; correct it" in "\n".join(lines)


def test_a_table_of_wrong_rows_alone_is_told_row_by_row(tmp_path: Path) -> None:
    found = entries(written(tmp_path, "path,label\na.wav,\nb.wav,\n"))
    assert len(problems(found, [Inspection(), Inspection()], by_family=False)) == 2


def test_classes_are_the_labels_in_order_or_as_the_study_lists_them() -> None:
    assert look(sounds()).classes == ("bright", "dull")
    assert look(sounds(), classes=("dull", "bright")).classes == ("dull", "bright")


def test_every_bad_sound_label_and_class_is_told_at_once() -> None:
    found = [*sounds(9), Entry(Path("/c/odd.wav"), "odd.wav", "odd", "take 9")]
    seen = looks(found)
    seen[2], seen[5] = Inspection(problem="the file is empty; copy it again"), Inspection(problem="silent; leave it out")
    lines = problems(found, seen, classes=("dull", "bright"))
    assert lines == [
        "/c/2.wav: the file is empty; copy it again",
        "/c/5.wav: silent; leave it out",
        "/c/odd.wav: its label 'odd' is no class of the study; classes: dull, bright; correct it, or add it to sounds.folder.classes"
        "; without a labels.csv in /c each of its folders is a class",
    ]


def test_one_class_alone_is_refused() -> None:
    assert problems(sounds(classes=("dull",))) == ["/c: every sound is labelled 'dull'; a judge needs at least two classes"]


def test_a_wrong_label_of_many_sounds_is_told_once_with_the_class_that_was_meant() -> None:
    (line,) = problems([*sounds(16)], by_family=False, classes=("dul", "bright", "other"))[:1]
    assert line.startswith("/c/0.wav and 7 more: their label 'dull' is no class of the study; classes: dul, bright, other (did you mean dul?)")


def test_more_than_two_classes_are_refused() -> None:
    (line,) = problems(sounds(30, classes=("dull", "bright", "loud")))
    assert line == "/c: 3 classes (bright, dull, loud); this version judges between two: join or leave out some"


def test_too_few_sounds_of_a_class_are_refused_and_a_single_one_is_named() -> None:
    found = [*sounds(8), Entry(Path("/c/typo.wav"), "typo.wav", "dul", "take 9")]
    lines = problems(found, by_family=False)
    assert lines == ["/c: class 'dul' has 1 sounds (/c/typo.wav); at least 4 are needed to split it: add some, or leave it out"]
    assert problems(sounds(8), by_family=False, classes=("dull", "bright", "loud"))[0].startswith("/c: class 'loud' has 0 sounds")


def test_too_few_families_are_refused_only_where_the_study_splits_by_them() -> None:
    found = [Entry(e.path, e.name, e.label, "one" if e.label == "dull" else e.family) for e in sounds(10)]
    assert problems(found) == ["/c: class 'dull' has 1 families (/c/0.wav); at least 4 are needed to split it: add some, or leave it out"]
    assert len(look(found, by_family=False).entries) == 10


def test_families_must_be_named_for_all_sounds_or_none() -> None:
    found = sounds(10)
    found[3] = Entry(Path("/c/3.wav"), "3.wav", "bright")
    assert problems(found) == ["/c/3.wav: its family is empty; name one for every sound or for none"]
    assert problems(sounds(10, family=False)) == [
        "/c: training.protocols has by-family, no sound a family; name them in labels.csv, or leave by-family out"
    ]
    assert not look(sounds(10, family=False), by_family=False).families_known


@pytest.mark.parametrize(("share", "wanted"), [(0.3, 4), (0.5, 4), (0.1, 10), (0.9, 10), (0.05, 20), (0.25, 4)])
def test_more_sounds_are_asked_for_where_validation_takes_little_or_much(share: float, wanted: int) -> None:
    assert fewest(share) == wanted


@pytest.mark.parametrize("family", [True, False])
def test_the_same_audio_under_two_labels_is_a_warning_that_names_both_and_one_family(family: bool) -> None:
    found = sounds(12, family=family)
    labelled = look(found, looks(found, _0="same", _3="same"), by_family=False)
    assert labelled.warnings == ("0.wav and 3.wav: the same audio under the labels 'dull' and 'bright'; they count as one family",)
    assert labelled.entries[0].family == labelled.entries[3].family
    assert len({entry.family for entry in labelled.entries}) == 11
    assert labelled.families_known is family


def test_the_same_audio_twice_under_one_label_is_a_warning_too() -> None:
    found = sounds(12)
    assert look(found, looks(found, _0="same", _2="same")).warnings == ("0.wav and 2.wav: the same audio twice; they count as one family",)


def test_families_that_share_audio_grow_together_through_chains() -> None:
    found = sounds(16)
    seen = looks(found, _0="x", _1="x", _2="y", _4="y")
    found[4] = Entry(found[4].path, found[4].name, found[4].label, found[1].family)
    labelled = look(found, seen)
    assert len({labelled.entries[i].family for i in (0, 1, 2, 4)}) == 1
    assert len({entry.family for entry in labelled.entries}) == 16 - 3


def test_segments_of_one_file_are_one_family() -> None:
    found = [*sounds(10), *(Entry(Path("/c/long.wav"), "long.wav", "dull", f"part {i}", i, i + 1.0) for i in range(3))]
    labelled = look(found)
    assert len({entry.family for entry in labelled.entries[-3:]}) == 1
    assert labelled.warnings == ()


def test_too_few_families_are_counted_after_relatives_were_found() -> None:
    found = sounds(8)
    (line,) = problems(found, looks(found, _0="same", _2="same"))
    assert line.startswith("/c: class 'dull' has 3 families; at least 4 are needed")


def test_a_table_that_nobody_has_labelled_yet_is_told_in_one_line(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label,family\n" + "".join(f"{number:02}.wav,,f{number}\n" for number in range(34)))
    found = entries(tmp_path)
    with pytest.raises(UserError) as error:
        examined(Folder(path=str(tmp_path)), found, [Inspection() for _ in found], by_family=True, validation=0.2)
    assert list(error.value.lines) == [f"{table}: line 2 and 33 more lines: label is empty; every row needs both"]

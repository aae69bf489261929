"""IRMAS as it lies on disk (facts, section 4): 3 s training excerpts, a folder a class, and three parts of test clips, each with a file of labels.

Files are known by their paths, because the numbers in their names collide. Excerpts of one recording are a family: all with the same name up to
``__<number>.wav``, in which the middle tag is optional and ``[cla]`` is the clarinet or, as the last tag, the classical genre; the label is the
folder. Test clips are named ``<song>-<number>.wav``; the song is their family.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.sounds.audio import Inspection
from aesdream.sounds.labelled import FEWEST, NAMED_ONE_BY_ONE, Entry, Labelled, fewest, twins, with_families

CLASSES = ("cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi")
"""The predominant instruments, in the order of a model's outputs."""
TRAINING = "IRMAS-TrainingData"
PARTS = ("IRMAS-TestingData-Part1/Part1", "IRMAS-TestingData-Part2/IRTestingData-Part2", "IRMAS-TestingData-Part3/Part3")
TEST = "test"
"""The three parts are one set."""
EXCERPT = re.compile(r"(?P<recording>(\d+__)?\[(?P<label>[a-z]{3})\](\[[^\]]+\])+\d+)__\d+")
"""The stem of a training file."""
SHORTEST = 1.0
"""Seconds that the network hears at once."""


class Irmas(Section):
    """Where a copy of IRMAS lies."""

    path: str
    """The folder that holds ``IRMAS-TrainingData`` and the three folders of test clips."""
    conflicting: Literal["exclude", "keep"] = "exclude"
    """What becomes of training files with the same audio under different labels."""

    @property
    def sets(self) -> tuple[str, ...]:
        """The test sets."""
        return (TEST,)


def entries(folder: Path) -> list[Entry]:
    """Every excerpt and clip in the order of their ids, without opening the sounds; what is missing or wrong is an entry with a ``problem``.

    Raises UserError for a folder that holds nothing of IRMAS.
    """
    if not any((folder / name.split("/")[0]).is_dir() for name in (TRAINING, *PARTS)):
        wanted = ", ".join(name.split("/")[0] for name in (TRAINING, *PARTS))
        what = "is not IRMAS" if folder.is_dir() else "no such folder"
        raise UserError(f"{folder}: {what}; sounds.irmas.path must name the folder that holds {wanted}, as the archives unpack")
    found = [*_excerpts(folder), *(clip for part in PARTS for clip in _clips(folder, part))]
    return sorted(found, key=lambda entry: entry.id)


def _wrong(path: Path, what: str) -> Entry:
    return Entry(path, str(path), "", problem=f"{path}: {what}")


def _waves(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav" and not path.name.startswith("."))


def _excerpts(folder: Path) -> Iterator[Entry]:
    training = folder / TRAINING
    if not training.is_dir():
        yield _wrong(training, "no such folder; unpack the training data there")
        return
    for label in CLASSES:
        inside = training / label
        waves = _waves(inside) if inside.is_dir() else []
        if not waves:
            wrong = "holds no excerpts (.wav)" if inside.is_dir() else "no such folder"
            yield _wrong(inside, f"{wrong}; copy it from the training data, every class has a folder with excerpts")
        yield from (_excerpt(folder, path, label) for path in waves)
    for other in sorted(path for path in training.iterdir() if path.is_dir() and path.name not in CLASSES and not path.name.startswith(("_", "."))):
        yield _wrong(other, f"is no class of IRMAS; classes: {', '.join(CLASSES)}; take it out")


def _excerpt(folder: Path, path: Path, label: str) -> Entry:
    named = EXCERPT.fullmatch(path.stem)
    if named is None:
        return _wrong(path, "is not named like an excerpt of IRMAS ([cel][cla]0001__1.wav); take it out, or give it its own name back")
    if named["label"] != label:
        return _wrong(path, f"lies in the folder of {label}, its name says {named['label']}; put it back")
    return Entry(path, path.relative_to(folder).as_posix(), label, f"{label}/{named['recording']}")


def _clips(folder: Path, part: str) -> Iterator[Entry]:
    inside = folder / part
    waves = _waves(inside) if inside.is_dir() else []
    if not waves:
        wrong = "holds no test clips (.wav)" if inside.is_dir() else "no such folder"
        yield _wrong(inside, f"{wrong}; unpack that part of the test data there, all three belong to the test set")
    yield from (_clip(folder, path) for path in waves)
    there = {path.stem for path in waves}
    for path in sorted(inside.glob("*.txt")) if waves else ():
        if path.stem not in there and not path.name.lower().startswith((".", "readme", "license")):
            yield _wrong(path, f"has no clip: {path.stem}.wav is missing; copy it from that part of the test data, or take the labels out")


def _clip(folder: Path, path: Path) -> Entry:
    written = path.with_suffix(".txt")
    if not written.is_file():
        return _wrong(path, f"has no labels: {written.name} is missing; copy it from that part of the test data, or take the clip out")
    # A label a line, with a tab after it in most files.
    labels = dict.fromkeys(line.strip()[:3] for line in written.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip())
    if wrong := [repr(label) for label in labels if label not in CLASSES]:
        return _wrong(written, f"{', '.join(wrong)} is no class of IRMAS; classes: {', '.join(CLASSES)}; correct it")
    if not labels:
        return _wrong(written, f"holds no label; write one of {', '.join(CLASSES)} a line, or take the clip out")
    label, *more = labels
    song = re.sub(r"-\d+$", "", path.stem)
    return Entry(path, path.relative_to(folder).as_posix(), label, f"song {song}", more=tuple(more), set_name=TEST)


def examined(settings: Irmas, found: Sequence[Entry], looks: Sequence[Inspection], *, by_family: bool, validation: float) -> dict[str, Labelled]:
    """The training excerpts and the test set, given one look at each entry; ``by_family`` and ``validation`` as for any folder.

    Raises UserError with a line for every problem of every file, and for every class of which too few are left without them, all at once.
    """
    problems = [e.problem or f"{e.path}: {look.problem}" for e, look in zip(found, looks, strict=True) if e.problem or look.problem]
    whole = [(entry, look) for entry, look in zip(found, looks, strict=True) if not entry.problem and not look.problem]
    seen = [(entry, look) for entry, look in whole if look.seconds >= SHORTEST]
    problems += [
        f"{entry.path}: is {look.seconds:.3f} s long, a network hears {SHORTEST:g} s at once; copy it again, or take it out"
        for entry, look in whole
        if look.seconds < SHORTEST
    ]
    excerpts, warnings = _without_conflicts([pair for pair in seen if not pair[0].set_name], settings.conflicting == "keep")
    clips = [pair for pair in seen if pair[0].set_name]
    trained = {look.audio: entry for entry, look in excerpts}
    warnings += [f"{entry.id}: has the audio of {trained[look.audio].id}, which is trained on" for entry, look in clips if look.audio in trained]
    training = _labelled(excerpts, warnings)
    filled = {entry.path.parent.name for entry in found}
    problems += _too_few(Path(settings.path), training.entries, [label for label in CLASSES if label in filled], by_family, validation)
    if problems:
        raise UserError(*problems)
    return {"": training, TEST: _labelled(clips, [])}


def _too_few(folder: Path, there: Sequence[Entry], labels: Sequence[str], by_family: bool, validation: float) -> Iterator[str]:
    """A line for each of ``labels`` that cannot be split; a class without any file is told of already."""
    counts = Counter(label for label, _ in {(entry.label, entry.family if by_family else entry.id) for entry in there})
    wanted, what = fewest(validation), "recordings" if by_family else "excerpts"
    for label in labels:
        if counts[label] < wanted:
            remedy = f"at least {wanted} are needed to split them with training.validation: {validation:g}; add some from IRMAS's training data"
            larger = f", or set it to 0.25, for which {FEWEST} are enough" if wanted > FEWEST and counts[label] >= FEWEST else ""
            yield f"{folder / TRAINING / label}: holds {counts[label]} {what} to train on; {remedy}{larger}"


def _without_conflicts(seen: Sequence[tuple[Entry, Inspection]], keep: bool) -> tuple[list[tuple[Entry, Inspection]], list[str]]:
    """The excerpts, those with the same audio under different labels left out unless they are to be kept, and what is to be said of them."""
    same: dict[str, list[Entry]] = defaultdict(list)
    for entry, look in seen:
        same[look.audio].append(entry)
    warnings, excluded = [], set()
    for group in same.values():
        if len({entry.label for entry in group}) > 1:
            told = ", ".join(f"{entry.id} ({entry.label})" for entry in group)
            done = "kept, as one family" if keep else "left out; sounds.irmas.conflicting: keep would keep them"
            warnings.append(f"{told}: the same audio under different labels; {done}")
            excluded |= set() if keep else {entry.id for entry in group}
    agreeing = [group for group in same.values() if len(group) > 1 and len({entry.label for entry in group}) == 1]
    for group in agreeing[:NAMED_ONE_BY_ONE]:
        warnings.append(f"{' and '.join(entry.id for entry in group)}: the same audio; they count as one family")
    if len(agreeing) > NAMED_ONE_BY_ONE:
        warnings.append(f"{len(agreeing) - NAMED_ONE_BY_ONE} more groups of excerpts have the same audio; each counts as one family")
    return [(entry, look) for entry, look in seen if entry.id not in excluded], warnings


def _labelled(seen: Sequence[tuple[Entry, Inspection]], warnings: list[str]) -> Labelled:
    rows, looks = [entry for entry, _ in seen], [look for _, look in seen]
    related, _ = with_families(rows, looks)
    return Labelled(related, looks, CLASSES, True, twins(rows, looks), tuple(warnings))

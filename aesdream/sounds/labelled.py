"""Sounds that someone judged: a folder with ``labels.csv`` (``path,label[,family][,start,end]``), or one folder a class."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile
from pydantic import Field

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.sounds.audio import Inspection

COLUMNS = ("path", "label", "family", "start", "end")
SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats()} | {".aif", ".oga", ".opus"}
FEWEST = 4
"""Sounds (or families) of a class without which no training and validation side can both hold it."""


class Folder(Section):
    """Where labelled sounds lie."""

    path: str
    classes: tuple[str, ...] | None = Field(None, min_length=2)
    """The labels in order, the positive class last; without it they are sorted."""


@dataclass(frozen=True)
class Entry:
    """One labelled sound. ``family`` is empty where it is unknown."""

    path: Path
    name: str
    label: str
    family: str = ""
    start: float = 0.0
    end: float | None = None

    @property
    def id(self) -> str:
        """The path inside the corpus, with the segment where there is one."""
        return self.name if self.end is None and not self.start else f"{self.name}#{self.start:g}-{'' if self.end is None else format(self.end, 'g')}"


def entries(folder: Path) -> list[Entry]:
    """The labelled sounds of a folder, in the order of their ids, without opening them.

    Raises UserError with a line for every problem of ``labels.csv``.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; sounds.folder.path must name a folder with labels.csv, or with one folder a class")
    table = folder / "labels.csv"
    found = _from_table(table) if table.is_file() else _from_folders(folder)
    return sorted(found, key=lambda entry: entry.id)


def _from_folders(folder: Path) -> list[Entry]:
    found = [
        Entry(path, path.relative_to(folder).as_posix(), child.name)
        for child in sorted(folder.iterdir())
        if child.is_dir() and not child.name.startswith(".")
        for path in sorted(child.rglob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not found:
        raise UserError(f"{folder}: holds neither labels.csv nor folders with sounds; write labels.csv with the columns path,label")
    return found


def _from_table(table: Path) -> list[Entry]:
    with table.open(newline="", encoding="utf-8-sig") as opened:
        try:
            rows = list(csv.DictReader(opened))
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"{table}: not a CSV text file in UTF-8 ({error})") from None
    columns = list(rows[0]) if rows else []
    unknown = [str(c) for c in columns if c not in COLUMNS]
    if not rows or unknown or not {"path", "label"} <= set(columns):
        wrong = f"unknown column {', '.join(unknown)}" if unknown else "needs a header and rows with path and label"
        raise UserError(f"{table}: {wrong}; the columns are path,label and, if you like, family,start,end")
    problems: list[str] = []
    found = [entry for line, row in enumerate(rows, start=2) if (entry := _entry(table, line, row, problems)) is not None]
    for name, times in Counter(entry.id for entry in found).items():
        if times > 1:
            problems.append(f"{table}: {name}: stands {times} times; keep one row a sound")
    if problems:
        raise UserError(*problems)
    return found


def _entry(table: Path, line: int, row: dict[str, str | None], problems: list[str]) -> Entry | None:
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    where = f"{table}: line {line}"
    if not cells["path"] or not cells["label"]:
        problems.append(f"{where}: {'path' if not cells['path'] else 'label'} is empty; every row needs both")
        return None
    try:
        start, end = float(cells["start"] or 0), float(cells["end"]) if cells["end"] else None
    except ValueError:
        problems.append(f"{where}: {cells['path']}: start and end must be seconds, are {cells['start']!r} and {cells['end']!r}")
        return None
    if not 0 <= start < (end if end is not None else float("inf")):
        problems.append(f"{where}: {cells['path']}: start must be at least 0 and before end, is {start:g} to {end}")
        return None
    name = Path(cells["path"]).as_posix()
    return Entry(table.parent / name, name, cells["label"], cells["family"], start, end)


@dataclass(frozen=True)
class Labelled:
    """A corpus whose every sound was looked at. ``families`` are known if the corpus names them."""

    entries: list[Entry]
    inspections: list[Inspection]
    classes: tuple[str, ...]
    families_known: bool
    warnings: tuple[str, ...]


def examined(settings: Folder, found: Sequence[Entry], looks: Sequence[Inspection], *, by_family: bool) -> Labelled:
    """The corpus of ``found`` entries, given one look at each; ``by_family`` says whether the study splits by families.

    Sounds with the same audio, and segments of one file, become one family: apart, they would stand on both sides of a split.
    Raises UserError with a line for every problem of every sound, all at once.
    """
    problems = [f"{entry.path}: {look.problem}" for entry, look in zip(found, looks, strict=True) if look.problem]
    classes = settings.classes or tuple(sorted({entry.label for entry in found}))
    problems += [f"{e.path}: its label {e.label!r} is no class of the study; classes: {', '.join(classes)}" for e in found if e.label not in classes]
    known = all(entry.family for entry in found)
    if not known and any(entry.family for entry in found):
        problems += [f"{e.path}: its family is empty; name one for every sound or for none" for e in found if not e.family]
    problems += _too_few(found, classes)
    if problems:
        raise UserError(*problems)
    related, warnings = _with_families(found, looks)
    if by_family:
        problems = _too_few_families(related, classes, known)
    if problems:
        raise UserError(*problems)
    return Labelled(related, list(looks), classes, known, tuple(warnings))


def _too_few(found: Sequence[Entry], classes: tuple[str, ...]) -> list[str]:
    if len(classes) < 2:
        return [f"labels: every sound is {classes[0]!r}; a judge needs at least two classes"]
    counts = Counter(entry.label for entry in found)
    return [f"class {c!r}: {counts[c]} sounds; at least {FEWEST} are needed to split it" for c in classes if counts[c] < FEWEST]


def _too_few_families(found: Sequence[Entry], classes: tuple[str, ...], known: bool) -> list[str]:
    if not known:
        return ["training.protocols: by-family needs a family for every sound (column family of labels.csv); name them, or leave by-family out"]
    counts = {c: len({entry.family for entry in found if entry.label == c}) for c in classes}
    return [f"class {c!r}: {n} families; at least {FEWEST} are needed to split by family" for c, n in counts.items() if n < FEWEST]


def _with_families(found: Sequence[Entry], looks: Sequence[Inspection]) -> tuple[list[Entry], list[str]]:
    """The entries with families joined where they share audio or a file, and the warnings about it."""
    parent = {f"family {e.family}" if e.family else f"sound {e.id}": "" for e in found}

    def root(key: str) -> str:
        while parent[key]:
            key = parent[key]
        return key

    warnings: list[str] = []
    together: dict[str, list[Entry]] = defaultdict(list)
    for entry, look in zip(found, looks, strict=True):
        together[f"audio {look.audio}"].append(entry)
        together[f"file {entry.path}"].append(entry)
    for key, group in together.items():
        first = root(_key(group[0]))
        for entry in group[1:]:
            if (other := root(_key(entry))) != first:
                parent[other] = first
            if key.startswith("audio"):
                labels = f"under the labels {group[0].label!r} and {entry.label!r}" if group[0].label != entry.label else "twice"
                warnings.append(f"{group[0].path} and {entry.path}: the same audio {labels}; they count as one family")
    names = {key: root(key).split(" ", 1)[1] for key in parent}
    return [replace(entry, family=names[_key(entry)]) for entry in found], warnings


def _key(entry: Entry) -> str:
    return f"family {entry.family}" if entry.family else f"sound {entry.id}"

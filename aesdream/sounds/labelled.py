"""Sounds that someone judged: a folder with ``labels.csv`` (``path,label[,family][,start,end]``), or one folder a class."""

from __future__ import annotations

import csv
import math
import os
import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import soundfile
from pydantic import field_validator

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.sounds.audio import Inspection

COLUMNS = ("path", "label", "family", "start", "end")
HEADERLESS = {".raw"}
SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats()} - HEADERLESS | {".aif", ".oga", ".opus"}
NAMED_ONE_BY_ONE = 3
"""Sounds with one wrong label that are each named; of more, the first and their number."""
NO_LABEL = ": label is empty; every row needs both"
FEWEST = 4
"""Sounds (or families) of a class below which a split tells nothing, whatever the share of validation."""


class Folder(Section):
    """Where labelled sounds lie."""

    path: str
    classes: tuple[str, ...] | None = None
    """The labels in order, the positive class last; without it they are sorted."""

    @field_validator("classes")
    @classmethod
    def _several(cls, classes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if classes is not None and len(set(classes)) < max(2, len(classes)):
            raise ValueError(f"must name at least two classes, each once, is {', '.join(classes)}")
        return classes


@dataclass(frozen=True)
class Entry:
    """One labelled sound. ``family`` is empty where it is unknown."""

    path: Path
    name: str
    label: str
    family: str = ""
    start: float = 0.0
    end: float | None = None
    problem: str = ""
    """Why its row of ``labels.csv`` cannot be used; empty where it can."""
    more: tuple[str, ...] = ()
    """Further labels of a sound that has several."""
    set_name: str = ""
    """The test set it belongs to; empty for what models train on."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All its labels."""
        return (self.label, *self.more)

    @property
    def id(self) -> str:
        """The path inside the corpus, with the segment where there is one."""
        whole = self.end is None and not self.start
        return self.name if whole else f"{self.name}#{self.start:.10g}-{'' if self.end is None else format(self.end, '.10g')}"


def entries(folder: Path) -> list[Entry]:
    """The labelled sounds of a folder, in the order of their ids, without opening them; a wrong row is an entry with a ``problem``.

    Raises UserError where no row can be read at all.
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
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    if not found:
        raise UserError(f"{folder}: holds neither labels.csv nor folders with sounds; write labels.csv with the columns path,label")
    return found


def _from_table(table: Path) -> list[Entry]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened, strict=True)
            reader.fieldnames = columns = [name.strip() for name in reader.fieldnames or ()]
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{table}: cannot be read as a table ({error}); save it as CSV in UTF-8") from None
    unknown = [repr(name) for name in columns if name not in COLUMNS]
    if not rows or unknown or not {"path", "label"} <= set(columns) or len(set(columns)) < len(columns):
        wrong = f"unknown column {', '.join(unknown)}" if unknown else "needs a header that names each column once, and rows with path and label"
        raise UserError(f"{table}: {wrong}; the columns, between commas, are path,label and, if you like, family,start,end")
    lines: dict[str, int] = {}
    found = []
    for line, row in rows:
        entry = _entry(table, line, row)
        if not entry.problem and lines.setdefault(entry.id, line) != line:
            entry = replace(entry, problem=f"{table}: line {line}: {entry.id} stands in line {lines[entry.id]} already; keep one row a sound")
        found.append(entry)
    return found


def _entry(table: Path, line: int, row: dict[str, str | None]) -> Entry:
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    name = posixpath.normpath(cells["path"].replace("\\", "/"))
    entry = Entry(table.parent / name, name, cells["label"], cells["family"])
    where = f"{table}: line {line}"
    if None in row:
        return replace(entry, problem=f"{where}: more cells than the header has columns; put a path that holds a comma between quotes")
    if not cells["path"] or not cells["label"]:
        return replace(entry, problem=f"{where}{NO_LABEL if cells['path'] else NO_LABEL.replace('label', 'path')}")
    try:
        start, end = float(cells["start"] or 0), float(cells["end"]) if cells["end"] else None
    except ValueError:
        start, end = math.nan, None
    if not 0 <= start < (math.inf if end is None else end) or end == math.inf:
        given = f"{cells['start']!r} and {cells['end']!r}"
        return replace(entry, problem=f"{where}: {name}: start and end must be seconds, start before end, are {given}")
    return replace(entry, start=start, end=end)


@dataclass(frozen=True)
class Labelled:
    """A corpus whose every sound was looked at. ``families`` are known if the corpus names them."""

    entries: list[Entry]
    inspections: list[Inspection]
    classes: tuple[str, ...]
    families_known: bool
    twins: list[str]
    warnings: tuple[str, ...]


def examined(settings: Folder, found: Sequence[Entry], looks: Sequence[Inspection], *, by_family: bool, validation: float) -> Labelled:
    """The corpus of ``found`` entries, given one look at each; ``by_family`` says whether the study splits by families, ``validation`` its share.

    Sounds with the same audio, and segments of one file, become one family: apart, they would stand on both sides of a split.
    Raises UserError with a line for every problem of every sound, all at once.
    """
    problems = _joined([e.problem or f"{e.path}: {look.problem}" for e, look in zip(found, looks, strict=True) if e.problem or look.problem])
    rows = [entry for entry in found if not entry.problem]
    if not rows:
        raise UserError(*problems)
    classes = settings.classes or tuple(sorted({entry.label for entry in rows}))
    problems += _unknown_labels(settings, rows, classes)
    known = all(entry.family for entry in rows)
    if any(entry.family for entry in rows):
        problems += [f"{e.path}: its family is empty; name one for every sound or for none" for e in rows if not e.family]
    elif by_family:
        problems.append(f"{settings.path}: training.protocols has by-family, no sound a family; name them in labels.csv, or leave by-family out")
    few = _too_few(rows, classes, "sounds", fewest(validation))
    related, warnings = (rows, []) if problems or few else with_families(rows, looks)
    if by_family and known:
        enough = [name for name in classes if name not in few]
        few |= _too_few({(e.label, e.family): e for e in reversed(related)}.values(), enough, "families", fewest(validation))
    if len(classes) > 2 and not few:
        problems.append(f"{settings.path}: {len(classes)} classes ({', '.join(classes)}); this version judges between two: join or leave out some")
    problems += [f"{settings.path}: {line}" for line in few.values()]
    if problems:
        raise UserError(*problems)
    return Labelled(related, list(looks), classes, known, twins(rows, looks), tuple(warnings))


def _joined(problems: Sequence[str]) -> list[str]:
    """The problems, with one line for all empty labels where they are many: a table that nobody has filled in yet."""
    empty = [line for line in problems if line.endswith(NO_LABEL)]
    if len(empty) <= NAMED_ONE_BY_ONE:
        return list(problems)
    first = empty[0].removesuffix(NO_LABEL)
    return [f"{first} and {len(empty) - 1} more lines{NO_LABEL}", *(line for line in problems if not line.endswith(NO_LABEL))]


def _unknown_labels(settings: Folder, rows: Sequence[Entry], classes: Sequence[str]) -> list[str]:
    """A line for every sound whose label is no class, or one for all of them where they are many."""
    told = "" if (Path(settings.path) / "labels.csv").is_file() else f"; without a labels.csv in {settings.path} each of its folders is a class"
    lines = []
    for label in dict.fromkeys(entry.label for entry in rows if entry.label not in classes):
        found = [entry for entry in rows if entry.label == label]
        close = get_close_matches(label, classes, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        remedy = f"classes: {', '.join(classes)}{hint}; correct it, or add it to sounds.folder.classes{told}"
        if len(found) <= NAMED_ONE_BY_ONE:
            lines += [f"{entry.path}: its label {label!r} is no class of the study; {remedy}" for entry in found]
        else:
            lines.append(f"{found[0].path} and {len(found) - 1} more: their label {label!r} is no class of the study; {remedy}")
    return lines


def fewest(validation: float) -> int:
    """Sounds (or families) that a class needs for one of them at least to stand on either side, ``validation`` the share of one side."""
    return max(FEWEST, math.ceil(round(1 / min(validation, 1 - validation), 6)))


def _too_few(of: Collection[Entry], classes: Sequence[str], what: str, wanted: int) -> dict[str, str]:
    """A line for each class of which there are too few."""
    if len(classes) == 1 and all(entry.label == classes[0] for entry in of):
        return {classes[0]: f"every sound is labelled {classes[0]!r}; a judge needs at least two classes"}
    members = {name: [entry for entry in of if entry.label == name] for name in classes}
    return {
        name: f"class {name!r} has {len(there)} {what}{f' ({there[0].path})' if len(there) == 1 else ''}; "
        f"at least {wanted} are needed to split it: add some, or leave it out"
        for name, there in members.items()
        if len(there) < wanted
    }


def with_families(found: Sequence[Entry], looks: Sequence[Inspection]) -> tuple[list[Entry], list[str]]:
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
                warnings.append(f"{group[0].id} and {entry.id}: the same audio {labels}; they count as one family")
    names = {key: root(key).split(" ", 1)[1] for key in parent}
    return [replace(entry, family=names[_key(entry)]) for entry in found], warnings


def twins(found: Sequence[Entry], looks: Sequence[Inspection]) -> list[str]:
    """For every entry a name that it shares with those that have its audio or its file; mostly its own."""
    return [entry.family for entry in with_families([replace(entry, family="") for entry in found], looks)[0]]


def _key(entry: Entry) -> str:
    return f"family {entry.family}" if entry.family else f"sound {entry.id}"


def sounds_below(paths: Sequence[Path]) -> Iterator[Path]:
    """Every sound file named, or lying in a folder named, in order. Raises UserError for what is neither, before the first."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise UserError(*(f"{path}: no such sound or folder" for path in missing))
    for path in paths:
        if path.is_file():
            yield path
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."))

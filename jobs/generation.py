"""A folder of generated sounds: what was asked, which sound comes from which, and where each lies.

OUT/generate.json                       what was asked, and for every level which sound comes from which
OUT/level-1/1-0000.wav  1-0000.json     a sound and its record
OUT/dropped/level-1/...                 what left the pool
OUT/sounds.csv                          path,label,family: with labels filled in, the labels.csv of a study
OUT/listen.html                         the page on which its sounds are judged by ear
OUT/judged/  judged.csv  best/          what a judge made of them, where one was asked (jobs.selecting)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aesdream import config, files, listening
from aesdream.config import Section
from aesdream.errors import DamagedFile, UserError
from aesdream.seeding import generator
from aesdream.sounds.oracular import records
from jobs import ledger

MARKER, DROPPED, LIST, PAGE, LABELS = "generate.json", "dropped", "sounds.csv", "listen.html", "labels.csv"
JUDGED, TABLE, BEST, CONTROL = "judged", "judged.csv", "best", "without-judge"


class Judge(Section):
    """Who chooses the sounds that a level is made from."""

    models: dict[str, str]
    """The digest of every model's checkpoint."""
    keep: int
    """Sounds kept of a level."""
    near_db: float
    """Of sounds nearer than this one is kept."""


class Asked(Section):
    """What decides the bytes of a generation, but for how many levels and outputs it has."""

    format: Literal["aesdream-sounds-1"] = "aesdream-sounds-1"
    seed: int
    seconds: tuple[float, float]
    sources: list[records.Source]
    processes: str
    """The digest of all processes and their ranges."""
    judge: Judge | None = None


class Told(Section):
    """What is known of one sound: each model's probability of the positive class, the planted ``measure`` where there is one."""

    probabilities: list[float]
    measure: float | None
    cells: list[float]
    """How it looks from afar (``likeness``), in decibels; empty where it is not kept."""
    near: str | None = None
    """The kept sound that it is a near-copy of."""
    kept: bool = False

    @property
    def probability(self) -> float:
        """The panel's."""
        return float(np.mean(self.probabilities))


class Level(Section):
    """``judged/level-1.json``."""

    judge: Judge
    sounds: dict[str, Told]


class State(Section):
    """``generate.json``."""

    asked: Asked
    levels: list[list[str]]
    """For every level planned, the parent of each of its sounds: an id, or ``source-0``."""


@dataclass(frozen=True)
class Generation:
    """A generation in its folder: the paths of its sources, and what it has come to."""

    out: Path
    sources: tuple[Path, ...]
    state: State

    def place(self, name: str) -> Path:
        """Where a sound lies, or will."""
        return place_of(self.out, name)

    def sounds(self, level: int) -> list[Path]:
        """The sounds of a level that were made and not dropped."""
        return made(self.out, level)


def made(out: Path, level: int) -> list[Path]:
    """The sounds of a level that were made and not dropped."""
    return sorted(path.with_suffix(".wav") for path in (out / f"level-{level}").glob("*.json"))


def place_of(out: Path, name: str) -> Path:
    """Where a sound lies, or will."""
    inside = Path(f"level-{name.partition('-')[0]}") / f"{name}.wav"
    dropped = out / DROPPED / inside
    return dropped if dropped.with_suffix(".json").exists() else out / inside


def everything(out: Path, level: int) -> list[Path]:
    """The sounds of a level that were made, dropped or not, in the order of their ids."""
    return sorted([*made(out, level), *made(out / DROPPED, level)], key=lambda path: path.name)


def state_of(out: Path) -> State:
    """What a folder has come to. Raises UserError for one that ``aesdream sounds generate`` did not make, or whose record is damaged."""
    if not (out / MARKER).is_file():
        raise UserError(f"{out}: holds no generated sounds (no {MARKER}); give the folder that aesdream sounds generate made")
    try:
        return config.validate(State, files.read_json(out / MARKER), str(out / MARKER))
    except DamagedFile as damaged:
        raise UserError(f"{damaged}; its sounds are whole, but none can be added or dropped; make others in another folder") from None


def known(out: Path, asked: Asked, outputs: Sequence[int]) -> State:
    """What a folder has come to; a new one where there is nothing. Raises UserError where it holds something else."""
    if not (out / MARKER).exists():
        if out.exists() and (not out.is_dir() or any(inner.name != ledger.FOLDER for inner in out.iterdir())):
            raise UserError(f"{out}: exists already and holds no generated sounds; give another --out, nothing is overwritten")
        return State(asked=asked, levels=[])
    state = state_of(out)
    if changed := config.differences(config.plain(state.asked), config.plain(asked)):
        raise UserError(*(f"{out}: {line}: its sounds were made otherwise; give another --out, nothing is overwritten" for line in changed))
    for level, (parents, count) in enumerate(zip(state.levels, outputs, strict=False), 1):
        if len(parents) != count:
            raise UserError(
                f"{out}: level {level} has {len(parents)} sounds, --outputs asks for {count}; give another --out, or ask for {len(parents)}"
            )
    return state


def write_lists(out: Path) -> State:
    """Write ``sounds.csv`` and, where no judge has one to write, ``listen.html`` anew: what the pool holds now. Returns ``generate.json``.

    Labels that someone filled in stay.
    """
    state = state_of(out)
    families = {path.with_suffix(".wav").relative_to(out).as_posix(): files.read_json(path)["family"] for path in sorted(out.glob("level-*/*.json"))}
    labels = {row[0]: row[1] for row in _rows_of(out / LIST) if len(row) > 1 and row[1]}
    write_rows(out / LIST, [["path", "label", "family"], *([path, labels.get(path, ""), family] for path, family in families.items())])
    if state.asked.judge is None:
        write_page(out, state.asked, [Path(path).stem for path in families])
    return state


def follow_dropped(out: Path) -> None:
    """Have an existing ``labels.csv`` name the sounds that were dropped where they lie now: what was said of them stays readable."""
    rows = _rows_of(out / LABELS)
    at = rows[0].index("path") if rows and "path" in rows[0] else 0
    moved = {path.with_suffix(".wav").relative_to(out / DROPPED).as_posix() for path in out.glob(f"{DROPPED}/level-*/*.json")}
    named = [[f"{DROPPED}/{cell}" if place == at and cell in moved else cell for place, cell in enumerate(row)] for row in rows]
    if named != rows:
        write_rows(out / LABELS, named)


def _rows_of(table: Path) -> list[list[str]]:
    """The rows of a table, its header first; none where there is no table, or one that cannot be read."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as opened:
            return list(csv.reader(opened))
    except (OSError, csv.Error, UnicodeDecodeError):
        return []


def write_rows(table: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV, whole or not at all."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    files.write_bytes(table, text.getvalue().encode(errors="surrogateescape"))  # a name's bytes, whatever they are


def write_page(
    out: Path,
    asked: Asked,
    names: Collection[str],
    *,
    classes: Sequence[str] = listening.CLASSES,
    kept: Collection[str] | None = None,
    judge: Mapping[str, Any] | None = None,
) -> None:
    """Write ``listen.html``: the ids of the sounds on it, in any order; ``kept`` are those that a judge kept.

    The page knows of the folder's other sounds too: what was said of them, on a page before this one, is theirs still.
    """
    sounds = {path.stem: _listed(out, path) for path in sorted([*out.glob("level-*/*.json"), *out.glob(f"{DROPPED}/level-*/*.json")])}
    order = generator(asked.seed, "listening").permutation(len(names))
    heard = [sorted(names)[int(place)] for place in order]
    content = {
        "title": "Sounds from " + ", ".join(dict.fromkeys(source.name for source in asked.sources)),
        "key": f"aesdream-listening-{config.digest(config.plain(asked))}",
        "classes": list(classes),
        "sounds": [{**sounds[name], "kept": None if kept is None else name in kept} for name in heard],
        "others": [sound for name, sound in sounds.items() if name not in set(heard)],
        "judge": judge,
    }
    listening.write(out / PAGE, content)


def _listed(out: Path, record: Path) -> dict[str, str]:
    known = files.read_json(record)
    return {"path": record.with_suffix(".wav").relative_to(out).as_posix(), "family": known["family"], "sha256": known["sha256"]}

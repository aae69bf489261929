"""``aesdream sounds generate`` and ``drop``: the oracular processor at work in a folder.

OUT/generate.json                       what was asked, and for every level which sound comes from which
OUT/level-1/1-0000.wav  1-0000.json     a sound and its record
OUT/dropped/level-1/...                 what left the pool
OUT/sounds.csv                          path,label,family: with labels filled in, the labels.csv of a study
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from aesdream import config, files
from aesdream.config import Section
from aesdream.errors import DamagedFile, UserError
from aesdream.sounds.labelled import SUFFIXES
from aesdream.sounds.oracular import TROMBONE, levels, records
from aesdream.sounds.oracular.chains import LONGEST, SHORTEST
from aesdream.sounds.oracular.mixing import Samples, Silent
from aesdream.sounds.processes import PROCESSES
from jobs import ledger
from jobs.executors import Here, Task, in_batches
from jobs.progress import Progress

MARKER, DROPPED, TABLE = "generate.json", "dropped", "sounds.csv"
PHRASE = "trombone"
"""The packaged source sound, by its name."""
TOGETHER = 4
"""Sounds made as one task."""


class Asked(Section):
    """What decides the bytes of a generation, but for how many levels and outputs it has."""

    format: Literal["aesdream-sounds-1"] = "aesdream-sounds-1"
    seed: int
    seconds: tuple[float, float]
    sources: list[records.Source]
    processes: str
    """A digest of all processes and their ranges: another draws otherwise."""


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
        inside = Path(f"level-{name.partition('-')[0]}") / f"{name}.wav"
        dropped = self.out / DROPPED / inside
        return dropped if dropped.exists() else self.out / inside

    def sounds(self, level: int) -> list[Path]:
        """The sounds of a level that were made and not dropped."""
        return sorted(path.with_suffix(".wav") for path in (self.out / f"level-{level}").glob("*.json"))


def source_paths(given: Sequence[Path]) -> list[Path]:
    """Every source named, or lying in a folder named, once each; a bare ``trombone`` is the packaged phrase."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(inner for inner in path.rglob("*") if inner.suffix.lower() in SUFFIXES)
            if not inside:
                raise UserError(f"{path}: holds no sound; give sound files, or folders that hold some")
            found += inside
        else:
            found.append(source_path(path))
    return list(dict.fromkeys(found))


def source_path(given: Path) -> Path:
    """The file of a source: the packaged phrase by its name, or a path."""
    return TROMBONE if str(given) == PHRASE and not given.exists() else given


def outputs_of(text: str, count: int) -> list[int]:
    """How many sounds each of ``count`` levels has, from ``250`` or ``251,249,249,249``. Raises UserError for anything else."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"--outputs {text}: must be a number of 1 or more, for every level or one a level, for instance 250 or 251,249,249,249")
    if len(parts) not in (1, count):
        raise UserError(f"--outputs {text}: {len(parts)} numbers for {count} levels; give one for every level, or one a level")
    return [int(part) for part in parts] * (count if len(parts) == 1 else 1)


def generate(
    given: Sequence[Path],
    out: Path,
    progress: Progress,
    *,
    outputs: Sequence[int],
    seconds: tuple[float, float],
    seed: int,
    choose: levels.Choose = levels.keep_all,
) -> int:
    """Make every sound of every level that is not there yet; returns how many sounds failed (0: all is done).

    ``choose`` is asked for each level once it is complete, before the next is planned. Raises UserError, before anything is written, for sources that
    cannot serve and for a folder that holds something else.
    """
    if not SHORTEST <= seconds[0] <= seconds[1] <= LONGEST:
        raise UserError(f"--seconds {seconds[0]:g} {seconds[1]:g}: must be a shortest and a longest length from {SHORTEST:g} to {LONGEST:g} s")
    paths = source_paths(given)
    asked = Asked(seed=seed, seconds=seconds, sources=_looked_at(paths), processes=processes_digest())
    _known(out, asked, outputs)
    with ledger.locked(out):
        state = _known(out, asked, outputs)
        files.remove_leftovers(out)
        pool = Here(threads=1)
        try:
            for level, count in enumerate(outputs, 1):
                work = Generation(out, tuple(paths), state)
                if level > len(state.levels):
                    state = _planned(work, level, count, choose)
                    work = Generation(out, tuple(paths), state)
                if failed := _level(work, level, pool, progress):
                    return failed
        finally:
            pool.close()
        _table(out)
    return 0


def processes_digest() -> str:
    """A digest of the list of processes and of every range that is drawn from."""
    return config.digest({name: {key: str(span) for key, span in process.ranges.items()} for name, process in PROCESSES.items()})


def _looked_at(paths: Sequence[Path]) -> list[records.Source]:
    found: list[records.Source] = []
    wrong: list[str] = []
    for path in paths:
        try:
            found.append(records.read_source(path)[2])
        except UserError as error:
            wrong += error.lines
    if wrong:
        raise UserError(*wrong)
    return found


def _known(out: Path, asked: Asked, outputs: Sequence[int]) -> State:
    """What a folder has come to; a new one where there is nothing. Raises UserError where it holds something else."""
    marker = out / MARKER
    if not marker.exists():
        if out.exists() and (not out.is_dir() or any(inner.name != ledger.FOLDER for inner in out.iterdir())):
            raise UserError(f"{out}: exists already and holds no generated sounds; give another --out, nothing is overwritten")
        return State(asked=asked, levels=[])
    try:
        state = config.validate(State, files.read_json(marker), str(marker))
    except DamagedFile as damaged:
        raise UserError(f"{damaged}; give another --out") from None
    if changed := config.differences(config.plain(state.asked), config.plain(asked)):
        raise UserError(*(f"{out}: {line}: its sounds were made otherwise; give another --out, nothing is overwritten" for line in changed))
    for level, (parents, count) in enumerate(zip(state.levels, outputs, strict=False), 1):
        if len(parents) != count:
            raise UserError(
                f"{out}: level {level} has {len(parents)} sounds, --outputs asks for {count}; give another --out, or ask for {len(parents)}"
            )
    return state


def _planned(work: Generation, level: int, count: int, choose: levels.Choose) -> State:
    """The state with one level more, its parents drawn from what is in the pool."""
    if level == 1:
        pool = [f"source-{number}" for number in range(len(work.sources))]
    else:
        pool = sorted(path.stem for path in choose(level - 1, work.sounds(level - 1)))
    if not pool:
        raise UserError(f"{work.out}: no sound of level {level - 1} is left in the pool; keep at least one")
    drawn = levels.parents(pool, count, work.state.asked.seed, level)
    state = State(asked=work.state.asked, levels=[*work.state.levels, drawn])
    files.write_json(work.out / MARKER, config.plain(state))
    return state


def _level(work: Generation, level: int, pool: Here, progress: Progress) -> int:
    """Make what is missing of a level; returns how many failed."""
    parents = work.state.levels[level - 1]
    names = [levels.name_of(level, number) for number in range(len(parents))]
    missing = [number for number, name in enumerate(names) if not work.place(name).with_suffix(".json").exists()]
    failed = 0
    tasks = [
        Task(tuple(names[number] for number in numbers), make, (work, level, numbers), work.out / ledger.FOLDER / "logs" / f"{names[numbers[0]]}.log")
        for numbers in in_batches(missing, TOGETHER)
    ]
    with progress.stage(f"level {level}", len(missing)) as advance:
        for outcome in pool.run(tasks, processes=1, on_gpu=False, begun=lambda task: None):
            if outcome.wrong or outcome.damaged:
                raise outcome.wrong or outcome.damaged  # type: ignore[misc]
            if outcome.error:
                failed += len(outcome.task.units)
                progress.say(f"{', '.join(outcome.task.units)}: {outcome.error} (log: {outcome.task.log})")
            advance(len(outcome.task.units))
    return failed


@lru_cache(maxsize=1)
def _source(path: Path, _changed: int) -> tuple[Samples, int, records.Source]:
    """A source, decoded once a worker: it may be a long recording."""
    return records.read_source(path)


def make(work: Generation, level: int, numbers: Sequence[int]) -> None:
    """Make some sounds of a level; the work of a task."""
    asked = work.state.asked
    for number in numbers:
        parent = work.state.levels[level - 1][number]
        if level == 1:
            place = int(parent.removeprefix("source-"))
            where, lineage = work.sources[place], []
            sound, rate, source = _source(where, where.stat().st_mtime_ns)
            if source != asked.sources[place]:
                raise UserError(f"{where}: changed while sounds were made from it; give another --out")
        else:
            where = work.place(parent)
            record = records.read(where)
            sound, rate, source, lineage = records.samples_of(where, record), record.sample_rate, record.source, record.lineage
        try:
            grown = levels.child(sound, rate, asked.seed, level, number, asked.seconds)
        except Silent as why:
            raise UserError(f"{where}: {why}; give a source that holds more sound than silence") from None
        name = levels.name_of(level, number)
        records.write(work.out / f"level-{level}" / f"{name}.wav", grown, rate, source=source, parents=lineage)


def _table(out: Path) -> None:
    """Write ``sounds.csv``."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["path", "label", "family"])
    for path in sorted(out.glob("level-*/*.json")):
        rows.writerow([path.with_suffix(".wav").relative_to(out).as_posix(), "", files.read_json(path)["family"]])
    files.write_bytes(out / TABLE, text.getvalue().encode())


def drop(out: Path, unwanted: Path) -> str:
    """Take the sounds that a file names, one a line, out of the pool. Raises UserError with a line for every name that is unknown."""
    if not (out / MARKER).is_file():
        raise UserError(f"{out}: holds no generated sounds (no {MARKER}); give the folder that aesdream sounds generate made")
    try:
        lines = [line.strip() for line in unwanted.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{unwanted}: cannot be read ({error}); give a text file that names a sound a line") from None
    there = {path.stem: path for path in out.glob("level-*/*.json")}
    gone = {path.stem for path in out.glob(f"{DROPPED}/level-*/*.json")}
    names = {
        line: Path(line.replace("\\", "/")).name.removesuffix(".wav").removesuffix(".json") for line in lines if line and not line.startswith("#")
    }
    if wrong := [
        f"{unwanted}: {line}: no such sound in {out}; give an id such as 1-0003" for line, name in names.items() if name not in {*there, *gone}
    ]:
        raise UserError(*wrong)
    with ledger.locked(out):
        moved = [there[name] for name in dict.fromkeys(names.values()) if name in there]
        for record in moved:
            target = out / DROPPED / record.parent.name
            target.mkdir(parents=True, exist_ok=True)
            record.with_suffix(".wav").replace(target / f"{record.stem}.wav")
            record.replace(target / record.name)
        _table(out)
    return f"{out}: {len(moved)} sounds dropped, {len(there) - len(moved)} stay"

"""``aesdream sounds generate`` and ``drop``: the oracular processor at work in a folder (jobs.generation says what lies where)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, nullcontext
from functools import lru_cache
from pathlib import Path

from aesdream import config, files
from aesdream.errors import UserError
from aesdream.sounds.labelled import sounds_below
from aesdream.sounds.oracular import levels, records
from aesdream.sounds.oracular.chains import LONGEST, SHORTEST
from aesdream.sounds.oracular.mixing import Samples, Silent
from aesdream.sounds.processes import digest
from jobs import ledger
from jobs.corpora import source_path
from jobs.executors import Here, Task, in_batches
from jobs.generation import (
    BEST,
    CONTROL,
    DROPPED,
    MARKER,
    Asked,
    Generation,
    Judge,
    State,
    follow_dropped,
    known,
    state_of,
    write_lists,
)
from jobs.progress import Progress

TOGETHER = 4
"""Sounds made as one task."""


def source_paths(given: Sequence[Path], out: Path | None = None) -> list[Path]:
    """Every source named, or lying in a folder named, once each; ``trombone`` is the packaged phrase, if no folder of that name is here.

    Of a folder what lies in ``out`` is no source, nor what a generation in it has dropped, copied or made only to compare.
    """
    ours = None if out is None else out.resolve()
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(inner for inner in sounds_below([path]) if ours not in inner.resolve().parents and not _is_aside(inner, path))
            if not inside:
                raise UserError(f"{path}: holds no sound; give sound files, or folders that hold some")
            found += inside
        else:
            found.append(source_path(str(path)))
    return list(dict.fromkeys(found))


def _is_aside(path: Path, given: Path) -> bool:
    inside = [folder for folder in path.parents if given in folder.parents]
    return any(folder.name in (DROPPED, BEST, CONTROL) and (folder.parent / MARKER).is_file() for folder in inside)


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
    judge: Judge | None = None,
    pool: Here | None = None,
) -> int:
    """Make every sound of every level that is not there yet; returns how many sounds failed (0: all is done).

    ``choose`` is asked for each level once it is complete, before the next is planned; ``judge`` is how it chooses, for the record. Raises UserError,
    before anything is written, for sources that cannot serve and for a folder that holds something else.
    """
    if not SHORTEST <= seconds[0] <= seconds[1] <= LONGEST:
        raise UserError(f"--seconds {seconds[0]:g} {seconds[1]:g}: must be a shortest and a longest length from {SHORTEST:g} to {LONGEST:g} s")
    paths = source_paths(given, out)
    asked = Asked(seed=seed, seconds=seconds, sources=_looked_at(paths), processes=digest(), judge=judge)
    known(out, asked, outputs)
    with ledger.locked(out), nullcontext(pool) if pool else closing(Here(threads=1)) as workers:
        state = known(out, asked, outputs)
        files.remove_leftovers(out)
        for level, count in enumerate(outputs, 1):
            work = Generation(out, tuple(paths), state)
            if level > len(state.levels):
                state = _planned(work, level, count, choose)
                work = Generation(out, tuple(paths), state)
            if failed := _level(work, level, workers, progress):
                return failed
        write_lists(out)
    return 0


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


def drop(out: Path, unwanted: Path) -> str:
    """Take the sounds that a file names, one a line, out of the pool. Raises UserError with a line for every name that is unknown."""
    state_of(out)
    try:
        lines = [line.strip() for line in unwanted.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{unwanted}: cannot be read ({why}); give a text file that names a sound a line") from None
    known_ids = {path.stem for path in [*out.glob("level-*/*.json"), *out.glob(f"{DROPPED}/level-*/*.json")]}
    names = {
        line: Path(line.replace("\\", "/")).name.removesuffix(".wav").removesuffix(".json") for line in lines if line and not line.startswith("#")
    }
    if wrong := [f"{unwanted}: {line}: no such sound in {out}; give an id such as 1-0003" for line, name in names.items() if name not in known_ids]:
        raise UserError(*wrong)
    return dropped(out, list(names.values()))


def dropped(out: Path, names: Sequence[str]) -> str:
    """Take sounds out of the pool, by id; those that are out already stay there. Returns a line about it."""
    with ledger.locked(out):
        there = {path.stem: path for path in out.glob("level-*/*.json")}
        moved = [there[name] for name in dict.fromkeys(names) if name in there]
        for record in moved:
            target = out / DROPPED / record.parent.name
            target.mkdir(parents=True, exist_ok=True)
            if record.with_suffix(".wav").exists():  # not where a drop was stopped between the two
                record.with_suffix(".wav").replace(target / f"{record.stem}.wav")
            record.replace(target / record.name)
        follow_dropped(out)
        state = write_lists(out)
    renewed = "; generate it again to renew best/ and listen.html" if state.asked.judge is not None and moved else ""
    return f"{out}: {len(moved)} sounds dropped, {len(there) - len(moved)} stay{renewed}"

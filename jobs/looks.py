"""One look at every sound of a folder, kept in the run: what is wrong is known before anything is computed, and no sound is decoded twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from aesdream import files
from aesdream.errors import DamagedFile, UserError
from aesdream.sounds.audio import Inspection
from aesdream.sounds.labelled import Entry
from aesdream.study import Study
from jobs import ledger, preprocess
from jobs.executors import Here, Task, in_batches
from jobs.progress import Progress

Kept = dict[str, dict[str, Any]]
AS_IF = 30.0
"""Seconds that a sound is taken to have that nobody has opened."""
WRITTEN_EVERY = 20.0
"""Seconds of looking that may be lost with a task."""


def looked_at(study: Study, here: Here, run: Path | None = None, progress: Progress | None = None) -> preprocess.Sources:
    """The sources of a study, every sound of a folder decoded once, on all cores; one that ``run`` remembers only if its file has changed.

    Raises UserError with everything that is wrong with any of them.
    """
    entries, least = preprocess.entries_of(study), preprocess.at_least(study)
    kept = _read(run) if run is not None else {}
    looks = {number: look for number, entry in enumerate(entries) if (look := _remembered(kept, entry, least, unchanged=True)) is not None}
    written = monotonic()
    batches = in_batches([number for number in range(len(entries)) if number not in looks], preprocess.LOOKED_AT_TOGETHER)
    tasks = [Task(tuple(map(str, batch)), preprocess.look, ([entries[n] for n in batch], least), Path(os.devnull)) for batch in batches]
    with progress.stage("look at the sounds", len(entries) - len(looks)) if progress and tasks else nullcontext(lambda count: None) as advance:
        for outcome in here.run(tasks, processes=1, on_gpu=False, begun=lambda task: None):
            if outcome.error:
                raise RuntimeError(outcome.error)
            looks.update(zip(map(int, outcome.task.units), outcome.result, strict=True))
            advance(len(outcome.result))
            if run is not None and (monotonic() - written > WRITTEN_EVERY or len(looks) == len(entries)):
                _write(run, entries, least, looks)
                written = monotonic()
    return preprocess.sources(study, entries, [looks[number] for number in range(len(entries))])


def remembered(study: Study, run: Path, *, unchanged: bool) -> preprocess.Sources | None:
    """The sources of a study from what ``run`` remembers, or None where a sound was not looked at; ``unchanged`` asks for the same file since."""
    entries, least, kept = preprocess.entries_of(study), preprocess.at_least(study), _read(run)
    looks = [_remembered(kept, entry, least, unchanged=unchanged) for entry in entries]
    known = [look for look in looks if look is not None]
    return preprocess.sources(study, entries, known) if len(known) == len(entries) else None


def unseen(study: Study) -> preprocess.Sources:
    """The sources of a study by paths and labels alone, no sound opened: enough for the names of units, not for their digests.

    Raises UserError for what paths and labels show to be wrong.
    """
    entries = preprocess.entries_of(study)
    as_if = [
        Inspection(entry.id, entry.id, AS_IF, problem=None if entry.path.is_file() else "no such file; correct its path, or leave it out")
        for entry in entries
    ]
    return preprocess.sources(study, entries, as_if)


def path_of(run: Path) -> Path:
    """Where a run keeps what it saw."""
    return run / ledger.FOLDER / "looks.json"


def _key(entry: Entry, least: float) -> str:
    return f"{entry.path}|{entry.start}|{entry.end}|{least}"


def _read(run: Path) -> Kept:
    try:
        kept: Kept = files.read_json(path_of(run)) if files.is_there(path_of(run)) else {}
    except DamagedFile:
        return {}
    return kept


def _remembered(kept: Kept, entry: Entry, least: float, *, unchanged: bool) -> Inspection | None:
    if entry.problem:
        return Inspection()
    found = kept.get(_key(entry, least))
    if found is None or (unchanged and found["file"] != _file(entry.path)):
        return None
    return Inspection(**found["look"])


def _file(path: Path) -> list[int]:
    """What changes when a file does."""
    try:
        state = path.stat()
    except OSError:
        return []
    return [state.st_size, state.st_mtime_ns]


def _write(run: Path, entries: Sequence[Entry], least: float, looks: dict[int, Inspection]) -> None:
    sound = [(entry, looks[number]) for number, entry in enumerate(entries) if number in looks and not entry.problem and not looks[number].problem]
    files.write_json(path_of(run), {_key(entry, least): {"file": _file(entry.path), "look": asdict(look)} for entry, look in sound})


def changed(study: Study) -> UserError:
    """What to raise on a node for a corpus that is not the one that was looked at."""
    kind = study.sounds.folder or study.sounds.irmas
    where = kind.path if kind is not None else "sounds"
    return UserError(f"{where}: the sounds or their table were changed after they were checked; the same command checks them again")

"""A study's plan in words: its units, their size and time, and what of it is already there."""

from __future__ import annotations

from pathlib import Path

from aesdream.study import Study
from jobs import preprocess
from jobs.executors import Here, Task, cores, in_batches
from jobs.running import planned
from jobs.units import Unit


def described(study: Study, folder: Path | None) -> str:
    """The plan of a study, after a look at every sound; with a run folder also what is done there. Raises UserError for all that is wrong."""
    source = looked_at(study)
    corpus = preprocess.joined(source)
    models, dreams = planned(study, corpus, source)
    rows = [("preprocess", [corpus, *preprocess.slices(source)], [corpus]), ("train", models, models), ("dream", dreams, dreams)]
    lines = [f"study {study.study}: {source.count} sounds, {len(models)} models, {len(dreams)} dreams"]
    if source.corpus is not None:
        lines += [f"positive class: {source.corpus.classes[-1]!r} of {', '.join(source.corpus.classes)} (sounds.folder.classes changes the order)"]
        lines += [f"warning: {text}" for text in source.corpus.warnings]
    total = 0.0
    for stage, costs, counted in rows:
        seconds = sum(unit.seconds for unit in costs) / max(1, cores())
        total += seconds
        size = sum(unit.bytes for unit in counted)
        lines.append(f"{stage:<11}{len(counted):>6} units  {_size(size):>9}  about {_time(seconds):>8} on {cores()} cores{_done(counted, folder)}")
    lines.append(f"in all about {_time(total + 60)}; estimates from one machine, a GPU is many times faster")
    return "\n".join(lines)


def looked_at(study: Study) -> preprocess.Sources:
    """The sources of a study, every sound of a folder decoded once on all cores."""
    entries = preprocess.entries_of(study)
    here = Here(study.threads)
    tasks = [
        Task((), preprocess.look, (batch, preprocess.at_least(study)), Path("look.log"))
        for batch in in_batches(entries, preprocess.LOOKED_AT_TOGETHER)
    ]
    found = {}
    try:
        for outcome in here.run(tasks, cores_a_task=1, on_gpu=False, begun=lambda task: None):
            if outcome.error:
                raise RuntimeError(outcome.error)
            found[id(outcome.task)] = outcome
    finally:
        here.close()
    return preprocess.sources(study, entries, [look for task in tasks for look in found[id(task)].result])


def _done(units: list[Unit], folder: Path | None) -> str:
    return "" if folder is None else f"  ({sum(unit.is_complete(folder) for unit in units)} done)"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

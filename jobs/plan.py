"""A study's plan in words: its units, their size and time, and what of it is already there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aesdream.appendix.truth.lacking import lacking
from aesdream.errors import DamagedFile
from aesdream.study import Study
from jobs import heldout, notes
from jobs.executors import Here, cores
from jobs.graph import Graph
from jobs.looks import looked_at
from jobs.running import chosen, refuse_idle_globs
from jobs.units import STAGES, Unit, refuse_changes


def described(study: Study, folder: Path | None, until: str = STAGES[-1], only: Sequence[str] = ()) -> str:
    """The plan of a study, or of what ``until`` and ``only`` choose of it, after a look at every sound; with a run folder also what is done there.
    Raises UserError for all that is wrong.
    """
    here = Here(study.threads)
    try:
        source = looked_at(study, here, folder if folder is not None and folder.exists() else None)
    finally:
        here.close()
    graph = Graph.of(study, source)
    if folder is not None:
        refuse_changes(folder, graph.shown)
    refuse_idle_globs([graph.corpus, *graph.models, *graph.dreams, graph.page(folder or Path())], only)
    models, dreams = ([unit for unit in units if chosen(unit, only)] for units in (graph.models, graph.dreams))
    rows = [("preprocess", [graph.corpus, *graph.slices], [graph.corpus]), ("train", models, models), ("dream", dreams, dreams)]
    rows = rows[: STAGES.index(until) + 1]
    counts = [f"{_of(units, every)} {what}" for units, every, what in ((models, graph.models, "models"), (dreams, graph.dreams, "dreams"))]
    lines = [f"study {study.study}: {source.corpus.count} sounds, {', '.join(counts)}"]
    if study.sounds.folder is not None:
        classes = source.corpus.classes
        lines += [f"positive class: {classes[-1]!r} of {', '.join(classes)} (sounds.folder.classes changes the order)"]
    lines += source.counts
    warnings = (*source.warnings, *heldout.too_few(study, source), *heldout.few_of_a_class(study, source), *lacking(study))
    lines += [f"warning: {text}" for text in warnings]
    lines += [f"note: {text}" for text in notes.of(study, source)]
    total = 0.0
    for stage, costs, counted in rows:
        seconds = sum(unit.seconds for unit in costs) / max(1, cores())
        total += seconds
        size = sum(unit.bytes for unit in counted)
        lines.append(f"{stage:<11}{len(counted):>6} units  {_size(size):>9}  about {_time(seconds):>8} on {cores()} cores{_done(counted, folder)}")
    lines.append(f"in all about {_time(total)}, and the appendix; estimates from one machine, a GPU is many times faster")
    return "\n".join(lines)


def _of(units: Sequence[Unit], every: Sequence[Unit]) -> str:
    return f"{len(units)}" if len(units) == len(every) else f"{len(units)} of {len(every)}"


def _done(units: Sequence[Unit], folder: Path | None) -> str:
    return "" if folder is None else f"  ({sum(_is_complete(unit, folder) for unit in units)} done)"


def _is_complete(unit: Unit, folder: Path) -> bool:
    """A damaged one is not: a run makes it again."""
    try:
        return unit.is_complete(folder)
    except DamagedFile:
        return False


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

"""``aesdream sounds measure``: what every synthetic composer measures of sounds, and how far their measures go together."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aesdream.errors import UserError
from aesdream.sounds import audio, composers, store
from jobs.executors import Here, Task, in_batches
from jobs.generation import write_rows
from jobs.progress import Progress
from jobs.sounds import source_paths
from jobs.tools import study_of

TOGETHER = 8
"""Sounds measured as one task; so few are measured without starting workers."""
FEWEST = 3
"""Sounds below which nothing is said of correlations."""

Item = tuple[Path, int | None]
"""A sound file; or a run's corpus, and which of its sounds."""


@dataclass(frozen=True)
class Row:
    """What is known of one sound: a value for each composer, none where it could not be measured; ``note`` says why."""

    sound: str
    seconds: float = 0.0
    values: tuple[float, ...] = ()
    note: str = ""

    @property
    def cells(self) -> list[object]:
        """Its row in a table."""
        values = [f"{value:.6g}" for value in self.values] or [""] * len(composers.COMPOSERS)
        return [self.sound, f"{self.seconds:.3f}" if self.values else "", *values, self.note]


def measure(given: Sequence[Path], csv_file: Path | None, progress: Progress) -> tuple[str, int]:
    """Measure sounds, those in folders and those of runs; ``csv_file`` takes a row for each. Returns what is to be read, and how many could not be.

    Raises UserError, before anything is measured, for what is no sound and for a ``csv_file`` that is there already.
    """
    if csv_file is not None and csv_file.exists():
        raise UserError(f"{csv_file}: exists already; give a new name, nothing is overwritten")
    items = [item for path in given for item in _items(path)]
    rows = _all_measured(items, progress)
    if csv_file is not None:
        write_rows(csv_file, [["sound", "seconds", *composers.COMPOSERS, "note"], *(row.cells for row in rows)])
    lost = [row for row in rows if not row.values]
    for row in lost:
        progress.say(f"{row.sound}: {row.note}")
    return _told([row for row in rows if row.values]), len(lost)


def _items(given: Path) -> Iterator[Item]:
    if (given / "study.yaml").is_file():
        study_of(given)
        path = store.path(given)
        yield from ((path, index) for index in range(len(store.opened(path).ids)))
        return
    for path in source_paths([given]):
        if not path.is_file():
            raise UserError(f"{path}: no such sound or folder")
        yield path, None


def _all_measured(items: Sequence[Item], progress: Progress) -> list[Row]:
    """The rows of all items, in their order; every core of this machine measures where there are many."""
    if len(items) <= TOGETHER:
        return measured(items)
    batches = in_batches(items, TOGETHER)
    log = Path(tempfile.gettempdir()) / f"aesdream-measure-{os.getpid()}.log"
    tasks = [Task((str(number),), measured, (batch,), log) for number, batch in enumerate(batches)]
    found: dict[int, list[Row]] = {}
    with progress.stage("measure", len(items)) as advance, closing(Here(threads=1)) as pool:
        for outcome in pool.run(tasks, processes=1, on_gpu=False, begun=lambda task: None):
            if outcome.damaged or outcome.wrong:
                raise outcome.damaged or outcome.wrong  # type: ignore[misc]
            number = int(outcome.task.units[0])
            found[number] = outcome.result or [Row(str(path), note=f"{outcome.error} (log: {log})") for path, _ in batches[number]]
            advance(len(batches[number]))
    return [row for number in range(len(batches)) for row in found[number]]


def measured(items: Sequence[Item]) -> list[Row]:
    """What every composer measures of some sounds; the work of a task. A file that cannot be read is told, never raised."""
    return [_row(*item) for item in items]


def _row(path: Path, index: int | None) -> Row:
    if index is not None:
        corpus = store.opened(path)
        return _of(corpus.ids[index], audio.floating(corpus.read(index)), corpus.sample_rate)
    try:
        return _of(str(path), *audio.read(path))
    except audio.UnreadableSound as error:
        return Row(str(path), note=str(error))
    except OSError as error:
        return Row(str(path), note=f"cannot be read ({error.strerror})")


def _of(name: str, sound: audio.Samples, rate: int) -> Row:
    values = composers.measured([(sound, rate)]).values()
    return Row(name, sound.shape[1] / rate, tuple(float(column[0]) for column in values))


def _told(rows: Sequence[Row]) -> str:
    """Mean and spread of each measure and, of enough sounds, the rank correlations between them."""
    if not rows:
        return "no sound could be measured"
    table = dict(zip(composers.COMPOSERS, np.array([row.values for row in rows]).T, strict=True))
    width = max(10, *map(len, table)) + 2
    lines = [f"{len(rows)} sound{'s' if len(rows) > 1 else ''}", "".join(word.rjust(width) for word in ("", "mean", "sd", "lowest", "highest"))]
    for name, values in table.items():
        apart = f"{values.std(ddof=1):.4g}" if len(rows) > 1 else "-"
        lines.append(
            name.ljust(width) + "".join(word.rjust(width) for word in (f"{values.mean():.4g}", apart, f"{values.min():.4g}", f"{values.max():.4g}"))
        )
    if len(rows) < FEWEST:
        return "\n".join(lines)
    chance = 1.96 / math.sqrt(len(rows) - 1)
    title = f"rank correlations (Spearman; of measures that have nothing to do with each other 95 % lie within {chance:.2f} of 0)"
    return "\n".join([*lines, "", title, composers.correlations(table)])

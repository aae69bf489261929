"""Units into tasks: long enough to be worth starting, short enough to be lost, few enough to be taken."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.units import Unit

Batch = Sequence[Unit]


def packed(batches: Sequence[Batch], seconds: float) -> list[list[Batch]]:
    """Batches in tasks of about ``seconds`` by their units' estimates, in order; a batch is never divided."""
    tasks: list[list[Batch]] = []
    filled = seconds
    for batch in batches:
        cost = sum(unit.seconds for unit in batch)
        if filled + cost > seconds or not tasks:
            tasks.append([])
            filled = 0.0
        tasks[-1].append(batch)
        filled += cost
    return tasks

"""The appendix stage: one unit, made again whenever anything it shows has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aesdream import config, files
from aesdream.study import Study
from jobs import ledger
from jobs.units import Unit

SECONDS, SECONDS_A_DREAM = 30.0, 0.25
"""Drawing, on one core."""


def unit(run: Path, study: Study, shown: Sequence[Unit]) -> Unit:
    """The appendix of a run, given every unit that it shows; one that is missing or failed counts as such, so that it is drawn in when it comes."""
    failed = failures(run, shown)
    there = {other.name: config.digest(other.recipe) if files.is_there(run / other.marker) else failed.get(other.name, "missing") for other in shown}
    recipe = {"study": study.study, "notes": study.notes, "units": config.digest(there)}
    cost = SECONDS + SECONDS_A_DREAM * sum(other.stage == "dream" for other in shown)
    return Unit("appendix", "appendix", "results.json", recipe, derived=True, seconds=cost)


def failures(run: Path, shown: Sequence[Unit]) -> dict[str, str]:
    """Why the units that are not there failed."""
    return ledger.failures(run, {"shown": {unit.name: unit.marker for unit in shown}})


def make(run: Path, study: Study, unit: Unit, failed: Mapping[str, str]) -> None:
    """Draw the appendix."""
    from aesdream.appendix.build import build

    build(run, study, unit.header, failed)

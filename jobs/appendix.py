"""The appendix stage: one unit, made again whenever anything it shows has changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aesdream import config
from aesdream.study import Study
from jobs.units import Unit


def unit(run: Path, study: Study, shown: Sequence[Unit]) -> Unit:
    """The appendix of a run, given every unit that it shows; one that is missing counts as such, so that it is drawn in when it comes."""
    there = {other.name: config.digest(other.recipe) if (run / other.marker).exists() else "missing" for other in shown}
    recipe = {"study": study.study, "notes": study.notes, "units": config.digest(there)}
    return Unit("appendix", "appendix", "results.json", recipe, derived=True, seconds=30 + 0.2 * sum(u.stage == "dream" for u in shown))


def make(run: Path, study: Study, unit: Unit) -> str:
    """Draw the appendix; returns the path of its page."""
    from aesdream import appendix

    return str(appendix.build(run, study, unit.header))

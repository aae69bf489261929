"""What a dream's view plots: activation over steps, coefficients, and the energy and modulation of the change; its extremes stand in results.json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.reading import Dream
from aesdream.training.statistics import number

ENERGY_SECONDS = 0.1


@dataclass(frozen=True)
class Curve:
    """Values at equal distances from 0 to ``until`` in ``unit``; ``of`` says what a value is counted in, where it has a unit."""

    name: str
    title: str
    values: Sequence[float]
    until: float
    unit: str
    across: str
    of: str = ""

    def numbers(self) -> dict[str, float | None]:
        """What is printed of it, as results.json holds it."""
        picked = {"first": self.values[0], "last": self.values[-1], "smallest": min(self.values), "largest": max(self.values), "until": self.until}
        return {key: number(float(value)) for key, value in picked.items()}

    def told(self) -> dict[str, Any]:
        """The same for the page: every number as it is printed there."""
        found = {key: words.significant(value) for key, value in self.numbers().items()}
        last = self.numbers()["until"] or 0.0
        end = f"step {words.count(round(last))}" if self.unit == "step" else f"{words.significant(last)} {self.unit}"
        start = "step 0" if self.unit == "step" else f"0 {self.unit}"
        values = [float(f"{value:.5g}") for value in self.values]
        return {"title": self.title, "values": values, "across": self.across, "of": self.of, "from": start, "to": end, **found}


def curves(dream: Dream) -> Iterator[Curve]:
    """Those that a dream has, of more than one value each."""
    content, change = dream.content, dream.content.get("change", {})
    spread, energy = content.get("coefficients") or [], change.get("energy_100ms", [])
    fluctuation = change.get("modulation", {"hertz": [], "share": []})
    trace = content.get("activation", [])
    found = (
        Curve("activation", "mean activation", trace, len(trace) - 1, "step", "steps"),
        Curve("coefficients", "kernel added (coefficients)", spread, len(spread) * content.get("hop_seconds", 0.0), "s", "time", "× conv1's kernel"),
        Curve("energy", "RMS of the change, every 100 ms", energy, len(energy) * ENERGY_SECONDS, "s", "time", "of full scale"),
        Curve(
            "modulation",
            "modulation of the change",
            fluctuation["share"],
            max(fluctuation["hertz"], default=0.0),
            "Hz",
            "modulation",
            "of the fluctuation",
        ),
    )
    yield from (curve for curve in found if len(curve.values) > 1)

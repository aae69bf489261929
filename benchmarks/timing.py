"""Timing ways of doing the same thing in one process, in turn, so that what else the machine does falls on all of them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from time import perf_counter

ROUNDS = 5


@dataclass(frozen=True)
class Timing:
    """Milliseconds a unit of work: the least of all rounds, and the spread, (median - least) / least."""

    least: float
    spread: float

    def __str__(self) -> str:
        return f"{self.least:.3g} ms (+{self.spread:.0%})"


def in_turn(ways: Mapping[str, tuple[Callable[[], object], int]], rounds: int = ROUNDS) -> dict[str, Timing]:
    """Each way's time; a way is a call and the units of work that it does."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (call, units) in ways.items():
            began = perf_counter()
            call()
            found[name].append((perf_counter() - began) * 1000 / units)
    return {name: Timing(min(times), median(times) / min(times) - 1) for name, times in found.items()}


def surroundings() -> dict[str, object]:
    """The machine, its load, and the versions that matter."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())  # noqa: SIM115
    names = ("torch", "numpy", "numba", "h5py", "soundfile")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in names},
    }

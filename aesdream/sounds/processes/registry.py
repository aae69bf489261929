"""What a process is, the ranges of its parameters, and the list of all processes.

A process is one function under one decorator line: it takes a sound (channels, samples) of float64 whose largest magnitude is 1, its rate in
hertz and its parameters by name, and returns a new sound that may be longer or shorter. ``apply`` scales to and from that magnitude, so a process
never depends on level and never ends louder in peak than it began. Times are in seconds, frequencies in hertz (kept under 0.45 of the rate).
Noise comes from a ``seed`` parameter: drawing parameters and applying them are apart, so that a record of both replays exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aesdream import config
from aesdream.errors import UserError, one_of

Samples = npt.NDArray[np.float64]
Value = float | int | str


NOTHING = 1e-30
"""Of the loudest value that went in: tails of filters end here, before denormal numbers make them slow and inexact."""


class ProcessFailed(Exception):
    """A process blew up on some input; the message says how."""


class Range(Protocol):
    """Where a parameter's values come from; as text, what is valid."""

    def draw(self, rng: np.random.Generator) -> Value: ...
    def holds(self, value: Any) -> bool: ...


@dataclass(frozen=True)
class Uniform:
    """Numbers from low to high, evenly; kept to six digits, so that a record is readable and exact."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(f"{rng.uniform(self.low, self.high):.6g}")

    def holds(self, value: Any) -> bool:
        return _is_number(value) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Log(Uniform):
    """Numbers from low to high, evenly by ratio."""

    def draw(self, rng: np.random.Generator) -> float:
        return float(f"{min(max(math.exp(rng.uniform(math.log(self.low), math.log(self.high))), self.low), self.high):.6g}")

    __str__ = Uniform.__str__


@dataclass(frozen=True)
class Whole:
    """Whole numbers from low to high, both among them."""

    low: int
    high: int

    def draw(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.low, self.high, endpoint=True))

    def holds(self, value: Any) -> bool:
        return _is_number(value) and isinstance(value, int) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    def draw(self, rng: np.random.Generator) -> str:
        return self.names[int(rng.integers(len(self.names)))]

    def holds(self, value: Any) -> bool:
        return value in self.names

    def __str__(self) -> str:
        return f"one of {', '.join(self.names)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Process:
    """A function of (sound, rate, **parameters) and the range of each parameter."""

    function: Callable[..., Samples]
    ranges: Mapping[str, Range]


PROCESSES: dict[str, Process] = {}
SEED = Whole(0, 2**31 - 1)


def process(**ranges: Range) -> Callable[[Callable[..., Samples]], Callable[..., Samples]]:
    """Register a function as a process under its own name, with the ranges that its parameters are drawn from."""

    def register(function: Callable[..., Samples]) -> Callable[..., Samples]:
        PROCESSES[function.__name__] = Process(function, ranges)
        return function

    return register


def digest() -> str:
    """A digest of what chains draw from: the processes in their order, and every parameter's range. With another, every draw is another."""
    return config.digest([[name, [[key, repr(span)] for key, span in one.ranges.items()]] for name, one in PROCESSES.items()])


def draw(name: str, rng: np.random.Generator) -> dict[str, Value]:
    """Random parameters (JSON-able) for the process ``name``; raises UserError for an unknown one."""
    return {key: span.draw(rng) for key, span in _named(name).ranges.items()}


def wrong_parameters(name: str, parameters: Mapping[str, Any]) -> list[str]:
    """A line for every parameter that is missing, unknown or out of range, and for an unknown process."""
    return list(mistakes(name, parameters, PROCESSES[name].ranges)) if name in PROCESSES else list(one_of("process", name, PROCESSES).lines)


def mistakes(name: str, parameters: Mapping[str, Any], ranges: Mapping[str, Range]) -> Iterator[str]:
    """A line for every one of ``parameters`` that is missing, unknown or out of its range."""
    for key in parameters:
        if key not in ranges:
            yield f"{name}: {key} is unknown; valid: {', '.join(ranges)}"
    for key, span in ranges.items():
        if key not in parameters:
            yield f"{name}: {key} is missing; must be {span}"
        elif not span.holds(parameters[key]):
            yield f"{name}: {key} is {parameters[key]!r}; must be {span}"


def apply(name: str, sound: Samples, rate: int, parameters: Mapping[str, Any]) -> Samples:
    """``sound`` (channels, samples) at ``rate`` hertz after one process: finite, and never beyond the input's largest magnitude.

    Raises UserError for an unknown process and for parameters that are missing, unknown or out of range, a line each, and ProcessFailed where the
    process blew up, raised or returned no sample.
    """
    if wrong := wrong_parameters(name, parameters):
        raise UserError(*wrong)
    peak = float(np.abs(sound).max(initial=0.0))
    with np.errstate(all="ignore"):  # what overflows is seen by its result
        try:
            result = _named(name).function(sound / (peak or 1.0), rate, **parameters)
        except (ArithmeticError, ValueError, IndexError, RuntimeError) as error:  # not MemoryError: another machine would have made it
            raise ProcessFailed(f"{type(error).__name__}: {error}") from error
    magnitudes = np.abs(result)
    highest = float(magnitudes.max(initial=0.0))
    if not math.isfinite(highest) or not result.size:
        raise ProcessFailed("not finite" if result.size else "empty")
    return np.where(magnitudes < NOTHING, 0.0, result) * (peak / max(highest, 1.0))


def _named(name: str) -> Process:
    if name not in PROCESSES:
        raise one_of("process", name, PROCESSES)
    return PROCESSES[name]

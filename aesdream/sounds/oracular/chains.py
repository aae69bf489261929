"""Chains: growing one at random on a sound, and replaying a recorded one on any.

A record is a list of steps, dictionaries that JSON holds: first ``excerpt`` (which part of too long a sound is used, and how much material any step
may leave), then processes by name with their parameters, last ``mix`` (what finishes the sound). A step with ``failed`` is one that blew up or fell
silent on the input at hand; it is kept for the record, and replaying passes over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aesdream.errors import one_of
from aesdream.sounds.oracular.mixing import Samples, Silent, cut, in_24_bits, mixed
from aesdream.sounds.processes import PROCESSES, ProcessFailed, Uniform, apply, draw, mistakes, wrong_parameters

Step = dict[str, Any]

EXCERPT, MIX = "excerpt", "mix"
PLACE = Uniform(0, 1)
SHORTEST, LONGEST = 0.05, 600.0
"""Seconds that a sound may be asked to last."""
MATERIAL, LEAST_MATERIAL = 2.0, 1.0
"""Times the asked length, but at least so many seconds: of longer material only that much is used, so that a long recording costs no more."""
RANGES = {
    EXCERPT: {"place": PLACE, "seconds": Uniform(LEAST_MATERIAL, MATERIAL * LONGEST)},
    MIX: {
        "seconds": Uniform(SHORTEST, LONGEST),
        "kept": Uniform(SHORTEST, LONGEST),
        "place": PLACE,
        "crest_db": Uniform(10, 16),
        "gain_db": Uniform(-3, 3),
    },
}
MOST_PROCESSES = 4
ATTEMPTS, TRIES, MIXES = 20, 40, 5
"""Chains tried for a sound, steps tried in a chain, and places tried for its mix."""
LOST = 1e-3
"""A process whose loudest value is under this share of its input's fell silent: what would be left is mostly rounding."""


@dataclass(frozen=True)
class Grown:
    """A finished sound (channels, samples), rounded to 24 bits, and the record of the chain that made it from its parent."""

    sound: npt.NDArray[np.float32]
    steps: list[Step]


def grow(rng_of: Callable[[int], np.random.Generator], sound: Samples, rate: int, *, lengths: Uniform, kept: float, gain_db: Uniform) -> Grown:
    """A sound grown from ``sound`` (channels, samples) by a random chain; ``rng_of`` gives the random numbers of each attempt.

    It lasts a length drawn from ``lengths``; its loudness is normalised over the first ``kept`` seconds (all, if it is shorter) and moved by a draw
    of ``gain_db``. A process that fails is noted and another drawn. Raises Silent where so little sound is there that every attempt stays silent.
    """
    for attempt in range(1, ATTEMPTS + 1):
        rng = rng_of(attempt)
        seconds = lengths.draw(rng)
        steps: list[Step] = [{"process": EXCERPT, "place": PLACE.draw(rng), "seconds": max(LEAST_MATERIAL, MATERIAL * seconds)}]
        grown = _processed(steps, excerpt(sound, rate, steps[0]), rate, rng)
        if grown is None:
            continue
        for _ in range(MIXES):
            drawn = {"place": PLACE.draw(rng), "crest_db": RANGES[MIX]["crest_db"].draw(rng), "gain_db": gain_db.draw(rng)}
            step = {"process": MIX, "seconds": seconds, "kept": min(kept, seconds), **drawn, "attempts": attempt}
            try:
                return Grown(_mixed(step, grown, rate), [*steps, step])
            except Silent as why:
                steps.append({**step, "failed": str(why)})
    raise Silent(f"{ATTEMPTS} random chains in a row left silence")


def _processed(steps: list[Step], sound: Samples, rate: int, rng: np.random.Generator) -> Samples | None:
    """The sound after one to four processes, every step tried added to ``steps``; None where too few are found that leave anything."""
    wanted, names, limit = int(rng.integers(1, MOST_PROCESSES + 1)), list(PROCESSES), steps[0]["seconds"]
    for _ in range(TRIES):
        name = names[int(rng.integers(len(names)))]
        step = {"process": name, **draw(name, rng)}
        try:
            sound = _stepped(step, sound, rate, limit)
        except (ProcessFailed, Silent) as why:
            steps.append({**step, "failed": str(why)})
            continue
        steps.append(step)
        wanted -= 1
        if not wanted:
            return sound
    return None


def replay(steps: Sequence[Step], sound: Samples, rate: int) -> Grown:
    """A recorded chain on ``sound`` (channels, samples); on the sound that it was grown on, the same samples.

    On another a process may fall silent or blow up; it is passed over, and marked in the record that is returned. Raises Silent where nothing can be
    heard at the end. The record must have passed ``wrong_steps``.
    """
    done: list[Step] = []
    for step in steps:
        if "failed" in step:
            done.append(step)
        elif step["process"] == EXCERPT:
            sound, limit = excerpt(sound, rate, step), step["seconds"]
            done.append(step)
        elif step["process"] == MIX:
            return Grown(_mixed(step, sound, rate), [*done, step])
        else:
            try:
                sound = _stepped(step, sound, rate, limit)
                done.append(step)
            except (ProcessFailed, Silent) as why:
                done.append({**step, "failed": str(why)})
    raise AssertionError("a chain without a mix")


def excerpt(sound: Samples, rate: int, step: Mapping[str, Any]) -> Samples:
    """As much of a sound as its chain uses."""
    most = round(step["seconds"] * rate)
    return cut(sound, most, step["place"]) if sound.shape[1] > most else sound


def _stepped(step: Step, sound: Samples, rate: int, limit: float) -> Samples:
    result = apply(step["process"], sound, rate, parameters(step))
    if np.abs(result).max(initial=0.0) <= LOST * np.abs(sound).max(initial=0.0):
        raise Silent("silent")
    return result[:, : round(limit * rate)]


def _mixed(step: Step, sound: Samples, rate: int) -> npt.NDArray[np.float32]:
    values = parameters(step)
    return in_24_bits(mixed(sound, rate, **values))


def parameters(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step's parameters, without what is only noted of it."""
    return {key: value for key, value in step.items() if key not in ("process", "failed", "attempts")}


def wrong_steps(steps: Any) -> Iterator[str]:
    """A line for everything that is wrong with a record: its shape, unknown processes, parameters out of range."""
    if not isinstance(steps, list):
        yield "steps: must be a list of steps"
        return
    if strange := [number for number, step in enumerate(steps) if not (isinstance(step, dict) and isinstance(step.get("process"), str))]:
        yield from (f"step {number}: must hold keys and values, its process among them" for number in strange)
        return
    names = [step["process"] for step in steps if "failed" not in step]
    if names[:1] != [EXCERPT] or names[-1:] != [MIX] or names.count(EXCERPT) != 1 or names.count(MIX) != 1:
        yield f"steps: must begin with {EXCERPT}, end with {MIX}, and have no other of either; are {', '.join(names) or 'none'}"
    for number, step in enumerate(steps):
        name = step["process"]
        if name not in RANGES and name not in PROCESSES:
            yield f"step {number}: {one_of('process', name, [*RANGES, *PROCESSES])}"
        else:
            wrong = mistakes(name, parameters(step), RANGES[name]) if name in RANGES else wrong_parameters(name, parameters(step))
            yield from (f"step {number}: {line}" for line in wrong)

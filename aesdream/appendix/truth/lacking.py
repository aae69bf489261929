"""What a study does not ask for, and without which its dreams cannot be judged: told with its plan, before hours of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aesdream.appendix.truth.asked import Variant, asked_of, asks, called, control_of, distances, how, is_plain, most_starts, nearest, variant
from aesdream.dreaming.settings import Sweep
from aesdream.study import Study
from aesdream.truth.contrasts import SPLITS

DREAMED = {"shuffled": "networks that learned shuffled labels", "untrained": "untrained networks", "random": "noises (direction: random)"}
"""Whose dreams are needed beside those of what learned."""
PAGE = "docs/truth.md, “A study of your own”"


class _Asked(NamedTuple):
    """The dreams of one treatment in one sweep, that are to be made."""

    sweep: Sweep
    treatment: str
    composer: str
    variant: Variant
    control: str
    splits: int

    @property
    def starts(self) -> Sequence[str]:
        """The names of the sounds that they begin from."""
        return self.sweep.starts


def lacking(study: Study) -> Iterator[str]:
    """A line for whatever the truth chapter (``aesdream.appendix.truth``) will lack; none for a study that asks no dreams of which it could tell."""
    asked = list(_asked(study))
    learned = most_starts([one for one in asked if is_plain(one.sweep) and not one.control and not one.variant[1]])
    yield from _doubled(learned)
    whole = [one for one in asked if one.splits >= SPLITS]
    for control, whose in DREAMED.items():
        without = [called(one.variant) for one in learned if not any(_controls(other, one, control) for other in whole)]
        if without:
            names = f"network{'s' if len({*without}) > 1 else ''} {', '.join(dict.fromkeys(without))}"
            alike = "at" if control == "random" else "rule, momentum, at"
            yield f"{names}: no dreams of {whose} of {SPLITS} splits with the same {alike} and stop_rms; nothing will be judged there ({PAGE})"
    unruled = [name for one in learned for name in asked_of(one.composer) if not any(_rules(other, one, name) for other in whole)]
    if unruled:
        whose = f"the rule itself (direction: rule) of {', '.join(dict.fromkeys(unruled))}"
        yield f"no dreams of {whose}, of {SPLITS} splits, with the same at and stop_rms: nothing will be judged ({PAGE})"
    if single := [one.treatment for one in learned if one.splits < SPLITS]:
        yield f"dreams of one split only of {', '.join(single)}: no intervals, without which nothing is judged; at least {SPLITS} splits ({PAGE})"


def _asked(study: Study) -> Iterator[_Asked]:
    for sweep in study.sweeps.values():
        if study.sounds.oracular is not None and asks(sweep):
            models = study.swept(sweep)
            for name in dict.fromkeys(model.treatment for model in models):
                splits = len({model.split for model in models if model.treatment == name})
                control = control_of(study.training.treatments[name])
                yield _Asked(sweep, name, str(study.composer_of(name)), variant(study, name), control, splits)


def _passes(other: _Asked, own: _Asked) -> bool:
    """Whether dreams are measured where others are judged."""
    return nearest(distances(own.sweep)) in distances(other.sweep)


def _controls(other: _Asked, own: _Asked, control: str) -> bool:
    """Whether some dreams are a control of others; noise knows no network, and serves all."""
    if control == "random":
        return other.sweep.direction == "random" and _passes(other, own)
    return other.control == control and other.variant == own.variant and how(other.sweep) == how(own.sweep) and _passes(other, own)


def _rules(other: _Asked, own: _Asked, composer: str) -> bool:
    return other.sweep.direction == "rule" and other.composer == composer and _passes(other, own)


def _doubled(learned: list[_Asked]) -> Iterator[str]:
    """Treatments of which the matrix has one row for two."""
    for (composer, network), count in Counter((one.composer, one.variant) for one in learned).items():
        if count > 1:
            names = [one.treatment for one in learned if (one.composer, one.variant) == (composer, network)]
            place = f"from {composer} in one network ({called(network)})"
            yield f"{', '.join(names)} learned {place}: the truth has one row for them, that of {names[-1]}"

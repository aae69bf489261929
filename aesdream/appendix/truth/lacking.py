"""What a study does not ask for, and without which its dreams cannot be judged: told with its plan, before hours of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from aesdream.appendix.truth.asked import Variant, asked_of, asks, called, control_of, distances, how, nearest, variant
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
    variant: Variant
    control: str


def lacking(study: Study) -> Iterator[str]:
    """A line for whatever the truth chapter (``aesdream.appendix.truth``) will lack; none for a study that asks no dreams of which it could tell."""
    asked = list(_asked(study))
    learned = [one for one in asked if not one.control and not one.variant[1] and one.sweep.direction == "gradient" and not one.sweep.regularisers]
    if not learned:
        return
    yield from _doubled(study, learned)
    for control, whose in DREAMED.items():
        without = [called(one.variant) for one in learned if not any(_controls(other, one, control) for other in asked)]
        if without:
            dreamed = f"no dreams of {whose} made as those of {', '.join(dict.fromkeys(without))} (at, stop_rms, rule, momentum)"
            yield f"{dreamed}: nothing will be judged of these networks ({PAGE})"
    wanted = dict.fromkeys(name for one in learned for name in asked_of(str(study.composer_of(one.treatment))))
    ruled = {study.composer_of(one.treatment) for one in asked if one.sweep.direction == "rule"}
    if unruled := [name for name in wanted if name not in ruled]:
        yield f"no dreams of the rule itself (direction: rule) of {', '.join(unruled)}: nothing will be judged of what listens for it ({PAGE})"
    if study.training.splits < SPLITS:
        yield f"training.splits: {study.training.splits} gives no intervals, without which no dreams are judged; at least {SPLITS} ({PAGE})"


def _asked(study: Study) -> Iterator[_Asked]:
    for sweep in study.sweeps.values():
        if study.sounds.oracular is not None and asks(sweep):
            for treatment in dict.fromkeys(model.treatment for model in study.swept(sweep)):
                yield _Asked(sweep, treatment, variant(study, treatment), control_of(study.training.treatments[treatment]))


def _controls(other: _Asked, own: _Asked, control: str) -> bool:
    """Whether some dreams are a control of others; noise knows no network, and serves all."""
    if nearest(distances(own.sweep)) not in distances(other.sweep):
        return False
    if control == "random":
        return other.sweep.direction == "random"
    return other.control == control and other.variant == own.variant and how(other.sweep) == how(own.sweep)


def _doubled(study: Study, learned: list[_Asked]) -> Iterator[str]:
    """Treatments of which the matrix has one row for two."""
    treatments = {one.treatment: (study.composer_of(one.treatment), called(one.variant)) for one in learned}
    for (composer, network), count in Counter(treatments.values()).items():
        if count > 1:
            names = [name for name, place in treatments.items() if place == (composer, network)]
            yield f"{', '.join(names)} learned from {composer} in one network ({network}): the truth has one row for them, that of {names[-1]}"

"""What a study asks of the truth: which dreams can be compared, what is a control of what, and of which determinants a composer's must tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from aesdream.dreaming.settings import SPREAD, Sweep, drawn
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.measures import MIXTURE, mixture
from aesdream.sounds.splits import Treatment
from aesdream.study import Study

VERDICT_RMS = 0.002
"""The distance at which verdicts are taken, said before any run: near enough that margins stay of the order that sounds have (docs/truth.md). Where a
study does not pass it, the distance nearest to it in proportion.
"""
UNNAMED = "network"
"""What the study's own network is called, which has no name beside others."""
Variant = tuple[str, str]
"""A network by its name, and how its training sounds were augmented (or nothing)."""


class OfTreatment(Protocol):
    """The dreams of one treatment in one sweep, made or to be made."""

    @property
    def treatment(self) -> str: ...

    @property
    def starts(self) -> Sequence[str]: ...


Dreamed = TypeVar("Dreamed", bound=OfTreatment)


def asks(sweep: Sweep) -> bool:
    """Whether a sweep's dreams can be compared: of classes, from spread starts, all equally far from them."""
    return sweep.layers == ("class",) and sweep.stop_rms is not None and all(drawn(start)[0] == SPREAD for start in sweep.starts)


def distances(sweep: Sweep) -> list[float]:
    """At which a sweep's dreams are measured, ascending; the last is where they stop."""
    return [*sweep.at, *([sweep.stop_rms] if sweep.stop_rms else [])]


def nearest(distances: Iterable[float]) -> float:
    """The distance of several at which verdicts are taken."""
    return min(distances, key=lambda rms: round(abs(math.log(rms / VERDICT_RMS)), 6))


def is_plain(sweep: Sweep) -> bool:
    """Whether a sweep follows the gradient as it is."""
    return sweep.direction == "gradient" and not sweep.regularisers


def most_starts(dreamed: Iterable[Dreamed]) -> list[Dreamed]:
    """Of every treatment the sweep with the most starts."""
    best: dict[str, Dreamed] = {}
    for one in dreamed:
        if one.treatment not in best or len(one.starts) > len(best[one.treatment].starts):
            best[one.treatment] = one
    return list(best.values())


def how(sweep: Sweep) -> tuple[Any, ...]:
    """How a sweep dreams, as far as dreams can be compared that differ in it."""
    return sweep.direction, sweep.regularisers, sweep.momentum, sweep.rule


def control_of(treatment: Treatment) -> str:
    """Which control a treatment is; nothing where it learned."""
    return "untrained" if treatment.epochs == 0 else "shuffled" if treatment.labels == "shuffled" else ""


def variant(study: Study, treatment: str) -> Variant:
    """What a treatment's models are, beside whom they learned from."""
    settings = study.training.treatments[treatment]
    return settings.network or UNNAMED, settings.augmentation or ""


def called(one: Variant) -> str:
    """A variant in print."""
    return f"{one[0]}, augmented ({one[1]})" if one[1] else one[0]


def parts_of(name: str) -> list[str]:
    """The determinants that another is the sum of."""
    if COMPOSERS[name].measure is not mixture:
        return []
    return [composer.name for composer in COMPOSERS.values() if composer.measure in MIXTURE]


def rivals_of(name: str, determinants: Sequence[str]) -> list[str]:
    """The determinants that a composer's own must be told from: all others, but neither its parts nor what it is a part of."""
    return [other for other in determinants if other != name and other not in parts_of(name) and name not in parts_of(other)]


def asked_of(name: str) -> list[str]:
    """The determinants of which a composer's dreams must tell: of a mixture every part, else its own."""
    return parts_of(name) or [name]

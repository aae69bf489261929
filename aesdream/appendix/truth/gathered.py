"""The dreams that the truth is asked of, by treatment and sweep: toward both classes, from starts spread over all determinants, equally far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.appendix.instruments.geometry import cosine
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream
from aesdream.dreaming.settings import SPREAD, Sweep, drawn
from aesdream.sounds.splits import Treatment
from aesdream.study import file_name
from aesdream.training.statistics import Estimate
from aesdream.truth.contrasts import Array, by_split, estimate, standardised

CONTROLS = {"shuffled": "labels shuffled", "untrained": "untrained", "random": "random directions"}
"""What cannot know the composer, and what it is called in print."""
UNNAMED = "network"
"""What the study's own network is called, which has no name beside others."""


@dataclass(frozen=True)
class Group:
    """The dreams of one treatment in one sweep. Arrays have NaN for what is missing.

    ``splits`` [shape=(models,)]; ``changes`` [shape=(models, starts, 2, determinants)] what dreams toward the positive class, and toward the other,
    changed from their start, in standard deviations of the corpus; ``dreams`` [shape=(models, starts, 2)].
    """

    sweep: str
    treatment: str
    splits: Sequence[int]
    changes: Array
    dreams: NDArray[Any]

    @property
    def contrasts(self) -> Array:
        """[shape=(models, starts, determinants)]."""
        return np.asarray(self.changes[:, :, 0] - self.changes[:, :, 1])

    @property
    def moved(self) -> dict[int, Array]:
        """The mean contrasts of each split."""
        return by_split(self.contrasts, self.splits)

    @property
    def made(self) -> list[Dream]:
        """The dreams that are there."""
        return [dream for dream in self.dreams.flat if dream is not None and dream.ready]

    @property
    def models(self) -> int:
        """Models of which some contrast is there."""
        return int(np.isfinite(self.contrasts).any(axis=(1, 2)).sum())

    def over_splits(self, values: NDArray[np.float64]) -> dict[int, float]:
        """The mean of a number of every dream, or pair of dreams [shape=(models, ...)], for each split."""
        flat = values.reshape(len(values), -1, 1)
        return {split: float(mean[0]) for split, mean in by_split(flat, self.splits).items()}

    def each(self, key: str, inside: str = "") -> Array:
        """A number of every dream's JSON (of its mapping ``inside``) [shape=(models, starts, 2)]."""
        return np.array([_number(dream, key, inside) for dream in self.dreams.flat], dtype=np.float64).reshape(self.dreams.shape)

    def gains(self) -> Array:
        """How far every dream raised what it was dreamed for [shape=(models, starts, 2)]."""
        found = [np.nan if dream is None or dream.gain is None else dream.gain for dream in self.dreams.flat]
        return np.array(found, dtype=np.float64).reshape(self.dreams.shape)

    def alike(self) -> Array:
        """Cosine between what both dreams of a start added, as sounds [shape=(models, starts)]; NaN where none were kept."""
        both = self.dreams.reshape(-1, 2)
        return np.array([_cosine(one, other) for one, other in both]).reshape(self.dreams.shape[:2])

    def moved_alike(self) -> Array:
        """Cosine between what both dreams of a start changed of all determinants [shape=(models, starts)]."""
        pairs = self.changes.reshape(-1, *self.changes.shape[2:])
        return np.array([cosine(one, other) if np.isfinite([one, other]).all() else np.nan for one, other in pairs]).reshape(self.changes.shape[:2])


def _number(dream: Dream | None, key: str, inside: str) -> float:
    content = {} if dream is None else dream.content.get(inside, {}) if inside else dream.content
    value = content.get(key)
    return float(value) if isinstance(value, int | float) else np.nan


def _cosine(one: Dream | None, other: Dream | None) -> float:
    if one is None or other is None or not all(f"{dream.marker.stem}.wav" in dream.content.get("files", {}) for dream in (one, other)):
        return np.nan
    start = one.own_start().astype(np.float64)
    return cosine(one.sound()[0] - start, other.sound()[0] - start)


def asks(sweep: Sweep) -> bool:
    """Whether a sweep's dreams can be compared: of classes, from spread starts, all equally far from them."""
    return sweep.layers == ("class",) and sweep.stop_rms is not None and all(drawn(start)[0] == SPREAD for start in sweep.starts)


def control_of(treatment: Treatment) -> str:
    """Which control a treatment is; nothing where it learned."""
    return "untrained" if treatment.epochs == 0 else "shuffled" if treatment.labels == "shuffled" else ""


def groups(material: Material) -> Iterator[Group]:
    """Every sweep and treatment that is asked for, whether its dreams are there or not."""
    study = material.study
    spread = deviations(material)
    places = {model.name: (model.treatment, model.split) for model in material.models}
    for sweep, settings in study.sweeps.items():
        if asks(settings):
            members = (material.measured if settings.keep == "numbers" else material.dreams)[sweep]
            for treatment in dict.fromkeys(places[dream.model][0] for dream in members):
                mine = [dream for dream in members if places[dream.model][0] == treatment]
                yield _group(sweep, treatment, mine, places, material, spread)


def deviations(material: Material) -> Mapping[str, float]:
    """The standard deviation of every determinant over the corpus."""
    return {name: float(values.std()) for name, values in material.corpus.measures.items()}


def _group(
    sweep: str, treatment: str, members: Sequence[Dream], places: Mapping[str, tuple[str, int]], material: Material, spread: Mapping[str, float]
) -> Group:
    side = members[0].side
    models = list(dict.fromkeys(dream.model for dream in members))
    starts = list(dict.fromkeys(dream.start for dream in members))
    positive, other = (file_name(material.sounds["classes"][place]) for place in (-1, 0))
    found = {(dream.model, dream.start, dream.target): dream for dream in members if dream.side == side}
    dreams = np.array([[[found.get((model, start, goal)) for goal in (positive, other)] for start in starts] for model in models], dtype=object)
    names = list(spread)
    changes = np.array([_change(dream, names) for dream in dreams.flat], dtype=np.float64).reshape(*dreams.shape, len(names))
    scaled = standardised(changes, np.array(list(spread.values())))
    return Group(sweep, treatment, [places[model][1] for model in models], scaled, dreams)


def _change(dream: Dream | None, names: Sequence[str]) -> list[float]:
    if dream is None or not dream.ready:
        return [np.nan] * len(names)
    after, before = dream.content.get("measures", {}), dream.content.get("excerpt", {}).get("measures", {})
    return [after.get(name, np.nan) - before.get(name, np.nan) for name in names]


def pooled(parts: Sequence[Mapping[int, float]]) -> Estimate:
    """The mean of a number over treatments, in each split, and then over splits with its interval."""
    splits = sorted({split for part in parts for split in part})
    return estimate([float(np.mean([part[split] for part in parts if split in part])) for split in splits])

"""The dreams that the truth is asked of, by treatment and sweep: toward both classes, from starts spread over all determinants, compared in pairs
where both passed the same distance from their start, each by its own gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.appendix.instruments.geometry import cosine
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream
from aesdream.appendix.truth.asked import asks, distances, most_starts, nearest
from aesdream.study import Study, file_name
from aesdream.training.statistics import Estimate, number
from aesdream.truth.contrasts import Array, Pairs, by_split, by_start, estimate, standardised

CONTROLS = {"shuffled": "labels shuffled", "untrained": "untrained", "random": "random directions"}
"""What cannot know the composer, and what it is called in print."""
MOST_MISSING = 0.1
"""The share of the dreams of a direction that may fall short of it, wherever dreams are compared: of what learned, of controls, of rules."""


@dataclass(frozen=True)
class Group:
    """The dreams of one treatment in one sweep. Arrays have NaN for what is missing.

    ``splits`` [shape=(models,)], ``starts`` their names; ``passed`` [shape=(models, starts, 2, determinants)] for every distance what dreams toward
    the positive class, and toward the other, had changed from their start when they passed it, in standard deviations of the corpus; ``dreams``
    [shape=(models, starts, 2)].
    """

    sweep: str
    treatment: str
    splits: Sequence[int]
    starts: Sequence[str]
    passed: Mapping[float, Array]
    dreams: NDArray[Any]

    @property
    def rms(self) -> float:
        """The distance at which the verdict is taken."""
        return nearest(self.passed)

    def of(self, starts: Sequence[str]) -> Group:
        """Its dreams from some of its starts."""
        places = [self.starts.index(start) for start in starts]
        return replace(self, starts=starts, passed={rms: found[:, places] for rms, found in self.passed.items()}, dreams=self.dreams[:, places])

    def changes_at(self, rms: float) -> Array:
        """What both dreams of a start changed; NaN for both where either did not get there [shape=(models, starts, 2, determinants)]."""
        found = self.passed[rms]
        both = np.asarray(np.isfinite(found).any(axis=-1)).all(axis=-1)
        return np.where(np.asarray(both)[:, :, None, None], found, np.nan)

    @property
    def changes(self) -> Array:
        """The same at the verdict's distance."""
        return self.changes_at(self.rms)

    def contrasts_at(self, rms: float) -> Array:
        """[shape=(models, starts, determinants)]."""
        changes = self.changes_at(rms)
        return np.asarray(changes[:, :, 0] - changes[:, :, 1])

    @property
    def contrasts(self) -> Array:
        """The same at the verdict's distance."""
        return self.contrasts_at(self.rms)

    def moved_at(self, rms: float) -> Pairs:
        """The mean contrasts of each split and start; nothing at a distance that was not asked for."""
        return by_start(self.contrasts_at(rms), self.splits, self.starts) if rms in self.passed else {}

    @property
    def moved(self) -> Pairs:
        """The same at the verdict's distance."""
        return self.moved_at(self.rms)

    @property
    def made(self) -> list[Dream]:
        """The dreams that are there."""
        return [dream for dream in self.dreams.flat if dream is not None and dream.ready]

    @property
    def models(self) -> int:
        """Models of which some dream is there."""
        return len({dream.model for dream in self.made})

    @property
    def pairs(self) -> int:
        """Pairs of dreams of which both passed the verdict's distance."""
        return int(np.isfinite(self.contrasts).any(axis=-1).sum())

    @property
    def share_short(self) -> float:
        """The share of the dreams of a direction that did not get as far as the verdict's distance: the larger of both."""
        return max(arm["share_short"] or 0.0 for arm in self.arms())

    def arms(self) -> list[dict[str, Any]]:
        """For both directions: dreams made, how many did not get as far as the verdict's distance, and the share that ended more their class."""
        there, gains = np.asarray(np.isfinite(self.passed[self.rms]).any(axis=-1)), self.gains()
        made = np.array([dream is not None and dream.ready for dream in self.dreams.flat]).reshape(self.dreams.shape)
        found = []
        for way in (0, 1):
            own = gains[:, :, way][np.isfinite(gains[:, :, way])]
            short = int((made[:, :, way] & ~there[:, :, way]).sum())
            count = int(made[:, :, way].sum())
            rose = number(float((own > 0).mean())) if own.size else None
            found.append({"made": count, "short": short, "share_short": number(short / count) if count else None, "rose": rose})
        return found

    def over_splits(self, values: NDArray[np.float64]) -> dict[int, float]:
        """The mean of a number of every dream, or pair of dreams [shape=(models, ...)], for each split."""
        flat = values.reshape(len(values), -1, 1)
        return {split: float(mean[0]) for split, mean in by_split(by_start(flat, self.splits)).items()}

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


def rules(study: Study, groups: Sequence[Group]) -> dict[str, Group]:
    """The dreams of each composer's rule itself, which tell how far its determinant can be moved at least."""
    found = most_starts([group for group in groups if study.sweeps[group.sweep].direction == "rule"])
    return {str(study.composer_of(group.treatment)): group for group in found}


def together(groups: Sequence[Group], rms: float) -> Pairs:
    """The mean contrasts of each split and start over all models of several groups, which began with the same sounds."""
    names = list(dict.fromkeys(start for group in groups for start in group.starts))
    there = [group for group in groups if rms in group.passed]
    if not there:
        return {}
    wide = []
    for group in there:
        values = np.full((len(group.splits), len(names), group.passed[rms].shape[-1]), np.nan)
        values[:, [names.index(start) for start in group.starts]] = group.contrasts_at(rms)
        wide.append(values)
    return by_start(np.concatenate(wide), [split for group in there for split in group.splits], names)


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
    wide = np.array(list(spread.values()))
    passed = {
        rms: standardised(np.array([_change(dream, list(spread), rms) for dream in dreams.flat]).reshape(*dreams.shape, len(spread)), wide)
        for rms in distances(material.study.sweeps[sweep])
    }
    return Group(sweep, treatment, [places[model][1] for model in models], starts, passed, dreams)


def _change(dream: Dream | None, names: Sequence[str], rms: float) -> list[float]:
    """What a dream had changed where it passed a distance; a dream without such a list is measured where it ended."""
    if dream is None or not dream.ready:
        return [np.nan] * len(names)
    content, before = dream.content, dream.content.get("excerpt", {}).get("measures", {})
    ended = {"rms": content.get("rms_from_start", 0.0), "measures": content.get("measures", {})}
    there = [one["measures"] for one in content.get("passed", [ended]) if math.isclose(one["rms"], rms, rel_tol=0.01)]
    after = there[0] if there else {}
    return [after.get(name, np.nan) - before.get(name, np.nan) for name in names]


def pooled(parts: Sequence[Mapping[int, float]]) -> Estimate:
    """The mean of a number over treatments, in each split, and then over splits with its interval."""
    splits = sorted({split for part in parts for split in part})
    return estimate([float(np.mean([part[split] for part in parts if split in part])) for split in splits])

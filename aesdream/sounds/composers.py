"""Synthetic composers: fixed rules that judge sounds, so that a study can be run, and checked, without a person's ear.

Their "interesting" is invented, and pages say so. A composer measures every sound; the sounds that measure highest are called interesting, and
a few judgements are then exchanged, because a person's would not follow a rule either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from aesdream.sounds import measures
from aesdream.sounds.measures import Measure, Samples

Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

CLASSES = ("not interesting", "interesting")
"""What composers say; labels are indices into it."""


@dataclass(frozen=True)
class Composer:
    """A rule: ``measure`` takes a sound (channels, samples) and its rate in hertz; ``rule`` says it in one plain sentence for the pages."""

    name: str
    rule: str
    measure: Measure


COMPOSERS = {
    composer.name: composer
    for composer in (
        Composer(
            "bright",
            "The sounds with the highest brightness (the mean ERB number of the long-term spectrum above 20 Hz, weighted by power) are interesting.",
            measures.brightness,
        ),
        Composer(
            "pulsing",
            "The sounds whose loudness swings most at 2 to 8 Hz (in proportion to its mean) are interesting.",
            measures.fluctuation,
        ),
        Composer(
            "dense",
            "The sounds with the most onsets a second (peaks in the rise of loudness, summed over ERB bands) are interesting.",
            measures.onsets,
        ),
        Composer("wide", "The sounds whose channels differ most (power of the difference, out of all) are interesting.", measures.width),
        Composer(
            "rough",
            "The roughest sounds (modulation of loudness around 70 Hz inside ERB bands, weighted by the root of their power) are interesting.",
            measures.roughness,
        ),
        Composer(
            "mixed",
            "The sounds with the highest sum of brightness, loudness modulation and stereo width (each in its own spread) are interesting.",
            measures.mixture,
        ),
    )
}


@dataclass(frozen=True)
class Judgement:
    """Labels (n,), 1 for interesting, and the ascending indices of the sounds whose judgement was exchanged."""

    labels: Labels
    exchanged: Labels


def sizes(count: int, share: float, exchanged: float) -> tuple[int, int]:
    """How many of ``count`` sounds are interesting, and how many of those change places with others: (164, 8) for 998, .164 and .05."""
    positives = round(share * count)
    return positives, round(exchanged * positives)


def judge(scores: npt.ArrayLike, share: float, exchanged: float, rng: np.random.Generator) -> Judgement:
    """Judge sounds by their scores (n,): the highest are interesting (earlier sounds win ties), then as many of each side are exchanged at random."""
    values = np.asarray(scores, dtype=np.float64)
    positives, moved = sizes(len(values), share, exchanged)
    order = np.argsort(-values, kind="stable")
    both = [rng.choice(side, moved, replace=False) for side in (order[:positives], order[positives:])]
    swapped = np.sort(np.concatenate(both)).astype(np.int64)
    labels = np.zeros(len(values), dtype=np.int64)
    labels[order[:positives]] = 1
    labels[swapped] = 1 - labels[swapped]
    return Judgement(labels, swapped)


def separation(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The ROC AUC of scores (n,) for labels (n,): how often a positive's is the higher, ties counting half."""
    positive = np.asarray(labels) == 1
    ranks, many = rankdata(np.asarray(scores, dtype=np.float64)), int(positive.sum())
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * (len(ranks) - many)))


def planted(composer: str, scores: npt.ArrayLike, judgement: Judgement, ids: list[str]) -> dict[str, Any]:
    """What a corpus tells of its composer: the rule, the sounds whose label was exchanged, and the ceiling.

    The ceiling is what one reaches who knows the rule and its measure but not which labels were exchanged: the ROC AUC of the measure itself, and the
    share of sounds judged as labelled.
    """
    exchanged = [ids[index] for index in judgement.exchanged]
    ceiling = {"roc_auc": round(separation(scores, judgement.labels), 6), "accuracy": round(1 - len(exchanged) / len(ids), 6)}
    return {
        "composer": composer,
        "rule": COMPOSERS[composer].rule,
        "exchanged": len(exchanged) // 2,
        "exchanged_sounds": exchanged,
        "ceiling": ceiling,
    }


def determinants(sound: Samples, rate: int) -> dict[str, float]:
    """What every composer measures in one sound (channels, samples), by the composer's name."""
    return measures.at_once({name: composer.measure for name, composer in COMPOSERS.items()}, sound, rate)


def measured(sounds: Iterable[tuple[Samples, int]]) -> dict[str, Scores]:
    """What every composer measures in each of some sounds, given with their rates; (n,) a composer."""
    rows = [list(determinants(sound, rate).values()) for sound, rate in sounds]
    return dict(zip(COMPOSERS, np.array(rows).reshape(-1, len(COMPOSERS)).T, strict=True))


def correlations(table: Mapping[str, npt.ArrayLike]) -> str:
    """Spearman's rank correlation between all measures of a table (name: (n,)), as text; what never varies has none."""
    ranks = np.array([rankdata(np.asarray(values, dtype=np.float64)) for values in table.values()])
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(ranks)
    column = max(7, *map(len, table)) + 2
    lines = ["".ljust(column) + "".join(name.rjust(column) for name in table)]
    for name, row in zip(table, found, strict=True):
        lines.append(name.ljust(column) + "".join((f"{value:.2f}" if np.isfinite(value) else "-").rjust(column) for value in row))
    return "\n".join(lines)

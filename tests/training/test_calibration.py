from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from aesdream.seeding import generator
from aesdream.training.calibration import calibration, difference_of_means, disagreement, held_out, mean_with_interval
from aesdream.training.evaluation import Judged, bootstrap


def judged(count: int = 400, *, power: float = 1.0, seed: int = 1, each: int = 2) -> Judged:
    """A judge whose word is true at a power of 1 and exaggerates below it, over families of ``each`` sounds."""
    random = generator(seed, "test")
    truth = random.random(count)
    labels = (random.random(count) < truth).astype(np.int64)
    odds = (truth / (1 - truth)) ** (1 / power)
    return Judged([f"s{i}" for i in range(count)], [f"f{i // each}" for i in range(count)], labels, odds / (1 + odds))


def told(given: Judged) -> dict[str, Any]:
    return calibration(given, bootstrap(given.families, 1), generator(1, "calibration"))


def evaluation(split: int, rows: list[tuple[str, float]], kind: str = "validation") -> dict[str, Any]:
    predictions = {
        "id": [name for name, _ in rows],
        "family": [name[0] for name, _ in rows],
        "label": [int(name[1]) for name, _ in rows],
        "probability": [value for _, value in rows],
    }
    windows = {"validation": {"predictions": {key: [] for key in predictions}}} if kind == "sounds" else {}
    return {"split": split, "sets": {**windows, kind: {"predictions": predictions}}}


def test_the_scores_are_those_of_scikit_learn() -> None:
    given = judged()
    found = told(given)
    assert found["brier"]["value"] == pytest.approx(brier_score_loss(given.labels, given.probabilities), rel=1e-5)
    assert found["roc_auc"]["value"] == pytest.approx(roc_auc_score(given.labels, given.probabilities), rel=1e-5)
    share, said = calibration_curve(given.labels, given.probabilities, n_bins=10)
    assert [one["mean"] for one in found["bins"]] == pytest.approx(said, rel=1e-5)
    assert [one["share"]["value"] for one in found["bins"]] == pytest.approx(share, rel=1e-5)
    sizes = np.array([one["judgements"] for one in found["bins"]])
    assert sizes.sum() == 400
    assert found["ece"]["value"] == pytest.approx(np.sum(sizes * np.abs(share - said)) / 400, rel=1e-5)
    assert found["families"] == 200
    assert found["brier_of_the_share"] == pytest.approx(brier_score_loss(given.labels, np.full(400, given.labels.mean())), rel=1e-5)


def test_one_whose_word_is_true_passes_and_one_who_exaggerates_does_not() -> None:
    passed = [told(judged(seed=seed)) for seed in range(20)]
    assert sum(one["ece"]["value"] > one["ece_if_calibrated"]["high"] for one in passed) <= 4
    loud = told(judged(power=0.3))
    assert loud["ece"]["value"] > 2 * loud["ece_if_calibrated"]["high"]


def test_a_sound_that_many_splits_held_out_is_one_sound() -> None:
    given = judged(100)
    twice = Judged(*(list(part) * 4 for part in given[:2]), np.tile(given.labels, 4), np.tile(given.probabilities, 4))
    one, four = told(given), told(twice)
    assert (four["sounds"], four["judgements"]) == (100, 400)
    assert four["ece"]["value"] == pytest.approx(one["ece"]["value"])
    assert four["ece_if_calibrated"] == pytest.approx(one["ece_if_calibrated"])


def test_bounds_hold_the_value_and_are_wider_where_sounds_are_related() -> None:
    given = judged()
    alone, related = told(given), told(given._replace(families=[f"f{i // 40}" for i in np.argsort(np.argsort(given.probabilities))]))
    for one in (alone["brier"], related["brier"], *(one["share"] for one in alone["bins"])):
        assert one["low"] <= one["value"] <= one["high"]
    widths = [one["brier"]["high"] - one["brier"]["low"] for one in (alone, related)]
    assert widths[1] > widths[0]


def test_a_bin_in_which_all_agree_is_not_certain() -> None:
    given = Judged(["a", "b", "c", "d"], ["a", "b", "c", "d"], np.array([0, 0, 0, 1]), np.array([0.01, 0.02, 0.03, 0.95]))
    low, high = told(given)["bins"]
    assert (low["share"]["low"], low["share"]["value"]) == (0, 0)
    assert 0.5 < low["share"]["high"] < 0.6
    assert high["share"]["low"] < 0.25


def test_held_out_sounds_count_once_a_split_with_the_mean_of_its_models() -> None:
    models = [
        evaluation(0, [("a1", 0.2), ("b0", 0.4)]),
        evaluation(0, [("b0", 0.6), ("a1", 0.4)], "sounds"),
        evaluation(1, [("a1", 0.9), ("a1", 0.9)]),
    ]
    found = held_out(models)
    assert (found.ids, found.families, found.labels.tolist()) == (["a1", "b0", "a1"], ["a", "b", "a"], [1, 0, 1])
    assert found.probabilities == pytest.approx([0.3, 0.5, 0.9])


def test_disagreement_keeps_seeds_and_splits_apart() -> None:
    random = generator(1, "test")
    splits, seeds = random.normal(0, 0.2, (4000, 3)), random.normal(0, 0.05, (4000, 3, 2))
    found = disagreement((0.5 + splits[..., None] + seeds).reshape(4000, 6), [0, 0, 1, 1, 2, 2])
    assert found["sd_seeds"] == pytest.approx(0.05, rel=0.05)
    assert found["sd_models"] > 0.15
    assert disagreement(np.array([[0.4, 0.6], [0.7, 0.8]]), ["a", "b"])["sd_seeds"] is None
    assert disagreement(np.array([[0.4, 0.6], [0.7, 0.8]]), ["a", "b"])["both_verdicts"] == 0.5
    assert disagreement(np.array([[0.4], [0.7]]), ["a"]) == {"sd_models": None, "sd_seeds": None, "both_verdicts": 0.0}


def test_a_difference_of_means_draws_families_alike_on_both_sides() -> None:
    families = [f"f{i // 5}" for i in range(50)]
    levels = np.repeat(generator(1, "test").normal(0, 1, 10), 5)
    resampling = bootstrap(families, 1)
    mean = mean_with_interval(levels, families, resampling)
    paired = difference_of_means((levels + 0.1, families), (levels + 0.001 * np.arange(50), families), resampling)
    assert paired["value"] == pytest.approx(0.1 - 0.0245)
    assert paired["high"] - paired["low"] < 0.2 * (mean["high"] - mean["low"])  # type: ignore[operator]

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from aesdream.seeding import generator
from aesdream.training.statistics import MEASURES, Resampling, confusion, curves, estimate, measures, number, spread, wilson

ORACLES = {
    "precision": lambda y, s: sk.precision_score(y, s > 0.5),
    "recall": lambda y, s: sk.recall_score(y, s > 0.5),
    "specificity": lambda y, s: sk.recall_score(1 - y, s <= 0.5),
    "npv": lambda y, s: sk.precision_score(1 - y, s <= 0.5),
    "f1": lambda y, s: sk.f1_score(y, s > 0.5),
    "accuracy": lambda y, s: sk.accuracy_score(y, s > 0.5),
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
}


def judged(n: int, seed: int, grid: int = 10):
    random = generator(seed, "test")
    labels = (random.random(n) < 0.3).astype(int)
    labels[:2] = 0, 1
    scores = np.round(np.clip(0.25 * labels + 0.75 * random.random(n), 0, 1) * grid) / grid
    scores[:2] = 0.0, 1.0
    return labels, scores


def one(labels, scores, **options) -> dict[str, float]:
    return {name: float(value[0]) for name, value in measures(labels, scores, None, **{"prevalence": 0.164, **options}).items()}


@pytest.mark.parametrize("grid", [3, 20, 10**6])
@pytest.mark.parametrize("name", ORACLES)
def test_a_measure_is_scikit_learns(name, grid):
    labels, scores = judged(150, 1, grid)
    assert one(labels, scores)[name] == pytest.approx(ORACLES[name](labels, scores), abs=1e-12)


@pytest.mark.parametrize("name", ORACLES)
def test_a_weight_counts_a_sound_that_often(name):
    labels, scores = judged(60, 2)
    weights = generator(2, "weights").multinomial(60, np.full(60, 1 / 60), size=20).astype(float)
    got = measures(labels, scores, weights, prevalence=0.164)[name]
    repeated = [np.repeat(np.arange(60), row.astype(int)) for row in weights]
    assert got == pytest.approx([ORACLES[name](labels[rows], scores[rows]) for rows in repeated], abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=25))
def test_ties_are_exact_whatever_their_order(sounds):
    labels, scores, weights = (np.array(column) for column in zip(*sounds, strict=True))
    labels, scores = labels.astype(int), scores / 4
    total, positive = weights.sum(), (weights * labels).sum()
    got = {name: value[0] for name, value in measures(labels, scores, weights[None].astype(float), prevalence=0.2).items()}
    shuffled = measures(labels[::-1], scores[::-1], weights[None, ::-1].astype(float), prevalence=0.2)
    for name, value in got.items():
        assert shuffled[name][0] == pytest.approx(value, nan_ok=True, abs=1e-12)
    if 0 < positive < total:
        assert got["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, scores, sample_weight=weights), abs=1e-12)
        beaten = [(a > b) + (a == b) / 2 for a in np.repeat(scores, weights * labels) for b in np.repeat(scores, weights * (1 - labels))]
        assert got["roc_auc"] == pytest.approx(np.mean(beaten), abs=1e-12)
    else:
        assert math.isnan(got["roc_auc"])
    if positive:
        assert got["average_precision"] == pytest.approx(sk.average_precision_score(labels, scores, sample_weight=weights), abs=1e-12)
    else:
        assert math.isnan(got["average_precision"])


def test_measures_at_a_prevalence_are_those_of_a_set_with_that_prevalence():
    labels, scores = judged(200, 3)
    share = labels.mean()
    reweighted = np.where(labels == 1, 0.1 / share, 0.9 / (1 - share))
    got = one(labels, scores, prevalence=0.1)
    assert got["precision_at_prevalence"] == pytest.approx(sk.precision_score(labels, scores > 0.5, sample_weight=reweighted))
    assert got["f1_at_prevalence"] == pytest.approx(sk.f1_score(labels, scores > 0.5, sample_weight=reweighted))
    own = one(labels, scores, prevalence=share)
    assert own["precision_at_prevalence"] == pytest.approx(own["precision"])
    assert own["f1_at_prevalence"] == pytest.approx(own["f1"])


def test_a_judge_that_never_says_yes_has_no_precision_and_no_f1_above_zero():
    got = one([0, 0, 1], [0.5, 0.2, 0.5])
    assert math.isnan(got["precision"])
    assert math.isnan(got["precision_at_prevalence"])
    assert (got["recall"], got["specificity"], got["f1"], got["f1_at_prevalence"]) == (0, 1, 0, 0)
    assert confusion([0, 0, 1], [0.5, 0.2, 0.5]) == {"tp": 0, "fp": 0, "fn": 1, "tn": 2}


@pytest.mark.parametrize("label", [0, 1])
def test_a_set_of_one_class_is_measured_without_a_warning(label):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = measures([label] * 3, [0.1, 0.9, 0.9], np.array([[1.0, 1, 1], [0, 0, 0]]), prevalence=0.164)
        bounds = {name: estimate(values[0], values) for name, values in got.items()}
    assert bounds["roc_auc"] == {"value": None, "low": None, "high": None}
    assert bounds["accuracy"]["value"] == number((1 + label) / 3)
    assert all(np.isnan(values[1]) for values in got.values())


def test_only_the_measures_that_were_asked_for_are_computed():
    assert list(measures([0, 1], [0.1, 0.9], None, prevalence=0.5, names=["f1"])) == ["f1"]
    assert set(ORACLES) < set(MEASURES)


def test_a_family_is_drawn_as_a_whole_and_alike_in_every_set():
    corpus = [f"family {i % 40}" for i in range(100)]
    resampling = Resampling(corpus, 200, generator(4, "draws"))
    some, others = resampling.weights(corpus[:60]), resampling.weights(corpus[40:])
    assert some.shape == (200, 60)
    assert (some[:, :20] == some[:, 40:]).all()
    assert (some[:, 40:] == others[:, :20]).all()
    assert (resampling.weights(sorted(set(corpus))).sum(axis=1) == 40).all()


def test_draws_depend_on_the_families_and_not_on_their_order():
    families = [f"family {i}" for i in range(30)]
    forward, backward = (Resampling(order, 50, generator(5, "draws")).weights(families) for order in (families, families[::-1] * 2))
    assert (forward == backward).all()
    # n trials with chance 1/n: a family's multiplicity has mean 1 and variance 1 - 1/n
    many = Resampling(families, 20000, generator(6, "draws")).weights(families)
    assert many.mean(axis=0) == pytest.approx(1, abs=0.04)
    assert many.var(axis=0) == pytest.approx(1 - 1 / 30, abs=0.06)


def test_shares_leave_no_family_out_are_alike_in_every_set_and_spread_as_counts_do():
    corpus = [f"family {i % 40}" for i in range(100)]
    resampling = Resampling(corpus, 20000, generator(4, "draws"))
    some, others = resampling.shares(corpus[:60]), resampling.shares(corpus[40:])
    assert (some > 0).all()
    assert (some[:, 40:] == others[:, :20]).all()
    assert some.mean(axis=0) == pytest.approx(1, abs=0.05)
    assert some.var(axis=0) == pytest.approx(1, abs=0.1)


def test_a_family_from_elsewhere_is_refused():
    with pytest.raises(ValueError, match="stranger"):
        Resampling(["a", "b"], 5, generator(7, "draws")).weights(["a", "stranger"])


def test_the_interval_of_a_recall_agrees_with_the_binomial_law():
    labels, scores = np.ones(54), np.repeat([1.0, 0.0], [40, 14])
    sounds = [str(i) for i in range(54)]
    draws = measures(labels, scores, Resampling(sounds, 5000, generator(8, "draws")).weights(sounds), prevalence=0.164)["recall"]
    got = estimate(40 / 54, draws)
    assert got["value"] == pytest.approx(40 / 54, abs=1e-6)
    assert got["low"] == pytest.approx(40 / 54 - 1.96 * np.sqrt(40 * 14 / 54**3), abs=0.02)
    assert got["high"] == pytest.approx(40 / 54 + 1.96 * np.sqrt(40 * 14 / 54**3), abs=0.02)


def test_the_interval_over_families_covers_the_truth_and_the_one_over_sounds_does_not():
    truth, labels, covered = 0.7, np.ones(200), {"families": 0, "sounds": 0}
    families = {"families": [str(i // 4) for i in range(200)], "sounds": [str(i) for i in range(200)]}
    for trial in range(200):
        random = generator(trial, "coverage")
        shared = np.repeat(random.random(50) < truth, 4)  # relatives are mostly heard or missed together
        scores = np.where(random.random(200) < 0.8, shared, random.random(200) < truth)
        for name, groups in families.items():
            weights = Resampling(groups, 300, generator(trial, "draws", name)).weights(groups)
            bounds = estimate(scores.mean(), measures(labels, scores, weights, names=["recall"])["recall"])
            covered[name] += bounds["low"] <= truth <= bounds["high"]
    assert 0.9 <= covered["families"] / 200 <= 0.99
    assert covered["sounds"] / 200 < 0.85


def test_undefined_draws_are_left_out_until_they_are_the_majority():
    half = np.array([np.nan, 0.2, np.nan, 0.4])
    assert estimate(0.3, half) == {"value": 0.3, "low": 0.205, "high": 0.395}
    assert estimate(0.3, np.append(half, np.nan)) == {"value": 0.3, "low": None, "high": None}
    assert estimate(math.nan, half) == {"value": None, "low": None, "high": None}
    assert estimate(1.0, np.ones(9)) == {"value": 1.0, "low": None, "high": None}


def test_wilson_gives_the_interval_of_the_thesis_recall():
    low, high = wilson(40, 54)
    assert (round(low, 2), round(high, 2)) == (0.61, 0.84)


@pytest.mark.parametrize(("successes", "n"), [(40, 54), (0, 7), (7, 7), (1, 300)])
def test_wilsons_bounds_are_where_the_score_test_just_rejects(successes, n):
    for bound in wilson(successes, n):
        if 0 < bound < 1:
            assert abs(successes / n - bound) / math.sqrt(bound * (1 - bound) / n) == pytest.approx(1.959964, abs=1e-5)
    assert wilson(successes, n) == pytest.approx([1 - bound for bound in reversed(wilson(n - successes, n))])
    assert wilson(0, 0) == (0, 1)


def test_spread_keeps_splits_and_seeds_apart():
    values = {(0, 0): 1.0, (0, 1): 3.0, (1, 0): 5.0, (1, 1): 7.0, (1, 2): math.nan}
    assert spread(values) == {"mean": 4, "sd_splits": number(math.sqrt(8)), "sd_seeds": number(math.sqrt(2)), "n": 4}
    assert spread({(0, 0): 1.0, (1, 0): 2.0}) == {"mean": 1.5, "sd_splits": number(math.sqrt(0.5)), "sd_seeds": None, "n": 2}
    assert spread({(0, 0): 1.0, (0, 1): 2.0})["sd_splits"] is None
    assert spread({(0, 0): math.nan}) == {"mean": None, "sd_splits": None, "sd_seeds": None, "n": 0}


@pytest.mark.parametrize("grid", [1, 4, 30, 10**6])
def test_thinned_curves_keep_their_areas_and_lie_on_scikit_learns(grid):
    labels, scores = judged(180, 9, grid)
    thin = curves(labels, scores)
    rate, recall = np.array(thin["roc"]).T
    assert np.trapezoid(recall, rate) == pytest.approx(sk.roc_auc_score(labels, scores))
    full = set(zip(*sk.roc_curve(labels, scores, drop_intermediate=False)[:2], strict=True))
    assert set(zip(rate, recall, strict=True)) <= full
    assert thin["roc"][0] == [0, 0]
    assert thin["roc"][-1] == [1, 1]
    recall, precision = np.array(thin["precision_recall"]).T
    assert (np.diff(recall) * precision[1:]).sum() == pytest.approx(sk.average_precision_score(labels, scores))
    precisions, recalls, _ = sk.precision_recall_curve(labels, scores)
    exact = set(zip(recalls.round(12), precisions.round(12), strict=True))
    assert set(zip(recall[1:].round(12), precision[1:].round(12), strict=True)) <= exact
    assert len(thin["precision_recall"]) <= 2 * labels.sum() + 2


def test_curves_of_a_set_of_one_class_are_empty_where_undefined():
    assert curves([0, 0], [0.1, 0.2]) == {"roc": [], "precision_recall": []}
    assert curves([1, 1], [0.1, 0.2]) == {"roc": [], "precision_recall": [[0, 1], [0.5, 1], [1, 1]]}

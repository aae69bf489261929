from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from aesdream.seeding import generator
from aesdream.training.baselines import ceiling, logistic, majority
from aesdream.training.evaluation import evaluate
from aesdream.training.statistics import Resampling


def test_the_majority_is_the_same_for_every_sound_and_at_balance_says_no():
    assert majority([0, 0, 0, 1], 3).tolist() == [0.25] * 3
    ids = ["a", "b", "c", "d"]
    balanced = evaluate(
        ids, ids, [0, 1, 0, 0], majority([0, 1], 4), corpus_prevalence=0.25, resampling=Resampling(ids, 20, generator(1, "d")), leaky=False
    )
    assert balanced["confusion"] == {"tp": 0, "fp": 0, "fn": 1, "tn": 3}
    assert balanced["roc_auc"]["value"] == 0.5


def described(n: int = 200, shift: float = 1.0):
    random = generator(2, "features")
    labels = (random.random(n) < 0.2).astype(int)
    features = random.standard_normal((n, 3)) * [1, 100, 0.01]
    features[:, 0] += shift * labels
    return np.column_stack([features, np.full(n, 7.0)]), labels


def test_logistic_regression_is_the_minimum_of_its_penalised_cross_entropy():
    features, labels = described()
    got = logistic(features[:150], labels[:150], features[150:])
    scaled = (features[:, :3] - features[:150, :3].mean(axis=0)) / features[:150, :3].std(axis=0)

    def loss(w):
        z = scaled[:150] @ w[1:] + w[0]
        return np.logaddexp(0, z).sum() - labels[:150] @ z + (w[1:] ** 2).sum() / 2

    w = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    assert got == pytest.approx(1 / (1 + np.exp(-scaled[150:] @ w[1:] - w[0])), abs=2e-3)
    assert (got == logistic(features[:150], labels[:150], features[150:])).all()


def test_copies_of_the_positives_move_the_threshold_as_they_do_for_a_network():
    features, labels = described()
    rows = np.repeat(np.arange(150), 1 + 3 * labels[:150])
    plain, oversampled = (logistic(features[chosen], labels[chosen], features[150:]) for chosen in (np.arange(150), rows))
    assert plain.mean() == pytest.approx(labels[:150].mean(), abs=0.08)
    assert (oversampled > plain).all()
    assert (oversampled > 0.5).sum() > (plain > 0.5).sum()


def test_training_sounds_of_one_class_leave_the_majority():
    features, _ = described(20)
    assert logistic(features, np.zeros(20), features[:3]).tolist() == [0, 0, 0]


def test_the_ceiling_is_the_rule_itself():
    scores = generator(3, "scores").standard_normal(300) * 40 + 1000
    ranked = np.sort(scores)
    threshold = (ranked[249] + ranked[250]) / 2
    judged = ceiling(scores, threshold)
    assert ((judged > 0.5) == (scores > threshold)).all()
    assert (np.argsort(judged) == np.argsort(scores)).all()
    assert len(np.unique(judged)) == 300
    assert 0 < judged.min() < judged.max() < 1
    assert ceiling([threshold], threshold) == 0.5
    ids = [str(i) for i in range(300)]
    resampling = Resampling(ids, 50, generator(4, "draws"))
    labels = (scores > threshold).astype(int)
    exchanged = labels.copy()
    exchanged[np.argsort(scores)[[0, 1, -1, -2]]] ^= 1
    perfect, honest = (evaluate(ids, ids, y, judged, corpus_prevalence=1 / 6, resampling=resampling, leaky=False) for y in (labels, exchanged))
    assert (perfect["roc_auc"]["value"], perfect["f1"]["value"]) == (1, 1)
    assert honest["confusion"] == {"tp": 48, "fp": 2, "fn": 2, "tn": 248}

"""What training minimises, against scikit-learn and written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics

from aesdream.training import losses

LOGITS = torch.randn(20, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
LABELS = torch.arange(20) % 4


def test_a_softmax_is_taught_the_cross_entropy_of_its_class():
    wanted = metrics.log_loss(LABELS, torch.softmax(LOGITS, 1), normalize=False)
    assert float(losses.loss(LOGITS, LABELS, "softmax")) == pytest.approx(wanted)


def test_sigmoids_are_taught_yes_for_the_label_and_no_for_the_others():
    probabilities = torch.sigmoid(LOGITS)
    wanted = sum(metrics.log_loss(number == LABELS, probabilities[:, number], normalize=False) for number in range(4)) / 4
    assert float(losses.loss(LOGITS, LABELS, "sigmoid")) == pytest.approx(wanted)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_the_validation_loss_is_the_mean_of_what_is_taught(output: str):
    probabilities = (torch.softmax(LOGITS, 1) if output == "softmax" else torch.sigmoid(LOGITS)).numpy()
    got = losses.validation(probabilities, LABELS.numpy(), output)
    assert got["validation_loss"] == pytest.approx(float(losses.loss(LOGITS, LABELS, output)) / 20)
    assert got["validation_auc"] == pytest.approx(np.mean([metrics.roc_auc_score(c == LABELS, probabilities[:, c]) for c in range(4)]))


def test_certainty_in_the_wrong_costs_much_but_not_everything():
    certain = np.array([[0.0, 1.0], [1.0, 0.0]])
    for output in ("softmax", "sigmoid"):
        assert 10 < losses.validation(certain, np.array([0, 1]), output)["validation_loss"] < 100


def test_of_two_classes_the_last_is_judged():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert losses.validation(probabilities, np.array([0, 1, 1]), "softmax")["validation_auc"] == 1
    assert losses.validation(probabilities, np.array([0, 0, 0]), "softmax")["validation_auc"] is None

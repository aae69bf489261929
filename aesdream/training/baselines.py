"""Simple judges to hold a network against: one that knows only the majority, one that knows a few descriptors, one that knows the rule.

Each gives the probability of the positive class for the sounds of a validation set [shape=(n_validation,)], for ``evaluation.evaluate``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Probabilities = NDArray[np.float64]


def majority(train_labels: ArrayLike, n: int) -> Probabilities:
    """The share of positives among the training labels, for every one of ``n`` sounds: it says what most training sounds are."""
    return np.full(n, np.asarray(train_labels, dtype=np.float64).mean())


def logistic(train_features: ArrayLike, train_labels: ArrayLike, validation_features: ArrayLike) -> Probabilities:
    """Logistic regression on standardised features [shape=(n, features)], with scikit-learn's defaults; no random numbers are drawn.

    Classes are not weighted: like the network it minimises plain cross-entropy, so given the same training rows (a copied sound as often as it
    was copied) both carry the same prior into their threshold of .5, and what oversampling does to one it does to the other. The scaling is
    learned from the training rows alone. Training labels of one kind only leave nothing to learn but the majority.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    labels, features = np.asarray(train_labels), np.asarray(validation_features, dtype=np.float64)
    if np.unique(labels).size < 2:
        return majority(labels, len(features))
    judge = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return judge.fit(np.asarray(train_features, dtype=np.float64), labels).predict_proba(features)[:, 1]


def ceiling(scores: ArrayLike, threshold: float) -> Probabilities:
    """The judgement of one who knows a synthetic composer's rule, which says yes to a score above ``threshold`` (both in the score's unit).

    Strictly increasing in the score and .5 at the threshold, so ranking and errors are the rule's own; how far from .5 means nothing. Evaluated
    against labels of which some were exchanged, it shows what the exchange leaves to be learned. Midway between the lowest accepted and the
    highest refused score, a threshold stays clear of ties.
    """
    distance = np.asarray(scores, dtype=np.float64) - threshold
    return 0.5 + distance / (2 * (1 + np.abs(distance)))

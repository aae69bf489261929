"""What training minimises: cross-entropy, of one class a sound (softmax) or of every class for itself (sigmoid).

Every training sound has one label; a network with sigmoid outputs learns to say yes to it and no to every other class (facts, section 3).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aesdream.models.layers import Output
from aesdream.training import statistics

LEAST = 1e-12
"""Below this a probability counts as this, so that one sound cannot make a validation loss infinite."""


def loss(logits: torch.Tensor, labels: torch.Tensor, output: Output) -> torch.Tensor:
    """The sum over sounds of the loss of (n, classes) logits, given (n,) labels; with sigmoid outputs a sound's is the mean over classes."""
    if output == "softmax":
        return nn.functional.cross_entropy(logits, labels, reduction="sum")
    wanted = nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / logits.shape[1]


def validation(probabilities: NDArray[np.float64], labels: NDArray[np.int64], output: Output) -> dict[str, float | None]:
    """The mean loss of (n, classes) probabilities, and the area under the ROC curve: of the last of two classes, of more the mean over classes."""
    count, classes = probabilities.shape
    if output == "softmax":
        losses = -np.log(probabilities[np.arange(count), labels].clip(LEAST))
    else:
        wanted = np.eye(classes, dtype=bool)[labels]
        losses = -np.log(np.where(wanted, probabilities, 1 - probabilities).clip(LEAST)).mean(1)
    judged = range(classes) if classes > 2 else [classes - 1]
    areas = [statistics.measures(labels == number, probabilities[:, number], names=["roc_auc"])["roc_auc"] for number in judged]
    area = float(statistics.mean_of_defined(np.stack(areas))[0])
    return {"validation_loss": float(losses.mean()), "validation_auc": area if np.isfinite(area) else None}

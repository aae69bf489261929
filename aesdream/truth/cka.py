"""How alike two layers are as wholes: linear centred kernel alignment (Kornblith, Norouzi, Lee and Hinton 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def linear_cka(one: Array, other: Array) -> float:
    """Between responses to the same sounds [shape=(sounds, filters)], whose numbers of filters may differ: 1 where one is the other turned, mirrored
    and scaled as a whole; NaN where one does not vary. Few sounds and many filters raise it by chance: it is read beside that of controls.
    """
    first, second = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = float(np.linalg.norm(first.T @ first)) * float(np.linalg.norm(second.T @ second))
    return float(np.linalg.norm(first.T @ second)) ** 2 / scale if scale else float("nan")

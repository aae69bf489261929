"""Whether a dream made for one model is one for another: it excites the filter that matches its target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def excited(change: Array, spread: Array, match: int) -> float:
    """The share of a layer's other living filters that rose less than the matched one: 1 where the match rose most, one half by chance.

    ``change`` [shape=(filters,)] is how a dream changed every filter's mean response from its start's, ``spread`` the standard deviation of each over
    held-out sounds, in which changes are compared; ties count half. NaN where the match is dead or alone.
    """
    alive = spread > 0
    if not alive[match] or alive.sum() < 2:
        return float("nan")
    scaled = np.divide(change, spread, out=np.zeros_like(change), where=alive)
    others = np.delete(scaled, match)[np.delete(alive, match)]
    return float(np.mean((others < scaled[match]) + 0.5 * (others == scaled[match])))

"""The body's selection of dreams: living filters as unlike each other as can be, a dead one, and one dreamed before its ReLU.

The thesis shows thirteen living filters in its figures 6.2 to 6.14 (three of layer 2, four of layer 3, six of layer 4), chosen for diversity, a dead
one in 6.15 and one before its ReLU in 6.16. Here diversity is measured: the cosine distance between what two dreams add (their coefficients).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aesdream.appendix.reading import Dream

LIVING = 13
_SHARES = (3, 4, 6)


def quotas(available: Sequence[int], total: int = LIVING) -> list[int]:
    """How many to take from each layer: 3, 4 and 6 of three layers as in the thesis, equal parts otherwise; what one layer lacks others give."""
    weights = _SHARES if len(available) == len(_SHARES) else (1,) * len(available)
    wanted = [min(have, round(total * weight / sum(weights))) for have, weight in zip(available, weights, strict=True)]
    while sum(wanted) > total:
        wanted[wanted.index(max(wanted))] -= 1
    while sum(wanted) < min(total, sum(available)):
        spare = [have - want for have, want in zip(available, wanted, strict=True)]
        wanted[spare.index(max(spare))] += 1
    return wanted


def farthest(vectors: Sequence[Sequence[float]], first: int, count: int) -> list[int]:
    """``count`` indices of ``vectors``, from ``first`` on, each the farthest (cosine distance) from the nearest that is already chosen."""
    matrix = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    units = np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0)
    chosen = [first]
    nearest = 1.0 - units @ units[first]
    while len(chosen) < min(count, len(matrix)):
        nearest[chosen] = -np.inf
        # Rounded, so that the last bits of a product never decide between twins.
        chosen.append(int(np.argmax(np.round(nearest, 9))))
        nearest = np.minimum(nearest, 1.0 - units @ units[chosen[-1]])
    return chosen


def diverse(dreams: Sequence[Dream], count: int) -> list[Dream]:
    """``count`` living dreams of one layer as unlike each other as can be, in the order of their targets; the strongest change opens the choice."""
    if not dreams or count < 1:
        return []
    first = int(np.argmax([dream.number("rms_from_start") or 0.0 for dream in dreams]))
    chosen = farthest([dream.content["coefficients"] for dream in dreams], first, count)
    return [dreams[index] for index in sorted(chosen)]


def select(dreams: Sequence[Dream]) -> dict[str, list[Dream]]:
    """The choice among one model's dreams from one start.

    ``living``, which rose, are not dead and did not overshoot; ``dead``, one or none; ``pair``, a filter's dream before and after its ReLU, or none.
    """
    filters = [dream for dream in dreams if dream.ready and dream.is_filter]
    layers: dict[str, list[Dream]] = {}
    for dream in filters:
        if dream.side == "post" and dream.fate == "rose" and not dream.dead and not dream.overshot and any(dream.content["coefficients"]):
            layers.setdefault(dream.layer, []).append(dream)
    counts = quotas([len(members) for members in layers.values()])
    living = [dream for members, count in zip(layers.values(), counts, strict=True) for dream in diverse(members, count)]
    dead = [dream for dream in filters if dream.side == "post" and dream.dead]
    return {"living": living, "dead": dead[-1:], "pair": _pair(living, filters)}


def _pair(living: Sequence[Dream], filters: Sequence[Dream]) -> list[Dream]:
    """The chosen filter of the middle layer that opens it, before and after its ReLU; another layer's where that has none."""
    before: Mapping[tuple[str, str], Dream] = {(dream.layer, dream.target): dream for dream in filters if dream.side == "pre"}
    pairs = [(before[dream.layer, dream.target], dream) for dream in living if (dream.layer, dream.target) in before]
    layers = list(dict.fromkeys(dream.layer for dream in living))
    if not pairs:
        return []
    middle = layers[len(layers) // 2]
    return list(next((pair for pair in pairs if pair[1].layer == middle), pairs[0]))

"""How alike the targets of a layer are: by what their dreams add, and by how they respond to the corpus.

The thesis chose the filters of its body by eye, for diversity, having noticed that many of a layer look alike. Here two targets are as far apart as
the larger of two distances says: one less the cosine between what their dreams add (conv1's coefficients), and one less the correlation of their mean
responses over sounds of the corpus. Near-copies are close in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from aesdream.appendix.analysis import Array
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream
from aesdream.dreaming.objectives import listening
from aesdream.dreaming.responses import noted
from aesdream.sounds import audio
from aesdream.training.checkpoints import Checkpoint, load_network
from aesdream.training.statistics import number

NEAR = 0.95
"""Near-copies are alike by at least this much, in both senses, each with each."""
LIKE = 0.5
"""What is less alike than this, in one sense or both, is not called most like."""
SOUNDS = 200
"""Sounds of the corpus, evenly spread, over which responses are compared."""
_TOGETHER = 8
Responses = Mapping[tuple[str, str], Array]


def numbers(material: Material) -> dict[str, Any]:
    """``likeness``: for each model, start, side and layer of a sweep its living targets, how alike each two are, and the groups of near-copies."""
    measured: dict[str, Responses] = {}
    layers = []
    there = {model.name for model in material.models if model.evaluation}
    for key, members in _layers(material):
        if key["model"] not in there:
            continue  # its responses are not to be had
        if key["model"] not in measured:
            measured[key["model"]] = responses(material, key["model"])
        layers.append({**key, **_layer(members, measured[key["model"]][key["layer"], key["side"]])})
    used = min(SOUNDS, len(material.corpus.ids))
    return {"likeness": {"sounds": used, "near": NEAR, "like": LIKE, "layers": layers}} if layers else {}


def _layers(material: Material) -> Iterator[tuple[dict[str, str], list[Dream]]]:
    """The living filters of each layer, where there are at least two."""
    for sweep, dreams in material.dreams.items():
        groups: dict[tuple[str, str, str, str], list[Dream]] = {}
        for dream in dreams:
            if dream.is_filter and dream.fate == "rose" and not dream.dead:
                groups.setdefault((dream.model, dream.start, dream.side, dream.layer), []).append(dream)
        for key, members in groups.items():
            if len(members) > 1:
                yield {"sweep": sweep, **dict(zip(("model", "start", "side", "layer"), key, strict=True))}, members


def _layer(members: Sequence[Dream], responded: Array) -> dict[str, Any]:
    added = cosines([dream.content.get("coefficients") or [] for dream in members])
    alike = correlations(responded[:, [int(dream.target) for dream in members]])
    tree = linkage(added, alike)
    targets = [dream.target for dream in members]
    grouped = hierarchy.fcluster(tree, 1 - NEAR, "distance")
    groups = [[target for target, mine in zip(targets, grouped, strict=True) if mine == group] for group in dict.fromkeys(grouped.tolist())]
    return {
        "targets": targets,
        "order": [targets[leaf] for leaf in hierarchy.leaves_list(tree)],
        "groups": [group for group in groups if len(group) > 1],
        "kinds": len(groups),
        "added": _triangle(added),
        "responses": _triangle(alike),
    }


def responses(material: Material, model: str) -> Responses:
    """The mean response of every filter of a model to sounds of the corpus, by layer and side [shape=(sounds, filters)]. Raises DamagedFile."""
    unit = next(unit for unit in material.models if unit.name == model)
    checkpoint = load_network(unit.checkpoint())
    layers = sorted({dream.layer for members in material.dreams.values() for dream in members if dream.model == model})
    chosen = np.unique(np.linspace(0, len(material.corpus.ids) - 1, SOUNDS).round().astype(int))
    return mean_responses(checkpoint, layers, _batches(material, checkpoint, chosen.tolist()))


def _batches(material: Material, checkpoint: Checkpoint, chosen: Sequence[int]) -> Iterator[torch.Tensor]:
    dtype = next(checkpoint.network.parameters()).dtype
    for first in range(0, len(chosen), _TOGETHER):
        sounds = [material.corpus.read(index, 0, checkpoint.description.samples) for index in chosen[first : first + _TOGETHER]]
        yield torch.from_numpy(np.stack(sounds)).to(dtype) / audio.FULL_SCALE


@torch.no_grad()
def mean_responses(checkpoint: Checkpoint, layers: Sequence[str], batches: Iterator[torch.Tensor]) -> Responses:
    """Mean outputs before (``pre``) and after (``post``) the activation of ``layers``' filters to every input of ``batches``."""
    with noted(checkpoint.network, layers) as seen, listening(checkpoint.network):
        for batch in batches:
            checkpoint.network(batch)
    return {key: np.concatenate(parts) for key, parts in seen.items()}


def cosines(vectors: Sequence[Sequence[float]]) -> Array:
    """Cosine of each two vectors, 0 beside one of zeros; of vectors without entries undefined."""
    matrix = np.asarray(vectors, dtype=np.float64)
    if matrix.size == 0:
        return np.full((len(vectors), len(vectors)), np.nan)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    units = np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0)
    return np.clip(units @ units.T, -1.0, 1.0)


def correlations(columns: Array) -> Array:
    """Correlation of each two columns [shape=(n, m)], 0 beside a constant one."""
    return cosines((columns - columns.mean(axis=0)).T.tolist())


def distances(added: Array, alike: Array) -> Array:
    """The larger of both distances, that of responses where no cosine is defined; rounded, so that the last bits of a product decide nothing."""
    found: Array = np.round(1.0 - np.fmin(added, alike), 9)
    np.fill_diagonal(found, 0.0)
    return np.maximum(found, found.T)


def linkage(added: Array, alike: Array) -> NDArray[np.float64]:
    """The tree of complete linkage: a group is as wide as its two farthest members."""
    return np.asarray(hierarchy.linkage(squareform(distances(added, alike), checks=False), "complete"))


def _triangle(matrix: Array) -> list[list[float | None]]:
    """What lies above a symmetric matrix's diagonal, a row each, its last one left out."""
    return [[number(round(float(value), 4)) for value in row[place + 1 :]] for place, row in enumerate(matrix[:-1])]


def square(triangle: Sequence[Sequence[float | None]]) -> Array:
    """The symmetric matrix, with ones in its diagonal, of which results.json holds what lies above that."""
    size = len(triangle) + 1
    matrix = np.eye(size)
    for place, row in enumerate(triangle):
        matrix[place, place + 1 :] = matrix[place + 1 :, place] = np.array(row, dtype=np.float64)
    return matrix


def nearest(found: Mapping[str, Any], target: str, count: int = 4) -> list[dict[str, Any]]:
    """The targets of a layer of ``likeness`` that are closest to one of them, and alike at all, closest first, with both measures."""
    added, alike = square(found["added"]), square(found["responses"])
    place = found["targets"].index(target)
    far = distances(added, alike)[place]
    others = [int(other) for other in np.argsort(far, kind="stable") if other != place and far[other] <= 1 - LIKE][:count]
    return [{"target": found["targets"][k], "added": number(added[place, k]), "responses": number(alike[place, k])} for k in others]


def ordered(found: Mapping[str, Any]) -> list[int]:
    """The places of a layer's targets in the order of their tree, in which likes stand together."""
    places = {target: place for place, target in enumerate(found["targets"])}
    return [places[target] for target in found["order"]]

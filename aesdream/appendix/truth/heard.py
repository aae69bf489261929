"""What a network heard of a composer: how well its models tell the sounds apart, beside models of shuffled labels asked the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aesdream.appendix.material import Material
from aesdream.appendix.reading import Model
from aesdream.appendix.truth.asked import control_of, variant
from aesdream.training.statistics import measures
from aesdream.truth.contrasts import estimate

Numbers = dict[str, Any]
Content = Mapping[str, Any]


def auc(content: Content, treatment: str | None) -> Content | None:
    """How well a treatment's models tell the sounds apart, as the tables have it: the mean over models, with its interval over families."""
    means = [table["mean"]["roc_auc"] for table in content["tables"] if table["treatment"] == treatment and table["mean"]]
    return {key: means[0].get(key) for key in ("value", "low", "high", "n")} if means else None


def heard(material: Material, treatment: str) -> Numbers:
    """The AUC of a treatment's models, that of shuffled labels' models of the same network for the *same* composer's labels, and the difference, with
    intervals over splits; both judge the same validation sounds.
    """
    study = material.study
    learned = [model for model in material.models if model.treatment == treatment]
    beside = {
        name
        for name, settings in study.training.treatments.items()
        if control_of(settings) == "shuffled" and variant(study, name) == variant(study, treatment)
    }
    shuffled = [model for model in material.models if model.treatment in beside]
    labels = {split: _labels([model for model in learned if model.split == split]) for split in sorted({model.split for model in learned})}
    own, control = (_by_split(models, labels) for models in (learned, shuffled))
    return {
        "roc_auc": auc(material.content, treatment),
        "shuffled_auc": estimate(list(control.values())),
        "heard": estimate([own[split] - control[split] for split in own if split in control]),
    }


def _labels(models: Sequence[Model]) -> dict[str, int]:
    """The composer's label of every validation sound."""
    found: dict[str, int] = {}
    for said in map(_predictions, models):
        found.update(zip(said.get("id", []), said.get("label", []), strict=True))
    return found


def _predictions(model: Model) -> Content:
    """Of the validation sounds: of whole ones where windows were judged."""
    sets = {} if model.evaluation is None else model.evaluation.get("sets", {})
    return dict((sets.get("sounds") or sets.get("validation") or {}).get("predictions", {}))


def _by_split(models: Sequence[Model], labels: Mapping[int, Mapping[str, int]]) -> dict[int, float]:
    """The mean AUC of each split's models for these labels."""
    found: dict[int, list[float]] = {}
    for model in models:
        said, known = _predictions(model), labels.get(model.split, {})
        places = [place for place, name in enumerate(said.get("id", [])) if name in known]
        if places:
            truth, judged = ([values[place] for place in places] for values in ([known.get(name, 0) for name in said["id"]], said["probability"]))
            found.setdefault(model.split, []).append(float(measures(truth, judged, names=["roc_auc"])["roc_auc"][0]))
    return {split: float(np.mean(values)) for split, values in found.items()}

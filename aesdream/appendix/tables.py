"""The tables of the evaluation: the thesis's 6.1 to 6.5 for every treatment and protocol, treatments compared, and yardsticks beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream import files
from aesdream.appendix.reading import Model
from aesdream.errors import DamagedFile
from aesdream.sounds import descriptors
from aesdream.sounds.splits import Treatment
from aesdream.sounds.store import Corpus
from aesdream.study import Study
from aesdream.training import baselines
from aesdream.training.evaluation import Evaluation, difference, evaluate, mean_over
from aesdream.training.statistics import MEASURES, Resampling, estimate
from aesdream.training.statistics import measures as measured

COMPARED = ("roc_auc", "average_precision", "f1_at_prevalence")
SETS = ("validation", "sounds")
Table = dict[str, Any]


def tables(study: Study, models: Sequence[Model], resampling: Resampling) -> list[Table]:
    """A table for each treatment, protocol and set (a windowed treatment's windows, and its sounds), in the study's order."""
    made = []
    for (treatment, protocol), members in _groups(models).items():
        found = [name for name in SETS if any(name in model.evaluation["sets"] for model in members if model.evaluation)]
        for name in found or ["validation"]:
            made.append(_table(study, treatment, protocol, name, members, resampling))
    return made


def _groups(models: Sequence[Model]) -> dict[tuple[str, str], list[Model]]:
    groups: dict[tuple[str, str], list[Model]] = {}
    for model in models:
        groups.setdefault((model.treatment, model.protocol), []).append(model)
    return groups


def _sets(members: Sequence[Model], name: str) -> dict[tuple[int, int], Evaluation]:
    return {(model.split, model.seed): model.evaluation["sets"][name] for model in members if model.evaluation and name in model.evaluation["sets"]}


def _table(study: Study, treatment: str, protocol: str, name: str, members: Sequence[Model], resampling: Resampling) -> Table:
    evaluations = _sets(members, name)
    settings = study.training.treatments[treatment]
    ready = [model for model in members if (model.split, model.seed) in evaluations]
    table: Table = {
        "treatment": treatment,
        "protocol": protocol,
        "set": name,
        "windowed": settings.window is not None,
        "control": settings.is_control,
        "leaky": any(evaluation["leaky"] for evaluation in evaluations.values()),
        "models": len(ready),
        "expected": len(members),
        "problems": [{"unit": model.unit, "why": model.problem} for model in members if model.problem],
        "died": [{"unit": model.unit, "why": model.evaluation["died"]} for model in ready if model.evaluation and model.evaluation["died"]],
        "named": None,
        "summed": None,
        "mean": None,
    }
    if ready:
        table["named"] = _named(ready[0], evaluations[ready[0].split, ready[0].seed])
        matrices = [evaluation["confusion"] for evaluation in evaluations.values()]
        table["summed"] = {cell: sum(matrix[cell] for matrix in matrices) for cell in ("tp", "fp", "fn", "tn")}
        table["mean"] = {measure: mean_over(evaluations, measure, resampling) for measure in MEASURES}
    return table


def _named(model: Model, evaluation: Evaluation) -> dict[str, Any]:
    assert model.evaluation is not None
    shares = {key: evaluation[key] for key in ("prevalence", "corpus_prevalence")}
    measured = {measure: evaluation[measure] for measure in MEASURES}
    return {"model": model.name, "sizes": model.evaluation["sizes"], "confusion": evaluation["confusion"], **shares, "measures": measured}


def comparisons(study: Study, models: Sequence[Model], resampling: Resampling) -> list[dict[str, Any]]:
    """Treatments compared by pairs, the second less the first: by window where both have windows alike, by sound otherwise.

    A ``difference`` is None where the two were never validated on the same sounds.
    """
    groups = _groups(models)
    found = []
    for protocol in dict.fromkeys(model.protocol for model in models):
        treatments = [name for name in study.training.treatments if (name, protocol) in groups]
        for one, other in _pairs(study, treatments):
            sides = [_by_sound(groups[name, protocol]) for name in (other, one)]
            for measure in COMPARED:
                paired = difference(sides[0], sides[1], measure, resampling)
                found.append({"protocol": protocol, "from": one, "to": other, "measure": measure, "difference": paired})
    return found


def _pairs(study: Study, treatments: Sequence[str]) -> list[tuple[str, str]]:
    """Every two treatments, and every one against every control: what training, and the labels, were worth."""
    controls = [name for name in treatments if study.training.treatments[name].is_control]
    real = [name for name in treatments if name not in controls]
    return [*combinations(real, 2), *((control, name) for control in controls for name in real)]


def _by_sound(members: Sequence[Model]) -> dict[tuple[int, int], Evaluation]:
    return _sets(members, "sounds") or _sets(members, "validation")


def yardsticks(study: Study, models: Sequence[Model], corpus: Corpus, resampling: Resampling) -> list[dict[str, Any]]:
    """What judges without a network reach on the same validation sounds: majority, level alone, ten descriptors, and the composer's own rule.

    They train on the training sounds of the plain treatment, or the least oversampled one that is neither windowed nor a control; without one
    there are none.
    """
    whole = [name for name, settings in study.training.treatments.items() if _whole(settings)]
    plain = min(whole, key=lambda name: study.training.treatments[name].oversampling, default=None)
    found = []
    for protocol in dict.fromkeys(model.protocol for model in models):
        splits = {
            model.split: model for model in models if (model.treatment, model.protocol, model.seed) == (plain, protocol, 0) and model.evaluation
        }
        judged = [_judges(model, corpus, resampling) for model in splits.values()]
        for judge in judged[0] if judged else {}:
            evaluations = {(split, 0): each[judge] for split, each in zip(splits, judged, strict=True)}
            mean = {measure: mean_over(evaluations, measure, resampling) for measure in MEASURES}
            found.append({"protocol": protocol, "judge": judge, "trained_as": plain, "splits": len(splits), "mean": mean})
    return found


def levels(corpus: Corpus, resampling: Resampling) -> list[dict[str, Any]]:
    """The ROC AUC of each measure of level against the labels of the whole corpus, as it is: below .5 where positive sounds are the softer ones."""
    positive = (corpus.label == len(corpus.classes) - 1).astype(np.int64)
    weights = resampling.weights(corpus.families)
    found = []
    for name in descriptors.LEVEL:
        values = corpus.descriptors[:, corpus.descriptor_names.index(name)]
        value, draws = (measured(positive, values, given, names=["roc_auc"])["roc_auc"] for given in (None, weights))
        found.append({"descriptor": name, "roc_auc": estimate(float(value[0]), draws)})
    return found


def _whole(treatment: Treatment) -> bool:
    return treatment.window is None and not treatment.is_control


def _judges(model: Model, corpus: Corpus, resampling: Resampling) -> dict[str, Evaluation]:
    """Each judge's evaluation on one model's validation sounds."""
    place = {name: index for index, name in enumerate(corpus.ids)}
    split = _split(model)
    train, validation = (np.array([place[name] for name in split[side]]) for side in ("train", "validation"))
    positive = (corpus.label == len(corpus.classes) - 1).astype(np.int64)
    names = [corpus.ids[index] for index in validation]
    families = [corpus.families[index] for index in validation]
    return {
        judge: evaluate(
            names,
            families,
            positive[validation],
            probabilities,
            corpus_prevalence=float(positive.mean()),
            resampling=resampling,
            leaky=len(set(split["train"])) < len(train) and model.protocol == "augment-first",
        )
        for judge, probabilities in _probabilities(corpus, positive, train, validation)
    }


def _split(model: Model) -> Mapping[str, Any]:
    content = files.read_json(files.verified(model.folder / "evaluation.json", "split.json"))
    if not isinstance(content, dict) or not {"train", "validation"} <= content.keys():
        raise DamagedFile(model.folder / "split.json", "names no training and validation sounds")
    return content


def _probabilities(
    corpus: Corpus, positive: NDArray[np.int64], train: NDArray[np.int64], validation: NDArray[np.int64]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    yield "majority", baselines.majority(positive[train], len(validation))
    for judge, names in (("level", descriptors.LEVEL), ("descriptors", descriptors.PLAIN)):
        columns = corpus.descriptors[:, [corpus.descriptor_names.index(name) for name in names]]
        yield judge, baselines.logistic(columns[train], positive[train], columns[validation])
    scores = corpus.scores
    if np.isfinite(scores).all():
        ranked = np.sort(scores)[::-1]
        accepted = int(positive.sum())  # an exchange of labels leaves their numbers as they were
        threshold = float(ranked[accepted - 1 : accepted + 1].mean())
        yield "ceiling", baselines.ceiling(scores[validation], threshold)

"""The tables of the evaluation: the thesis's 6.1 to 6.5 for every treatment and protocol, treatments compared, and yardsticks beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream import files
from aesdream.appendix import words
from aesdream.appendix.reading import Model
from aesdream.errors import DamagedFile
from aesdream.labels import labels_of
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
    return _numbered(study, made)


def _numbered(study: Study, made: Sequence[Table]) -> list[Table]:
    """With the numbers of the thesis's tables that each repeats, a letter behind them; controls, which it has none of, are counted as C.1, C.2 …

    Without copies and windows augment-first and split-first give the same models: such a table has the number of the first.
    """
    counts: Counter[str] = Counter()
    numbered: list[Table] = []
    for table in made:
        kept = [key for key in table if key not in ("protocol", "named")]
        twin = next((one for one in numbered if table["mean"] and all(one.get(key) == table[key] for key in kept)), None)
        if twin is None:
            numbers = _thesis_numbers(study, table)
            place = counts[numbers[0]]
            counts[numbers[0]] += 1
            said = ", ".join(f"{number}{words.lettered(place)}" for number in numbers) if numbers[0] != "C" else f"C.{place + 1}"
        numbered.append({**table, "number": twin["number"] if twin else said})
    return numbered


def _thesis_numbers(study: Study, table: Table) -> list[str]:
    settings = study.training.treatments[table["treatment"]]
    if table["control"]:
        return ["C"]
    if settings.window is not None:
        return ["6.1"]
    return ["6.4", "6.5"] if settings.oversampling > 1 else ["6.2", "6.3"]


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
        **({"composer": study.composer_of(treatment)} if len(study.composers) > 1 else {}),
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
    """Every two treatments, and every one against the controls of its network: what training, and the labels, were worth.

    What several composers judge is compared composer by composer.
    """
    given = study.training.treatments
    controls = [name for name in treatments if given[name].is_control]
    real = [name for name in treatments if name not in controls]
    against = [(control, name) for control in controls for name in real if study.network_of(control) == study.network_of(name)]
    return [(one, other) for one, other in [*combinations(real, 2), *against] if study.composer_of(one) == study.composer_of(other)]


def _by_sound(members: Sequence[Model]) -> dict[tuple[int, int], Evaluation]:
    return _sets(members, "sounds") or _sets(members, "validation")


def yardsticks(study: Study, models: Sequence[Model], corpus: Corpus, resampling: Resampling) -> list[dict[str, Any]]:
    """What judges without a network reach on the same validation sounds: majority, level alone, ten descriptors, and the composer's own rule.

    They train on the training sounds of the plain treatment, or the least oversampled one that is neither windowed nor a control; without one
    there are none. Where several composers judge the sounds, there are as many of each for every composer.
    """
    return [stick for composer in _composers(study) for stick in _sticks(study, composer, models, corpus, resampling)]


def _composers(study: Study) -> list[str | None]:
    """The composers whose labels are told apart; none by name where there is one or none."""
    return [*study.composers] if len(study.composers) > 1 else [None]


def _sticks(study: Study, composer: str | None, models: Sequence[Model], corpus: Corpus, resampling: Resampling) -> Iterator[dict[str, Any]]:
    treatments = study.training.treatments
    whole = [name for name, settings in treatments.items() if _whole(settings) and composer in (None, study.composer_of(name))]
    plain = min(whole, key=lambda name: treatments[name].oversampling, default=None)
    for protocol in dict.fromkeys(model.protocol for model in models):
        splits = {
            model.split: model for model in models if (model.treatment, model.protocol, model.seed) == (plain, protocol, 0) and model.evaluation
        }
        judged = [_judges(study, model, corpus, resampling) for model in splits.values()]
        for judge in judged[0] if judged else {}:
            evaluations = {(split, 0): each[judge] for split, each in zip(splits, judged, strict=True)}
            mean = {measure: mean_over(evaluations, measure, resampling) for measure in MEASURES}
            whose = {"composer": composer} if composer else {}
            yield {"protocol": protocol, "judge": judge, **whose, "trained_as": plain, "splits": len(splits), "mean": mean}


def levels(study: Study, corpus: Corpus, resampling: Resampling) -> list[dict[str, Any]]:
    """The ROC AUC of each measure of level against the labels of the whole corpus, as it is: below .5 where positive sounds are the softer ones."""
    weights = resampling.weights(corpus.families)
    found = []
    for composer in _composers(study):
        treatment = next((name for name in study.training.treatments if study.composer_of(name) == composer), None)
        labels = corpus.label if treatment is None else labels_of(corpus, study, treatment)
        positive = (labels == len(corpus.classes) - 1).astype(np.int64)
        for name in descriptors.LEVEL:
            values = corpus.descriptors[:, corpus.descriptor_names.index(name)]
            value, draws = (measured(positive, values, given, names=["roc_auc"])["roc_auc"] for given in (None, weights))
            whose = {"composer": composer} if composer else {}
            found.append({"descriptor": name, **whose, "roc_auc": estimate(float(value[0]), draws)})
    return found


def _whole(treatment: Treatment) -> bool:
    return treatment.window is None and not treatment.is_control


def _judges(study: Study, model: Model, corpus: Corpus, resampling: Resampling) -> dict[str, Evaluation]:
    """Each judge's evaluation on one model's validation sounds."""
    place = {name: index for index, name in enumerate(corpus.ids)}
    split = _split(model)
    train, validation = (np.array([place[name] for name in split[side]]) for side in ("train", "validation"))
    positive = (labels_of(corpus, study, model.treatment) == len(corpus.classes) - 1).astype(np.int64)
    scores = corpus.measures.get(study.composer_of(model.treatment) or "", corpus.scores)
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
        for judge, probabilities in _probabilities(corpus, positive, scores, train, validation)
    }


def _split(model: Model) -> Mapping[str, Any]:
    content = files.read_json(files.verified(model.folder / "evaluation.json", "split.json"))
    if not isinstance(content, dict) or not {"train", "validation"} <= content.keys():
        raise DamagedFile(model.folder / "split.json", "names no training and validation sounds")
    return content


def _probabilities(
    corpus: Corpus, positive: NDArray[np.int64], scores: NDArray[np.float64], train: NDArray[np.int64], validation: NDArray[np.int64]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    yield "majority", baselines.majority(positive[train], len(validation))
    for judge, names in (("level", descriptors.LEVEL), ("descriptors", descriptors.PLAIN)):
        columns = corpus.descriptors[:, [corpus.descriptor_names.index(name) for name in names]]
        yield judge, baselines.logistic(columns[train], positive[train], columns[validation])
    if np.isfinite(scores).all():
        ranked = np.sort(scores)[::-1]
        accepted = int(positive.sum())  # an exchange of labels leaves their numbers as they were
        threshold = float(ranked[accepted - 1 : accepted + 1].mean())
        yield "ceiling", baselines.ceiling(scores[validation], threshold)

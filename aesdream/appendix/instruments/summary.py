"""Everything that is said of a run's dreams of instruments, a sweep and a model at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aesdream.appendix.instruments import claims
from aesdream.appendix.instruments.dreamt import Dreamt, dreamt
from aesdream.appendix.instruments.patterns import noises
from aesdream.appendix.instruments.published import SYSTEMS
from aesdream.appendix.instruments.targeted import EVEN, targeted
from aesdream.appendix.reading import Dream, Model
from aesdream.study import Study
from aesdream.training import multilabel
from aesdream.training.evaluation import bootstrap
from aesdream.training.statistics import Split, number

Numbers = dict[str, Any]
Gathered = Mapping[str, Mapping[str, Sequence[Dreamt]]]


def by_model(dreams: Sequence[Dream]) -> Iterator[tuple[str, list[Dreamt]]]:
    """The dreams of classes of each model that have spectrograms."""
    for name in dict.fromkeys(dream.model for dream in dreams):
        found = dreamt(dream for dream in dreams if dream.model == name)
        if found:
            yield name, found


def gathered(models: Sequence[Model], dreams: Mapping[str, Sequence[Dream]]) -> Gathered:
    """The dreams of classes with spectrograms by sweep and model, of models that are there. Raises DamagedFile."""
    there = {model.name for model in models if model.evaluation}
    found = {sweep: dict(by_model([dream for dream in members if dream.model in there])) for sweep, members in dreams.items()}
    return {sweep: of_models for sweep, of_models in found.items() if of_models}


def summary(study: Study, models: Sequence[Model], dreams: Gathered, classes: Sequence[str]) -> Numbers:
    """What is said of each sweep's dreams, by model; ``claims`` stand with the models that they are about."""
    evaluations = {model.name: model.evaluation for model in models if model.evaluation}
    sweeps: Numbers = {}
    for sweep, of_models in dreams.items():
        found = {name: _of_model(some, classes, study.seed, thresholds(evaluations[name])) for name, some in of_models.items()}
        found = {name: told for name, told in found.items() if told}
        controls = [told["noises"] for name, told in found.items() if "noises" in told and _permuted(study, name)]
        for name, told in found.items():
            told["claims"] = _claims(told, [] if _permuted(study, name) else controls)
        if found:
            sweeps[sweep] = found
    return sweeps


def _of_model(dreams: Sequence[Dreamt], classes: Sequence[str], seed: int, limits: Mapping[str, float]) -> Numbers:
    parts = {"targeted": targeted(dreams, classes, seed, limits), "noises": noises(dreams, classes, seed)}
    return {name: told for name, told in parts.items() if told}


def _claims(told: Numbers, controls: Sequence[Numbers]) -> list[Numbers]:
    of_targets = claims.of_targeted(told["targeted"]) if "targeted" in told else []
    return of_targets + (claims.of_noises(told["noises"], controls) if "noises" in told else [])


def _permuted(study: Study, model: str) -> bool:
    return study.training.treatments[model.split("/", maxsplit=1)[0]].labels == "shuffled"


def thresholds(evaluation: Mapping[str, Any]) -> Mapping[str, float]:
    """A model's thresholds of S1 and S2, chosen on its validation sounds; .5 for one of two classes."""
    found = evaluation["sets"]["validation"]
    return {name: found[name]["threshold"] for name in EVEN} if "S1" in found else EVEN


def rounded(values: Mapping[str, float]) -> Numbers:
    """Values as JSON may hold them."""
    return {name: number(value) for name, value in values.items()}


def evaluated(models: Sequence[Model]) -> Numbers:
    """What models of many classes are worth on every set, without the judgements themselves; ``always`` is what one has who says every class."""
    found: Numbers = {}
    for model in models:
        sets = model.evaluation["sets"] if model.evaluation else {}
        told = {
            name: {**{key: value for key, value in one.items() if key != "predictions"}, "always": rounded(multilabel.always(one))}
            for name, one in sets.items()
            if "S2" in one
        }
        if told:
            found[model.name] = told
    return found


def over_models(study: Study, models: Sequence[Model]) -> Numbers:
    """What the models of one treatment and protocol have in common on every set, where there are several: means over splits and initialisations."""
    groups: dict[str, dict[Split, Mapping[str, Any]]] = {}
    for model in models:
        if model.evaluation and "S2" in model.evaluation["sets"]["validation"]:
            groups.setdefault(f"{model.treatment}/{model.protocol}", {})[model.split, model.seed] = model.evaluation["sets"]
    found: Numbers = {}
    for group, members in groups.items():
        if len(members) > 1:
            found[group] = {name: _mean({key: sets[name] for key, sets in members.items()}, study.seed) for name in next(iter(members.values()))}
    return found


def _mean(evaluations: Mapping[Split, Mapping[str, Any]], seed: int) -> Numbers:
    families = {family for one in evaluations.values() for family in one["predictions"]["family"]}
    return multilabel.mean_over(evaluations, bootstrap(families, seed))


def performances(sets: Mapping[str, Any], means: Mapping[str, Any] | None, sweeps: Numbers, model: str) -> list[Numbers]:
    """The rows of figure 1: a model on each of its ``sets`` (as ``evaluated`` has them) or, where there are several, their ``means``, and what anyone
    has on them; the sounds that were dreamed of the model as they were and as they became; the published systems. S2 with the model's own thresholds,
    as the source prefers it."""
    rows = [_row(f"ours, {name}" + (", mean" if means else ""), (means or sets)[name]["S2"]) for name in sets]
    rows += [_plain(f"every class, always: {name}", **found["always"], verified=True, source="this run") for name, found in sets.items()]
    known = []
    for sweep, of_models in sweeps.items():
        told = of_models.get(model, {}).get("targeted")
        for kind, found in told["performance"].items() if told else ():
            if found not in known:  # sweeps have their originals in common
                rows.append(_row(f"ours, {sweep}: {kind}", found["S2"]))
            known.append(found)
    others = sorted(SYSTEMS, key=lambda system: -(system.micro_f1 or 0))
    return rows + [_plain(one.name, one.micro_f1, one.macro_f1, one.verified, one.source) for one in others]


def _plain(name: str, micro_f1: float | None, macro_f1: float | None, verified: bool, source: str) -> Numbers:
    return {"name": name, "micro_f1": micro_f1, "macro_f1": macro_f1, "ours": False, "verified": verified, "source": source}


def _row(name: str, found: Mapping[str, Any]) -> Numbers:
    values = {f"{average}_f1": found[average]["f1"] for average in ("micro", "macro")}
    return {"name": name, **values, "ours": True, "verified": True, "source": "this run"}

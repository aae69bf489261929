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

Numbers = dict[str, Any]


def by_model(dreams: Sequence[Dream]) -> Iterator[tuple[str, list[Dreamt]]]:
    """The dreams of classes of each model that have spectrograms."""
    for name in dict.fromkeys(dream.model for dream in dreams):
        found = dreamt(dream for dream in dreams if dream.model == name)
        if found:
            yield name, found


def summary(study: Study, models: Sequence[Model], dreams: Mapping[str, Sequence[Dream]], classes: Sequence[str]) -> Numbers:
    """``sweeps``: what is said of each sweep's dreams, by model that is there; ``claims`` stand with the models that they are about.

    Raises DamagedFile.
    """
    evaluations = {model.name: model.evaluation for model in models if model.evaluation}
    sweeps: Numbers = {}
    for sweep, members in dreams.items():
        there = [dream for dream in members if dream.model in evaluations]
        found = {name: _of_model(some, classes, study.seed, thresholds(evaluations[name])) for name, some in by_model(there)}
        found = {name: told for name, told in found.items() if told}
        control = next((told.get("noises") for name, told in found.items() if _permuted(study, name)), None)
        for name, told in found.items():
            told["claims"] = _claims(told, None if _permuted(study, name) else control)
        if found:
            sweeps[sweep] = found
    return sweeps


def _of_model(dreams: Sequence[Dreamt], classes: Sequence[str], seed: int, limits: Mapping[str, float]) -> Numbers:
    parts = {"targeted": targeted(dreams, classes, seed, limits), "noises": noises(dreams, classes, seed)}
    return {name: told for name, told in parts.items() if told}


def _claims(told: Numbers, control: Numbers | None) -> list[Numbers]:
    of_targets = claims.of_targeted(told["targeted"]) if "targeted" in told else []
    return of_targets + (claims.of_noises(told["noises"], control) if "noises" in told else [])


def _permuted(study: Study, model: str) -> bool:
    return study.training.treatments[model.split("/", maxsplit=1)[0]].labels == "shuffled"


def thresholds(evaluation: Mapping[str, Any]) -> Mapping[str, float]:
    """A model's thresholds of S1 and S2, chosen on its validation sounds; .5 for one of two classes."""
    found = evaluation["sets"]["validation"]
    return {name: found[name]["threshold"] for name in EVEN} if "S1" in found else EVEN


def evaluated(models: Sequence[Model]) -> Numbers:
    """What models of many classes are worth on every set, without the judgements themselves."""
    found: Numbers = {}
    for model in models:
        sets = model.evaluation["sets"] if model.evaluation else {}
        told = {name: {key: value for key, value in one.items() if key != "predictions"} for name, one in sets.items() if "S2" in one}
        if told:
            found[model.name] = told
    return found


def performances(sets: Mapping[str, Any], sweeps: Numbers, model: str) -> list[Numbers]:
    """The rows of figure 1: a model on each of its ``sets`` (as ``evaluated`` has them), on the sounds that were dreamed of it as they were and as
    they became, and the published systems. S2 with the model's own thresholds, as the source prefers it."""
    rows = [_row(f"ours, {name}", found["S2"]) for name, found in sets.items()]
    for sweep, of_models in sweeps.items():
        told = of_models.get(model, {}).get("targeted")
        if told:
            rows += [_row(f"ours, {sweep}: {kind}", found["S2"]) for kind, found in told["performance"].items()]
    others = sorted(SYSTEMS, key=lambda system: -(system.micro_f1 or 0))
    return rows + [
        {"name": one.name, "micro_f1": one.micro_f1, "macro_f1": one.macro_f1, "ours": False, "verified": one.verified, "source": one.source}
        for one in others
    ]


def _row(name: str, found: Mapping[str, Any]) -> Numbers:
    values = {f"{average}_f1": found[average]["f1"] for average in ("micro", "macro")}
    return {"name": name, **values, "ours": True, "verified": True, "source": "this run"}

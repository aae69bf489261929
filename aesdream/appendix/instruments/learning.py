"""What learning on from dreams was worth (paper, future work): F1, and the dB that a wrong class takes, before and after.

A model that learned on from dreams is held against the same model before, and against one that learned on for as many steps from the same pieces
without dreams: further epochs alone also change a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aesdream.appendix.instruments.dreamt import Dreamt
from aesdream.appendix.instruments.sample import Sample
from aesdream.sounds.splits import Treatment
from aesdream.study import Study
from aesdream.training import multilabel
from aesdream.training.evaluation import bootstrap

KINDS = ("right", "wrong")
Numbers = dict[str, Any]
Roles = Mapping[str, str]


def compared(study: Study) -> list[Roles]:
    """The treatments that learn on from dreams, as ``after``, each with the same one ``before``, and its ``control`` where there is one."""
    treatments = study.training.treatments

    def found(like: Treatment) -> str | None:
        return next((name for name, treatment in treatments.items() if treatment == like), None)

    rows: list[Roles] = []
    for name, treatment in treatments.items():
        if treatment.dreams is None or treatment.dreams.steps == 0:
            continue
        before = found(treatment.model_copy(update={"dreams": None}))
        undreamed = [other for other, like in treatments.items() if like.dreams is not None and like.dreams.steps == 0 and _alike(like, treatment)]
        if before is not None:
            rows.append({"before": before, "after": name, **({"control": undreamed[0]} if undreamed else {})})
    return rows


def _alike(one: Treatment, other: Treatment) -> bool:
    """Whether two treatments learn on from as many pieces for as many epochs, and are otherwise the same."""
    assert one.dreams is not None
    assert other.dreams is not None
    same = (one.dreams.sounds, one.dreams.epochs) == (other.dreams.sounds, other.dreams.epochs)
    return same and one == other.model_copy(update={"dreams": one.dreams})


def learning(study: Study, evaluations: Mapping[str, Mapping[str, Any]], dreams: Mapping[str, Mapping[str, Sequence[Dreamt]]]) -> list[Numbers]:
    """What each treatment that learns on from dreams was worth, JSON-able. ``evaluations`` by model; ``dreams`` by sweep and model."""
    told = []
    for roles in compared(study):
        models = [model for model in study.models() if model.treatment == roles["before"]]
        named = [{role: model.name.replace(roles["before"], name, 1) for role, name in roles.items()} for model in models]
        named = [names for names in named if all(name in evaluations for name in names.values())]
        if named:
            sets = {one: _set([{role: evaluations[name]["sets"][one] for role, name in names.items()} for names in named], study.seed)
                    for one in evaluations[named[0]["before"]]["sets"]}  # fmt: skip
            sweeps = {sweep: _sweep([_by_role(of_models, names) for names in named], study.seed) for sweep, of_models in dreams.items()}
            told.append({**roles, "models": len(named), "sets": sets, "sweeps": {sweep: found for sweep, found in sweeps.items() if found}})
    return told


def _set(models: Sequence[Mapping[str, Mapping[str, Any]]], seed: int) -> Numbers:
    """LRAP and averages of each role on one set, the means over models, and by how much they are higher after than before and than the control."""
    families = {family for roles in models for one in roles.values() for family in one["predictions"]["family"]}
    resampling = bootstrap(families, seed)
    told: Numbers = {role: multilabel.mean_over({(0, number): roles[role] for number, roles in enumerate(models)}, resampling) for role in models[0]}
    for role in ("before", "control"):
        if role in models[0]:
            told[f"after_less_{role}"] = multilabel.difference([(roles["after"], roles[role]) for roles in models], resampling)
    return told


def _by_role(of_models: Mapping[str, Sequence[Dreamt]], names: Roles) -> Mapping[str, Sequence[Dreamt]]:
    return {role: [one for one in of_models.get(name, ()) if one.content.get("stop_confidence") is not None] for role, name in names.items()}


def _sweep(models: Sequence[Mapping[str, Sequence[Dreamt]]], seed: int) -> Numbers:
    """How many dreams arrive and how far that is, of the same sounds to the same classes, by kind; empty where not every role was dreamed."""
    told: Numbers = {}
    for kind in KINDS:
        rows = []
        for roles in models:
            starts = {role: {str(one.content["start"]): one.content for one in some if one.kind == kind} for role, some in roles.items()}
            shared = [start for start in starts["before"] if all(start in found for found in starts.values())]
            rows += [{role: found[start] for role, found in starts.items()} for start in shared]
        if rows:
            told[kind] = _distances(rows, seed)
    return told


def _distances(rows: Sequence[Mapping[str, Mapping[str, Any]]], seed: int) -> Numbers:
    """``success`` of every dream; ``rmse_db`` and its differences over those sounds (``arrived``) whose dreams arrive whoever is asked, since a dream
    that does not tells no distance."""
    everyone = Sample([str(row["before"]["excerpt"]["family"]) for row in rows], seed)
    arrived = [all(content["success"] for content in row.values()) for row in rows]
    told: Numbers = {
        "n": len(rows),
        "arrived": sum(arrived),
        "success": {role: everyone.share([row[role]["success"] for row in rows]) for role in rows[0]},
    }
    distances = {role: np.array([row[role]["distance"]["rmse_db"] for row in rows]) for role in rows[0]}
    known = {role: np.where(arrived, values, np.nan) for role, values in distances.items()}
    told["rmse_db"] = {role: everyone.mean(values) for role, values in known.items()}
    for role in ("before", "control"):
        if role in known:
            told["rmse_db"][f"after_less_{role}"] = everyone.mean(known["after"] - known[role])
    return told

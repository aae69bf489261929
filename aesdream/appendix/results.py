"""Every number that the page and the PDF print, read from a run folder's files; what is missing, damaged or dead stands among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np

from aesdream import config
from aesdream.appendix import anatomy, parts
from aesdream.appendix.curves import curves
from aesdream.appendix.material import Material
from aesdream.appendix.reading import FLAGS, Dream, Model
from aesdream.appendix.views import Views
from aesdream.models import Network
from aesdream.study import Study
from aesdream.training.statistics import number

_NUMBERS = ("rms_from_start", "peak", "share_clipped", "share_under_20hz", "peakiness", "start_peakiness")


def material(run: Path, study: Study, failed: Mapping[str, str] = MappingProxyType({})) -> Material:
    """A run's units, and every number drawn from them in ``content``, that of results.json; ``failed`` says why a unit could not be made.

    Units that are missing or failed are named in it. Raises DamagedFile for one whose bytes are not what was written.
    """
    found = Material(run, study, failed)
    sounds, measured = found.sounds, [dream for members in found.measured.values() for dream in members]
    found.content = {
        "study": {key: value for key, value in config.plain(study).items() if key != "sounds"},
        "sounds": {
            **{key: value for key, value in sounds.items() if key not in ("schema", "unit", "digest", "recipe", "files")},
            "shares": {label: number(count / sounds["count"]) for label, count in sounds["labels"].items()},
        },
        "network": _networks(study, len(sounds["classes"])),
        "models": [_model(model) for model in found.models],
        "sweeps": {sweep: _sweep(found, sweep, members) for sweep, members in found.dreams.items()},
        "measured": {"asked": len(measured), "made": sum(dream.ready for dream in measured)},
        "made_by": {"aesdream": version("aesdream"), "study": config.digest(config.plain(study))},
        "problems": _problems(found.models) + _problems(found.by_name.values()) + _unmeasured(found),
    }
    for part in parts.NUMBERS:
        found.content.update(part(found))
    return found


def _problems(units: Iterable[Model | Dream]) -> list[dict[str, str]]:
    return [{"unit": unit.unit, "why": unit.problem} for unit in units if unit.problem]


def _unmeasured(found: Material) -> list[dict[str, str]]:
    """A line for each sweep of numbers that is not whole, and each reason: its dreams are too many to name."""
    why = Counter((f"dreams/{sweep}", dream.problem) for sweep, members in found.measured.items() for dream in members if dream.problem)
    return [
        {"unit": sweep, "why": f"{count} of {len(found.measured[sweep.removeprefix('dreams/')])} {problem}"}
        for (sweep, problem), count in why.items()
    ]


def _networks(study: Study, classes: int) -> list[dict[str, Any]]:
    """Each network for each length of input, with the treatments that have it."""
    kinds: dict[tuple[int, Network], list[str]] = {}
    for treatment in study.training.treatments:
        kinds.setdefault((study.input_samples(treatment), study.network_of(treatment)), []).append(treatment)
    return [
        {"samples": samples, "treatments": names, "layers": steps, "parameters": sum(step["parameters"] or 0 for step in steps)}
        for (samples, _), names in kinds.items()
        for steps in [anatomy.layers(study, names[0], classes)]
    ]


def _model(model: Model) -> dict[str, Any]:
    evaluation = model.evaluation or {}
    first = evaluation.get("sets", {}).get("validation", {})
    return {
        "model": model.name,
        "sizes": evaluation.get("sizes"),
        "died": evaluation.get("died"),
        "roc_auc": first.get("roc_auc"),
        "problem": model.problem,
    }


def _sweep(found: Material, name: str, members: Sequence[Dream]) -> dict[str, Any]:
    settings = config.plain(found.study.sweeps[name])
    return {
        **{key: settings[key] for key in ("rule", "step", "steps")},
        "models": list(dict.fromkeys(dream.model for dream in members)),
        "summary": _summaries(members),
        "dreams": [_dream(dream, found.views) for dream in members],
    }


def _dream(dream: Dream, views: Views) -> dict[str, Any]:
    trace = dream.content.get("activation") or [None]
    return {
        "dream": dream.name,
        "digest": dream.content.get("digest"),
        "checkpoint": dream.content.get("checkpoint"),
        **{key: getattr(dream, key) for key in ("model", "layer", "target", "side", "start")},
        "first": trace[0],
        "last": trace[-1],
        "gain": dream.gain,
        "steps": dream.content.get("steps_taken", len(trace) - 1),
        **{key: dream.number(key) for key in _NUMBERS},
        **_heard_and_seen(dream, views),
        "curves": {curve.name: curve.numbers() for curve in curves(dream)},
        "state": {flag: bool(dream.content.get("state", {}).get(flag)) for flag in FLAGS},
        "dead": dream.dead,
        "fate": dream.fate,
        "problem": dream.problem,
    }


def _heard_and_seen(dream: Dream, views: Views) -> dict[str, float | None]:
    """What its sound says, and how loud its and its start's listening copies are."""
    if not dream.ready:
        return dict.fromkeys(("seconds", "nyquist", "change_peak", "start_copy_db", "dream_copy_db"))
    shown, levels = views.of(dream), views.levels(dream)
    peak = None if shown.change is None else number(float(np.abs(shown.change).max()))
    heard = {f"{name}_copy_db": level for name, level in levels.items()}
    return {"seconds": shown.seconds, "nyquist": shown.nyquist, "change_peak": peak, **heard}


def _summaries(members: Sequence[Dream]) -> list[dict[str, Any]]:
    """One line for each model, start, side and layer."""
    groups: dict[tuple[str, str, str, str], list[Dream]] = {}
    for dream in members:
        groups.setdefault((dream.model, dream.start, dream.side, dream.layer), []).append(dream)
    return [_summary(dict(zip(("model", "start", "side", "layer"), key, strict=True)), dreams) for key, dreams in groups.items()]


def _summary(key: dict[str, str], dreams: Sequence[Dream]) -> dict[str, Any]:
    ready = [dream for dream in dreams if dream.ready]
    gains = [value for value in (dream.gain for dream in ready) if value is not None]
    rose = [dream for dream in ready if dream.fate == "rose"]
    still = [dream for dream in ready if dream.fate != "rose"]
    return {
        **key,
        "dreams": len(dreams),
        "made": len(ready),
        "rose": len(rose),
        "still_dead": sum(dream.fate == "dead" for dream in still),
        "still_other": sum(dream.fate != "dead" for dream in still),
        "not_rose": [
            {"target": dream.target, "fate": dream.fate, "state": {flag: bool(dream.content["state"].get(flag)) for flag in FLAGS}} for dream in still
        ],
        "states": {flag: sum(bool(dream.content["state"].get(flag)) for dream in ready) for flag in FLAGS},
        "dead": sum(dream.dead for dream in ready),
        "gain": _range(gains),
        **{key: _range([v for v in (dream.number(key) for dream in rose) if v is not None]) for key in ("rms_from_start", "share_under_20hz")},
    }


def _range(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "smallest": None, "largest": None}
    return {"median": number(median(values)), "smallest": number(min(values)), "largest": number(max(values))}

"""Every number that the page and the PDF print, read from a run folder's files; what is missing, damaged or dead stands among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from aesdream import config, files
from aesdream.appendix import anatomy, headline, reading, selection, tables
from aesdream.appendix.reading import FLAGS, Dream, Model
from aesdream.sounds.store import Corpus
from aesdream.study import Study
from aesdream.training.evaluation import bootstrap
from aesdream.training.statistics import number

_NUMBERS = ("rms_from_start", "peak", "share_clipped", "share_under_20hz", "peakiness", "start_peakiness")


@dataclass(frozen=True)
class Material:
    """A run's units as read, beside the numbers drawn from them: what pictures need."""

    run: Path
    study: Study
    corpus: Corpus
    models: Sequence[Model]
    dreams: Mapping[str, Sequence[Dream]]
    kernels: Mapping[str, anatomy.FirstLayer]
    content: dict[str, Any]


def gather(run: Path, study: Study, failed: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The content of results.json; ``failed`` says why a unit could not be made.

    Units that are missing or failed are named in it. Raises DamagedFile for one whose bytes are not what was written.
    """
    return material(run, study, failed).content


def material(run: Path, study: Study, failed: Mapping[str, str]) -> Material:
    """The same with the units themselves."""
    sounds = files.read_marker(run / "sounds.json")
    corpus = Corpus(files.verified(run / "sounds.json", "sounds.h5"))
    models = reading.models(run, study, failed)
    dreams = {sweep: reading.dreams(run, study, sweep, sounds["classes"], failed) for sweep in study.sweeps}
    resampling = bootstrap(corpus.families, study.seed)
    kernels = {model.name: anatomy.first_layer(model) for model in models if model.evaluation}
    content: dict[str, Any] = {
        "study": {key: value for key, value in config.plain(study).items() if key not in ("sounds", "sweeps")},
        "sounds": {key: value for key, value in sounds.items() if key not in ("schema", "unit", "digest", "recipe", "files")},
        "network": _networks(study, len(sounds["classes"])),
        "models": [_model(model) for model in models],
        "tables": tables.tables(study, models, resampling),
        "comparisons": tables.comparisons(study, models, resampling),
        "yardsticks": tables.yardsticks(study, models, corpus, resampling),
        "levels": tables.levels(corpus, resampling),
        "conv1": {name: anatomy.moved(kernel) for name, kernel in kernels.items()},
        "sweeps": {sweep: _sweep(study, sweep, members) for sweep, members in dreams.items()},
        "census": {model.name: _census(model.census) for model in models if model.census},
        "problems": _problems(models) + _problems(dream for members in dreams.values() for dream in members),
    }
    content["headline"] = headline.headline(content)
    content["figures"] = _figures(content["sweeps"])
    return Material(run, study, corpus, models, dreams, kernels, content)


def _problems(units: Iterable[Model | Dream]) -> list[dict[str, str]]:
    return [{"unit": unit.unit, "why": unit.problem} for unit in units if unit.problem]


def _networks(study: Study, classes: int) -> list[dict[str, Any]]:
    """The network for each length of input, with the treatments that have it."""
    lengths: dict[int, list[str]] = {}
    for treatment in study.training.treatments:
        lengths.setdefault(study.input_samples(treatment), []).append(treatment)
    return [
        {"samples": samples, "treatments": names, "layers": steps, "parameters": sum(step["parameters"] or 0 for step in steps)}
        for samples, names in lengths.items()
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


def _sweep(study: Study, name: str, members: Sequence[Dream]) -> dict[str, Any]:
    settings = config.plain(study.sweeps[name])
    chosen = selection.select(_first_pair(members))
    return {
        **{key: settings[key] for key in ("rule", "step", "steps")},
        "models": list(dict.fromkeys(dream.model for dream in members)),
        "selection": {kind: [dream.name for dream in dreams] for kind, dreams in chosen.items()},
        "summary": _summaries(members),
        "dreams": [_dream(dream) for dream in members],
    }


def _first_pair(members: Sequence[Dream]) -> list[Dream]:
    """The dreams of the sweep's first model from its first start: the thesis had one of each."""
    return [dream for dream in members if (dream.model, dream.start) == (members[0].model, members[0].start)]


def _figures(sweeps: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The thesis's figures of dreams by number, of the sweep named ``appendix`` or the first: 6.2 to 6.16 and A.1 on (A.56 in the thesis).

    The thesis's appendix has one side alone, after the ReLU; 6.15 and 6.16 name no dream where there is no dead filter, or no second side. 6.16a is
    a filter's dream before its ReLU, 6.16b the same filter's after it.
    """
    name = "appendix" if "appendix" in sweeps else next(iter(sweeps), None)
    if name is None or not sweeps[name]["dreams"]:
        return []
    sweep = sweeps[name]
    chosen, first = sweep["selection"], sweep["dreams"][0]
    figures: list[dict[str, str | None]] = [{"figure": f"6.{2 + place}", "dream": dream} for place, dream in enumerate(chosen["living"])]
    figures.append({"figure": "6.15", "dream": next(iter(chosen["dead"]), None)})
    figures += [{"figure": f"6.16{part}", "dream": dream} for part, dream in zip("ab", chosen["pair"], strict=False)] or [
        {"figure": "6.16", "dream": None}
    ]
    same = [dream for dream in sweep["dreams"] if all(dream[key] == first[key] for key in ("model", "start", "side"))]
    return figures + [{"figure": f"A.{1 + place}", "dream": dream["dream"]} for place, dream in enumerate(same)]


def _dream(dream: Dream) -> dict[str, Any]:
    trace = dream.content.get("activation") or [None]
    return {
        "dream": dream.name,
        **{key: getattr(dream, key) for key in ("model", "layer", "target", "side", "start")},
        "first": trace[0],
        "last": trace[-1],
        "gain": dream.gain,
        "steps": dream.content.get("steps_taken", len(trace) - 1),
        **{key: dream.number(key) for key in _NUMBERS},
        "state": {flag: bool(dream.content.get("state", {}).get(flag)) for flag in FLAGS},
        "dead": dream.dead,
        "fate": dream.fate,
        "problem": dream.problem,
    }


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


def _census(census: Mapping[str, Any]) -> dict[str, Any]:
    """How many filters of each layer are dead, by each test; ``dead`` counts those that any of them finds."""
    layers = {}
    for layer, filters in census["layers"].items():
        if layer == "class":
            continue  # a logit may be negative on every sound and is no less alive
        found: Counter[str] = Counter()
        for entry in filters:
            slow = entry["slow"]
            flags = {"silent_on_start": entry["silent_on_start"], "silent_on_corpus": entry["silent_on_corpus"], "upstream": entry["upstream"]}
            flags |= {"slow_pre": slow["pre"], "slow_post": slow["post"]}
            found.update(flag for flag, raised in flags.items() if raised)
            found["dead"] += any(flags.values())
        names = ("silent_on_start", "silent_on_corpus", "upstream", "slow_pre", "slow_post", "dead")
        layers[layer] = {"filters": len(filters), **{name: found[name] for name in names}}
    return {"bottleneck": census["bottleneck"], "layers": layers}

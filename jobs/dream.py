"""The dream stage: a unit a dream; the targets of a layer, side and start are computed together in batches of the sweep's size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aesdream import config, files
from aesdream.dreaming import Dreams, census, dream, together
from aesdream.dreaming.anatomy import anatomy
from aesdream.dreaming.sonify import listening_copy, rms, write_wav
from aesdream.errors import UserError
from aesdream.models.layers import Dreamable
from aesdream.seeding import generator
from aesdream.sounds import audio, store
from aesdream.sounds.store import Corpus
from aesdream.study import STARTS, Model, Study, Sweep, file_name, filters_of
from aesdream.training.checkpoints import Checkpoint
from aesdream.training.distributed import default_device
from jobs import train
from jobs.executors import in_batches
from jobs.staging import corpus_path
from jobs.units import Unit

SECONDS_A_MILLION = 0.002
"""A step of a dream of a million input values, on one core."""
KEPT_EVERY = 600.0
"""Seconds of dreaming that may be lost with a task."""


def units(study: Study, classes: Sequence[str], models: dict[str, str]) -> list[Unit]:
    """A unit for every dream of every sweep; ``models`` maps a model's name to the digest of its unit."""
    return [
        _unit(study, sweep_name, sweep, model, layer, target, side, start, models[model.name])
        for sweep_name, sweep in study.sweeps.items()
        for model in study.swept(sweep)
        for layer in sweep.layers
        for side in sweep.sides
        for start in sweep.starts
        for target in study.targets(sweep, layer, classes)
    ]


def _unit(study: Study, sweep_name: str, sweep: Sweep, model: Model, layer: str, target: str, side: str, start: str, checkpoint: str) -> Unit:
    values = study.input_samples(model.treatment) * study.sounds.channels
    recipe = {
        "made_from": {"checkpoint": checkpoint},
        "layer": layer,
        "target": target,
        "side": side,
        "start": start if start in STARTS else files.sha256(Path(start)),
        "threads": study.threads,
        **{key: getattr(sweep, key) for key in ("rule", "step", "steps", "stop_rms", "batch")},
    }
    group = f"dreams/{sweep_name}/{model.name}/{layer}"
    name = f"{group}/{file_name(target)}/{side}/{start if start in STARTS else Path(start).stem}"
    return Unit(
        name,
        "dream",
        f"{name}.json",
        recipe,
        inputs={"model": model.name, "start": start},
        section=f"sweeps.{sweep_name}.",
        batch=f"{group}/{side}/{start}",
        seconds=SECONDS_A_MILLION * values / 1e6 * sweep.steps,
        bytes=values * 5,
    )


def batches(todo: Sequence[Unit]) -> list[list[Unit]]:
    """The units to do, in the batches in which they are computed."""
    groups: dict[str, list[Unit]] = {}
    for unit in todo:
        groups.setdefault(unit.batch, []).append(unit)
    return [batch for group in groups.values() for batch in in_batches(group, group[0].recipe["batch"])]


def without_model(model: str) -> str:
    """Why a dream failed whose model is not there."""
    return f"its model is not there: models/{model} failed, or was left out by --only"


def kept_path(run: Path, first: Unit) -> Path:
    """Where the state of a long batch is kept until its dreams are written, by the ``first`` of them."""
    return run / "jobs" / "kept" / f"{config.digest(first.name)}.pt"


def make(run: Path, study: Study, batch: Sequence[Unit], every: float = KEPT_EVERY) -> None:
    """Dream one batch: all of its units share model, layer, side, start and rule. A batch too large for memory goes in parts. The state
    of a part is kept every so many seconds, until it is written.
    """
    model, start_name = batch[0].inputs["model"], batch[0].inputs["start"]
    checkpoint = train.load(run, model)
    recipe = batch[0].recipe
    start = start_of(store.opened(corpus_path(run)), study, start_name)[:, : checkpoint.description.samples]
    given = torch.from_numpy(start).to(default_device(), next(checkpoint.network.parameters()).dtype)
    size = together(recipe["batch"], given)
    for part in in_batches(batch, size):
        kept = kept_path(run, part[0])
        targets = _targets(part, checkpoint)
        filled = [*targets, *[targets[-1]] * (size - len(part))]
        dreams = dream(
            checkpoint.network.to(given.device), recipe["layer"], filled, given,
            side=recipe["side"], rule=recipe["rule"], step=recipe["step"], steps=recipe["steps"], stop_rms=recipe["stop_rms"],
            kept=kept, every=every,
        )  # fmt: skip
        states = _states(run, model, checkpoint, recipe, given, start_name, targets)
        for place, (unit, state) in enumerate(zip(part, states, strict=True)):
            _write(run, unit, dreams, place, start, state, checkpoint, model)
        kept.unlink(missing_ok=True)


def _targets(batch: Sequence[Unit], checkpoint: Checkpoint) -> list[tuple[int, ...]]:
    layer, classes = batch[0].recipe["layer"], checkpoint.description.classes
    return [filters_of(unit.recipe["target"], layer, _filters(checkpoint, layer), classes) for unit in batch]


def _filters(checkpoint: Checkpoint, layer: str) -> int:
    assert isinstance(checkpoint.network, Dreamable)
    return checkpoint.network.layers()[layer].filters


def _states(
    run: Path, model: str, checkpoint: Checkpoint, recipe: Any, start: torch.Tensor, start_name: str, targets: Sequence[tuple[int, ...]]
) -> Iterator[dict[str, bool]]:
    """What the census says of every target: a target of several filters is silent or slow where all of them are."""
    counted = files.read_json(files.verified(run / f"models/{model}/evaluation.json", "census.json"))
    layer = recipe["layer"]
    records = counted["layers"][layer]
    here, upstream = records, counted["bottleneck"]["silent_on_start"] and layer != counted["bottleneck"]["layer"]
    if start_name != "source":
        look = census(checkpoint.network, dict.fromkeys([counted["bottleneck"]["layer"], layer]), start, [start[None]])
        here = look["layers"][layer]
        upstream = look["bottleneck"]["silent_on_start"] and layer != look["bottleneck"]["layer"]
    for target in targets:
        yield {
            "silent_on_start": all(here[number]["silent_on_start"] for number in target),
            "slow": all(here[number]["slow"][recipe["side"]] for number in target),
            "silent_on_corpus": all(records[number]["silent_on_corpus"] for number in target),
            "upstream": upstream,
        }


def _write(
    run: Path, unit: Unit, dreams: Dreams, place: int, start: NDArray[np.float32], state: dict[str, bool], checkpoint: Checkpoint, model: str
) -> None:
    marker = run / unit.marker
    paths = {f"{marker.stem}{suffix}": marker.with_suffix(suffix) for suffix in (".wav", ".mp3")}
    sound = dreams.sounds[place].float().cpu().numpy()
    rate = checkpoint.preparation.sample_rate
    write_wav(marker.with_suffix(".wav"), sound, rate)
    listening_copy(marker.with_suffix(".mp3"), sound, rate, start)
    assert isinstance(checkpoint.network, Dreamable)
    first = next(iter(checkpoint.network.layers().values())).module
    assert isinstance(first, torch.nn.Conv1d)
    trace = [float(value) for value in dreams.activation[place].tolist()]
    coefficients = dreams.coefficients
    content = {
        "model": model,
        **unit.recipe["made_from"],
        **{key: unit.recipe[key] for key in ("layer", "target", "side", "rule", "step", "steps")},
        "start": Path(unit.name).name,
        "steps_taken": int(dreams.steps[place]),
        "sample_rate": rate,
        "activation": trace,
        "state": {**state, "overshot": trace[-1] == trace[-2] and trace[-1] < max(trace)},
        "coefficients": [] if coefficients is None else [float(f"{value:.6g}") for value in coefficients[place].tolist()],
        "hop_seconds": first.stride[0] / rate,
        **anatomy(sound, start, rate),
    }
    files.finish(marker, unit.header, content, paths)


def start_of(corpus: Corpus, study: Study, name: str) -> NDArray[np.float32]:
    """What a dream starts from (2, samples): the study's source sound, silence, noise as loud as the source, or a file, prepared like the corpus."""
    source = audio.floating(corpus.start)
    if name == "source":
        return source
    if name == "silence":
        return np.zeros_like(source)
    if name == "noise":
        return (generator(study.seed, "noise").standard_normal(source.shape) * rms(source)).clip(-1, 1).astype(np.float32)
    try:
        sound, rate = audio.read(Path(name))
    except audio.UnreadableSound as error:
        raise UserError(f"{name}: {error}") from None
    return audio.floating(audio.prepare(sound, rate, study.sounds.preparation))

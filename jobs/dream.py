"""The dream stage: a unit a dream; the targets of a layer, side and start are computed together in batches of the sweep's size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from aesdream import config, files
from aesdream.dreaming import Dreams, dream, together
from aesdream.dreaming.clips import Averaged
from aesdream.dreaming.determinants import Rule
from aesdream.dreaming.directions import displaced
from aesdream.dreaming.settings import RELATIVE, SPREAD, Sweep, drawn, filters_of, is_file, start_name
from aesdream.models import Network
from aesdream.models.layers import Dreamable
from aesdream.seeding import generator
from aesdream.study import Model, Study, file_name
from aesdream.training.distributed import default_device
from jobs import train
from jobs.dreamt import Writing
from jobs.executors import in_batches
from jobs.starts import Starts
from jobs.units import Unit

SECONDS_TO_INVERT = 1.0
"""A spectrogram into sound in both ways, on one core."""
ENDED = 1 / 3
"""The part of their steps that batches of dreams take which end at a confidence, for estimates alone."""
SPECTROGRAMS = 2
"""Bytes that those of start and dream take, a sample of the sound."""
GENERIC = 4.0
"""By how much a step of a waveform network is dearer where each dream has a start of its own."""
SECONDS_TO_MEASURE = 2.4e-7
"""What composers measure in a sound, for one sample, on one core."""
SECONDS_TO_HEAR = 2.2e-7
"""How much of a dream is heard, for one sample, on one core."""
SECONDS_TO_REGULARISE = 4e-8
"""A regulariser's part of a step for one sample, on one core."""
OPTIONS = ("domain", "excerpts", "windows", "stop_confidence", "direction", "keep", "at", "regularisers", "momentum")
"""Keys of a sweep that most leave as they are."""
ASKED = ("side", "rule", "step", "steps", "stop_rms", "stop_confidence", "at", "regularisers", "momentum")
"""Keys of a sweep that say how to climb."""
BYTES_OF_NUMBERS = 20_000
"""A dream's JSON, where nothing else is kept of it."""
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
        for target in study.targets(sweep, model, layer, classes)
    ]


def _unit(study: Study, sweep_name: str, sweep: Sweep, model: Model, layer: str, target: str, side: str, start: str, checkpoint: str) -> Unit:
    samples, channels = study.input_samples(model.treatment), study.sounds.channels
    network = study.network_of(model.treatment)
    recipe = {
        "made_from": {"checkpoint": checkpoint},
        "layer": layer,
        "target": target,
        "side": side,
        "start": files.sha256(Path(start)) if is_file(start) else start,
        "threads": study.threads,
        **{key: getattr(sweep, key) for key in ("rule", "step", "steps", "stop_rms", "batch")},
        # What a sweep leaves as it is stays out, so that dreams made before the key existed are not asked to be made again.
        **{key: config.plain(sweep)[key] for key in OPTIONS if getattr(sweep, key) != Sweep.model_fields[key].default},
    }
    group = f"dreams/{sweep_name}/{model.name}/{layer}"
    name = f"{group}/{file_name(target)}/{side}/{start_name(start)}"
    return Unit(
        name,
        "dream",
        f"{name}.json",
        recipe,
        inputs={"model": model.name, "start": start},
        section=f"sweeps.{sweep_name}.",
        batch="/".join([group, side, *_together(sweep, target, start)]),
        seconds=_seconds(network, sweep, target, start, samples, channels),
        bytes=_bytes(sweep, start, samples, channels, network.han is not None),
    )


def _seconds(network: Network, sweep: Sweep, target: str, start: str, samples: int, channels: int) -> float:
    """What a dream takes on one core; a step costs about what it costs to train on its sound once, or several times that on the generic path."""
    kind = drawn(start)[0]
    cost = network.settings.seconds(samples, channels) * sweep.steps * len(target.split("-then-"))
    cost *= (ENDED if sweep.stop_confidence is not None else 1.0) * (GENERIC if kind and network.jenkins is not None else 1.0)
    # The gradient of one measure takes about as long as all measures do.
    cost += SECONDS_TO_MEASURE * samples * channels * sweep.steps if sweep.direction == "rule" else 0
    cost += SECONDS_TO_REGULARISE * samples * channels * sweep.steps * len(sweep.regularisers)
    cost += (SECONDS_TO_HEAR + SECONDS_TO_MEASURE * (1 + len(sweep.at))) * samples * channels if kind == SPREAD else 0
    return cost + (SECONDS_TO_INVERT if sweep.domain == "spectrogram" else 0)


def _bytes(sweep: Sweep, start: str, samples: int, channels: int, spectral: bool) -> int:
    """What a dream takes on disk: its sounds, a drawn start's too, and spectrograms where the network hears them; or its numbers alone."""
    if sweep.keep == "numbers":
        return BYTES_OF_NUMBERS
    return samples * (channels * 5 * (2 if drawn(start)[0] else 1) + (SPECTROGRAMS if spectral else 0))


def _together(sweep: Sweep, target: str, start: str) -> list[str]:
    """What tells a dream's batch from others of its layer and side: its start, or where starts are drawn and of one size its legs."""
    if not drawn(start)[0] or sweep.windows == "all":
        return [start]
    return [target] if target in RELATIVE else ["drawn"]


def batches(todo: Sequence[Unit]) -> list[list[Unit]]:
    """The units to do, in the batches in which they are computed."""
    groups: dict[str, list[Unit]] = {}
    for unit in todo:
        groups.setdefault(unit.batch, []).append(unit)
    return [batch for group in groups.values() for batch in in_batches(group, group[0].recipe["batch"])]


def without_model(model: str) -> str:
    """Why a dream failed whose model is not there."""
    return f"its model is not there: models/{model} failed, or was left out by --only"


def kept_path(run: Path, first: Unit, leg: int = 0) -> Path:
    """Where the state of a long batch is kept until its dreams are written, by the ``first`` of them; a dream to two targets has two legs."""
    return run / "jobs" / "kept" / f"{config.digest(first.name)}{f'-{leg}' if leg else ''}.pt"


def make(run: Path, study: Study, batch: Sequence[Unit], every: float = KEPT_EVERY) -> None:
    """Dream one batch: all of its units share model, layer, side and rule, and either their start or that it is drawn. A batch too large for memory
    goes in parts. The state of a part is kept every so many seconds, until it is written.
    """
    making = _Making(run, study, batch)
    size = together(making.rows(), making.given(batch[0]), making.recipe.get("at", ()), making.recipe.get("momentum", 0.0))
    for part in in_batches(batch, size):
        making.part(part, size, every)


class _Making:
    """What the dreams of a batch have in common."""

    def __init__(self, run: Path, study: Study, batch: Sequence[Unit]) -> None:
        self.run, self.model, self.recipe = run, batch[0].inputs["model"], batch[0].recipe
        self.seed, self.direction = study.seed, batch[0].recipe.get("direction")
        self.checkpoint = train.load(run, self.model)
        network = self.checkpoint.network
        starts = Starts(run, study, self.model, self.checkpoint, self.recipe)
        self.starts = {name: starts.of(name) for name in dict.fromkeys(unit.inputs["start"] for unit in batch)}
        self.bounds = (-1.0, 1.0)
        if starts.spectral:
            self.bounds = (starts.bands["low"], starts.bands["high"])
        self.whole = starts.windows == "all"
        inner = network.body if starts.spectral else network
        assert isinstance(inner, torch.nn.Module)
        self.inner = inner.to(default_device())
        self.heard = Averaged(self.inner) if self.whole else self.inner
        assert isinstance(self.inner, Dreamable)
        self.filters = self.inner.layers()[self.recipe["layer"]].filters
        self.climbed: tuple[torch.nn.Module, str] = self.heard, self.recipe["layer"]
        if self.direction == "rule":
            composer = study.composer_of(self.model.split("/")[0])
            assert composer is not None
            self.climbed = Rule(composer, self.checkpoint.preparation.sample_rate), "said"

    def rows(self) -> int:
        """How many dreams to compute together: the sweep's batch, but no more than a layer has filters where all begin alike."""
        batch: int = self.recipe["batch"]
        own = any(drawn(name)[0] for name in self.starts)
        return batch if own else min(batch, max(2, self.filters))

    def given(self, unit: Unit) -> torch.Tensor:
        """What a dream is given to change."""
        given = self.starts[unit.inputs["start"]].given.to(default_device())
        return given if self.whole else given[0]

    def legs(self, unit: Unit) -> list[tuple[int, ...]]:
        """What a dream is dreamed to, one after another."""
        target, classes = unit.recipe["target"], self.checkpoint.description.classes
        if target not in RELATIVE:
            return [filters_of(target, self.recipe["layer"], self.filters, classes)]
        right, wrong = self.starts[unit.inputs["start"]].classes
        return [(right,) if part == "right" else (wrong,) for part in target.split("-then-")]

    def part(self, part: Sequence[Unit], size: int, every: float) -> None:
        """Dream some units at once, filled up to ``size``, and write them."""
        rows = [*part, *[part[-1]] * (size - len(part))]
        legs = list(zip(*map(self.legs, rows), strict=True))
        # One start for all is computed in other ways than many: which it is must not depend on how many dreams are left to do.
        own = bool(drawn(part[0].inputs["start"])[0])
        start: torch.Tensor | list[torch.Tensor] = [self.given(row) for row in rows] if own else self.given(part[0])
        for leg, targets in enumerate(legs):
            begun = start
            dreams = self._along_noises(rows, targets, begun) if self.direction == "random" else dream(
                *self.climbed, targets, begun, bounds=self.bounds,
                **{key: self.recipe[key] for key in ASKED if key in self.recipe},
                sample_rate=self.checkpoint.preparation.sample_rate, kept=kept_path(self.run, part[0], leg), every=every,
            )  # fmt: skip
            start = list(dreams.sounds)
        writing = Writing(self.run, self.model, self.checkpoint, self.recipe, self.inner, self.heard)
        begins = torch.stack(begun) if isinstance(begun, list) else begun.expand(size, *begun.shape)
        judged = writing.judged(begins, dreams.sounds, *([] if dreams.passed is None else dreams.passed))
        for place, unit in enumerate(part):
            first = self.starts[unit.inputs["start"]]
            writing.write(unit, dreams, place, first, begins[place], legs[-1][place], judged)
        for leg in range(len(legs)):
            kept_path(self.run, part[0], leg).unlink(missing_ok=True)

    def _along_noises(self, rows: Sequence[Unit], targets: Sequence[tuple[int, ...]], start: torch.Tensor | list[torch.Tensor]) -> Dreams:
        """The control without a gradient: each start moved along a noise of its own, or against it, as far as dreams go."""
        begun = start if isinstance(start, list) else [start] * len(rows)
        distances = (*self.recipe.get("at", ()), self.recipe["stop_rms"])
        passed: list[list[torch.Tensor]] = [[] for _ in distances]
        for unit, target, one in zip(rows, targets, begun, strict=True):
            noise = generator(self.seed, "direction", self.model, unit.inputs["start"]).standard_normal(tuple(one.shape))
            toward = torch.from_numpy(noise if self.filters - 1 in target else -noise).to(one.device)
            for there, distance in zip(passed, distances, strict=True):
                there.append(displaced(one, toward, distance, self.bounds))
        moved = passed[-1]
        trace = torch.cat([self._activation(targets, begun), self._activation(targets, moved)], 1)
        kept = torch.stack([torch.stack(there) for there in passed]) if len(distances) > 1 else None
        return Dreams(torch.stack(moved), trace, None, torch.ones(len(rows), dtype=torch.int64), kept)

    def _activation(self, targets: Sequence[tuple[int, ...]], sounds: list[torch.Tensor]) -> torch.Tensor:
        """(targets, 1) what each target says of its sound."""
        return dream(self.heard, self.recipe["layer"], targets, sounds, side=self.recipe["side"], steps=0).activation

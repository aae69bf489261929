"""What a run folder holds of a study's models and dreams, and what it lacks: every expected unit is listed, present or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from aesdream import files
from aesdream import study as study_file
from aesdream.dreaming.settings import start_name
from aesdream.errors import DamagedFile
from aesdream.study import Study
from aesdream.training.statistics import number

MISSING = "not made yet"
DEATHS = ("upstream", "silent_on_start", "silent_on_corpus", "slow")
FLAGS = (*DEATHS, "overshot")


@dataclass(frozen=True)
class Model:
    """One model of the study; ``problem`` says why there is no ``evaluation`` of it."""

    treatment: str
    protocol: str
    split: int
    seed: int
    folder: Path
    evaluation: Mapping[str, Any] | None
    census: Mapping[str, Any] | None
    problem: str | None

    @property
    def name(self) -> str:
        """``treatment/protocol/split0-seed0``."""
        return f"{self.treatment}/{self.protocol}/split{self.split}-seed{self.seed}"

    @property
    def unit(self) -> str:
        """Its path in the run folder."""
        return f"models/{self.name}"

    def checkpoint(self) -> Path:
        """The checkpoint's path, its bytes verified; raises DamagedFile."""
        return files.verified(self.folder / "evaluation.json", "checkpoint.pt")


@dataclass(frozen=True)
class Dream:
    """One dream of a sweep; ``problem`` says why it has no ``content``, which is then empty."""

    sweep: str
    model: str
    layer: str
    target: str
    side: str
    start: str
    marker: Path
    content: Mapping[str, Any]
    problem: str | None

    @property
    def name(self) -> str:
        """Its path below ``dreams/`` in the run folder, without suffix."""
        return "/".join((self.sweep, self.model, self.layer, self.target, self.side, self.start))

    @property
    def unit(self) -> str:
        """Its path in the run folder, without suffix."""
        return f"dreams/{self.name}"

    @property
    def ready(self) -> bool:
        """Whether it was made."""
        return self.problem is None

    @property
    def is_filter(self) -> bool:
        """Whether its target is one filter of a layer, neither several nor a class."""
        return self.layer != "class" and self.target.isdigit()

    @property
    def dead(self) -> bool:
        """Whether the census found its target dead on the side that was dreamed; before its ReLU a filter that is silent after it may yet rise."""
        state = self.content.get("state", {})
        return any(state.get(flag) for flag in (DEATHS if self.side == "post" else ("upstream", "slow")))

    @property
    def overshot(self) -> bool:
        """Whether it stood still behind the edge of a ReLU, below what it had reached."""
        return bool(self.content.get("state", {}).get("overshot"))

    @property
    def sure(self) -> bool:
        """Whether the network was as sure of its start as the dream was to make it (``stop_confidence``), so that no step was taken."""
        return self.content.get("stop_confidence") is not None and self.content.get("steps_taken") == 0

    @property
    def gain(self) -> float | None:
        """How much its activation rose, None where the dream is missing."""
        trace = self.content.get("activation")
        return number(trace[-1] - trace[0]) if trace else None

    @property
    def fate(self) -> str | None:
        """``rose``, or why it did not: ``dead``, ``overshot``, ``sure`` (no step needed), else ``unexplained``; None where the dream is missing."""
        if not self.ready:
            return None
        if (self.gain or 0.0) > 0:
            return "rose"
        return "dead" if self.dead else "overshot" if self.overshot else "sure" if self.sure else "unexplained"

    def number(self, key: str) -> float | None:
        """A number of its JSON or of what that says of the change, None where there is none."""
        value = self.content.get(key, self.content.get("change", {}).get(key))
        return float(value) if isinstance(value, int | float) else None

    @property
    def spread(self) -> list[float]:
        """How much of conv1's kernel it added at each of conv1's output frames; of several kernels the root mean square over them."""
        values = self.content.get("coefficients") or []
        filters = self.content.get("first_filters", 1)
        return values if filters == 1 else np.sqrt(np.square(np.reshape(values, (filters, -1))).mean(axis=0)).tolist()

    def companion(self, suffix: str) -> str:
        """Path of its ``wav`` or ``mp3`` from the run folder."""
        return f"{self.unit}.{suffix}"

    @property
    def has_own_start(self) -> bool:
        """Whether what it started from was drawn for it, and lies beside it."""
        return f"{self.marker.stem}-start.wav" in self.content.get("files", {})

    def own_start(self) -> NDArray[np.float32]:
        """What it started from, where that lies beside it [shape=(channels, samples)], verified; raises DamagedFile."""
        return self._read("-start.wav")[0]

    def sound(self) -> tuple[NDArray[np.float32], int]:
        """The dream [shape=(channels, samples)] and its sample rate, verified; raises DamagedFile."""
        return self._read(".wav")

    def copy(self, suffix: str) -> bytes:
        """A listening copy that lies beside its JSON, as MP3, verified; raises DamagedFile."""
        return files.verified(self.marker, f"{self.marker.stem}{suffix}").read_bytes()

    def _read(self, suffix: str) -> tuple[NDArray[np.float32], int]:
        path = files.verified(self.marker, f"{self.marker.stem}{suffix}")
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DamagedFile(path, str(error)) from None
        return samples.T, int(rate)


def models(run: Path, study: Study, failed: Mapping[str, str]) -> list[Model]:
    """Every model that the study asks for, in its order; ``failed`` says why a unit could not be made. Raises DamagedFile."""
    return [_model(run, asked, failed) for asked in study.models()]


def _model(run: Path, asked: study_file.Model, failed: Mapping[str, str]) -> Model:
    folder = run / "models" / asked.name
    evaluation, problem = _marker(folder / "evaluation.json", failed.get(f"models/{asked.name}"))
    census = files.read_json(files.verified(folder / "evaluation.json", "census.json")) if evaluation else None
    return Model(asked.treatment, asked.protocol, asked.split, asked.seed, folder, evaluation, census, problem)


def _marker(path: Path, failure: str | None) -> tuple[dict[str, Any] | None, str | None]:
    if path.is_file():
        return files.read_marker(path), None
    return None, f"failed: {failure}" if failure else MISSING


def dreams(run: Path, study: Study, sweep: str, classes: Sequence[str], failed: Mapping[str, str]) -> list[Dream]:
    """Every dream that a sweep asks for: by model, start and side, then layer and target, as the thesis's appendix is ordered. Raises DamagedFile."""
    settings = study.sweeps[sweep]
    return [
        _dream(run, failed, sweep, model.name, layer, study_file.file_name(target), side, start_name(start))
        for model in study.swept(settings)
        for start in settings.starts
        for side in settings.sides
        for layer in settings.layers
        for target in study.targets(settings, model, layer, classes)
    ]


def _dream(run: Path, failed: Mapping[str, str], sweep: str, model: str, layer: str, target: str, side: str, start: str) -> Dream:
    unit = "/".join(("dreams", sweep, model, layer, target, side, start))
    marker = run / f"{unit}.json"
    content, problem = _marker(marker, failed.get(unit))
    return Dream(sweep, model, layer, target, side, start, marker, content or {}, problem)

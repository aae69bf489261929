"""What a run's appendix is drawn from: its units as read, and the numbers drawn from them so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from aesdream import files
from aesdream.appendix import anatomy, reading
from aesdream.appendix.reading import Dream, Model
from aesdream.appendix.views import Views
from aesdream.sounds.store import Corpus
from aesdream.study import Study
from aesdream.training.evaluation import bootstrap
from aesdream.training.statistics import Resampling


class Material:
    """A run folder, read. ``content`` is what becomes results.json; ``failed`` says why a unit could not be made. Raises DamagedFile."""

    def __init__(self, run: Path, study: Study, failed: Mapping[str, str]) -> None:
        self.run, self.study = run, study
        self.sounds = files.read_marker(run / "sounds.json")
        self.corpus = Corpus(files.verified(run / "sounds.json", "sounds.h5"))
        self.models: Sequence[Model] = reading.models(run, study, failed)
        self._failed = failed
        self.dreams: Mapping[str, Sequence[Dream]] = self._dreams("sounds")
        self.content: dict[str, Any] = {}
        self.views = Views(self.corpus, study)

    def _dreams(self, kept: str) -> dict[str, Sequence[Dream]]:
        names = [name for name, sweep in self.study.sweeps.items() if sweep.keep == kept]
        return {name: reading.dreams(self.run, self.study, name, self.sounds["classes"], self._failed) for name in names}

    @cached_property
    def measured(self) -> Mapping[str, Sequence[Dream]]:
        """The dreams of sweeps that keep numbers alone: no sound of them is there, and no gallery has them."""
        return self._dreams("numbers")

    @cached_property
    def resampling(self) -> Resampling:
        """The families drawn for every interval."""
        return bootstrap(self.corpus.families, self.study.seed)

    @cached_property
    def kernels(self) -> Mapping[str, anatomy.FirstLayer]:
        """The first layer of every model that is there and reads a waveform, before and after training."""
        read = {model.name: anatomy.first_layer(model) for model in self.models if model.evaluation}
        return {name: layer for name, layer in read.items() if layer is not None}

    @cached_property
    def by_name(self) -> Mapping[str, Dream]:
        """Every dream that the study asks for."""
        return {dream.name: dream for members in self.dreams.values() for dream in members}

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, Any]]:
        """The same in results.json."""
        return {entry["dream"]: entry for sweep in self.content["sweeps"].values() for entry in sweep["dreams"]}

    @cached_property
    def dreamed(self) -> list[str]:
        """Every model that a sweep dreams, in the order of sweeps."""
        return list(dict.fromkeys(dream.model for members in self.dreams.values() for dream in members))

"""Every unit of a study: which there are, in which batches they are computed, and by which function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from aesdream import config, files
from aesdream.study import Study
from jobs import appendix, dream, preprocess, train
from jobs.units import Unit

STEPS = ("preprocess", "join", "train", "dream", "appendix")
"""The stages as they are computed: the slices of the corpus and their joining apart."""
ON_GPU = ("train", "dream")


class Graph:
    """The units of a study, given the unit of its corpus. ``sources`` are needed to prepare sounds, and for nothing else."""

    def __init__(self, study: Study, corpus: Unit, count: int, classes: Sequence[str], sources: preprocess.Sources | None = None) -> None:
        self.study, self.corpus, self.sources = study, corpus, sources
        tested = 0.0 if sources is None else sum(one.total for name, one in sources.sets.items() if name)
        self.models = train.units(study, config.digest(corpus.recipe), count, tested, len(classes))
        self.dreams = dream.units(study, classes, {unit.name.removeprefix("models/"): config.digest(unit.recipe) for unit in self.models})

    @classmethod
    def of(cls, study: Study, sources: preprocess.Sources) -> Graph:
        """The units of a study whose sources were looked at."""
        return cls(study, preprocess.joined(sources), sources.corpus.count, sources.corpus.classes, sources)

    @classmethod
    def joined(cls, study: Study, run: Path) -> Graph:
        """The units of a study whose corpus is finished: nothing but the run folder is read."""
        marker = files.read_marker(run / "sounds.json")
        return cls(study, Unit("sounds", "preprocess", "sounds.json", marker["recipe"]), marker["count"], marker["classes"])

    @cached_property
    def slices(self) -> list[Unit]:
        """The slices that are joined; they are there only until then."""
        assert self.sources is not None
        return preprocess.slices(self.sources)

    @property
    def shown(self) -> list[Unit]:
        """What the appendix shows, and what a changed study must not change."""
        return [self.corpus, *self.models, *self.dreams]

    def page(self, run: Path) -> Unit:
        """The appendix, given what is there."""
        return appendix.unit(run, self.study, self.shown)

    def stages(self, run: Path) -> dict[str, list[Unit]]:
        """The units that a user counts, a stage at a time."""
        return {"preprocess": [self.corpus], "train": self.models, "dream": self.dreams, "appendix": [self.page(run)]}

    def units(self, run: Path, step: str) -> list[Unit]:
        """The units of a step."""
        if step == "appendix":
            return [self.page(run)]
        return {"join": lambda: [self.corpus], "train": lambda: self.models, "dream": lambda: self.dreams, "preprocess": lambda: self.slices}[step]()

    def batches(self, step: str, units: Sequence[Unit]) -> list[list[Unit]]:
        """Units of a step in the batches in which they are computed, long ones first where that shortens the whole."""
        if step == "dream":
            return dream.batches(units)
        return [[unit] for unit in (sorted(units, key=lambda unit: -unit.seconds) if step == "train" else units)]

    def work(self, run: Path, step: str, batch: Sequence[Unit], kept_every: float = dream.KEPT_EVERY) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """The function that computes a batch, with its arguments; dreams that take long keep their state every so many seconds."""
        if step == "preprocess":
            return preprocess.prepare_slice, (run, self.sources, batch[0])
        if step == "join":
            return preprocess.join, (run, self.sources, batch[0], self.slices)
        if step == "train":
            return train.make, (run, self.study, batch[0], self._model_of[batch[0].name])
        if step == "dream":
            return dream.make, (run, self.study, batch, kept_every)
        return appendix.make, (run, self.study, batch[0], appendix.failures(run, self.shown))

    def kept(self, run: Path, step: str, batch: Sequence[Unit]) -> Path | None:
        """Where an unfinished batch keeps how far it has come."""
        return train.state_path(run, batch[0]) if step == "train" else dream.kept_path(run, batch[0]) if step == "dream" else None

    @cached_property
    def _model_of(self) -> dict[str, Any]:
        return {f"models/{model.name}": model for model in self.study.models()}

"""A run: the stages in their order, each skipping what is complete, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import disk_usage
from time import monotonic
from typing import Any

import yaml

from aesdream import config, files
from aesdream.errors import DamagedFile, UserError
from aesdream.study import Study, known_classes
from jobs import appendix, dream, ledger, preprocess, train
from jobs.executors import Here, Outcome, Task, cores, in_batches
from jobs.progress import Progress
from jobs.units import STAGES, Unit, discard, owner, refuse_changes

REMADE = 3
"""How often one run makes damaged files again before it gives up."""


@dataclass
class Run:
    """One call of ``aesdream run`` on a folder."""

    folder: Path
    study: Study
    until: str = STAGES[-1]
    only: Sequence[str] = ()
    failed: list[str] = field(default_factory=list)
    page: str = ""

    def go(self, progress: Progress) -> None:
        """Do what is missing, stage by stage. Raises UserError where the user's input is wrong; failed units are in ``failed``."""
        with ledger.locked(self.folder):
            files.remove_leftovers(self.folder)
            self._stages = _Stages(self, progress)
            try:
                for attempt in range(REMADE + 1):
                    try:
                        self._stages.go()
                        return
                    except DamagedFile as damaged:
                        if attempt == REMADE:
                            raise UserError(f"{damaged}; it was made again {REMADE} times: look after the disk") from None
                        progress.say(f"{damaged}; it is made again")
                        discard(owner(self.folder, damaged.path))
            finally:
                self._stages.here.close()


class _Stages:
    """The stages of a run, in order."""

    def __init__(self, run: Run, progress: Progress) -> None:
        self.run, self.study, self.folder, self.progress = run, run.study, run.folder, progress
        self.here = Here(run.study.threads)
        self.book = ledger.Ledger(run.folder)

    def go(self) -> None:
        """Every stage up to the one asked for."""
        self.run.failed.clear()
        source = self._sources()
        corpus = preprocess.joined(source)
        models, dreams = planned(self.study, corpus, source)
        refuse_changes(self.folder, [corpus, *models, *dreams])
        page = appendix.unit(self.folder, self.study, [corpus, *models, *dreams])
        plan: dict[str, list[Unit]] = {"preprocess": [corpus], "train": models, "dream": dreams, "appendix": [page]}
        self._write_study()
        ledger.write_plan(self.folder, {stage: {unit.name: unit.marker for unit in units} for stage, units in plan.items()})
        self._refuse_full_disk([unit for units in plan.values() for unit in units])
        for stage in STAGES[: STAGES.index(self.run.until) + 1]:
            getattr(self, f"_{stage}")(source, plan)

    def _write_study(self) -> None:
        resolved = yaml.safe_dump(config.plain(self.study), sort_keys=False, allow_unicode=True)
        head = f"# resolved configuration; digest {config.digest(config.plain(self.study))}\n# {versions()}\n"
        files.write_bytes(self.folder / "study.yaml", (head + resolved).encode())

    def _sources(self) -> preprocess.Sources:
        """Look at every sound, on all cores; wrong ones are all reported before any long work."""
        entries = preprocess.entries_of(self.study)
        tasks = [
            Task((), preprocess.look, (batch, preprocess.at_least(self.study)), self.folder / "jobs" / "logs" / "look.log")
            for batch in in_batches(entries, preprocess.LOOKED_AT_TOGETHER)
        ]
        looks: dict[int, Any] = {}
        places = {id(task): number for number, task in enumerate(tasks)}
        if tasks:
            with self.progress.stage("look at the sounds", len(tasks)) as advance:
                for outcome in self.here.run(tasks, cores_a_task=1, on_gpu=False, begun=lambda task: None):
                    if outcome.error:
                        raise RuntimeError(outcome.error)
                    looks[places[id(outcome.task)]] = outcome.result
                    advance(1)
        return preprocess.sources(self.study, entries, [look for number in sorted(looks) for look in looks[number]])

    def _refuse_full_disk(self, units: Sequence[Unit]) -> None:
        missing = sum(unit.bytes for unit in units if not (self.folder / unit.marker).exists())
        free = disk_usage(self.folder).free
        if missing > free:
            raise UserError(f"{self.folder}: {missing / 1e9:.1f} GB are still to be written, {free / 1e9:.1f} GB are free; free some or use --out")

    def _preprocess(self, source: preprocess.Sources, plan: dict[str, list[Unit]]) -> None:
        corpus = plan["preprocess"][0]
        if self._todo([corpus]):
            parts = preprocess.slices(source)
            self._do(
                "preprocess", [[part] for part in self._missing(parts)], lambda batch: (preprocess.prepare_slice, (self.folder, source, batch[0]))
            )
            if not self.run.failed:
                self._do("join", [[corpus]], lambda batch: (preprocess.join, (self.folder, source, corpus, parts)))
        if self.run.failed:
            raise StoppedError

    def _train(self, source: preprocess.Sources, plan: dict[str, list[Unit]]) -> None:
        todo = sorted(self._todo(plan["train"]), key=lambda unit: -unit.seconds)
        models = {f"models/{model.name}": model for model in self.study.models()}
        self._do(
            "train", [[unit] for unit in todo], lambda batch: (train.make, (self.folder, self.study, batch[0], models[batch[0].name])),
            cores_a_task=self.study.training.processes * self.study.threads, on_gpu=True,
        )  # fmt: skip

    def _dream(self, source: preprocess.Sources, plan: dict[str, list[Unit]]) -> None:
        batches = dream.batches(self._todo(plan["dream"]))
        self._do(
            "dream", batches, lambda batch: (dream.make, (self.folder, self.study, batch)), cores_a_task=self.study.threads, on_gpu=True,
        )  # fmt: skip

    def _appendix(self, source: preprocess.Sources, plan: dict[str, list[Unit]]) -> None:
        shown = [unit for stage in STAGES[:-1] for unit in plan[stage]]
        page, failed = appendix.unit(self.folder, self.study, shown), appendix.failures(self.folder, shown)
        todo = self._todo([page])
        self._do("appendix", [todo] if todo else [], lambda batch: (appendix.make, (self.folder, self.study, page, failed)))
        self.run.page = str(self.folder / "appendix" / "index.html")

    def _todo(self, units: Sequence[Unit]) -> list[Unit]:
        chosen = [u for u in units if not self.run.only or any(fnmatchcase(u.name, pattern) for pattern in self.run.only)]
        return self._missing(chosen)

    def _missing(self, units: Sequence[Unit]) -> list[Unit]:
        return [unit for unit in units if not unit.is_complete(self.folder)]

    def _do(
        self, title: str, batches: Sequence[Sequence[Unit]], work: Callable[[Sequence[Unit]], tuple[Callable[..., Any], tuple[Any, ...]]],
        *, cores_a_task: int = 1, on_gpu: bool = False,
    ) -> None:  # fmt: skip
        if not batches:
            return
        tasks = [Task(tuple(u.name for u in batch), *work(batch), log=self._log(batch[0])) for batch in batches]
        began = monotonic()
        with self.progress.stage(title, sum(len(batch) for batch in batches)) as advance:
            begun: Callable[[Task], None] = lambda task: self.book.note("begun", task.units)  # noqa: E731
            for outcome in self.here.run(tasks, cores_a_task=max(1, cores_a_task), on_gpu=on_gpu, begun=begun):
                self._note(outcome)
                advance(len(outcome.task.units))
        self.book.note("stage", [], stage=title, seconds=round(monotonic() - began, 2), units_done=sum(map(len, batches)), cores=cores())

    def _log(self, unit: Unit) -> Path:
        return self.folder / "jobs" / "logs" / (unit.name.replace("/", "_") + ".log")

    def _note(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self.book.note("done", outcome.task.units)
            return
        log = str(outcome.task.log) if outcome.task.log.exists() else None
        self.book.note("failed", outcome.task.units, reason=outcome.error, log=log)
        if outcome.damaged is not None:
            raise outcome.damaged
        if outcome.wrong is not None:
            raise outcome.wrong
        self.run.failed += outcome.task.units
        self.progress.say(f"{outcome.task.units[0]}: failed: {outcome.error}" + (f" (see {log})" if log else ""))


class StoppedError(Exception):
    """A stage failed on which every later one depends."""


def planned(study: Study, corpus: Unit, source: preprocess.Sources) -> tuple[list[Unit], list[Unit]]:
    """The model and dream units of a study."""
    models = train.units(study, config.digest(corpus.recipe), source.count)
    classes = source.corpus.classes if source.corpus is not None else known_classes(study)
    return models, dream.units(study, classes, {unit.name.removeprefix("models/"): config.digest(unit.recipe) for unit in models})


def versions() -> str:
    """The versions that bytes depend on, in a line."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("aesdream", "torch", "numpy", "scipy", "soundfile", "soxr", "h5py"))

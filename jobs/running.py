"""A run: the stages in their order, each skipping what is complete, on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import disk_usage
from time import monotonic
from typing import Any

import yaml

from aesdream import config, files
from aesdream.errors import DamagedFile, UserError
from aesdream.sounds.audio import Inspection
from aesdream.study import Study, known_classes
from jobs import appendix, dream, ledger, preprocess, train
from jobs.executors import Here, Outcome, Task, cores, in_batches
from jobs.progress import Progress
from jobs.units import STAGES, Unit, discard, owner, refuse_changes

REMADE = 3
"""How often one run makes damaged files again before it gives up."""


class Run:
    """One call of ``aesdream run``: ``folder`` is the run folder, ``until`` the last stage, ``only`` globs on unit names (none: all units)."""

    def __init__(self, folder: Path, study: Study, progress: Progress, *, until: str = STAGES[-1], only: Sequence[str] = ()) -> None:
        self.folder, self.study, self.progress, self.until, self.only = folder, study, progress, until, only
        self.failed: list[str] = []
        self.here = Here(study.threads)

    @property
    def page(self) -> Path:
        """The appendix's page."""
        return self.folder / "appendix" / "index.html"

    def go(self) -> None:
        """Do what is missing, stage by stage. Raises UserError where the user's input is wrong; the names of failed units are in ``failed``."""
        with ledger.locked(self.folder):
            files.remove_leftovers(self.folder)
            self.book = ledger.Ledger(self.folder)
            try:
                self._with_repairs()
            finally:
                self.here.close()

    def _with_repairs(self) -> None:
        """Every stage; a file that turns out to be damaged is forgotten and everything begun again, which then finds most of it complete."""
        for attempt in range(REMADE + 1):
            try:
                self._stages()
                return
            except DamagedFile as damaged:
                if attempt == REMADE:
                    raise UserError(f"{damaged}; it was made again {REMADE} times: look after the disk") from None
                self.progress.say(f"{damaged}; it is made again")
                discard(owner(self.folder, damaged.path))

    def _stages(self) -> None:
        self.failed.clear()
        source = looked_at(self.study, self.here, self.progress)
        for warning in source.corpus.warnings if source.corpus is not None else ():
            self.progress.say(f"warning: {warning}")
        corpus = preprocess.joined(source)
        models, dreams = planned(self.study, corpus, source)
        refuse_changes(self.folder, [corpus, *models, *dreams])
        page = appendix.unit(self.folder, self.study, [corpus, *models, *dreams])
        plan: dict[str, list[Unit]] = {"preprocess": [corpus], "train": models, "dream": dreams, "appendix": [page]}
        self._refuse_idle_globs([unit for units in plan.values() for unit in units])
        self._write_study()
        ledger.write_plan(self.folder, {stage: {unit.name: unit.marker for unit in units} for stage, units in plan.items()})
        self._refuse_full_disk([unit for units in plan.values() for unit in units])
        stages: dict[str, Callable[[], None]] = {
            "preprocess": lambda: self._preprocess(source, corpus),
            "train": lambda: self._train(models),
            "dream": lambda: self._dream(dreams),
            "appendix": lambda: self._appendix([corpus, *models, *dreams]),
        }
        for stage in STAGES[: STAGES.index(self.until) + 1]:
            stages[stage]()
            if stage == "preprocess" and self.failed:
                return  # everything later depends on it

    def _refuse_idle_globs(self, units: Sequence[Unit]) -> None:
        lost = [glob for glob in self.only if not any(fnmatchcase(unit.name, glob) for unit in units)]
        if lost:
            examples = ", ".join(reversed({unit.stage: unit.name for unit in reversed(units)}.values()))
            raise UserError(*(f"--only {glob}: matches no unit; units are named like {examples}" for glob in lost))

    def _write_study(self) -> None:
        resolved = yaml.safe_dump(config.plain(self.study), sort_keys=False, allow_unicode=True)
        head = f"# resolved configuration; digest {config.digest(config.plain(self.study))}\n# {versions()}\n"
        files.write_bytes(self.folder / "study.yaml", (head + resolved).encode())

    def _refuse_full_disk(self, units: Sequence[Unit]) -> None:
        missing = sum(unit.bytes for unit in units if not (self.folder / unit.marker).exists())
        free = disk_usage(self.folder).free
        if missing > free:
            raise UserError(f"{self.folder}: {missing / 1e6:.0f} MB are still to be written, {free / 1e6:.0f} MB are free; free some or use --out")

    def _preprocess(self, source: preprocess.Sources, corpus: Unit) -> None:
        if not self._missing([corpus]):  # whatever --only says: nothing can be done without sounds
            return
        parts = preprocess.slices(source)
        self._do("preprocess", [[part] for part in self._missing(parts)], lambda batch: (preprocess.prepare_slice, (self.folder, source, batch[0])))
        if not self.failed:
            self._do("join", [[corpus]], lambda batch: (preprocess.join, (self.folder, source, corpus, parts)))

    def _train(self, units: Sequence[Unit]) -> None:
        longest_first = sorted(self._todo(units), key=lambda unit: -unit.seconds)
        models = {f"models/{model.name}": model for model in self.study.models()}
        self._do(
            "train",
            [[unit] for unit in longest_first],
            lambda batch: (train.make, (self.folder, self.study, batch[0], models[batch[0].name])),
            processes=self.study.training.processes,
            on_gpu=True,
        )

    def _dream(self, units: Sequence[Unit]) -> None:
        todo = self._todo(units)
        for model in dict.fromkeys(unit.inputs["model"] for unit in todo):
            if not (self.folder / f"models/{model}/evaluation.json").exists():
                orphans = [unit.name for unit in todo if unit.inputs["model"] == model]
                todo = [unit for unit in todo if unit.inputs["model"] != model]
                reason = f"its model is not there: models/{model} failed, or was left out by --only"
                self.book.note("failed", orphans, reason=reason, log=None)
                self.failed += orphans
                self.progress.say(f"{orphans[0]}: failed, as {len(orphans)} dreams in all: {reason}")
        batches = dream.batches(todo)
        work = lambda batch: (dream.make, (self.folder, self.study, batch))  # noqa: E731
        self._do("dream", batches, work, on_gpu=True)

    def _appendix(self, shown: Sequence[Unit]) -> None:
        page, failed = appendix.unit(self.folder, self.study, shown), appendix.failures(self.folder, shown)
        todo = self._todo([page])
        self._do("appendix", [todo] if todo else [], lambda batch: (appendix.make, (self.folder, self.study, page, failed)))

    def _todo(self, units: Sequence[Unit]) -> list[Unit]:
        chosen = [u for u in units if not self.only or any(fnmatchcase(u.name, pattern) for pattern in self.only)]
        return self._missing(chosen)

    def _missing(self, units: Sequence[Unit]) -> list[Unit]:
        return [unit for unit in units if not unit.is_complete(self.folder)]

    def _do(
        self, title: str, batches: Sequence[Sequence[Unit]], work: Callable[[Sequence[Unit]], tuple[Callable[..., Any], tuple[Any, ...]]],
        *, processes: int = 1, on_gpu: bool = False,
    ) -> None:  # fmt: skip
        if not batches:
            return
        tasks = [Task(tuple(u.name for u in batch), *work(batch), log=self._log(batch[0])) for batch in batches]
        began = monotonic()
        with self.progress.stage(title, sum(len(batch) for batch in batches)) as advance:
            begun: Callable[[Task], None] = lambda task: self.book.note("begun", task.units)  # noqa: E731
            for outcome in self.here.run(tasks, processes=processes, on_gpu=on_gpu, begun=begun):
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
        self.failed += outcome.task.units
        self.progress.say(f"{outcome.task.units[0]}: failed: {outcome.error}" + (f" (see {log})" if log else ""))


def looked_at(study: Study, here: Here, progress: Progress | None = None) -> preprocess.Sources:
    """The sources of a study, every sound of a folder decoded once, on all cores. Raises UserError with everything that is wrong with any of them."""
    entries = preprocess.entries_of(study)
    batches = in_batches(entries, preprocess.LOOKED_AT_TOGETHER)
    least = preprocess.at_least(study)
    tasks = [Task((str(number),), preprocess.look, (batch, least), Path(os.devnull)) for number, batch in enumerate(batches)]
    looks: dict[int, list[Inspection]] = {}
    with progress.stage("look at the sounds", len(entries)) if progress and tasks else nullcontext(lambda count: None) as advance:
        for outcome in here.run(tasks, processes=1, on_gpu=False, begun=lambda task: None):
            if outcome.error:
                raise RuntimeError(outcome.error)
            number = int(outcome.task.units[0])
            looks[number] = outcome.result
            advance(len(batches[number]))
    return preprocess.sources(study, entries, [look for number in sorted(looks) for look in looks[number]])


def planned(study: Study, corpus: Unit, source: preprocess.Sources) -> tuple[list[Unit], list[Unit]]:
    """The model and dream units of a study."""
    models = train.units(study, config.digest(corpus.recipe), source.count)
    classes = source.corpus.classes if source.corpus is not None else known_classes(study)
    return models, dream.units(study, classes, {unit.name.removeprefix("models/"): config.digest(unit.recipe) for unit in models})


def versions() -> str:
    """The versions that bytes depend on, in a line."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("aesdream", "torch", "numpy", "scipy", "soundfile", "soxr", "h5py"))

"""A run: the stages in their order, each skipping what is complete, on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from shutil import disk_usage
from time import monotonic

from aesdream import config, files
from aesdream.errors import DamagedFile, UserError
from aesdream.study import Study
from jobs import dream, ledger
from jobs.executors import Here, Outcome, Task, cores
from jobs.graph import ON_GPU, Graph
from jobs.looks import looked_at
from jobs.progress import Progress
from jobs.units import STAGES, Unit, discard, owner, refuse_changes

REMADE = 3
"""How often one run makes damaged files again before it gives up."""


class Run:
    """One call of ``aesdream run`` on this machine: ``folder`` is the run folder, ``until`` the last stage, ``only`` globs on unit names (none: all
    units), ``queued`` units that a scheduler already has and that are left to it; ``alone`` says that no task of this run is at work elsewhere.
    """

    def __init__(
        self, folder: Path, study: Study, progress: Progress, *, until: str = STAGES[-1], only: Sequence[str] = (),
        queued: Collection[str] = (), alone: bool = True,
    ) -> None:  # fmt: skip
        self.folder, self.study, self.progress, self.until, self.only, self.queued = folder, study, progress, until, only, queued
        self.alone = alone
        self.failed: list[str] = []
        self.here = Here(study.threads)

    @property
    def page(self) -> Path:
        """The appendix's page."""
        return self.folder / "appendix" / "index.html"

    def go(self) -> None:
        """Do what is missing, stage by stage. Raises UserError where the user's input is wrong; the names of failed units are in ``failed``."""
        with ledger.locked(self.folder):
            if self.alone:
                clean(self.folder)
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
        source = looked_at(self.study, self.here, self.folder, self.progress)
        for warning in source.warnings:
            self.progress.say(f"warning: {warning}")
        graph = Graph.of(self.study, source)
        refuse(self.folder, graph, self.only)
        begin(self.folder, graph)
        if self._missing([graph.corpus]):  # whatever --only says: nothing can be done without sounds
            if graph.corpus.name in self.queued:
                self.progress.say("the sounds are being prepared by queued jobs; nothing else can be done here before")
                return
            self._do(graph, "preprocess", self._missing(graph.slices))
            if not self.failed:
                self._do(graph, "join", [graph.corpus])
            if self.failed:
                return  # everything later depends on it
        steps: dict[str, Callable[[], list[Unit]]] = {
            "train": lambda: self._todo(graph.models),
            "dream": lambda: self._with_models(self._todo(graph.dreams)),
            "appendix": lambda: self._todo([graph.page(self.folder)]),
        }
        for stage in STAGES[1 : STAGES.index(self.until) + 1]:
            self._do(graph, stage, steps[stage]())

    def _with_models(self, todo: list[Unit]) -> list[Unit]:
        """The dreams whose models are there; those of a model that is not have failed with it."""
        for model in dict.fromkeys(unit.inputs["model"] for unit in todo):
            if not (self.folder / f"models/{model}/evaluation.json").exists():
                orphans = [unit.name for unit in todo if unit.inputs["model"] == model]
                todo = [unit for unit in todo if unit.inputs["model"] != model]
                reason = dream.without_model(model)
                self.book.note("failed", orphans, reason=reason, log=None)
                self.failed += orphans
                self.progress.say(f"{orphans[0]}: failed, as {len(orphans)} dreams in all: {reason}")
        return todo

    def _todo(self, units: Sequence[Unit]) -> list[Unit]:
        return self._missing([unit for unit in units if chosen(unit, self.only) and unit.name not in self.queued])

    def _missing(self, units: Sequence[Unit]) -> list[Unit]:
        return [unit for unit in units if not unit.is_complete(self.folder)]

    def _do(self, graph: Graph, step: str, units: Sequence[Unit]) -> None:
        if not units:
            return
        batches = graph.batches(step, units)
        tasks = [Task(tuple(u.name for u in batch), *graph.work(self.folder, step, batch), log=self._log(batch[0])) for batch in batches]
        processes = self.study.training.processes if step == "train" else 1
        began = monotonic()
        with self.progress.stage(step, len(units)) as advance:
            begun: Callable[[Task], None] = lambda task: self.book.note("begun", task.units)  # noqa: E731
            for outcome in self.here.run(tasks, processes=processes, on_gpu=step in ON_GPU, begun=begun):
                self._note(outcome)
                advance(len(outcome.task.units))
        self.book.note("stage", [], stage=step, seconds=round(monotonic() - began, 2), units_done=len(units), cores=cores())

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


def clean(run: Path) -> None:
    """Delete what killed attempts left; only for a caller that knows that none is running."""
    files.remove_leftovers(run)
    if (run / "sounds.json").exists():
        shutil.rmtree(run / "sounds", ignore_errors=True)  # what an orphan wrote after the slices were joined


def refuse(run: Path, graph: Graph, only: Sequence[str], *, final: bool = True) -> None:
    """Raise UserError for a study that changes finished units (where its digests are ``final``), globs that name none, and what no disk holds."""
    if final:
        refuse_changes(run, graph.shown)
    refuse_idle_globs([unit for units in graph.stages(run).values() for unit in units], only)
    _refuse_full_disk(run, graph)


def begin(run: Path, graph: Graph) -> None:
    """Write what the run is: its study and its plan."""
    stages = graph.stages(run)
    head = f"# resolved configuration; digest {config.digest(config.plain(graph.study))}\n# {versions()}\n"
    files.write_bytes(run / "study.yaml", (head + config.to_yaml(graph.study)).encode())
    ledger.write_plan(run, {stage: {unit.name: unit.marker for unit in units} for stage, units in stages.items()})


def chosen(unit: Unit, only: Sequence[str]) -> bool:
    """Whether ``--only`` names a unit; without globs it names all."""
    return not only or any(fnmatchcase(unit.name, glob) for glob in only)


def refuse_idle_globs(units: Sequence[Unit], only: Sequence[str]) -> None:
    """Raise UserError for globs of ``--only`` that name no unit."""
    lost = [glob for glob in only if not any(chosen(unit, [glob]) for unit in units)]
    if lost:
        examples = ", ".join(reversed({unit.stage: unit.name for unit in reversed(units)}.values()))
        raise UserError(*(f"--only {glob}: matches no unit; units are named like {examples}" for glob in lost))


def _refuse_full_disk(run: Path, graph: Graph) -> None:
    missing = sum(unit.bytes for unit in graph.shown if not (run / unit.marker).exists())
    free = disk_usage(run).free
    if missing > free:
        raise UserError(f"{run}: {missing / 1e6:.0f} MB are still to be written, {free / 1e6:.0f} MB are free; free some or use --out")


def versions() -> str:
    """The versions that bytes depend on, in a line."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("aesdream", "torch", "numba", "numpy", "scipy", "soundfile", "soxr", "h5py"))

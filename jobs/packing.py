"""Units into tasks: long enough to be worth starting, short enough to be lost, few enough to be taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aesdream.errors import UserError
from aesdream.study import Study
from jobs.graph import Graph
from jobs.running import chosen
from jobs.site import Site
from jobs.slurm import Limits
from jobs.units import CHECK, STAGES, Unit

Batch = Sequence[Unit]
Names = tuple[tuple[str, ...], ...]
"""The units of a task, by the batches in which they are computed."""
SHARE_OF_LIMIT = 0.8
"""How much of its time limit a task may be packed to, where a cluster takes few jobs."""


@dataclass
class Tasks:
    """What is to be handed in. ``dream`` goes by the training task that it waits for: its number, the job that has it already, or None."""

    check: bool = False
    preprocess: list[Names] = field(default_factory=list)
    join: bool = False
    train: list[Names] = field(default_factory=list)
    dream: dict[int | str | None, list[Names]] = field(default_factory=dict)
    appendix: bool = False
    rest: bool = False
    """Whether a last job hands in what the cluster does not take now."""

    @property
    def counts(self) -> dict[str, int]:
        """Tasks a step."""
        dreams = sum(map(len, self.dream.values()))
        return {
            "check": int(self.check),
            "preprocess": len(self.preprocess),
            "join": int(self.join),
            "train": len(self.train),
            "dream": dreams,
            "appendix": int(self.appendix or self.rest),
        }

    def cut(self, most: int) -> None:
        """Leave out from the end what is more than ``most`` tasks; a last job hands in the rest."""
        if sum(self.counts.values()) <= most:
            return
        self.appendix, self.rest = False, True
        left = max(0, most - 1 - int(self.check))
        self.preprocess, left = self.preprocess[:left], max(0, left - len(self.preprocess))
        self.join, left = self.join and left > 0, max(0, left - int(self.join))
        self.train, left = self.train[:left], max(0, left - len(self.train))
        kept: dict[int | str | None, list[Names]] = {}
        for key, tasks in self.dream.items():
            if left and (not isinstance(key, int) or key < len(self.train)):
                kept[key], left = tasks[:left], max(0, left - len(tasks))
        self.dream = kept


class Packer:
    """What a submission hands in, in which tasks. ``path`` is the site file, for what it is to blame for; ``leave`` are units to leave out."""

    def __init__(self, run: Path, study: Study, site: Site, path: Path, *, until: str, only: Sequence[str], leave: Collection[str] = ()) -> None:
        self.run, self.study, self.site, self.path, self.until, self.only, self.leave = run, study, site, path, until, only, leave

    def tasks(self, graph: Graph, final: bool, queued: Mapping[str, str], limits: Limits) -> Tasks:
        """What is to be handed in, packed as coarsely as the cluster's limits ask. ``final``: every sound was looked at; ``queued``: unit -> job."""
        coarser = 1.0
        while True:
            tasks = self._tasks(graph, final, queued, coarser)
            if limits.jobs is None or sum(tasks.counts.values()) <= limits.jobs or self._fullest(coarser):
                break
            coarser *= 2
        if limits.jobs is not None:
            least = 2 + tasks.check  # one that does something, and the one that hands in the rest
            if limits.jobs < min(least, sum(tasks.counts.values())):
                raise UserError(
                    f"{self.path}: the cluster takes {limits.jobs} jobs more of yours at present, {least} are needed; wait until some have ended"
                )
            tasks.cut(limits.jobs)
        return tasks

    def _tasks(self, graph: Graph, final: bool, queued: Mapping[str, str], coarser: float) -> Tasks:
        there = (lambda unit: unit.is_complete(self.run)) if final else (lambda unit: (self.run / unit.marker).exists())
        missing = lambda units: [u for u in units if u.name not in queued and u.name not in self.leave and not there(u)]  # noqa: E731
        last = STAGES.index(self.until)
        if graph.corpus.name in self.leave and not there(graph.corpus):
            return Tasks()  # nothing can be done without sounds
        found = Tasks(check=not final and CHECK not in queued)
        if missing([graph.corpus]):
            found.preprocess = self._packed(graph, "preprocess", missing(graph.slices), coarser)
            found.join = True
        if last >= STAGES.index("train"):
            found.train = self._packed(graph, "train", missing(unit for unit in graph.models if chosen(unit, self.only)), coarser)
        if last >= STAGES.index("dream"):
            found.dream = self._dreams(graph, missing(unit for unit in graph.dreams if chosen(unit, self.only)), found.train, queued, coarser)
        page = graph.page(self.run)
        if last >= STAGES.index("appendix") and chosen(page, self.only):
            found.appendix = any(found.counts.values()) or bool(missing([page]))
        return found

    def _dreams(
        self, graph: Graph, todo: Sequence[Unit], train: Sequence[Names], queued: Mapping[str, str], coarser: float
    ) -> dict[int | str | None, list[Names]]:  # fmt: skip
        trained = {name: number for number, task in enumerate(train) for batch in task for name in batch}
        groups: dict[int | str | None, list[Unit]] = {}
        for unit in todo:
            model = f"models/{unit.inputs['model']}"
            groups.setdefault(trained.get(model, queued.get(model)), []).append(unit)
        return {key: self._packed(graph, "dream", units, coarser) for key, units in groups.items()}

    def _packed(self, graph: Graph, step: str, units: Sequence[Unit], coarser: float) -> list[Names]:
        batches = graph.batches(step, units)
        alone = step == "train" and self.study.training.processes > 1
        tasks = [[batch] for batch in batches] if alone else packed(batches, self._seconds(step, coarser))
        return [tuple(tuple(unit.name for unit in batch) for batch in task) for task in tasks]

    def _seconds(self, step: str, coarser: float) -> float:
        """The estimated seconds, on one core, of a task of a step."""
        asked = self.site.asked(step)
        return min(self.site.minutes_a_task * coarser, asked.minutes * SHARE_OF_LIMIT) * 60 * asked.faster

    def _fullest(self, coarser: float) -> bool:
        return all(self.site.minutes_a_task * coarser >= self.site.asked(step).minutes * SHARE_OF_LIMIT for step in ("preprocess", "train", "dream"))


def packed(batches: Sequence[Batch], seconds: float) -> list[list[Batch]]:
    """Batches in tasks of about ``seconds`` by their units' estimates, in order; a batch is never divided."""
    tasks: list[list[Batch]] = []
    filled = seconds
    for batch in batches:
        cost = sum(unit.seconds for unit in batch)
        if filled + cost > seconds or not tasks:
            tasks.append([])
            filled = 0.0
        tasks[-1].append(batch)
        filled += cost
    return tasks

"""The graph of a study handed to Slurm through submitit: refused or accepted as a whole, packed into arrays, each waiting only for what it needs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.slurm.slurm import SlurmExecutor

from aesdream import config, files
from aesdream.errors import UserError
from aesdream.study import Study
from jobs import ledger, looks, site, slurm
from jobs.executors import in_batches
from jobs.graph import Graph
from jobs.packing import Names, Packer, Tasks
from jobs.running import begin, clean, refuse
from jobs.script import parameters
from jobs.snapshot import snapshot
from jobs.task import FAILED, Work, study_path
from jobs.units import CHECK, REST, STAGES


class Submission:
    """One call of ``aesdream run --on SITE``: hands in what is missing and not queued. ``path`` is the site file."""

    def __init__(self, run: Path, study: Study, path: Path, *, until: str = STAGES[-1], only: Sequence[str] = (), since: float | None = None) -> None:
        self.run, self.study, self.path = run.resolve(), study, path
        self.until, self.only, self.since = until, only, since
        self.site = site.load(path)
        self.digest = config.digest(config.plain(study))
        self.handed_in: dict[str, tuple[str, ...]] = {}
        self.released = 0

    def go(self) -> dict[str, int]:
        """Hand everything in; the number of tasks a step. Raises UserError where anything refuses, with nothing left half submitted."""
        self._fit_processes()
        with ledger.locked(self.run):
            live = self._live()
            graph, final = self._planned()
            refuse(self.run, graph, self.only, final=final)
            queued, limits = ledger.queued(self.run, live), slurm.limits(self.site.all_asked())
            tasks = self.packer(live).tasks(graph, final, queued, limits)
            if any(tasks.counts.values()):
                self._accept(graph, tasks, queued, live, limits.array, final=final)
            self.released = slurm.release(self.run, [job for job, told in live.items() if told.is_unlaunched])
        return tasks.counts

    def _accept(self, graph: Graph, tasks: Tasks, queued: Mapping[str, str], live: Mapping[str, slurm.Job], longest: int, *, final: bool) -> None:
        """Hand tasks in, all or none."""
        self.code, self.longest = snapshot(self.run), longest
        self._refuse([step for step, count in tasks.counts.items() if count])
        files.write_bytes(study_path(self.run, self.digest), config.to_yaml(self.study).encode())
        if final or not (self.run / ledger.FOLDER / "plan.json").exists():
            begin(self.run, graph)  # where there is a run already, the check says first whether it may be changed so
        self.book = ledger.Ledger(self.run)
        try:
            self._hand_in_all(tasks, queued, live)
        except BaseException as error:
            raise self._taken_back(error) from error

    def planned(self) -> dict[str, int]:
        """The number of tasks a step that would be handed in now."""
        live = slurm.queue(self.run)
        graph, final = self._planned()
        return self.packer(live).tasks(graph, final, ledger.queued(self.run, live), slurm.limits(self.site.all_asked())).counts

    def packer(self, live: Collection[str]) -> Packer:
        """What decides the tasks. What hands in the rest tries nothing twice: what its chain tried and Slurm no longer has is left out."""
        leave: set[str] = set()
        if self.since is not None:
            leave = {u for u, line in ledger.latest(self.run).items() if line["time"] > self.since and line.get("job") not in live}
        return Packer(self.run, self.study, self.site, self.path, until=self.until, only=self.only, leave=leave)

    def _taken_back(self, error: BaseException) -> BaseException:
        """Cancel what was submitted before something refused; what to raise."""
        told = slurm.words(str(error)) if isinstance(error, FailedJobError | FailedSubmissionError | subprocess.SubprocessError) else str(error)
        try:
            slurm.cancel(self.handed_in)
            with suppress(OSError):
                self.book.note("cancelled", [name for names in self.handed_in.values() for name in names])
        except UserError as silent:
            return UserError(
                f"{self.path}: {told}", f"{silent}; still submitted: {', '.join(self.handed_in)}; aesdream cancel {self.run} takes them back"
            )
        if not isinstance(error, Exception):
            return error
        return UserError(f"{self.path}: refused by Slurm: {told}; nothing is left submitted")

    def _planned(self) -> tuple[Graph, bool]:
        """The units, and whether their digests are final: else the sounds of a folder are looked at by the first job."""
        sources = looks.remembered(self.study, self.run, unchanged=True)
        return Graph.of(self.study, sources if sources is not None else looks.unseen(self.study)), sources is not None

    def _live(self) -> dict[str, slurm.Job]:
        """The jobs of this run that Slurm has; those that nobody noted, because their submitter was killed, are cancelled."""
        live, known = slurm.queue(self.run), ledger.jobs(self.run)
        slurm.cancel(job for job in live if job not in known)
        if not live:
            clean(self.run)
        return {job: told for job, told in live.items() if job in known}

    def _fit_processes(self) -> None:
        processes, nodes = self.study.training.processes, self.site.asked("train").nodes
        if processes % nodes:
            raise UserError(f"{self.path}: nodes: {nodes} for the stage train cannot share out training.processes: {processes} evenly")

    def _executor(self, step: str, ok: Iterable[str] = (), after: Iterable[str] = ()) -> SlurmExecutor:
        executor = SlurmExecutor(self.run / ledger.FOLDER / "slurm" / "%A", python=self.site.python)
        executor.update_parameters(**parameters(self.site, self.study, step, self.code, ok=tuple(ok), after=tuple(after)))
        return executor

    def script(self, step: str) -> str:
        """The batch script of a step, as it is submitted."""
        executor = self._executor(step)
        return executor._make_submission_file_text(executor._submitit_command_str, "")

    def _refuse(self, steps: Iterable[str]) -> None:
        """Ask Slurm to test a script of every step, before any is submitted. Raises UserError with its words and the lines of the site file."""
        refusals = {}
        for step in steps:
            asked = self.site.asked(step)
            with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
                script.write(self.script(step))
                script.flush()
                refusals[step] = slurm.refusal(script.name)
            longest = slurm.longest(asked.partition)
            if not refusals[step] and longest is not None and asked.minutes > longest:
                refusals[step] = f"the partition's time limit is {longest:g} minutes: it would wait for ever"
        if any(refusals.values()):
            raise UserError(*site.blamed(self.path, self.site, {step: words for step, words in refusals.items() if words}))

    def _hand_in_all(self, tasks: Tasks, queued: Mapping[str, str], live: Mapping[str, slurm.Job]) -> None:
        ok: tuple[str, ...] = tuple({queued[name] for name in (CHECK, "sounds") if name in queued})
        if tasks.check:
            ok = self._arrays(CHECK, [((CHECK,),)])
        if tasks.preprocess or tasks.join:
            parts = self._arrays("preprocess", tasks.preprocess, ok=ok)
            others = {job for unit, job in queued.items() if unit.startswith("sounds/")}
            if tasks.join:
                ok = self._arrays("join", [(("sounds",),)], ok=(*ok, *parts, *others))
        trained = self._hand_in("train", tasks.train, ok=ok)
        for key, dreams in tasks.dream.items():
            waits = () if key is None else (trained[key],) if isinstance(key, int) else (key,)
            self._hand_in("dream", dreams, ok=ok, after=waits)
        if tasks.rest or tasks.appendix:
            self._finish(tasks, ok, live, queued.get("appendix"))

    def _finish(self, tasks: Tasks, ok: tuple[str, ...], live: Mapping[str, slurm.Job], old: str | None) -> None:
        """The last job: the appendix, which runs whatever happened before, or what hands in the rest. An appendix that waits already gives way."""
        given_up = {old} if old is not None and live[old].waits else set()
        before = {job.split("_")[0] for job in [*self.handed_in, *live]} - given_up
        if tasks.appendix:
            self._arrays("appendix", [(("appendix",),)], ok=ok, after=sorted(before - set(ok)))
        else:
            copy = self.run / ledger.FOLDER / "sites" / f"{config.digest(config.plain(self.site))}.yaml"
            files.write_bytes(copy, site.said(self.site).encode())
            rest = Rest(self.run, self.digest, copy, self.until, tuple(self.only), self.since or time.time())
            job = self._executor("appendix", after=sorted(before)).submit(rest)
            self._note([(REST,)], [job.job_id])
        slurm.cancel(given_up)

    def _arrays(self, step: str, tasks: Sequence[Names], ok: Iterable[str] = (), after: Iterable[str] = ()) -> tuple[str, ...]:
        """As ``_hand_in``, for whoever waits for all of the tasks."""
        return tuple(dict.fromkeys(job.split("_")[0] for job in self._hand_in(step, tasks, ok=ok, after=after)))

    def _hand_in(self, step: str, tasks: Sequence[Names], ok: Iterable[str] = (), after: Iterable[str] = ()) -> list[str]:
        """Submit tasks in arrays no longer than the cluster takes; their jobs, each noted at once."""
        jobs: list[str] = []
        seconds = self.site.asked(step).minutes * 60.0
        for chunk in in_batches(tasks, self.longest):
            executor = self._executor(step, ok, after)
            with executor.batch():
                given = [executor.submit(Work(self.run, self.digest, step, names, self.site.retries, seconds)) for names in chunk]
            ids = [job.job_id for job in given]
            self._note([tuple(name for batch in names for name in batch) for names in chunk], ids)
            jobs += ids
        return jobs

    def _note(self, units: Sequence[tuple[str, ...]], jobs: Sequence[str]) -> None:
        self.handed_in |= dict(zip(jobs, units, strict=True))
        for job, names in zip(jobs, units, strict=True):
            self.book.note("queued", names, job=job)


@dataclass(frozen=True)
class Rest:
    """A last job that hands in what a cluster did not take at once."""

    run: Path
    study: str
    site: Path
    until: str
    only: tuple[str, ...]
    since: float
    """When the first of the chain was handed in."""

    def __call__(self) -> None:
        """Do it, and note what became of it."""
        job = os.environ["SLURM_JOB_ID"]
        notes = ledger.attempt(self.run, job, int(os.environ.get("SLURM_RESTART_COUNT", "0")), 0)
        study = config.validate(Study, config.read_yaml(study_path(self.run, self.study)), f"study {self.study}")
        slurm.forget_own_job()
        try:
            Submission(self.run, study, self.site, until=self.until, only=self.only, since=self.since).go()
        except UserError as error:
            notes.note("failed", [REST], job=job, reason=str(error), log=str(slurm.log_path(self.run, job)))
            os._exit(FAILED)
        notes.note("done", [REST], job=job)

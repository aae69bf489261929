"""What a Slurm task does on its node: some units of one step, each noted in a file of this attempt's own.

It ends by its exit code alone. 0: everything is there. 2: the user's input is wrong, what depends on it must not begin. 3: units failed and were
noted. 85: it was told to make room. Any other: it was lost (killed, a dead peer, an environment without the package). After the last two its batch
script hands it in again. submitit's own checkpoint is not used: the task that is pickled never changes, and what it has done is on disk.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from submitit.core.job_environment import JobEnvironment
from submitit.helpers import TorchDistributedEnvironment

from aesdream import config, files
from aesdream.errors import DamagedFile, UserError
from aesdream.study import Study
from aesdream.training.distributed import PeerLost
from jobs import ledger, slurm
from jobs.dream import KEPT_EVERY, without_model
from jobs.executors import Here
from jobs.graph import Graph
from jobs.looks import changed, looked_at, path_of, remembered
from jobs.running import begin, refuse
from jobs.units import CHECK, Unit, discard, owner

DONE, WRONG, FAILED, TOLD = 0, 2, 3, 85
PORTS = range(20000, 32000)
"""Below those that systems give out by themselves."""


def study_path(run: Path, digest: str) -> Path:
    """Where the study of a submission is kept, whatever later ones add."""
    return run / ledger.FOLDER / "studies" / f"{digest}.yaml"


@dataclass(frozen=True)
class Work:
    """One task: the names of the units of a ``step``, in the batches in which they are computed."""

    run: Path
    study: str
    step: str
    batches: tuple[tuple[str, ...], ...]
    retries: int
    seconds: float
    """The time limit of the task."""

    def __call__(self) -> None:
        """Do it, and leave: what is on disk is the result, so nothing is pickled that could be stale after a requeue."""
        code = _Attempt(self).go()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class _Attempt:
    """One process of one attempt at a task."""

    def __init__(self, work: Work) -> None:
        self.work, self.run = work, work.run
        place = JobEnvironment()
        signal.signal(signal.SIGUSR2, _leave)
        self.job, self.leads = place.job_id, place.global_rank == 0
        self.number = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
        self.notes = ledger.attempt(self.run, self.job, self.number, place.global_rank)
        os.environ["MASTER_PORT"] = str(PORTS[(int(place.raw_job_id) * 7 + self.number) % len(PORTS)])
        TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        self.study = config.validate(Study, config.read_yaml(study_path(self.run, work.study)), f"study {work.study}")

    def go(self) -> int:
        """Every batch that is not there yet; the exit code."""
        torch.set_num_threads(self.study.threads)
        names = [name for batch in self.work.batches for name in batch]
        if self.work.step == CHECK:
            return self._check()
        try:
            if self.work.step in ("preprocess", "join"):
                sources = remembered(self.study, self.run, unchanged=False)
                if sources is None:
                    raise changed(self.study)
                graph = Graph.of(self.study, sources)
            elif files.is_there(self.run / "sounds.json"):
                graph = Graph.joined(self.study, self.run)
            else:
                raise UserError(f"{self.run / 'sounds.json'}: the sounds are not prepared; the same command prepares them")
        except (UserError, DamagedFile) as wrong:
            self._failed(names, wrong)
            return FAILED
        self._note("joined", (), everyone=True)
        units = {unit.name: unit for unit in graph.units(self.run, self.work.step)}
        # Excerpts that a look at them left out may have taken the last slice with them.
        return self._batches(graph, [[units[name] for name in batch if name in units] for batch in self.work.batches])

    def _batches(self, graph: Graph, batches: Sequence[Sequence[Unit]]) -> int:
        code = DONE
        for batch in batches:
            try:
                missing = [unit for unit in batch if not unit.is_complete(self.run)]
                if missing and not self._one(graph, missing):
                    code = FAILED
            except DamagedFile as damaged:  # a marker that is none
                self._failed([unit.name for unit in batch], damaged)
                code = FAILED
        return code

    def _one(self, graph: Graph, batch: Sequence[Unit]) -> bool:
        """Compute a batch; whether it is there. Raises PeerLost where another process of the task is gone: then the task is lost, not the units."""
        names = [unit.name for unit in batch]
        try:
            kept = _stamp(graph.kept(self.run, self.work.step, batch))
            self._refuse_hopeless(names[0], kept)
            self._refuse_without_model(batch)
            self._note("begun", names, kept=kept)
            function, arguments = graph.work(self.run, self.work.step, batch, min(KEPT_EVERY, self.work.seconds / 4))
            function(*arguments)
        except PeerLost:
            raise
        except Exception as error:  # a failed unit is noted; the others are still done
            if all((self.run / unit.marker).exists() for unit in batch):
                return True  # an orphan of a lost node, or a successor, was faster
            self._failed(names, error)
            return False
        self._note("done", names)
        return True

    def _refuse_hopeless(self, name: str, kept: list[int]) -> None:
        """Raise UserError for what failed in an earlier attempt of this job, and for what was begun too often since it last got anywhere."""
        times = 0
        for lines in ledger.attempts(self.run, self.job, before=self.number):
            for line in lines:
                if name in line["units"] and line["event"] == "failed":
                    raise UserError(line["reason"])
                if name in line["units"] and line["event"] == "begun":
                    times = times + 1 if line["kept"] == kept else 1
        if times > self.work.retries:
            raise UserError(f"was begun {times} times and never finished (killed? out of memory? longer than its time limit?); see its log")

    def _refuse_without_model(self, batch: Sequence[Unit]) -> None:
        if self.work.step == "dream" and not files.is_there(self.run / f"models/{batch[0].inputs['model']}/evaluation.json"):
            raise UserError(without_model(batch[0].inputs["model"]))

    def _check(self) -> int:
        """The first job: look at every sound; what is wrong with any of them stops the graph."""
        here = Here(self.study.threads)
        try:
            kept = _stamp(path_of(self.run))
            self._refuse_hopeless(CHECK, kept)
            self._note("begun", [CHECK], kept=kept)
            graph = Graph.of(self.study, looked_at(self.study, here, self.run))
            refuse(self.run, graph, ())
            begin(self.run, graph)
        except UserError as wrong:
            self._failed([CHECK], wrong)
            return WRONG
        finally:
            here.close()
        self._note("done", [CHECK])
        return DONE

    def _failed(self, names: Sequence[str], error: Exception) -> None:
        reason = str(error) if isinstance(error, UserError | DamagedFile) else f"{type(error).__name__}: {error}"
        if isinstance(error, DamagedFile):
            discard(owner(self.run, error.path))
            reason += "; the same command makes it again"
        elif not isinstance(error, UserError):
            traceback.print_exception(error)
        print(f"{names[0]}: failed: {reason}", file=sys.stderr)
        self._note("failed", names, everyone=True, reason=reason, log=str(slurm.log_path(self.run, self.job)))

    def _note(self, event: str, names: Sequence[str], *, everyone: bool = False, **details: Any) -> None:
        if not (self.leads or everyone):
            return
        try:
            self.notes.note(event, names, job=self.job, attempt=self.number, host=socket.gethostname(), **details)
        except OSError as error:  # a full disk must not hide what failed first
            print(f"{self.notes.path}: cannot be written ({error.strerror})", file=sys.stderr)


def _stamp(path: Path | None) -> list[int]:
    """What changes whenever an attempt gets anywhere."""
    return [path.stat().st_size, path.stat().st_mtime_ns] if path is not None and path.exists() else []


def _leave(number: int, _frame: object) -> None:
    """Slurm's notice of a time limit, or of a preemption: end here and now; what was kept is taken up by the next attempt."""
    # Not by print, which may be interrupted in the midst of itself and would then raise inside the work.
    os.write(2, f"told by {signal.Signals(number).name} to make room; handed in again\n".encode())
    os._exit(TOLD)

"""The suite on a test bed: a run folder, a site file, and what a user sees of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import yaml

from jobs.ledger import Notes
from slurm.testbed.testbed import Testbed
from tests.runs import ROOT, assert_same, command, environment

FAULTS = Path(__file__).parent / "faults.yaml"
MODEL = "models/plain/by-family/split0-seed0"
HEED = 1.0
"""Seconds that a held process has for what Slurm signals it: a signal's handler in Python waits for the end of what runs below it."""


class Task(NamedTuple):
    """A line of Slurm's queue."""

    job: str
    state: str
    node: str
    step: str


class Suite:
    """One study on one bed: ``options`` are given to every call of ``aesdream run``."""

    def __init__(self, bed: Testbed, folder: Path, *options: str, study: Path = FAULTS) -> None:
        self.bed, self.run, self.site, self.study, self.options = bed, folder / "run", folder / "site.yaml", study, options
        self.write_site()

    def write_site(self, **site: Any) -> None:
        """Tasks of few seconds, one batch each, unless said otherwise."""
        self.site.write_text(yaml.safe_dump({"minutes": 5, "minutes_a_task": 1e-9, **site}))

    def aesdream(self, *arguments: str | Path, clone: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Call the command line of a clone as a user of this cluster."""
        seen = {**environment(), **self.bed.environment(), "PYTHONPATH": str(clone)}
        return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, env=seen, cwd=self.run.parent, timeout=300)

    def call(self, *more: str) -> subprocess.CompletedProcess[str]:
        """The same command, whatever happened before."""
        return self.aesdream("run", self.study, "--on", self.site, "--out", self.run, *self.options, *more)

    def submit(self, *more: str) -> str:
        """Hand in what is missing; what the user was told."""
        done = self.call(*more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def slurm(self, *arguments: str) -> str:
        """What a command of Slurm's says."""
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, env={**os.environ, **self.bed.environment()}, timeout=60)
        return done.stdout

    @contextmanager
    def closed(self) -> Iterator[None]:
        """The partition takes jobs and begins none."""
        self.slurm("scontrol", "update", "PartitionName=main", "State=DOWN")
        try:
            yield
        finally:
            self.slurm("scontrol", "update", "PartitionName=main", "State=UP")

    def queue(self) -> list[Task]:
        """What Slurm has, of whoever."""
        rows = self.slurm("squeue", "-h", "-r", "-o", "%i|%T|%N|%j").splitlines()
        return [Task(job, state, node, name.rsplit("-", 1)[-1]) for job, state, node, name in (row.split("|") for row in rows)]

    def running(self, step: str) -> list[Task]:
        """The tasks of a step that run."""
        return [task for task in self.queue() if task.step == step and task.state == "RUNNING"]

    def held(self) -> list[str]:
        """The tasks that Slurm holds after it could not begin them."""
        rows = (line.split("|") for line in self.slurm("squeue", "-h", "-r", "-o", "%i|%T|%r").splitlines())
        return [job for job, state, reason in rows if state == "PENDING" and reason.startswith("launch failed")]

    def told(self) -> dict[str, Any]:
        """What ``status`` says when the controller is asked now."""
        (self.run / "jobs" / "queue.json").unlink(missing_ok=True)
        done = self.aesdream("status", self.run, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def notes(self, event: str, unit: str = "") -> list[dict[str, Any]]:
        """The lines that the attempts at tasks noted, oldest first."""
        lines = [line for path in (self.run / "jobs" / "attempts").glob("*.jsonl") for line in Notes(path).read()]
        found = [line for line in lines if line["event"] == event and (not unit or any(name.startswith(unit) for name in line["units"]))]
        return sorted(found, key=lambda line: line["time"])

    def begun(self, unit: str) -> bool:
        """Whether a task has begun a unit whose name starts so."""
        return bool(self.notes("begun", unit))

    def until(self, holds: Callable[[], Any], what: str, seconds: float = 90) -> None:
        """Wait for something; fail with the queue and status where it does not come."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}\n{self.queue()}\n{self.told()}\n{self.logs()}"
            time.sleep(0.2)

    def logs(self) -> str:
        """The ends of all logs, for a failing test."""
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-600:]}" for path in sorted(self.run.glob("jobs/slurm/*/*.out")))

    def idle(self, seconds: float = 180) -> None:
        """Wait until Slurm has nothing more."""
        self.until(lambda: not self.queue(), "an empty queue", seconds)

    def finish(self, undisturbed: Path, *, orphan: str = "") -> None:
        """The same command until everything is there: the bytes of an undisturbed run, no unit computed again (but by an ``orphan`` job)."""
        self.idle()
        for _ in range(3):
            if "nothing was submitted" in self.submit():
                break
            self.idle()
        assert_same(self.run, undisturbed)
        told = self.told()
        assert not told["failures"]
        assert not any(stage["running"] for stage in told["stages"].values())
        done = [unit for line in self.notes("done") if line["job"] != orphan for unit in line["units"] if unit != "appendix"]
        assert len(done) == len(set(done))

    def processes(self, job: str) -> dict[int, int]:
        """The Python processes of a task on this machine: rank -> process id."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen = dict(part.split("=", 1) for part in (process / "environ").read_text(errors="replace").split("\0") if "=" in part)
                words = (process / "cmdline").read_text().split("\0")
            except OSError:
                continue
            array, task = seen.get("SLURM_ARRAY_JOB_ID"), seen.get("SLURM_ARRAY_TASK_ID")
            of_job = job == (f"{array}_{task}" if array else seen.get("SLURM_JOB_ID"))
            if of_job and seen["SLURM_CONF"] == self.bed.environment()["SLURM_CONF"] and words[1:4] == ["-u", "-m", "submitit.core._submit"]:
                found[int(seen["SLURM_PROCID"])] = int(process.name)
        return found

    def hold(self, process: int) -> None:
        """Let a process get nowhere until it is gone. Slurm wakes whom it signals; what it is told it may do, a short training it may not end."""
        told = Path(f"/proc/{process}/stat")

        def until(*, stopped: bool) -> None:
            while (told.read_text().rsplit(")", 1)[1].split()[0] in "Tt") != stopped:
                time.sleep(0.01)

        def stop() -> None:
            with suppress(ProcessLookupError, FileNotFoundError):
                while True:
                    os.kill(process, signal.SIGSTOP)
                    until(stopped=True)
                    until(stopped=False)
                    time.sleep(HEED)

        Thread(target=stop, daemon=True).start()

    def kill(self, process: int) -> None:
        """Without warning."""
        os.kill(process, signal.SIGKILL)

"""What has become of a run: what is on disk, what was noted, and what the scheduler still has."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aesdream import files
from aesdream.errors import UserError
from jobs import ledger, slurm
from jobs.units import CHECK, REST

STATES = ("done", "running", "waiting", "failed")
CORPUS, APPENDIX = "sounds", "appendix"
OPEN = ("queued", "begun")
"""Events after which something is still to come."""


@dataclass(frozen=True)
class Failure:
    """A unit that failed, why, and where its trace is."""

    unit: str
    reason: str
    log: str | None


@dataclass(frozen=True)
class Status:
    """Units by stage and state (``done``, ``running``, ``waiting``, ``failed``), what failed, and for what queued tasks wait (reason -> tasks)."""

    stages: dict[str, dict[str, int]]
    failures: list[Failure]
    at_work: bool
    waiting_for: dict[str, int] = field(default_factory=dict)
    as_of: str = ""
    """When Slurm said so: up to half a minute ago."""
    notice: str = ""
    """What makes this less than certain, or what is to be done: the scheduler did not answer, or holds what it could not begin."""

    def grouped(self) -> list[tuple[list[str], str, str | None]]:
        """What failed for the same reason together: units, reason, log."""
        found: dict[tuple[str, str | None], list[str]] = {}
        for failure in self.failures:
            found.setdefault((failure.reason, failure.log), []).append(failure.unit)
        return [(units, *told) for told, units in found.items()]

    def plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {**vars(self), "failures": [vars(failure) for failure in self.failures]}


def status(run: Path) -> Status:
    """The state of every unit of a run. Raises UserError for a folder that is no run."""
    path = run / ledger.FOLDER / "plan.json"
    if not path.exists():
        raise UserError(f"{run}: not a run folder (it has no {path.relative_to(run)}); give the folder that aesdream run made")
    return _Look(run, files.read_json(path)).status()


class _Look:
    """One look at a run."""

    def __init__(self, run: Path, plan: dict[str, dict[str, str]]) -> None:
        self.run, self.plan = run, plan
        self._read()
        # An appendix that is to be drawn again is there and yet not done.
        open_lines = [line for unit, line in self.latest.items() if (unit not in self.there or unit == APPENDIX) and line["event"] in OPEN]
        open_jobs = {line["job"] for line in open_lines if line.get("job")}
        self.queue = slurm.Queue(time.time(), 0, {}, {})
        if open_jobs:
            self.queue = slurm.asked(run, open_jobs)
            self._read()  # what ended while Slurm was asked is on disk by now
        self.checked = self.latest.get(CHECK, {}).get("event") != "failed"

    def _read(self) -> None:
        self.latest, self.at_work = ledger.latest(self.run), ledger.is_locked(self.run)
        self.there = {unit for units in self.plan.values() for unit, marker in units.items() if (self.run / marker).exists()}

    def status(self) -> Status:
        states = {unit: self._state(unit) for units in self.plan.values() for unit in units}
        # What is no unit of the plan, and can fail: what the corpus is made from is gone when the corpus is there.
        slices = [unit for unit in self.latest if unit.startswith(f"{CORPUS}/") and CORPUS not in self.there]
        parts = {unit: self._state(unit) for unit in slices}
        broken = [unit for unit, state in parts.items() if state == "failed"]
        if CORPUS in states and CORPUS not in self.there:
            states[CORPUS] = "failed" if broken else "running" if "running" in parts.values() else states[CORPUS]
        others = {unit: self._state(unit) for unit in (CHECK, REST) if unit in self.latest}
        found = {CHECK: [others[CHECK]]} if CHECK in others else {}
        found |= {stage: [states[unit] for unit in units] for stage, units in self.plan.items()}
        stages = {stage: {state: there.count(state) for state in STATES} for stage, there in found.items()}
        failed = [unit for unit, state in others.items() if state == "failed"] + broken
        failed += [unit for unit, state in states.items() if state == "failed" and not (unit == CORPUS and broken)]
        waiting = Counter(job.reason for job in self.queue.jobs.values() if job.waits)
        return Status(stages, [self._failure(unit) for unit in failed], self.at_work, dict(waiting), self._as_of(), self._notice())

    def _state(self, unit: str) -> str:
        line = self.latest.get(unit, {})
        event, job = line.get("event"), line.get("job")
        drawn_again = unit == APPENDIX and event in OPEN and job in self.queue.jobs
        if (unit in self.there and not drawn_again) or (unit in (CHECK, REST) and event == "done"):
            return "done"
        if event not in OPEN:
            return "failed" if event == "failed" else "waiting"
        if job is None or job in self.queue.jobs:
            at_work = self.at_work if job is None else not self.queue.jobs[job].waits
            return "running" if event == "begun" and at_work else "waiting"
        return "waiting" if self.queue.silence or line["time"] > self.queue.time or self._dropped(unit, event) else "failed"

    def _dropped(self, unit: str, event: str) -> bool:
        """Whether Slurm dropped a unit's job because what it waited for failed: that failed, not this."""
        if event != "queued" or unit in (CHECK, REST):
            return False
        return not self.checked or (CORPUS not in self.there and unit.split("/", maxsplit=1)[0] != CORPUS)

    def _failure(self, unit: str) -> Failure:
        line = self.latest[unit]
        if line["event"] == "failed":
            return Failure(unit, line["reason"], line["log"])
        log = slurm.log_path(self.run, line["job"])
        how = self.queue.ended.get(line["job"], "")
        told = (
            f"its job {line['job']} ended"
            + (f" ({how})" if how else "")
            + (" in the midst of it" if line["event"] == "begun" else " before it began it")
        )
        last = _last_line(log)
        return Failure(unit, told + (f": {last}" if last else ""), str(log) if log.exists() else None)

    def _as_of(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.queue.time)) if self.queue.time else ""

    def _notice(self) -> str:
        held = sum(job.is_unlaunched for job in self.queue.jobs.values())
        if not self.queue.silence:
            return f"tasks that Slurm could not launch and holds: {held}; the same aesdream run --on releases them" if held else ""
        since = self._as_of()
        return f"{self.queue.silence}; " + (f"what is queued is as of {since}" if since else "what is queued is not known")


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as opened:
            opened.seek(max(0, log.stat().st_size - 4096))
            words = (line.strip() for line in opened.read().decode(errors="replace").splitlines())
            lines = [line for line in words if line and not line.startswith(("submitit ", "lost with exit code"))]
    except OSError:
        return ""
    told = [line for line in lines if not line.startswith(("slurmstepd:", "srun:"))]
    return (told or lines or [""])[-1]

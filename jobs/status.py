"""What has become of a run, from what is on disk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aesdream import files
from aesdream.errors import UserError
from jobs import ledger


@dataclass(frozen=True)
class Failure:
    """A unit that failed, why, and where its trace is."""

    unit: str
    reason: str
    log: str | None


@dataclass(frozen=True)
class Status:
    """Units by stage and state (``done``, ``running``, ``waiting``, ``failed``), and what failed."""

    stages: dict[str, dict[str, int]]
    failures: list[Failure]
    at_work: bool

    def plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {"stages": self.stages, "failures": [vars(failure) for failure in self.failures], "at_work": self.at_work}


def status(run: Path) -> Status:
    """The state of every unit of a run. Raises UserError for a folder that is no run."""
    path = run / ledger.FOLDER / "plan.json"
    if not path.exists():
        raise UserError(f"{run}: not a run folder (it has no {path.relative_to(run)}); give the folder that aesdream run made")
    latest, at_work = ledger.latest(run), ledger.is_locked(run)
    stages: dict[str, dict[str, int]] = {}
    failures: list[Failure] = []
    for stage, units in files.read_json(path).items():
        counts = Counter({"done": 0, "running": 0, "waiting": 0, "failed": 0})
        for unit, marker in units.items():
            line = latest.get(unit, {})
            state = _state((run / marker).exists(), line, at_work)
            counts[state] += 1
            if state == "failed":
                failures.append(Failure(unit, line["reason"], line["log"]))
        stages[stage] = dict(counts)
    return Status(stages, failures, at_work)


def _state(exists: bool, line: dict[str, Any], at_work: bool) -> str:
    if exists:
        return "done"
    if line.get("event") == "failed":
        return "failed"
    return "running" if line.get("event") == "begun" and at_work else "waiting"

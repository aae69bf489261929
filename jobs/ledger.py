"""The ledger: what was begun, done and failed, one file a submission, written by its submitter alone; and the lock of a run folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from aesdream.errors import UserError
from aesdream.files import write_json

FOLDER = "jobs"


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Keep other submitters out of a run folder. Raises UserError where one is at work; a killed one leaves no lock."""
    path = run / FOLDER / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        if not _flocked(lock, fcntl.LOCK_EX):
            raise UserError(f"{run}: another aesdream is at work here; wait for it, or choose another folder with --out")
        yield


def is_locked(run: Path) -> bool:
    """Whether a submitter is at work in the run folder."""
    path = run / FOLDER / "lock"
    if not path.exists():
        return False
    with path.open() as lock:
        return not _flocked(lock, fcntl.LOCK_SH)


def _flocked(file: IO[str], how: int) -> bool:
    """Lock a file; False where another holds it. A file system without locks holds nobody back: two writers never share a file in any case."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


class Notes:
    """A file of lines about units, written by one process alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def note(self, event: str, units: Iterable[str], **details: Any) -> None:
        """Add a line: ``queued`` (with ``job``), ``begun``, ``done``, ``failed`` (with ``reason`` and ``log``), ``cancelled``; or about no unit
        ``submitted``, ``joined`` (a process of a task) and ``stage``."""
        line = {"time": round(time.time(), 6), "event": event, "units": list(units), **details}
        with self.path.open("ab+") as notes:
            if notes.tell():  # a line that a full disk tore must not take this one with it
                notes.seek(-1, os.SEEK_END)
                torn = notes.read(1) != b"\n"
            else:
                torn = False
            notes.write(b"\n" * torn + json.dumps(line).encode() + b"\n")

    def read(self) -> list[dict[str, Any]]:
        """The lines, less what a killed writer left of its last."""
        lines = []
        for text in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            with suppress(ValueError):
                lines.append(json.loads(text))
        return lines


class Ledger(Notes):
    """One submission's file: of a run on this machine, or of what was handed to a scheduler."""

    def __init__(self, run: Path) -> None:
        super().__init__(run / FOLDER / "ledger" / f"{time.strftime('%Y%m%d-%H%M%S')}-{socket.gethostname()}-{os.getpid()}.jsonl")
        self.note("submitted", [])


def attempts(run: Path, job: str, before: int) -> list[list[dict[str, Any]]]:
    """What the processes of every attempt at a queued task ``before`` this one noted, the first attempt first."""
    folder = run / FOLDER / "attempts"
    return [[line for path in sorted(folder.glob(f"{job}.{number}.*.jsonl")) for line in Notes(path).read()] for number in range(before)]


def attempt(run: Path, job: str, number: int, rank: int) -> Notes:
    """The notes of one process of one attempt, in a file of its own, so that an orphan and its successor share none."""
    return Notes(run / FOLDER / "attempts" / f"{job}.{number}.{rank}.jsonl")


def latest(run: Path) -> dict[str, dict[str, Any]]:
    """The newest line about every unit, whoever wrote it."""
    paths = [*(run / FOLDER / "ledger").glob("*.jsonl"), *(run / FOLDER / "attempts").glob("*.jsonl")]
    found: dict[str, dict[str, Any]] = {}
    for line in sorted((line for path in paths for line in Notes(path).read()), key=itemgetter("time")):
        for unit in line["units"]:
            # An orphan of a lost node may speak after its successor.
            newest = found.get(unit, {})
            if newest.get("job") != line.get("job") or newest.get("attempt", 0) <= line.get("attempt", 0):
                found[unit] = line
    return found


def jobs(run: Path) -> set[str]:
    """Every job that a submission noted."""
    lines = (line for path in (run / FOLDER / "ledger").glob("*.jsonl") for line in Notes(path).read())
    return {line["job"] for line in lines if "job" in line}


def queued(run: Path, live: Collection[str]) -> dict[str, str]:
    """The units that ``live`` jobs still have before them or are computing, and which job each."""
    return {unit: line["job"] for unit, line in latest(run).items() if line.get("job") in live and line["event"] in ("queued", "begun")}


def write_plan(run: Path, plan: dict[str, dict[str, str]]) -> None:
    """Keep which units should exist (stage -> unit -> marker), so that ``status`` need not plan."""
    write_json(run / FOLDER / "plan.json", plan)


def failures(run: Path, plan: dict[str, dict[str, str]]) -> dict[str, str]:
    """Why the units of a plan that are not there failed."""
    found = latest(run)
    return {
        unit: found[unit]["reason"]
        for units in plan.values()
        for unit, marker in units.items()
        if found.get(unit, {}).get("event") == "failed" and not (run / marker).exists()
    }

"""The ledger: what was begun, done and failed, one file a submission, written by its submitter alone; and the lock of a run folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aesdream.errors import UserError
from aesdream.files import write_json

FOLDER = "jobs"


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Keep other submitters out of a run folder. Raises UserError where one is at work; a killed one leaves no lock."""
    path = run / FOLDER / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{run}: another aesdream is at work here; wait for it, or choose another folder with --out") from None
        yield


def is_locked(run: Path) -> bool:
    """Whether a submitter is at work in the run folder."""
    path = run / FOLDER / "lock"
    if not path.exists():
        return False
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Ledger:
    """One submission's file."""

    def __init__(self, run: Path) -> None:
        self.path = run / FOLDER / "ledger" / f"{time.strftime('%Y%m%d-%H%M%S')}-{socket.gethostname()}-{os.getpid()}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.note("submitted", [])

    def note(self, event: str, units: Iterable[str], **details: Any) -> None:
        """Add a line: ``begun``, ``done``, ``failed`` (with ``reason`` and ``log``), or about no unit ``submitted`` and ``stage``."""
        line = {"time": round(time.time(), 3), "event": event, "units": list(units), **details}
        with self.path.open("a", encoding="utf-8") as ledger:
            ledger.write(json.dumps(line) + "\n")


def latest(run: Path) -> dict[str, dict[str, Any]]:
    """The newest line about every unit."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((run / FOLDER / "ledger").glob("*.jsonl")):
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # the last line of a killed submitter
            found.update(dict.fromkeys(line["units"], line))
    return found


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

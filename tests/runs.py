"""Runs of whole studies for tests: the command line as a user's shell calls it, and run folders compared byte by byte."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TINY = ROOT / "configs" / "tiny.yaml"


def command(*arguments: str | Path) -> list[str]:
    """The command line ``aesdream`` with arguments."""
    return [sys.executable, "-m", "jobs.cli", *map(str, arguments)]


def aesdream(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call ``aesdream`` and wait for it."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, check=False, env=environment())


def environment() -> dict[str, str]:
    """The environment of a user who is not running tests."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def killed_after(seconds: float, *arguments: str | Path) -> bool:
    """Start ``aesdream`` and kill it without warning after so many seconds; False if it had ended by then."""
    process = subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run but its jobs folder."""
    found = (path for path in sorted(run.rglob("*")) if path.is_file() and path.relative_to(run).parts[0] != "jobs")
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in found}


def assert_same(one: Path, other: Path) -> None:
    """Fail with the names of the files in which two runs differ."""
    left, right = contents(one), contents(other)
    assert sorted(left) == sorted(right)
    assert [name for name in left if left[name] != right[name]] == []


def events(run: Path) -> list[str]:
    """What the newest ledger says was begun, in order."""
    newest = max((run / "jobs" / "ledger").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, default=None)
    lines = [json.loads(line) for line in newest.read_text().splitlines()] if newest else []
    return [unit for line in lines if line["event"] == "begun" for unit in line["units"]]

"""The thesis's own size, on synthetic sounds: time and memory of the whole road."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path

from tests.runs import ROOT, command, environment

STUDY = ROOT / "configs" / "jenkins2019-synthetic.yaml"
MINUTES, GIBIBYTES = 20, 6


def memory_of(root: int) -> int:
    """Bytes that a process and its descendants hold, shared pages counted once."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total, todo = 0, [root]
    while todo:
        process = todo.pop()
        todo += children.get(process, [])
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def test_the_whole_road_at_the_thesis_size_within_twenty_minutes_and_six_gibibytes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(command("run", STUDY, "--out", run), env=environment())
    highest = 0

    def watch() -> None:
        nonlocal highest
        while process.poll() is None:
            highest = max(highest, memory_of(process.pid))
            time.sleep(0.4)

    watcher = threading.Thread(target=watch)
    began = time.monotonic()
    watcher.start()
    assert process.wait() == 0
    watcher.join()
    minutes, gibibytes = (time.monotonic() - began) / 60, highest / 2**30
    for ledger in (run / "jobs" / "ledger").glob("*.jsonl"):
        for line in map(json.loads, ledger.read_text().splitlines()):
            if line["event"] == "stage":
                print(f"{line['stage']:<12}{line['units_done']:>6} units{line['seconds']:>9.1f} s")
    print(f"whole: {minutes:.1f} min, {gibibytes:.2f} GiB at most")
    assert minutes <= MINUTES
    assert 0 < gibibytes <= GIBIBYTES
    assert len(list((run / "dreams").rglob("*.json"))) == 112

"""What ``status`` says of a unit, given what is on disk, what was noted of it, and what Slurm still has."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobs import ledger, slurm
from jobs.status import Failure, Status, status
from tests.conftest import Call
from tests.jobs.slurms import SILENT, Slurm, installed

CORPUS, CHECK, SLICE, MODEL, OTHER, DREAM, PAGE = "sounds", "check", "sounds/slice-000", "models/a", "models/b", "dreams/x", "appendix"
PLAN = {
    "preprocess": {CORPUS: "sounds.json"},
    "train": {MODEL: "models/a/evaluation.json", OTHER: "models/b/evaluation.json"},
    "dream": {DREAM: "dreams/x.json"},
    "appendix": {PAGE: "results.json"},
}
STAGE = {CORPUS: "preprocess", MODEL: "train", DREAM: "dream", PAGE: "appendix"}


class Past:
    """A run folder with a past, written by hand: notes a second apart, the last one a second ago."""

    def __init__(self, run: Path, cluster: Slurm) -> None:
        self.run, self.cluster, self.events = run, cluster, 0
        ledger.write_plan(run, PLAN)

    def notes(self, event: str, *units: str, job: str | None = None, attempt: int | None = None, **details: Any) -> None:
        """A submitter's line, or that of an attempt of ``job``."""
        self.events += 1
        name = "ledger/one.jsonl" if attempt is None else f"attempts/{job}.{attempt}.0.jsonl"
        path = self.run / "jobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {"time": time.time() - 100 + self.events, "event": event, "units": units, **({"job": job} if job else {}), **details}
        with path.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(told) + "\n")

    def has(self, *units: str) -> None:
        """Let units be on disk."""
        for markers in PLAN.values():
            for unit in set(units) & markers.keys():
                (self.run / markers[unit]).parent.mkdir(parents=True, exist_ok=True)
                (self.run / markers[unit]).touch()

    def queue(self, *jobs: tuple[str, str, str]) -> None:
        """Let Slurm have jobs (id, state, reason)."""
        self.cluster.says("squeue", "".join(f"{job}|{state}|{reason}|{self.run}/jobs/code/0\n" for job, state, reason in jobs))

    def log(self, job: str, lines: Sequence[str]) -> Path:
        """What a job wrote."""
        path = slurm.log_path(self.run, job)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    return Past(tmp_path / "run", installed(tmp_path / "bin", monkeypatch))


def state(told: Status, unit: str) -> str:
    """The state of the only unit of a stage."""
    (only,) = [name for name, count in told.stages[STAGE[unit]].items() if count]
    return only


def failures(told: Status) -> dict[str, Failure]:
    return {failure.unit: failure for failure in told.failures}


def test_what_is_on_disk_is_done_whatever_was_noted_and_slurm_is_not_asked(past: Past) -> None:
    past.notes("queued", CORPUS, MODEL, OTHER, DREAM, PAGE, job="1")
    past.notes("failed", DREAM, job="1", attempt=0, reason="an orphan was slower", log=None)
    past.notes("done", PAGE, job="1", attempt=0)
    past.has(CORPUS, MODEL, OTHER, DREAM, PAGE)
    told = status(past.run)
    assert {stage: counts["done"] for stage, counts in told.stages.items()} == {"preprocess": 1, "train": 2, "dream": 1, "appendix": 1}
    assert not told.failures
    assert past.cluster.calls("squeue") == []


def test_a_run_of_this_machine_alone_asks_no_scheduler(past: Past) -> None:
    past.notes("begun", CORPUS)
    assert state(status(past.run), CORPUS) == "waiting"  # begun, and nobody is at work any more
    with ledger.locked(past.run):
        assert state(status(past.run), CORPUS) == "running"
    assert past.cluster.calls("squeue") == []


@pytest.mark.parametrize(
    ("event", "queue", "expected"),
    [
        ("queued", "PENDING", "waiting"),
        ("queued", "RUNNING", "waiting"),  # its task computes another of its units
        ("begun", "RUNNING", "running"),
        ("begun", "COMPLETING", "running"),
        ("begun", "PENDING", "waiting"),  # requeued: it is to begin again
        ("begun", "REQUEUE_HOLD", "waiting"),
    ],
)
def test_a_unit_runs_where_it_was_begun_by_a_job_that_runs(past: Past, event: str, queue: str, expected: str) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12_3")
    if event == "begun":
        past.notes("begun", DREAM, job="12_3", attempt=0, kept=[])
    past.queue(("12_3", queue, "BeginTime"))
    told = status(past.run)
    assert state(told, DREAM) == expected
    assert not told.failures
    assert told.waiting_for == ({} if queue in ("RUNNING", "COMPLETING") else {"BeginTime": 1})


def test_what_queued_tasks_wait_for_is_counted(past: Past) -> None:
    past.notes("queued", DREAM, job="12_0")
    past.queue(("12_0", "PENDING", "Priority"), ("12_1", "PENDING", "Priority"), ("13", "PENDING", "Dependency"), ("14", "RUNNING", "None"))
    assert status(past.run).waiting_for == {"Priority": 2, "Dependency": 1}


def test_what_slurm_could_not_launch_is_told_with_what_releases_it(past: Past) -> None:
    past.notes("queued", DREAM, job="12_0")
    held = ("12_0", "PENDING", "launch failed requeued held"), ("12_1", "PENDING", "JobHoldMaxRequeue")
    past.queue(*held, ("12_2", "COMPLETING", "launch failed requeued held"), ("13", "PENDING", "JobHeldUser"))
    assert status(past.run).notice == "tasks that Slurm could not launch and holds: 2; the same aesdream run --on releases them"


def test_a_unit_that_said_why_it_failed_is_told_with_its_log(past: Past) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12")
    past.notes("begun", DREAM, job="12", attempt=0, kept=[])
    past.notes("failed", DREAM, job="12", attempt=0, reason="FloatingPointError: diverged", log="/a/log")
    told = status(past.run)
    assert state(told, DREAM) == "failed"
    assert told.failures == [Failure(DREAM, "FloatingPointError: diverged", "/a/log")]


def test_what_failed_and_is_queued_again_waits(past: Past) -> None:
    past.has(CORPUS)
    past.notes("failed", DREAM, job="12", attempt=0, reason="why", log=None)
    past.notes("queued", DREAM, job="13")
    past.queue(("13", "PENDING", "Priority"))
    told = status(past.run)
    assert state(told, DREAM) == "waiting"
    assert not told.failures


def test_a_unit_whose_job_is_gone_failed_with_accountings_reason_and_the_logs_last_line(past: Past) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12_0")
    past.notes("queued", MODEL, OTHER, job="12_1")
    past.notes("begun", MODEL, job="12_1", attempt=0, kept=[])
    past.cluster.says("sacct", "12_0|CANCELLED by 0|0:0\n12_1|OUT_OF_MEMORY|0:125\n")
    log = past.log(
        "12_1", ["Traceback", "MemoryError: no room", "srun: error: n1: task 0: Killed", "slurmstepd: error: it died", "lost with exit code 9"]
    )
    told = status(past.run)
    assert failures(told) == {
        MODEL: Failure(MODEL, "its job 12_1 ended (OUT_OF_MEMORY, exit code 0:125) in the midst of it: MemoryError: no room", str(log)),
        OTHER: Failure(OTHER, "its job 12_1 ended (OUT_OF_MEMORY, exit code 0:125) before it began it: MemoryError: no room", str(log)),
        DREAM: Failure(DREAM, "its job 12_0 ended (CANCELLED by 0, exit code 0:0) before it began it", None),
    }
    assert told.stages["train"] == {"done": 0, "running": 0, "waiting": 0, "failed": 2}


def test_where_the_log_holds_slurms_words_alone_these_are_told(past: Past) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12")
    past.log("12", ["slurmstepd: error: *** JOB 12 CANCELLED DUE TO TIME LIMIT ***"])
    assert failures(status(past.run))[DREAM].reason.endswith(": slurmstepd: error: *** JOB 12 CANCELLED DUE TO TIME LIMIT ***")


def test_dependants_that_slurm_dropped_wait_while_the_corpus_failed(past: Past) -> None:
    past.notes("queued", SLICE, job="1")
    past.notes("queued", CORPUS, job="2")
    past.notes("queued", MODEL, OTHER, job="3")
    past.notes("queued", DREAM, job="4")
    past.notes("queued", PAGE, job="5")
    past.notes("failed", SLICE, job="1", attempt=0, reason="a.wav: was readable when the run began", log="/a/log")
    told = status(past.run)
    assert told.failures == [Failure(SLICE, "a.wav: was readable when the run began", "/a/log")]
    assert state(told, CORPUS) == "failed"
    assert told.stages["train"]["waiting"] == 2
    assert state(told, DREAM) == state(told, PAGE) == "waiting"


def test_a_failed_check_is_told_line_by_line_and_stops_the_rest(past: Past, call: Call) -> None:
    past.notes("queued", CHECK, job="1")
    past.notes("queued", CORPUS, job="2")
    past.notes("queued", MODEL, OTHER, DREAM, PAGE, job="3")
    past.notes("failed", CHECK, job="1", attempt=0, reason="a.wav: silent\nb.wav: empty", log="/a/log")
    told = status(past.run)
    assert state(told, CORPUS) == "waiting"
    assert told.stages["check"] == {"done": 0, "running": 0, "waiting": 0, "failed": 1}
    assert told.failures == [Failure(CHECK, "a.wav: silent\nb.wav: empty", "/a/log")]
    said = call("status", past.run).out
    assert "check: a.wav: silent\nb.wav: empty (log: /a/log)" in said
    assert "train      0 done   0 running   2 waiting   0 failed" in said


def test_the_corpus_runs_while_a_part_of_it_does_and_its_parts_are_forgotten_with_it(past: Past) -> None:
    past.notes("queued", SLICE, job="1")
    past.notes("queued", CORPUS, job="2")
    past.notes("begun", SLICE, job="1", attempt=0, kept=[])
    past.queue(("1", "RUNNING", "None"), ("2", "PENDING", "Dependency"))
    assert state(status(past.run), CORPUS) == "running"
    past.notes("failed", SLICE, job="1", attempt=0, reason="too late: an orphan", log=None)
    past.has(CORPUS)
    told = status(past.run)
    assert state(told, CORPUS) == "done"
    assert not told.failures


def test_a_silent_controller_leaves_what_is_queued_waiting_and_says_so(past: Past, call: Call) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12")
    past.cluster.says("squeue", SILENT, code=1)
    told = status(past.run)
    assert state(told, DREAM) == "waiting"
    assert not told.failures
    assert "Unable to contact slurm controller" in told.notice
    assert "what is queued is not known" in told.notice
    assert told.notice in call("status", past.run).out


def test_a_controller_that_falls_silent_is_told_with_the_time_of_its_last_word(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12")
    past.notes("begun", DREAM, job="12", attempt=0, kept=[])
    past.queue(("12", "RUNNING", "None"))
    assert not status(past.run).notice
    asked = time.time()
    past.cluster.says("squeue", SILENT, code=1)
    monkeypatch.setattr("time.time", lambda: asked + 31)
    told = status(past.run)
    assert state(told, DREAM) == "running"
    assert f"as of {time.strftime('%H:%M:', time.localtime(asked))}" in told.notice


def test_what_was_handed_in_after_slurm_was_asked_waits(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.has(CORPUS)
    past.notes("queued", DREAM, job="12")
    past.queue(("12", "PENDING", "Priority"))
    status(past.run)
    asked = time.time()
    monkeypatch.setattr("time.time", lambda: asked + 5)
    ledger.attempt(past.run, "x", 0, 0).note("queued", [PAGE], job="13")
    told = status(past.run)
    assert state(told, PAGE) == "waiting"
    assert len(past.cluster.calls("squeue")) == 1


def test_json_says_the_same(past: Past, call: Call) -> None:
    past.has(CORPUS)
    past.notes("failed", DREAM, reason="why", log=None)
    told: Callable[[], dict[str, Any]] = lambda: json.loads(call("status", past.run, "--json").out)  # noqa: E731
    assert told() == status(past.run).plain()
    assert told()["failures"] == [{"unit": DREAM, "reason": "why", "log": None}]

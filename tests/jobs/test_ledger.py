"""The ledger: who wrote what, in which order it is read, and what a killed writer costs."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from aesdream.errors import UserError
from jobs import ledger


def test_the_attempts_before_one_come_in_their_order_without_those_of_other_jobs(tmp_path: Path) -> None:
    for job, number, rank in [("12_1", 3, 0), ("12_1", 2, 0), ("12_1", 0, 0), ("12_1", 0, 1), ("12_11", 0, 0), ("12", 0, 0), ("112_1", 0, 0)]:
        ledger.attempt(tmp_path, job, number, rank).note("begun", [f"{job} {number}"])
    told = [line["units"] for lines in ledger.attempts(tmp_path, "12_1", before=3) for line in lines]
    assert told == [["12_1 0"], ["12_1 0"], ["12_1 2"]]


def test_no_two_writers_share_a_file(tmp_path: Path) -> None:
    writers = [ledger.attempt(tmp_path, job, number, rank) for job in ("12_1", "12_2") for number in (0, 1) for rank in (0, 1)]
    assert len({notes.path for notes in [*writers, ledger.Ledger(tmp_path)]}) == 9


def test_a_torn_last_line_costs_itself_alone(tmp_path: Path) -> None:
    notes = ledger.attempt(tmp_path, "12", 0, 0)
    notes.note("begun", ["a"])
    notes.note("done", ["a"])
    whole = notes.path.read_bytes()
    for length in range(len(whole) - 2, whole.index(b"\n"), -1):
        notes.path.write_bytes(whole[:length])
        assert [line["event"] for line in notes.read()] == ["begun"]
    assert ledger.latest(tmp_path)["a"]["event"] == "begun"


@pytest.fixture
def _a_second_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are written a second apart."""
    now = count(100)
    monkeypatch.setattr("time.time", lambda: next(now))


@pytest.mark.usefixtures("_a_second_a_line")
def test_the_newest_line_about_a_unit_counts_whoever_wrote_it(tmp_path: Path) -> None:
    book, attempt = ledger.Ledger(tmp_path), ledger.attempt(tmp_path, "12", 0, 0)
    book.note("queued", ["a", "b"], job="12")
    attempt.note("begun", ["a"], job="12")
    attempt.note("failed", ["a"], job="12", reason="why", log=None)
    book.note("queued", ["a"], job="13")
    assert {unit: (line["event"], line["job"]) for unit, line in ledger.latest(tmp_path).items()} == {"a": ("queued", "13"), "b": ("queued", "12")}
    assert ledger.jobs(tmp_path) == {"12", "13"}


@pytest.mark.usefixtures("_a_second_a_line")
def test_queued_is_what_living_jobs_have_before_them_or_at_work(tmp_path: Path) -> None:
    book, attempt = ledger.Ledger(tmp_path), ledger.attempt(tmp_path, "12_0", 0, 0)
    book.note("queued", ["done", "begun", "failed", "next"], job="12_0")
    book.note("queued", ["gone"], job="12_1")
    book.note("begun", ["here"])
    for event in ("done", "begun", "failed"):
        attempt.note(event, [event], job="12_0")
    assert ledger.queued(tmp_path, ["12_0"]) == {"begun": "12_0", "next": "12_0"}
    assert ledger.queued(tmp_path, []) == {}
    book.note("cancelled", ["begun", "next"])
    assert ledger.queued(tmp_path, ["12_0"]) == {}


def test_failures_are_those_of_missing_units_alone(tmp_path: Path) -> None:
    book = ledger.Ledger(tmp_path)
    book.note("failed", ["a", "b", "c"], reason="why", log=None)
    book.note("begun", ["c"])
    (tmp_path / "a.json").touch()
    assert ledger.failures(tmp_path, {"train": {unit: f"{unit}.json" for unit in "abcd"}}) == {"b": "why"}


def test_one_submitter_at_a_time(tmp_path: Path) -> None:
    assert not ledger.is_locked(tmp_path)
    with ledger.locked(tmp_path):
        assert ledger.is_locked(tmp_path)
        with pytest.raises(UserError, match="another aesdream is at work here"), ledger.locked(tmp_path):
            pass
    assert not ledger.is_locked(tmp_path)

"""What a run on one machine may use of it."""

from __future__ import annotations

import os

import pytest

from jobs.executors import cores

MACHINE = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({}, MACHINE),
        ({"SLURM_CPUS_ON_NODE": "1"}, 1),
        ({"SLURM_CPUS_ON_NODE": "512"}, MACHINE),
        ({"SLURM_CPUS_ON_NODE": "512", "SLURM_CPUS_PER_TASK": "1"}, 1),
    ],
)
def test_a_job_uses_no_more_cores_than_slurm_gave_it(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], ours: int) -> None:
    for name in ("SLURM_CPUS_ON_NODE", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert cores() == ours

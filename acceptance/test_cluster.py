"""What takes long on a real Slurm: the demo, and the scale of an exhaustive sweep."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from slurm.testbed.testbed import Testbed
from tests.cluster.suite import Suite
from tests.runs import ROOT, aesdream, assert_same

DEMO = ROOT / "configs" / "demo.yaml"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="run", ignore_cleanup_errors=True) as short:
        yield Path(short)


def bed(folder: Path, **how: object) -> Testbed:
    started = Testbed(folder / "bed", **how)  # type: ignore[arg-type]
    started.start()
    return started


def test_the_demo_on_a_cluster_has_the_bytes_of_the_demo_here(folder: Path) -> None:
    cluster = bed(folder, nodes=2, cpus=1)
    try:
        suite = Suite(cluster, folder, study=DEMO)
        suite.write_site(minutes=30, minutes_a_task=1)
        began = time.monotonic()
        suite.submit()
        print(f"\ndemo submitted in {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < 10
        suite.idle(1800)
        print(f"demo on two nodes of one core: {time.monotonic() - began:.0f} s")
    finally:
        cluster.stop(purge=True)
    here = folder / "here"
    assert aesdream("run", DEMO, "--out", here).returncode == 0
    assert_same(suite.run, here)


def test_ten_thousand_targets_are_planned_packed_and_submitted_within_ten_seconds(folder: Path) -> None:
    study = {
        "study": "scale",
        "sounds": {"oracular": {"count": 40, "levels": 2}, "sample_rate": 8000, "seconds": 1},
        "network": {"jenkins": {"kernel": 256, "stride": 64, "start": "mean", "filters": [4, 120, 120], "hidden": 8}},
        "training": {"treatments": {"plain": {}}, "protocols": ["by-family"], "splits": 1, "seeds": 21, "epochs": 1},
        "sweeps": {"all": {"models": ["plain/*"], "layers": ["conv3", "conv4"], "sides": ["post", "pre"]}},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    cluster = bed(folder, nodes=32, cpus=64, gpus=0, accounting=False)
    try:
        suite = Suite(cluster, folder, study=path)
        for minutes in (1, 1e-9):  # as packed by default, and a task a batch
            suite.write_site(minutes_a_task=minutes)
            with suite.closed():
                began = time.monotonic()
                suite.submit()
                submitted = time.monotonic()
                told = suite.told()
                answered = time.monotonic()
                tasks = len(suite.queue())
                suite.aesdream("cancel", suite.run)
            assert told["stages"]["dream"]["waiting"] == 10_080
            print(f"\n10 080 dreams in {tasks} tasks: submitted in {submitted - began:.1f} s, status in {answered - submitted:.1f} s")
            assert submitted - began < 10
            assert answered - submitted < 2
    finally:
        cluster.stop(purge=True)

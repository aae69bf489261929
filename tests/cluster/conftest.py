"""A real Slurm for the tests of this folder, which share one worker: the beds are real, and so is the machine under them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from slurm.testbed.testbed import Testbed

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One xdist group, whichever file a test stands in."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group("cluster"))


@cache
def missing() -> str | None:
    """Asked once, not before every test."""
    return Testbed.missing()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Where Slurm is not, nothing here runs; on a machine that is to run everything, that is a failure."""
    if why := missing():  # skipped here and not in a fixture, pytest says the reason once for all tests
        if os.environ.get("CI") == "true":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)


@pytest.fixture(scope="session")
def bed() -> Iterator[Testbed]:
    """Four nodes with two GPUs each, and accounting. Who kills something in it brings it back."""
    bed = Testbed(Path(tempfile.mkdtemp(prefix="bed")))
    bed.start()
    yield bed
    bed.stop(purge=True)


@pytest.fixture(scope="session")
def signalling_bed() -> Iterator[Testbed]:
    """A site that sends the user signal when it preempts, and that keeps no accounts."""
    bed = Testbed(Path(tempfile.mkdtemp(prefix="bed")), accounting=False, preempt_signal=True)
    bed.start()
    yield bed
    bed.stop(purge=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path on a disk that all nodes share."""
    path = Path(tempfile.mkdtemp(prefix="run"))
    yield path
    shutil.rmtree(path, ignore_errors=True)

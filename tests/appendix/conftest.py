"""A fabricated run for the tests of the appendix, and what is drawn of it."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from aesdream.appendix.build import build
from tests import printed
from tests.fabricated import DEAD, FAILED, HEADER, MISSING, REASON, fabricate


@pytest.fixture(scope="session")
def made_up() -> SimpleNamespace:
    """``fabricate`` writes a run, ``dead`` is its dead filter."""
    return SimpleNamespace(fabricate=fabricate, dead=DEAD)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A run in which a model is missing and a dream failed, its page, and the text of page and PDF without white space."""
    run = tmp_path_factory.mktemp("fabricated") / "run"
    study = fabricate(run)
    shutil.rmtree(run / MISSING)
    (run / f"{FAILED}.json").unlink()
    build(run, study, HEADER, {FAILED: REASON})
    found = printed.read(run)
    found.study = study
    return found

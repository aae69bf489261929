"""A fabricated run for the tests of the appendix."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fabricated import DEAD, fabricate


@pytest.fixture(scope="session")
def made_up() -> SimpleNamespace:
    """``fabricate`` writes a run, ``dead`` is its dead filter."""
    return SimpleNamespace(fabricate=fabricate, dead=DEAD)

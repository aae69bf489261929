"""A fabricated run for the tests of the appendix, and what is drawn of it."""

from __future__ import annotations

import html
import re
import shutil
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

from aesdream import appendix, files
from tests.fabricated import DEAD, FAILED, HEADER, MISSING, REASON, fabricate, squeezed


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
    page = appendix.build(run, study, HEADER, {FAILED: REASON})
    source = page.read_text()
    text = html.unescape(re.sub(r"<[^>]+>", " ", source.partition("<body>")[2]))
    printed = "".join(sheet.extract_text() for sheet in PdfReader(run / "appendix/appendix.pdf").pages)
    return SimpleNamespace(
        run=run, study=study, source=source, page=squeezed(text), pdf=squeezed(printed), content=files.read_json(run / "results.json")
    )

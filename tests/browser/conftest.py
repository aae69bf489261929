"""Pages in a real browser: the system's Chromium, headless, driven by playwright; pages are opened from disk, without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

STOPPED = "net::ERR_ABORTED"
"""What Chromium says of a sound that it stops reading because it has enough, or another is asked for."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the session; skipped where no Chromium is installed, which on a machine that is to run everything is a failure."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium: apt-get install chromium", pytrace=False)
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu", "--mute-audio"])
        yield started
        started.close()


@pytest.fixture
def lost() -> list[str]:
    """Patterns (as of ``fnmatch``) of the addresses that a test takes away on purpose: it adds them."""
    return []


@pytest.fixture
def page(browser: Browser, lost: list[str]) -> Iterator[Page]:
    """An empty page in a profile of its own, offline; a script's error, a file that is not there or a request for anything but a file fails the
    test.
    """
    context = browser.new_context(offline=True, accept_downloads=True)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"error in the page: {error}"))

    def note(address: str, what: str) -> None:
        if not any(fnmatchcase(unquote(address), pattern) for pattern in lost):
            wrong.append(f"{what}: {address}")

    opened.on("console", lambda said: note(said.location["url"], f"console: {said.text}") if said.type == "error" else None)
    opened.on("requestfailed", lambda request: None if request.failure == STOPPED else note(request.url, f"{request.failure}"))
    opened.on("request", lambda request: None if request.url.split(":")[0] in ("file", "blob", "data") else wrong.append(f"asked for {request.url}"))
    yield opened
    context.close()
    assert wrong == []

"""Pages in a real browser: the system's Chromium, headless, driven by playwright; pages are opened from disk, without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright


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
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a profile of its own, offline; a script's error or a request for anything but a file fails the test."""
    context = browser.new_context(offline=True, accept_downloads=True)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"error in the page: {error}"))
    gone = "Failed to load resource"  # whether files are there is asked by tests that know which should be
    opened.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" and gone not in said.text else None)
    opened.on("request", lambda request: None if request.url.split(":")[0] in ("file", "blob", "data") else wrong.append(f"asked for {request.url}"))
    yield opened
    context.close()
    assert wrong == []

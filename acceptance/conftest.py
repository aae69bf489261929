"""What acceptance shares with the tests: pages in a real browser."""

from tests.browser.conftest import browser, lost, page

__all__ = ["browser", "lost", "page"]

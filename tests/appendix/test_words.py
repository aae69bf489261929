"""How numbers are put into words."""

from __future__ import annotations

import pytest

from aesdream.appendix import words


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.61, 0.84, "0.726 [0.610, 0.840]"),
        (0.7251, 0.7271, "0.7261 [0.7251, 0.7271]"),
        (0.72604, 0.72616, "0.7261 [0.7260, 0.7262]"),
        (0.7261, 0.7261, "0.726 [0.726, 0.726]"),
        (None, None, "0.726"),
    ],
)
def test_a_narrow_interval_is_printed_with_a_digit_more(low: float | None, high: float | None, said: str) -> None:
    assert words.interval({"value": 0.7261, "low": low, "high": high}) == said


@pytest.mark.parametrize("unknown", [None, {"value": None, "low": None, "high": None}])
def test_what_is_not_known_is_a_dash(unknown: dict[str, None] | None) -> None:
    assert words.interval(unknown) == words.DASH

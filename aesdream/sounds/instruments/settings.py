"""The key ``sounds.instruments`` of a study."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from aesdream.config import Section

SECOND_FONT = "second-font"
"""The test set that another soundfont plays."""


class SecondFont(Section):
    """A soundfont that no training excerpt is played by: its test set has unseen instruments, rooms and microphones."""

    path: str
    missing: Literal["refuse", "skip"] = "refuse"
    """Where there is no such file: that is an error, or the study goes without this test set."""


class Instruments(Section):
    """Made-up recordings of one of the 11 instruments over an accompaniment, from sampled instruments."""

    recordings: int = Field(20, ge=4)
    """Recordings a class, each a family."""
    excerpts: int = Field(3, ge=1)
    """Training excerpts from each recording."""
    tests: int = Field(88, ge=11)
    """Clips of each test set."""
    test_seconds: tuple[float, float] = (5.0, 20.0)
    """The shortest and the longest test clip."""
    font: str | None = None
    """A soundfont (SF2); none for the one in the package ``pretty_midi``."""
    second_font: SecondFont | None = None

    @model_validator(mode="after")
    def _lengths(self) -> Instruments:
        if not 1 <= self.test_seconds[0] <= self.test_seconds[1] <= 60:
            raise ValueError(f"test_seconds must be the shortest and the longest, 1 to 60, are {self.test_seconds[0]:g} and {self.test_seconds[1]:g}")
        return self

    @property
    def sets(self) -> tuple[str, ...]:
        """The test sets."""
        return ("test",) if self.second_font is None else ("test", SECOND_FONT)

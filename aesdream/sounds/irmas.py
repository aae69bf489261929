"""IRMAS as it lies on disk (facts, section 4): 3 s training excerpts, a folder a class, and three parts of test clips, each with a file of labels."""

from __future__ import annotations

from typing import Literal

from aesdream.config import Section

CLASSES = ("cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi")
"""The predominant instruments, in the order of a model's outputs."""


class Irmas(Section):
    """Where a copy of IRMAS lies."""

    path: str
    """The folder that holds ``IRMAS-TrainingData`` and the three folders of test clips."""
    conflicting: Literal["exclude", "keep"] = "exclude"
    """What becomes of training files with the same audio under different labels."""

    @property
    def sets(self) -> tuple[str, ...]:
        """The test sets; the three parts are one."""
        return ("test",)

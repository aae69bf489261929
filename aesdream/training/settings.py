"""The ``training`` section of a study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Literal

from pydantic import Field, field_validator

from aesdream.config import Section
from aesdream.sounds.splits import Protocol, Treatment


def file_names(names: Iterable[str]) -> None:
    """Raise ValueError for a name that cannot be a folder's."""
    for name in names:
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"{name!r} becomes a folder; use letters, digits, - and _")


EACH = ("composer", "network")
"""Keys of a treatment that may be lists in a file: there is then a treatment for each of them."""


def one_for_each(name: str, given: Any) -> dict[str, Any]:
    """The treatments that one entry of a file stands for, by name: ``name`` and, of what is given as a list, the one that each has.

    ``learned: {composer: [bright, dense], network: [short, logmel]}`` are ``learned-bright-short``, ``learned-bright-logmel`` and so on.
    """
    listed = [key for key in EACH if isinstance(given, Mapping) and isinstance(given.get(key), list)]
    if not listed:
        return {name: given}
    return {
        "-".join([name, *map(str, chosen)]): {**given, **dict(zip(listed, chosen, strict=True))}
        for chosen in product(*(given[key] for key in listed))
    }


class Training(Section):
    """What is trained on, and how. The thesis states none of the numbers but ``validation``; they are ours.

    Han, Kim and Lee (facts, section 3) say batch 128, learning rate .001, validation .15 and patience 2.
    """

    treatments: dict[str, Treatment] = Field(default_factory=lambda: {"plain": Treatment()})
    protocols: tuple[Protocol, ...] = ("split-first",)
    splits: int = Field(1, ge=1)
    seeds: int = Field(1, ge=1)
    own_seeds: bool = False
    """Whether every split has initialisations and orders of batches of its own, so that models of different splits have nothing in common but sounds.
    Else seed 0 of each split begins as that of every other, which makes splits comparable model by model, but not independent."""
    validation: float = Field(0.3, gt=0, lt=1)
    epochs: int = Field(20, ge=0)
    patience: int | None = Field(None, ge=0)
    """Stop when the validation loss has not fallen for more than so many epochs; the model is the last epoch's all the same."""
    batch: int = Field(16, ge=1)
    """Sounds in a step, over all processes."""
    learning_rate: float = Field(0.001, gt=0)
    processes: int = Field(1, ge=1)
    """Processes that share every batch of one model (distributed data parallel)."""
    precision: Literal["float32", "float64"] = "float32"

    @field_validator("treatments", mode="before")
    @classmethod
    def _each(cls, treatments: Any) -> Any:
        if not isinstance(treatments, Mapping):
            return treatments
        every = [each for name, given in treatments.items() for each in one_for_each(name, given).items()]
        if twice := [name for name, count in Counter(name for name, _ in every).items() if count > 1]:
            raise ValueError(f"{twice[0]!r} is there twice, once from a list of composers or networks; rename one")
        return dict(every)

    @field_validator("treatments")
    @classmethod
    def _file_names(cls, treatments: dict[str, Treatment]) -> dict[str, Treatment]:
        file_names(treatments)
        if not treatments:
            raise ValueError("needs at least one treatment, for instance plain: {}")
        return treatments

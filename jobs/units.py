"""Units of work: what should exist in a run folder, what it depends on, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aesdream import config, files
from aesdream.errors import DamagedFile, UserError

STAGES = ("preprocess", "train", "dream", "appendix")
CHECK, REST = "check", "rest"
"""What is no unit but can fail: the look at every sound that comes first on a cluster, and handing in what it did not take at once."""


@dataclass(frozen=True)
class Unit:
    """Resumable work, named by its path in the run folder without suffix.

    ``recipe`` holds the keys and inputs that its bytes depend on; ``marker`` is the JSON that is written last. A ``derived`` unit is made again when
    its recipe changes; of any other a change is refused. ``batch`` names the units that are computed together.
    """

    name: str
    stage: str
    marker: str
    recipe: Mapping[str, Any]
    derived: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)
    """By which names and paths its inputs are found; no part of the digest, which knows them by content."""
    batch: str = ""
    section: str = ""
    """Where the keys of its recipe stand in the study, with a dot; empty where the recipe says it."""
    seconds: float = 0.0
    """Estimated time on one core."""
    bytes: int = 0
    """Estimated size."""

    @property
    def header(self) -> dict[str, Any]:
        """What the marker says of the unit itself."""
        return {"unit": self.name, "digest": config.digest(self.recipe), "recipe": self.recipe}

    def is_complete(self, run: Path) -> bool:
        """Whether the unit's files are there and made as now asked. Raises DamagedFile for a marker that is none."""
        marker = run / self.marker
        if not marker.exists():
            return False
        content = files.read_marker(marker)
        return content["recipe"] == self.recipe and all((marker.parent / name).is_file() for name in content["files"])

    def changes(self, run: Path) -> list[str]:
        """The keys in which a finished unit differs from what is now asked, with both values; none where it may be made (again)."""
        marker = run / self.marker
        if self.derived or not marker.exists():
            return []
        return config.differences(files.read_marker(marker)["recipe"], self.recipe)


def refuse_changes(run: Path, units: Iterable[Unit]) -> None:
    """Raise UserError where the study now differs from what finished units were made with, each key once."""
    changed: dict[str, list[str]] = {}
    for unit in units:
        try:
            for line in unit.changes(run):
                changed.setdefault(f"{unit.section}{line}", []).append(unit.name)
        except DamagedFile:
            continue
    # What a unit is made from changes with its maker's own keys, and those say more.
    own = {line: names for line, names in changed.items() if "made_from." not in line}
    if changed:
        lines = [f"{line} ({_named(names)})" for line, names in (own or changed).items()]
        raise UserError(
            f"{run}: finished units were made with other settings:",
            *lines,
            "put these back, give them to a sweep or treatment of another name, or choose another folder with --out",
        )


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def owner(run: Path, damaged: Path) -> Path:
    """The marker of the unit that a damaged file belongs to; a copy outside the run is its own."""
    if not damaged.is_relative_to(run):
        return damaged
    parts = damaged.relative_to(run).parts
    if parts[0] == "models":
        return damaged.parent / "evaluation.json"
    if parts[0] == "appendix":
        return run / "results.json"
    if damaged.parent == run and damaged.suffix == ".h5":
        return run / "sounds.json"
    return damaged.with_suffix(".json")


def discard(marker: Path) -> None:
    """Forget a damaged unit: without its marker it is made again, its other files replaced."""
    marker.unlink(missing_ok=True)

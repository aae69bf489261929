"""Folders of made-up sounds that someone judged, and the study files that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from aesdream.config import override
from aesdream.seeding import generator

RATE = 8000
HEADER = "path,label,family"
STUDY: dict[str, Any] = {
    "study": "own",
    "sounds": {"folder": {"path": "sounds"}, "sample_rate": RATE, "seconds": 0.5, "fade_out": 0.1},
    "network": {"jenkins": {"kernel": 256, "stride": 64, "start": "mean", "filters": [2, 2, 2], "hidden": 4}},
    "training": {"protocols": ["by-family"], "epochs": 1, "batch": 8},
}
"""A study of a user's own folder, small enough for tests."""


def noise(seed: int, seconds: float = 0.6, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """Noise of its own for every seed: (samples, channels) in [-0.3, 0.3]."""
    return generator(seed, "noise").uniform(-0.3, 0.3, (round(seconds * rate), channels))


def good(folder: Path, *, each: int = 5, classes: Sequence[str] = ("dull", "bright"), family: bool = True) -> list[str]:
    """Write ``each`` 16-bit WAVs a class into ``folder``, and return their rows of ``labels.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(each * len(classes)):
        name = f"{number:02}.wav"
        soundfile.write(folder / name, noise(number), RATE)
        rows.append(f"{name},{classes[number % len(classes)]},{f'take {number}' if family else ''}")
    return rows


def table(folder: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    """Write ``labels.csv``."""
    path = folder / "labels.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def study(folder: Path, changes: Sequence[str] = (), tree: Mapping[str, Any] = STUDY) -> Path:
    """Write a study file with ``key=value`` changes."""
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(override(dict(tree), changes), sort_keys=False), encoding="utf-8")
    return path

"""Dreams with their spectrograms, as this part of an appendix reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from aesdream import files
from aesdream.appendix.reading import Dream
from aesdream.dreaming.bands import DECIBELS
from aesdream.errors import DamagedFile


@dataclass(frozen=True)
class Dreamt:
    """One dream of a class: what its JSON says, and the log-mel spectrograms of its start and of itself [shape=(windows, frames, bands)], in dB."""

    name: str
    content: Mapping[str, Any]
    start: NDArray[np.float64]
    dream: NDArray[np.float64]

    @property
    def kind(self) -> str:
        """What it was dreamed to: ``right``, ``wrong``, ``right-then-wrong``, or a class."""
        return str(self.content["target"])

    @property
    def change(self) -> NDArray[np.float64]:
        """What it added, in dB."""
        return self.dream - self.start


def dreamt(dreams: Iterable[Dream]) -> list[Dreamt]:
    """Those dreams of classes that were made and have spectrograms. Raises DamagedFile."""
    found = []
    for dream in dreams:
        if dream.ready and dream.layer == "class" and f"{dream.marker.stem}.npz" in dream.content.get("files", {}):
            path = files.verified(dream.marker, f"{dream.marker.stem}.npz")
            try:
                with np.load(path) as arrays:
                    start, changed = (DECIBELS * arrays[name].astype(np.float64) for name in ("start", "dream"))
            except (BadZipFile, ValueError, KeyError, OSError) as error:
                raise DamagedFile(path, str(error)) from None
            found.append(Dreamt(dream.name, dream.content, start, changed))
    return found

"""Preparing recorded sounds of the thesis's size, HDF5 included, beside one call of SoX, on one core; and what describing them costs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from aesdream.sounds import audio, descriptors, store
from aesdream.sounds.audio import Preparation
from benchmarks.dreams import source
from benchmarks.timing import Timing, in_turn

SOUNDS = 16
RATE, LENGTH = 48_000, 500_000


def measured(folder: Path) -> dict[str, Timing]:
    """A sound by ours, and by SoX where it is installed: trimmed to ten seconds, faded out over half a second, stored as 16-bit integers."""
    import soundfile

    paths = [folder / f"{number}.wav" for number in range(SOUNDS)]
    for path in paths:
        soundfile.write(path, source(LENGTH).numpy().T, RATE, subtype="PCM_16")

    def ours() -> None:
        store.write_slice(folder / "slice.h5", map(prepared, paths), SOUNDS, Preparation().samples)

    def prepared(path: Path) -> store.Prepared:
        sound = audio.prepare(*audio.read(path), Preparation())
        return store.Prepared(path.stem, sound, Preparation().samples, "{}", "", np.zeros(1), 0.0)

    def sox() -> None:
        for path in paths:
            subprocess.run(["sox", "-D", path, folder / "out.wav", "trim", "0", "10", "fade", "t", "0", "10", ".5"], check=True)

    heard = audio.floating(audio.prepare(*audio.read(paths[0]), Preparation()))

    def describe() -> None:
        descriptors.describe(heard, RATE)

    ways = {"prepare": (ours, SOUNDS), **({"sox": (sox, SOUNDS)} if shutil.which("sox") else {}), "describe": (describe, 1)}
    return in_turn(ways)

"""A made sound on disk: a 24-bit WAV, and beside it a JSON with its lineage and every chain from its source on.

The JSON alone says how the sound was made: ``lineage`` holds, oldest first, the id and the steps (``chains``) of every ancestor and of the sound
itself. It is written last, so where it is, the WAV is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import soundfile

from aesdream import config, files
from aesdream.config import Section
from aesdream.errors import DamagedFile, UserError
from aesdream.sounds import audio
from aesdream.sounds.oracular.chains import Grown, replay, wrong_steps
from aesdream.sounds.oracular.mixing import STEPS, Samples, Silent

LOWEST_RATE, HIGHEST_RATE = 8000, 96_000
SHORTEST_SOURCE = 0.02
"""Seconds; what is shorter is a click that repeats."""


class Source(Section):
    """The file that a lineage begins with."""

    name: str
    sha256: str
    sample_rate: int
    channels: int


class Chain(Section):
    """One sound of a lineage, and the steps that made it from the one before."""

    sound: str
    steps: list[dict[str, Any]]


class Record(Section):
    """What is known of a made sound; ``mimics`` is the sound whose chains were replayed to make it, if it was made so."""

    format: Literal["aesdream-sound-1"] = "aesdream-sound-1"
    sound: str
    level: int
    family: str
    parent: str | None
    mimics: str | None = None
    source: Source
    sample_rate: int
    channels: int
    seconds: float
    sha256: str
    """Of the WAV's bytes."""
    lineage: list[Chain]


def read_source(path: Path) -> tuple[Samples, int, Source]:
    """A sound (1 or 2 channels, samples) that others are to be made from, and its rate. Raises UserError where it cannot serve."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give one sound file")
    try:
        sound, rate = audio.read(path)
    except audio.UnreadableSound as error:
        raise UserError(f"{path}: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); make it readable, or leave it out") from None
    if sound.shape[1] < SHORTEST_SOURCE * rate:
        raise UserError(f"{path}: is {sound.shape[1] / rate:.3f} s long, too short to make anything of; give at least {SHORTEST_SOURCE:g} s")
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UserError(f"{path}: its sample rate is {rate} Hz; resample it to {LOWEST_RATE} to {HIGHEST_RATE} Hz")
    return sound.astype(np.float64), rate, Source(name=path.name, sha256=files.sha256(path), sample_rate=rate, channels=len(sound))


def write(path: Path, grown: Grown, rate: int, *, source: Source, parents: Sequence[Chain], mimics: str | None = None) -> Record:
    """Write a grown sound to ``path``, a WAV, and its record beside it; ``parents`` is the lineage that it goes on from."""
    with files.writing(path) as aside:
        whole = np.rint(grown.sound.astype(np.float64) * STEPS).astype(np.int32) * 256  # libsndfile takes the upper 24 of 32 bits
        soundfile.write(aside, whole.T, rate, subtype="PCM_24", format="WAV")
        digest = files.sha256(aside)
    own = Chain(sound=path.stem, steps=grown.steps)
    record = Record(
        sound=path.stem,
        level=len(parents) + 1,
        family=parents[0].sound if parents else path.stem,
        parent=parents[-1].sound if parents else None,
        mimics=mimics,
        source=source,
        sample_rate=rate,
        channels=len(grown.sound),
        seconds=round(grown.sound.shape[1] / rate, 6),
        sha256=digest,
        lineage=[*parents, own],
    )
    files.write_json(path.with_suffix(".json"), config.plain(record))
    return record


def read(path: Path) -> Record:
    """The record of a made sound, given the sound or its JSON. Raises UserError with a line for everything that is wrong with it."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give one sound in it that aesdream sounds generate or mimic made")
    beside = path.with_suffix(".json")
    if not beside.is_file():
        missing = f"{path}: no such sound" if not path.exists() else f"{path}: has no chain ({beside.name} does not lie beside it)"
        raise UserError(f"{missing}; give a sound that aesdream sounds generate or mimic made")
    try:
        tree = files.read_json(beside)
    except DamagedFile as damaged:
        raise UserError(f"{beside}: {damaged.why}; give the record of a sound that aesdream sounds generate or mimic made") from None
    if not isinstance(tree, dict):
        raise UserError(f"{beside}: must hold keys and values; give the record of a sound that aesdream sounds generate or mimic made")
    record = config.validate(Record, tree, str(beside))
    wrong = [f"{beside}: {chain.sound}: {line}" for chain in record.lineage for line in wrong_steps(chain.steps)]
    if not record.lineage:
        wrong.append(f"{beside}: lineage: must hold at least one sound and its steps")
    if wrong:
        raise UserError(*wrong)
    return record


def mimic(record: Record, sound: Samples, rate: int) -> tuple[Grown, list[Chain]]:
    """Every chain of a record, replayed on ``sound`` (channels, samples): what comes of it, and the lineage before it. Raises Silent."""
    parents: list[Chain] = []
    for number, chain in enumerate(record.lineage, 1):
        try:
            grown = replay(chain.steps, sound, rate)
        except Silent:
            raise Silent(f"level {number} of the chain of {record.sound} leaves silence") from None
        if number == len(record.lineage):
            return grown, parents
        parents.append(Chain(sound=chain.sound, steps=grown.steps))
        sound = grown.sound.astype(np.float64)
    raise AssertionError("a record without lineage")


def samples_of(path: Path, record: Record) -> npt.NDArray[np.float64]:
    """The samples (channels, samples) of a made sound. Raises UserError where its WAV is not the one that its record names."""
    try:
        if files.sha256(path) != record.sha256:
            raise audio.UnreadableSound("its bytes are not those that were written")
        return audio.read(path)[0].astype(np.float64)
    except (audio.UnreadableSound, OSError) as error:
        raise UserError(f"{path}: damaged ({error}); delete it and its JSON, and the same command makes it again") from None

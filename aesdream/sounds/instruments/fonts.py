"""Soundfonts (SF2): which presets they have, and MIDI played on them.

The renderer plays a piano for a preset that a font lacks, without a word. So the presets are read from the font itself before anything is rendered.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from aesdream.errors import UserError
from aesdream.sounds.instruments.midi import Preset

RATE = 48_000
"""The renderer knows no other."""
PACKAGED = "pretty_midi", "TimGM6mb.sf2"
"""The package, and the font in it, that serves where a study names none; it is used where it lies, for its licence is the GPL."""
PRESET_BYTES = 38
INSTALL = "pip install midirenderer pretty_midi"


class NoSoundfont(Exception):
    """A file that the renderer cannot play; the message says why."""


def packaged() -> Path | None:
    """The font that comes with pip, or None where it is not installed. The package itself is not imported."""
    found = find_spec(PACKAGED[0])
    places = found.submodule_search_locations if found is not None else None
    return next((path for place in places or () if (path := Path(place) / PACKAGED[1]).is_file()), None)


def presets(path: Path) -> dict[Preset, str]:
    """The name of every preset of a font, from its chunk ``phdr``. Raises NoSoundfont for any other file, OSError where it cannot be read."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"sfbk":
            raise NoSoundfont("is no SoundFont 2 file")
        chunks = _chunks(file, {b"ifil", b"phdr"})
    if {b"ifil", b"phdr"} - chunks.keys() or len(chunks[b"ifil"]) < 2 or len(chunks[b"phdr"]) % PRESET_BYTES:
        raise NoSoundfont("is a SoundFont 2 file that was cut short, or damaged")
    if chunks[b"ifil"][0] != 2:
        raise NoSoundfont(f"is a SoundFont of version {chunks[b'ifil'][0]}, compressed maybe (SF3); the renderer plays version 2")
    records = [struct.unpack_from("<20sHH", chunks[b"phdr"], at) for at in range(0, len(chunks[b"phdr"]) - PRESET_BYTES, PRESET_BYTES)]
    return {(bank, program): name.split(b"\0")[0].decode("latin-1").strip() for name, program, bank in records}


def _chunks(file: io.BufferedIOBase, wanted: Collection[bytes]) -> dict[bytes, bytes]:
    """The content of the wanted chunks below a RIFF file's head; lists are entered, other chunks skipped."""
    found: dict[bytes, bytes] = {}
    while len(head := file.read(8)) == 8:
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"LIST":
            file.read(4)
        elif name in wanted:
            found[name] = file.read(size)
            file.seek(size % 2, io.SEEK_CUR)
        else:
            file.seek(size + size % 2, io.SEEK_CUR)
    return found


def wrong(path: Path | None, needed: dict[Preset, str], key: str) -> list[str]:
    """A line for all that keeps a font from playing the presets ``needed``; None: the packaged one is not there."""
    other = f"or name a SoundFont 2 file at {key}"
    if path is None:
        return [f"{key}: none is given, and the packaged one is not installed: {INSTALL}, {other}"]
    if find_spec("midirenderer") is None:
        return [f"{key}: sounds are rendered by midirenderer, which is not installed: {INSTALL}"]
    try:
        there = presets(path)
    except NoSoundfont as error:
        return [f"{path}: {error}; name one that is at {key}"]
    except OSError as error:
        return [f"{path}: cannot be read ({error.strerror}); name a SoundFont 2 file at {key}, or leave the key out"]
    missing = [f"{needed[preset]} (bank {preset[0]}, program {preset[1]})" for preset in sorted(needed) if preset not in there]
    return [f"{path}: has no {', '.join(missing)}; name a General MIDI font at {key}"] if missing else []


@lru_cache(maxsize=2)
def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def played(path: Path, midi: bytes, seconds: float) -> NDArray[np.float64]:
    """A MIDI file played on a font: (2, ``seconds`` at ``RATE``). Raises UserError for a font that the renderer refuses."""
    import midirenderer

    try:
        rendered = midirenderer.render_wave_from(_bytes(path), midi)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be played ({error}); name another SoundFont 2 file") from None
    sound, rate = soundfile.read(io.BytesIO(rendered), always_2d=True)
    assert rate == RATE
    whole = np.zeros((2, round(seconds * RATE)))
    whole[:, : len(sound)] = sound.T[:, : whole.shape[1]]
    return whole

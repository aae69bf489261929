"""Standard MIDI files in memory, a tick a millisecond."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRUM_CHANNEL = 9
DRUM_BANK = 128
Preset = tuple[int, int]
"""Bank (128 for drums) and program."""
STEP = 0.02
"""Seconds between two changes of expression."""


@dataclass(frozen=True)
class Note:
    """A key from 0 to 127, struck at ``start`` seconds with a velocity from 1 to 127."""

    start: float
    seconds: float
    key: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """What one instrument plays: a preset's bank (0, or 128 for drums) and program, and its place from 0 (left) to 127."""

    preset: Preset
    notes: Sequence[Note]
    pan: int = 64


def file(parts: Sequence[Part], seconds: float, expression: NDArray[np.float64] | None = None) -> bytes:
    """A MIDI file that plays ``parts``, at most 15 and drums, and lasts ``seconds``; ``expression`` is 0 to 1 every ``STEP`` seconds, for all.

    Its last event stands at the end, because renderers stop at the last event.
    """
    events: list[tuple[int, bytes]] = []
    free = (channel for channel in range(16) if channel != DRUM_CHANNEL)
    for part in parts:
        bank, program = part.preset
        channel = DRUM_CHANNEL if bank == DRUM_BANK else next(free)
        events.append((0, bytes([0xC0 | channel, program])))
        events += [(0, bytes([0xB0 | channel, *setting])) for setting in ((7, 100), (10, part.pan), (91, 0), (93, 0))]
        for number, value in enumerate(() if expression is None else np.rint(127 * expression).astype(int).tolist()):
            events.append((round(number * STEP * 1000), bytes([0xB0 | channel, 11, value])))
        for note in part.notes:
            events.append((round(note.start * 1000), bytes([0x90 | channel, note.key, note.velocity])))
            events.append((round((note.start + note.seconds) * 1000), bytes([0x80 | channel, note.key, 0])))
    events.append((round(seconds * 1000), bytes([0xB0, 11, 0])))
    return written(events)


def written(events: Iterable[tuple[int, bytes]]) -> bytes:
    """The events (tick, bytes) as a file; those of one tick in the order given."""
    track, now = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big"), 0
    for tick, event in sorted(events, key=lambda pair: pair[0]):
        track, now = track + _delta(tick - now) + event, tick
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000) + b"MTrk" + struct.pack(">I", len(track)) + track


def _delta(number: int) -> bytes:
    return bytes([0x80 | number >> 7, number & 127]) if number > 127 else bytes([number])

"""Made-up pieces: a random key, tempo, style and progression of chords, a melody for each predominant instrument, and an accompaniment under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aesdream.sounds.instruments.midi import STEP, Note, Part
from aesdream.sounds.instruments.players import BACKING, BASSES, DRUMS, HAT, KICK, PLAYERS, SNARE, STYLES, Player, Style

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (1, 4, 0, 0), (0, 6, 5, 4), (5, 3, 0, 4), (0, 0, 3, 4))
"""Degrees of the scale, a bar each."""
BAR = 4
REST, REST_TOGETHER = 0.06, 0.2
"""The chance that a note gives way to a rest, alone and among several predominant instruments."""
NARROW = 10
"""Notes of the scale that a melody moves over."""
SOFTEST_DB = -16.0
DYNAMICS_SECONDS = 1.5
"""From one turning point of the dynamics to the next."""


@dataclass(frozen=True)
class Sketch:
    """What is settled before a note is written: ``programs`` go with ``labels``; times are in beats of ``60 / tempo`` seconds."""

    labels: tuple[str, ...]
    programs: tuple[int, ...]
    style: Style
    tempo: float
    root: int
    scale: str
    progression: tuple[int, ...]
    drums: bool
    bass: int | None
    backing: int | None

    def keys(self, lowest: int, highest: int) -> NDArray[np.int64]:
        """The keys of the scale in a range."""
        return np.array([key for key in range(lowest, highest + 1) if (key - self.root) % 12 in SCALES[self.scale]])

    def chord(self, bar: int) -> set[int]:
        """The pitch classes of a bar's chord."""
        degree, scale = self.progression[bar % len(self.progression)], SCALES[self.scale]
        return {(self.root + scale[(degree + third) % 7]) % 12 for third in (0, 2, 4)}

    def bass_note(self, bar: int) -> int:
        """The key of a bar's bass, from 28 on."""
        degree = self.progression[bar % len(self.progression)]
        return 28 + (self.root + SCALES[self.scale][degree] - 28) % 12


def sketched(rng: np.random.Generator, labels: Sequence[str]) -> Sketch:
    """A sketch for the predominant instruments ``labels``. Somebody always accompanies."""
    style = STYLES[rng.integers(len(STYLES))]
    bass, backing = rng.choice(list(BASSES)), rng.choice(list(BACKING))
    left_out = rng.integers(4)  # the bass, the backing, or nobody
    return Sketch(
        labels=tuple(labels),
        programs=tuple(int(rng.choice(PLAYERS[label].programs)) for label in labels),
        style=style,
        tempo=round(float(rng.uniform(*style.tempo)), 1),
        root=int(rng.integers(12)),
        scale=str(rng.choice(list(SCALES))),
        progression=PROGRESSIONS[rng.integers(len(PROGRESSIONS))],
        drums=bool(rng.random() < style.drums),
        bass=None if left_out == 0 else int(bass),
        backing=None if left_out == 1 else int(backing),
    )


def melody(rng: np.random.Generator, sketch: Sketch, number: int, seconds: float) -> Part:
    """What the predominant instrument ``number`` plays for ``seconds``: a walk over a part of its range that meets the chords on the bars."""
    player = PLAYERS[sketch.labels[number]]
    keys = sketch.keys(player.lowest, player.highest)
    first = int(rng.integers(max(1, len(keys) - NARROW)))
    keys = keys[first : first + NARROW]
    beat, rest = 60 / sketch.tempo, REST if len(sketch.labels) == 1 else REST_TOGETHER
    loud, legato = rng.integers(70, 108), rng.uniform(0.8, 1.0)
    place, now = len(keys) // 2, 0.0
    notes: list[Note] = []
    while now * beat < seconds:
        beats = float(rng.choice(player.beats))
        place = int(np.clip(place + rng.integers(-3, 4), 0, len(keys) - 1))
        if now % BAR < 0.5:
            place = _nearest(keys, place, sketch.chord(int(now // BAR)))
        if not notes or rng.random() >= rest:
            velocity = int(np.clip(loud + rng.integers(-10, 11), 1, 127))
            sounding = [place, *_below(rng, player, place)]
            notes += [Note(now * beat, beats * beat * legato, int(keys[one]), velocity) for one in sounding]
        now += min(beats, 1.0) if rest == REST_TOGETHER else beats
    return Part((0, sketch.programs[number]), notes, int(rng.integers(44, 85)))


def _nearest(keys: NDArray[np.int64], place: int, chord: set[int]) -> int:
    """The place of the nearest key of a chord."""
    inside = [other for other, key in enumerate(keys.tolist()) if key % 12 in chord]
    return min(inside, key=lambda other: abs(other - place), default=place)


def _below(rng: np.random.Generator, player: Player, place: int) -> list[int]:
    """The places of one or two notes that make a chord with the one at ``place``."""
    if rng.random() >= player.chords:
        return []
    return [place - third for third in (2, 4)[: rng.integers(1, 3)] if place >= third]


def accompaniment(rng: np.random.Generator, sketch: Sketch, seconds: float) -> list[Part]:
    """Bass, backing and drums of a sketch for ``seconds``, as far as it has them."""
    beat = 60 / sketch.tempo
    bars = range(int(np.ceil(seconds / beat / BAR)))
    parts = []
    if sketch.bass is not None:
        walks = rng.random() < 0.5
        notes = [Note((bar * BAR + at) * beat, beat * 1.6, sketch.bass_note(bar), 85) for bar in bars for at in (range(BAR) if walks else (0, 2))]
        parts.append(Part((0, sketch.bass), notes))
    if sketch.backing is not None:
        parts.append(Part((0, sketch.backing), _backing(rng, sketch, bars, beat), int(rng.integers(20, 109))))
    if sketch.drums:
        parts.append(Part(DRUMS, _drums(rng, sketch, bars, beat)))
    return parts


def _backing(rng: np.random.Generator, sketch: Sketch, bars: range, beat: float) -> list[Note]:
    """Chords held through the bar, struck on each beat, or broken."""
    manner = rng.integers(3)
    notes = []
    for bar in bars:
        keys = [key for key in range(55, 72) if key % 12 in sketch.chord(bar)]
        if manner == 2:
            notes += [Note((bar * BAR + at / 2) * beat, beat, keys[at % len(keys)], 75) for at in range(2 * BAR)]
        else:
            struck = (0,) if manner == 0 else range(BAR)
            notes += [Note((bar * BAR + at) * beat, beat * (3.9 if manner == 0 else 0.8), key, 75) for at in struck for key in keys]
    return notes


def _drums(rng: np.random.Generator, sketch: Sketch, bars: range, beat: float) -> list[Note]:
    off = sketch.style.offbeat
    pattern = [(0, KICK), (2, KICK), (1, SNARE), (3, SNARE), *((at + late, HAT) for at in range(BAR) for late in (0, off))]
    pattern += [(1 + off, KICK)] if rng.random() < 0.5 else []
    return [Note((bar * BAR + at) * beat, 0.1, key, int(rng.integers(70, 100))) for bar in bars for at, key in pattern]


def dynamics(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """How loud a melody is played, in dB below its loudest, every ``STEP`` seconds: random turning points, straight lines between them."""
    turns = rng.uniform(SOFTEST_DB, 0, int(np.ceil(seconds / DYNAMICS_SECONDS)) + 1)
    times = np.arange(0, seconds, STEP)
    return np.interp(times, np.arange(len(turns)) * DYNAMICS_SECONDS, turns)

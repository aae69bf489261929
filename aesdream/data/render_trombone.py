"""Render the trombone phrase that studies start from: ``python render_trombone.py FluidR3_GM.sf2``.

The phrase is our own: nine notes between F2 and F4 with slides, vibrato, a crescendo and a fall, written below as a score in seconds.
Its tone comes from the trombone preset of FluidR3_GM.sf2 (Frank Wen, MIT licence) through ``pip install midirenderer`` (MIT); the dynamics'
timbre and the room are synthetic. Writes ``trombone.flac`` beside this file: 12 s, 48 kHz, stereo, 16 bit. The same font gives the same samples.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import butter, fftconvolve, sosfilt

from aesdream.seeding import generator
from aesdream.sounds.instruments import fonts
from aesdream.sounds.instruments.midi import written

Samples = npt.NDArray[np.float64]
Breakpoints = tuple[tuple[float, float], ...]

RATE, SECONDS, PEAK_DB, SEED = fonts.RATE, 12.0, -3.0, 2019
PROGRAM, PRESET = 57, "Trombone"
BEND_RANGE = 12  # semitones to either side
STEP = 0.005  # seconds between two pitch bends or expressions
VIBRATO_HERTZ = 5.2


@dataclass(frozen=True)
class Note:
    """One breath: a key, its slides in semitones and its dynamics in dB, both over seconds from the note's start."""

    start: float
    seconds: float
    key: int
    dynamics: Breakpoints
    slide: Breakpoints = ((0.0, 0.0),)
    vibrato: float = 0.0  # semitones to either side once it is in full swing
    vibrato_from: float = 0.35  # seconds into the note


SCORE = (
    Note(0.10, 1.50, 46, ((0, -14), (0.12, -8), (0.9, -6), (1.5, -14)), ((0, -1.5), (0.16, 0)), 0.25, 0.6),  # Bb2, scooped
    Note(1.62, 0.38, 50, ((0, -7), (0.05, -5), (0.3, -5), (0.38, -9)), ((0, -0.4), (0.06, 0))),  # D3
    Note(2.02, 1.22, 53, ((0, -9), (0.1, -5), (0.7, -4), (1.22, -11)), ((0, -1), (0.12, 0)), 0.3, 0.45),  # F3
    Note(3.36, 0.30, 56, ((0, -2), (0.04, -1), (0.22, -1), (0.3, -8))),  # Ab3, short
    Note(3.70, 2.55, 62, ((0, -20), (0.2, -16), (2.1, 0), (2.4, 0), (2.55, -5)), ((0, 0), (1.25, 0), (1.6, 3)), 0.35, 0.4),  # D4 slides to F4
    Note(6.34, 0.42, 63, ((0, -3), (0.05, -2), (0.34, -2), (0.42, -7)), ((0, 0.8), (0.09, 0))),  # Eb4
    Note(6.80, 0.42, 60, ((0, -4), (0.05, -3), (0.34, -3), (0.42, -8)), ((0, 0.8), (0.09, 0))),  # C4
    Note(7.26, 1.30, 58, ((0, -5), (0.08, -3), (0.7, -3), (1.3, -18)), ((0, 0), (0.75, 0), (1.3, -8)), 0.25, 0.25),  # Bb3, falls
    Note(8.72, 2.00, 41, ((0, -16), (0.25, -8), (1.0, -6), (2.0, -22)), ((0, 1), (0.2, 0)), 0.2, 0.7),  # F2
)


def curve(points: Breakpoints, at: Samples) -> Samples:
    """Breakpoints joined by straight lines, read at times in seconds."""
    times, values = zip(*points, strict=True)
    return np.interp(at, times, values)


def pitch(note: Note, at: Samples) -> Samples:
    """Semitones above the note's key at seconds from its start: the slide, and a vibrato that swells in over 0.3 s."""
    swing = np.clip((at - note.vibrato_from) / 0.3, 0, 1) * note.vibrato
    return curve(note.slide, at) + swing * np.sin(2 * np.pi * VIBRATO_HERTZ * np.maximum(at - note.vibrato_from, 0))


def assert_preset(font: Path) -> None:
    """Stop unless the font has a trombone where General MIDI puts it: the renderer would play a piano without a word."""
    try:
        name = fonts.presets(font).get((0, PROGRAM))
    except (fonts.NoSoundfont, OSError) as error:
        raise SystemExit(f"{font}: {error}; give FluidR3_GM.sf2") from None
    if name != PRESET:
        raise SystemExit(f"program {PROGRAM} of bank 0 is {name or 'missing'}, must be {PRESET}: give FluidR3_GM.sf2")


def midi(trims: Samples | None) -> bytes:
    """The score as a MIDI file, a tick a millisecond; ``trims`` are dB a note on top of the dynamics, None plays all at full expression."""
    events: list[tuple[int, bytes]] = []
    for channel in (0, 1):  # notes take turns, so that a new bend never moves the release of the last note
        events.append((0, bytes([0xC0 | channel, PROGRAM])))
        settings = ((7, 100), (10, 64), (91, 0), (93, 0), (101, 0), (100, 0), (6, BEND_RANGE), (38, 0))
        events += [(0, bytes([0xB0 | channel, *setting])) for setting in settings]
    for number, note in enumerate(SCORE):
        channel, start = number % 2, round(note.start * 1000)
        seconds = np.arange(0, note.seconds + STEP, STEP)
        bends = np.clip(np.rint(8192 * (1 + pitch(note, seconds) / BEND_RANGE)), 0, 16383).astype(int)
        level = np.zeros_like(seconds) if trims is None else np.minimum(curve(note.dynamics, seconds) + trims[number], 0)
        expression = np.rint(127 * 10 ** (level / 40)).astype(int)  # the synthesizer squares it
        for second, bend, value in zip(seconds, bends, expression, strict=True):
            tick = start + round(second * 1000)
            events.append((tick, bytes([0xE0 | channel, bend & 127, bend >> 7])))
            events.append((tick, bytes([0xB0 | channel, 11, value])))
        events.append((start, bytes([0x90 | channel, note.key, 100])))
        events.append((start + round(note.seconds * 1000), bytes([0x80 | channel, note.key, 0])))
    events.append((round(SECONDS * 1000), bytes([0xB0, 11, 0])))  # the renderer stops at the last event
    return written(events)


def synthesize(font: Path, trims: Samples | None) -> Samples:
    """The dry score, mono (the room replaces the samples' stereo image), with a brass edge: 12 dB more above 2 kHz, for the samples are dull."""
    dry = fonts.played(font, midi(trims), SECONDS).mean(axis=0)
    return dry + 3 * sosfilt(butter(1, 2000, "highpass", fs=RATE, output="sos"), dry)


def body_db(dry: Samples, note: Note) -> float:
    """RMS in dB of a note without its attack and its end."""
    body = dry[round((note.start + 0.06) * RATE) : round((note.start + note.seconds - 0.02) * RATE)]
    return float(10 * np.log10(np.mean(body**2)))


def shaded(dry: Samples) -> Samples:
    """Softer is darker, which velocity does not do: a 12 dB an octave low-pass from 1.2 kHz at -20 dB to 16 kHz at full dynamics."""
    cutoffs = np.geomspace(1200, 16_000, 5)
    level = np.full(len(dry), -20.0)
    for note in SCORE:
        first, last = round(note.start * RATE), round((note.start + note.seconds) * RATE)
        level[first:last] = curve(note.dynamics, np.arange(last - first) / RATE)
        level[last:] = level[last - 1]
    smooth = sosfilt(butter(1, 12, fs=RATE, output="sos"), level + 20) / 20 * (len(cutoffs) - 1)
    weights = np.clip(1 - np.abs(np.clip(smooth, 0, len(cutoffs) - 1) - np.arange(len(cutoffs))[:, None]), 0, 1)
    return sum(weight * sosfilt(butter(2, cutoff, fs=RATE, output="sos"), dry) for weight, cutoff in zip(weights, cutoffs, strict=True))


def room(dry: Samples) -> Samples:
    """The dry sound in a small hall, (2, samples): the direct sound, ten reflections a side, and noise of its own a side that decays in 1.1 s."""
    rng = generator(SEED, "trombone", "room")
    seconds = np.arange(round(1.4 * RATE)) / RATE
    sides = []
    for _ in range(2):
        late = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / 1.1) * np.clip((seconds - 0.02) / 0.04, 0, 1)
        late = sosfilt(butter(1, [120, 3500], "bandpass", fs=RATE, output="sos"), late)
        response = 0.34 * late / np.sqrt(np.sum(late**2))
        delays = np.sort(rng.uniform(0.006, 0.06, 10))
        response[np.rint(delays * RATE).astype(int)] += 0.35 * rng.choice([-1, 1], 10) * 10 ** (-delays / 0.06)
        response[0] = 1.0
        sides.append(fftconvolve(dry, response)[: len(dry)])
    return np.stack(sides)


def phrase(font: Path) -> Samples:
    """The finished phrase, (2, samples) at 48 kHz."""
    flat = synthesize(font, None)
    loudness = np.array([body_db(flat, note) for note in SCORE])
    wet = room(shaded(synthesize(font, np.minimum(loudness.min() - loudness, 0))))
    wet *= 10 ** (PEAK_DB / 20) / np.abs(wet).max()
    fade = round(0.3 * RATE)
    wet[:, -fade:] *= np.linspace(1, 0, fade) ** 2
    return wet


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python {sys.argv[0]} FluidR3_GM.sf2")
    font = Path(sys.argv[1])
    assert_preset(font)
    soundfile.write(Path(__file__).with_name("trombone.flac"), phrase(font).T, RATE, subtype="PCM_16", format="FLAC", compression_level=1.0)


if __name__ == "__main__":
    main()

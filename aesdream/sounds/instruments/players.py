"""Who plays: the 11 instruments of IRMAS, who accompanies them, and in which styles. Programs are General MIDI's, from 0; the rest is ours."""

from __future__ import annotations

from dataclasses import dataclass

from aesdream.sounds.instruments.midi import DRUM_BANK, Preset


@dataclass(frozen=True)
class Player:
    """A predominant instrument: its programs, its range in keys, how often it plays chords, and how long its notes are in beats."""

    name: str
    programs: tuple[int, ...]
    lowest: int
    highest: int
    chords: float
    beats: tuple[float, ...]


SHORT, MIDDLE, LONG = (0.25, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0, 2.0), (1.0, 1.0, 2.0, 3.0)
PLAYERS = {
    "cel": Player("cello", (42,), 36, 67, 0.05, LONG),
    "cla": Player("clarinet", (71,), 52, 86, 0.0, MIDDLE),
    "flu": Player("flute", (73,), 60, 94, 0.0, MIDDLE),
    "gac": Player("acoustic guitar", (24, 25), 43, 77, 0.4, SHORT),
    "gel": Player("electric guitar", (26, 27, 28, 29, 30), 43, 81, 0.25, MIDDLE),
    "org": Player("organ", (16, 17, 18, 19), 43, 84, 0.6, LONG),
    "pia": Player("piano", (0,), 38, 88, 0.4, SHORT),
    "sax": Player("saxophone", (64, 65, 66, 67), 48, 79, 0.0, MIDDLE),
    "tru": Player("trumpet", (56,), 55, 83, 0.0, MIDDLE),
    "vio": Player("violin", (40,), 57, 93, 0.05, MIDDLE),
    "voi": Player("voice", (52, 53, 54), 50, 77, 0.2, LONG),
}
BACKING = {4: "electric piano", 11: "vibraphone", 12: "marimba", 46: "harp", 48: "strings", 89: "pad"}
"""None of them is one of the 11."""
BASSES = {32: "acoustic bass", 33: "electric bass", 35: "fretless bass"}
DRUMS: Preset = (DRUM_BANK, 0)
KICK, SNARE, HAT = 36, 38, 42


@dataclass(frozen=True)
class Style:
    """A genre of IRMAS as far as rhythm and setting go: beats a minute, the chance of drums, and where in a beat the off-beat falls."""

    genre: str
    tempo: tuple[float, float]
    drums: float
    offbeat: float = 0.5


STYLES = (
    Style("pop_roc", (90, 140), 0.9),
    Style("jaz_blu", (90, 180), 0.6, 0.66),
    Style("cla", (60, 120), 0.0),
    Style("cou_fol", (80, 130), 0.3),
    Style("lat_sou", (90, 130), 0.8),
)


def presets() -> dict[Preset, str]:
    """Every preset that may be asked of a font, with its name."""
    solo = {(0, program): player.name for player in PLAYERS.values() for program in player.programs}
    return {**solo, **{(0, program): name for program, name in {**BACKING, **BASSES}.items()}, DRUMS: "drums"}

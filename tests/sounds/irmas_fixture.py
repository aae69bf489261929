"""A small folder in IRMAS's exact layout, with every trap of the real one (facts, section 4). Its sounds are noise: nothing is to be learned."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from aesdream.seeding import generator

RATE = 44_100
CLASSES = ("cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi")
TAGS = ("[cla]", "[nod][cla]", "[dru][pop_roc]", "[---][jaz_blu]", "[cou_fol]", "[nod][lat_sou]", "[pop_roc]")
"""The middle tag is optional, and the last ``[cla]`` is a genre, beside the class of the same name."""
CLIPS: dict[str, dict[str, tuple[bytes, float]]] = {
    "IRMAS-TestingData-Part1/Part1": {
        "02 - And The Body Will Die-8": (b"gel\t\nvoi\t\n", 5.0),
        "02 - And The Body Will Die-9": (b"voi\t\n", 5.5),  # the same song
        "(01) a song-1": (b"cel\t\n", 5.0),
        "(01) a song-10": (b"cla\t\n", 5.0),
    },
    "IRMAS-TestingData-Part2/IRTestingData-Part2": {
        "02 - And The Body Will Die-8": (b"flu\t\ngac\t\norg\t\npia\t\nsax\t\n", 6.25),  # a name that stands in part 1 too; five labels
        "03. another one-2": (b"gac \r\n", 5.0),
        "three-1": (b"tru\n\n", 5.0),
    },
    "IRMAS-TestingData-Part3/Part3": {
        "four-1": (b"vio\t\npia\t\n", 7.5),
        "five-3": (b"org\t\norg\t\n", 5.0),  # said twice
        "five-4": (b"pia\t\n", 5.0),
    },
}


@dataclass
class Irmas:
    """What was written, as a reader should find it."""

    folder: Path
    excerpts: dict[str, int] = field(default_factory=dict)
    """Files a class."""
    recordings: int = 0
    same: tuple[str, str] = ("", "")
    """Two paths with the same bytes under one label."""
    conflicting: tuple[str, str] = ("", "")
    """Two paths with the same bytes under two labels."""

    @property
    def training(self) -> Path:
        """The folder with a folder a class."""
        return self.folder / "IRMAS-TrainingData"


def build(folder: Path, recordings: int = 6, seconds: float = 3.0) -> Irmas:
    """Write ``recordings`` recordings a class: three excerpts of the first, one of each other; and ten test clips in three parts."""
    made = Irmas(folder)
    for label in CLASSES:
        for number in range(recordings):
            # Numbers collide: between classes, and inside one between names with and without a leading number.
            lead = "008__" if number == 1 else ""
            name = f"{lead}[{label}]{TAGS[number % len(TAGS)]}{max(1, number):04d}"
            for excerpt in range(3 if number == 0 else 1):
                write(made.training / label / f"{name}__{excerpt + 1}.wav", seconds)
        made.excerpts[label] = recordings + 2
        made.recordings += recordings
    (made.training / "README.txt").write_text("not a sound")
    (made.training / "cel" / "._[cel][cla]0001__1.wav").write_bytes(b"left by another system")
    made.same = ("IRMAS-TrainingData/sax/[sax][cla]0001__1.wav", "IRMAS-TrainingData/sax/008__[sax][nod][cla]0001__1.wav")
    made.conflicting = ("IRMAS-TrainingData/gel/[gel][dru][pop_roc]0002__1.wav", "IRMAS-TrainingData/voi/[voi][---][jaz_blu]0003__1.wav")
    for first, second in (made.same, made.conflicting):
        (folder / second).write_bytes((folder / first).read_bytes())
    for part, clips in CLIPS.items():
        for name, (labels, length) in clips.items():
            write(folder / part / f"{name}.wav", length)
            (folder / part / f"{name}.txt").write_bytes(labels)
    return made


def write(path: Path, seconds: float) -> None:
    """A 16-bit stereo WAV at 44.1 kHz: noise of its own for every path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = generator(0, path.parent.name, path.name)
    noise = rng.integers(-3000, 3000, (round(seconds * RATE), 2), dtype=np.int16)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(noise.astype("<i2").tobytes())

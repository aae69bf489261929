"""A Mushroom-like processor: sounds that descend from one source through random chains of small processes, level by level.

It is built on what is public about Mushroom and its relatives (facts, section 5) and is not Mushroom. A level-1 sound is the source under a
random chain; a level-n sound is a level-(n-1) sound, drawn at random, under a new random chain. All descendants of a level-1 sound are a family.

After its chain a sound is finished as a mixing hand would: cut or continued to between one and 1.1 times the asked length, faded at both ends,
and levelled so that loudness tells nothing about what it is (``_levelled``).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS, sizes
from aesdream.sounds.processes import PROCESSES, Uniform, apply, draw

Samples = npt.NDArray[np.float64]
TROMBONE = Path(__file__).parent.parent / "data" / "trombone.flac"
DESCRIPTION = "a Mushroom-like oracular processor (random chains of random processes, level upon level); it is not Mushroom"
EXCERPT, MIX = "excerpt", "mix"  # what a chain's record may open with, and closes with, beside the processes
PLACE = Uniform(0, 1)
LOW_CUT = 20  # hertz; offsets and infrasound would take up level and are not heard
LONGEST = 1.1  # of the asked length, as lengths vary around it in the thesis's corpus
MATERIAL = 2.0  # times the asked length: of longer material an excerpt is taken first, so that a long recording costs no more
ATTEMPTS = 100
SILENCE = 1e-5  # full scale; what a chain leaves below it is drawn again
TARGET_DB, PEAK_DB = -23.0, -1.0
MIXING = {"length": Uniform(1, LONGEST), "place": PLACE, "crest_db": Uniform(10, 16), "gain_db": Uniform(-3, 3)}
LIMITER_PASSES, LIMITER_SECONDS = 4, 0.01


class Oracular(Section):
    """The key ``sounds.oracular`` of a study: which sounds are made, and who judges them."""

    source: str = "trombone"  # the packaged phrase, or the path of a sound file
    count: Annotated[int, Field(ge=20)] = 998
    levels: Annotated[int, Field(ge=1, le=8)] = 4
    composer: str = "bright"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.164
    exchanged: Annotated[float, Field(ge=0, lt=0.5)] = 0.05

    @field_validator("composer")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in COMPOSERS:
            raise ValueError(f"{name!r} is unknown; valid: {', '.join(COMPOSERS)}")
        return name

    @model_validator(mode="after")
    def _both_classes(self) -> Oracular:
        positives, moved = sizes(self.count, self.share, self.exchanged)
        if not max(1, moved) <= min(positives, self.count - positives):
            raise ValueError(
                f"share {self.share} of {self.count} sounds leaves {positives} interesting, of which {moved} change places: too one-sided"
            )
        return self


@dataclass(frozen=True)
class Descent:
    """Where one sound comes from: ``parent`` is its index in the lineage (None: the source), ``family`` the id of its level-1 ancestor."""

    id: str
    level: int
    parent: int | None
    family: str


def lineage(settings: Oracular, seed: int) -> list[Descent]:
    """Who descends from whom, without audio, depth-first: parents stand before children, and a family's sounds together.

    Every level has ``count // levels`` sounds, the first the remainder too; a parent is drawn evenly from the whole level above, so that some have
    many children and some none. Ids number the list's order.
    """
    each = settings.count // settings.levels
    pool = each + settings.count % settings.levels
    roots = range(pool)
    children: dict[tuple[int, int], list[int]] = {}
    for level in range(2, settings.levels + 1):
        for number, parent in enumerate(generator(seed, "oracular", "lineage", level).integers(pool, size=each)):
            children.setdefault((level - 1, int(parent)), []).append(number)
        pool = each
    found: list[Descent] = []

    def follow(level: int, number: int, parent: int | None, family: str | None) -> None:
        index, name = len(found), f"s{len(found):04d}"
        found.append(Descent(name, level, parent, family or name))
        for child in children.get((level, number), []):
            follow(level + 1, child, index, found[index].family)

    for root in roots:
        follow(1, root, None, None)
    return found


@dataclass(frozen=True)
class Rendered:
    """A sound (channels, samples) of float32, and the record of how its parent became it.

    ``chain`` holds a dictionary a process, {"process": name, parameter: value, ...}, and last {"process": "mix", ...}: what finished it, and how many
    ``attempts`` it took (one, unless results before it were silent or not finite). ``perform`` plays it on the parent, or on another sound.
    """

    sound: npt.NDArray[np.float32]
    chain: list[dict[str, Any]]


class Processor:
    """Renders the sounds of a lineage from ``source`` (channels, samples) at ``rate`` hertz; every sound is ``seconds`` long or up to a tenth longer.

    Raises UserError for a source that is silent or not finite.
    """

    def __init__(self, source: npt.ArrayLike, rate: int, seconds: float, lineage: Sequence[Descent], seed: int) -> None:
        self._source = np.asarray(source, dtype=np.float64)
        self._rate, self._seconds, self._lineage, self._seed = rate, seconds, lineage, seed
        self._line: list[tuple[int, Rendered]] = []  # the last sound and its ancestors
        if not np.isfinite(self._source).all() or np.abs(self._source).max(initial=0.0) < SILENCE:
            raise UserError("source: is silent or not finite; give a sound file with something to hear")

    def render(self, index: int) -> Rendered:
        """The sound at ``index`` of the lineage: a function of what the processor was made with alone, whatever was rendered before.

        The last sound's ancestors are kept, so walking a lineage in order renders each sound once. Raises UserError where the source holds so
        little sound that a hundred attempts stay silent.
        """
        wanted: deque[int] = deque()
        above: int | None = int(index)
        while above is not None:
            wanted.appendleft(above)
            above = self._lineage[above].parent
        shared = 0
        while shared < min(len(self._line), len(wanted)) and self._line[shared][0] == wanted[shared]:
            shared += 1
        del self._line[shared:]
        for number in list(wanted)[shared:]:
            parent = self._line[-1][1].sound.astype(np.float64) if self._line else self._source
            self._line.append((number, self._child(parent, number)))
        return self._line[-1][1]

    def _child(self, parent: Samples, index: int) -> Rendered:
        for attempt in range(1, ATTEMPTS + 1):
            rng = generator(self._seed, "oracular", "sound", index, attempt)
            chain = draw_chain(rng, excerpt=parent.shape[1] > MATERIAL * self._seconds * self._rate)
            sound = perform(chain, parent, self._rate, self._seconds)
            if np.isfinite(sound).all() and np.abs(sound).max() > SILENCE:
                chain[-1]["attempts"] = attempt
                return Rendered(sound.astype(np.float32), chain)
        raise UserError(f"source: {ATTEMPTS} attempts at {self._lineage[index].id} were silent; give a source that holds more sound than silence")


def draw_chain(rng: np.random.Generator, *, excerpt: bool = False) -> list[dict[str, Any]]:
    """A random chain's record: one to four processes with their parameters, the mix, and for material that is too long an excerpt to begin with."""
    chain: list[dict[str, Any]] = [{"process": EXCERPT, "place": PLACE.draw(rng)}] if excerpt else []
    names = list(PROCESSES)
    for number in rng.integers(len(names), size=rng.integers(1, 5)):
        chain.append({"process": names[number], **draw(names[number], rng)})
    return [*chain, {"process": MIX, **{key: span.draw(rng) for key, span in MIXING.items()}}]


def perform(chain: Sequence[Mapping[str, Any]], sound: Samples, rate: int, seconds: float) -> Samples:
    """A sound (channels, samples) after the chain of a record; all zeros if nothing but silence is left.

    Raises UserError for unknown processes and for wrong parameters of one.
    """
    for step in chain:
        name, parameters = step["process"], {key: value for key, value in step.items() if key != "process"}
        if name == EXCERPT:
            sound = _cut(sound, round(MATERIAL * seconds * rate), parameters["place"])
        elif name == MIX:
            sound = np.asarray(sosfilt(butter(2, LOW_CUT, "highpass", fs=rate, output="sos"), sound))
            sound = _fitted(sound, round(parameters["length"] * seconds * rate), parameters["place"], rate)
            sound = _levelled(sound, rate, round(seconds * rate), parameters["crest_db"], parameters["gain_db"])
        else:
            sound = apply(name, sound, rate, parameters)
    return sound


def _cut(sound: Samples, length: int, place: float) -> Samples:
    """``length`` samples of a sound that has as many, ``place`` (0 to 1) of the way between its first and its last."""
    start = round(place * (sound.shape[1] - length))
    return sound[:, start : start + length]


def _fitted(sound: Samples, length: int, place: float, rate: int) -> Samples:
    """The sound at exactly ``length``: a longer one is cut, a shorter one repeats with crossfades of equal power; 10 ms of fade at both ends."""
    if sound.shape[1] < length:
        fade = max(1, min(round(0.25 * rate), sound.shape[1] // 4))
        ramp = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade)
        step = max(1, sound.shape[1] - fade)
        once = sound.copy()
        once[:, :fade] *= ramp
        once[:, -fade:] *= ramp[::-1]
        repeats = math.ceil(length / step)
        material = np.zeros((len(sound), repeats * step + fade))
        for start in range(0, repeats * step, step):
            material[:, start : start + sound.shape[1]] += once
        sound = material
    fitted = _cut(sound, length, place).copy()
    edge = np.minimum(1.0, np.arange(length) / (0.01 * rate))
    return fitted * edge * edge[::-1]


def _levelled(sound: Samples, rate: int, kept: int, crest_db: float, gain_db: float) -> Samples:
    """The sound at -23 dBFS RMS plus ``gain_db``, limited to peaks of ``crest_db`` above RMS and -1 dBFS.

    The RMS is that of the first ``kept`` samples, the part that a study keeps, silence included: an active RMS would let level tell how dense a
    sound is. RMS and peak together would still tell the crest factor, which is higher for the brighter of these sounds, so the limit is drawn for
    every sound on its own, low enough to act on most.
    """
    if not _rms(sound[:, :kept]) > SILENCE:
        return np.zeros_like(sound)
    for _ in range(LIMITER_PASSES):  # what a pass takes off the peaks lowers the RMS, too
        sound = _limited(sound / _rms(sound[:, :kept]), 10 ** (crest_db / 20), max(1, round(LIMITER_SECONDS * rate)))
    sound *= 10 ** ((TARGET_DB + gain_db) / 20) / _rms(sound[:, :kept])
    return sound * min(1.0, 10 ** (PEAK_DB / 20) / float(np.abs(sound).max()))


def _rms(sound: Samples) -> float:
    return math.sqrt(float(np.mean(sound**2)))


def _limited(sound: Samples, ceiling: float, width: int) -> Samples:
    """No value beyond the ceiling: one smooth gain for all channels, which starts to fall ``width`` samples ahead of a peak."""
    peaks = maximum_filter1d(np.abs(sound).max(axis=0), 2 * width + 1)
    gain = ceiling / np.maximum(peaks, ceiling)
    return sound * uniform_filter1d(gain, 2 * width + 1)

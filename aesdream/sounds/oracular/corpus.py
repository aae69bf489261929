"""The sounds of a study that has none of its own: how many, who descends from whom, and each of them when asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS, Judgement, judge, sizes
from aesdream.sounds.oracular.chains import grow
from aesdream.sounds.oracular.mixing import SILENCE, Silent
from aesdream.sounds.processes import Uniform

TROMBONE = Path(__file__).parents[2] / "data" / "trombone.flac"
DESCRIPTION = "a Mushroom-like oracular processor (random chains of random processes, level upon level); it is not Mushroom"
LONGER = 1.1  # times the asked length, as lengths vary around it in the thesis's corpus
GAIN_DB = Uniform(-3, 3)  # as takes differ that nobody matched


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


def judged(settings: Oracular, composer: str, scores: npt.ArrayLike, seed: int) -> Judgement:
    """A composer's judgement of all sounds by what it measures in them (n,). Each exchanges labels of its own: the corpus's composer (``settings``)
    the same ones whoever else judges the sounds.
    """
    path = ("composer",) if composer == settings.composer else ("composer", composer)
    return judge(scores, settings.share, settings.exchanged, generator(seed, *path))


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
    """A sound (channels, samples) of float32, and ``chain``, the record of how its parent became it (``chains``)."""

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
        little sound that attempt after attempt stays silent.
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

    def _child(self, parent: npt.NDArray[np.float64], index: int) -> Rendered:
        rng_of, lengths = partial(generator, self._seed, "oracular", "sound", index), Uniform(self._seconds, LONGER * self._seconds)
        try:
            grown = grow(rng_of, parent, self._rate, lengths=lengths, kept=self._seconds, gain_db=GAIN_DB)
        except Silent as why:
            raise UserError(f"source: {why}, at {self._lineage[index].id}; give a source that holds more sound than silence") from None
        return Rendered(grown.sound, grown.steps)

"""The sounds of a study, whatever they come from: how many of each set, each of them before it is prepared, and what is known of them.

A set is what models train on and are validated on (named by nothing), or a test set. To add a corpus: its section in ``study.SoundsSection``, and a
class here and its line in ``of``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aesdream.errors import UserError
from aesdream.sounds import audio, composers, descriptors, instruments, irmas, oracular, store
from aesdream.sounds.labelled import Labelled
from aesdream.study import PHRASE, Study

SECONDS_TO_PREPARE = 0.012
SECONDS_TO_MAKE = 0.25
SECONDS_TO_RENDER = 1.0
"""A sound of the thesis's size prepared, made by the oracular processor, and rendered from sampled instruments, on one core."""


@dataclass(frozen=True)
class Raw:
    """A sound (1 or 2 channels, samples) at ``rate`` hertz before it is prepared."""

    id: str
    sound: audio.Samples
    rate: int
    origin: dict[str, Any]
    sha256: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of the sounds of a set: ``labels`` (N,) or multi-hot (N, classes), ``families`` (N,), and ``facts`` for the corpus's JSON."""

    labels: NDArray[np.integer[Any]]
    families: list[str]
    families_known: bool
    twins: list[str] | None
    facts: dict[str, Any]

    def count(self, classes: Sequence[str]) -> dict[str, int]:
        """How many sounds have each label."""
        many = self.labels.sum(0) if self.labels.ndim == 2 else np.bincount(self.labels, minlength=len(classes))
        return dict(zip(classes, map(int, many), strict=True))


class Corpus(Protocol):
    """One set of a study's sounds."""

    classes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of sounds."""

    @property
    def seconds(self) -> float:
        """The length to which sounds are padded."""

    @property
    def total(self) -> float:
        """The seconds of all sounds together, at their own lengths."""

    @property
    def cost(self) -> float:
        """Estimated seconds that a sound of the thesis's size takes on one core."""

    def raw(self, first: int, last: int) -> Iterator[Raw]:
        """The sounds ``first`` to ``last``, exclusive."""

    def known(self, slices: Sequence[Path]) -> Known:
        """What is known of all sounds, once they lie in ``slices``."""


def of(study: Study, set_name: str, looked_at: Labelled | None) -> Corpus:
    """A set of a study's sounds; ``looked_at`` where they are files of a user."""
    if looked_at is not None:
        return Recorded(study, set_name, looked_at)
    if study.sounds.instruments is not None:
        return Rendered(study, set_name)
    return Oracular(study)


class Recorded:
    """Sounds that someone recorded and labelled. Those of a test set keep their own lengths."""

    def __init__(self, study: Study, set_name: str, looked_at: Labelled) -> None:
        self.corpus, self.classes = looked_at, looked_at.classes
        self.count = len(looked_at.entries)
        self.seconds = max(look.seconds for look in looked_at.inspections) if set_name else study.sounds.seconds
        self.total = sum(look.seconds for look in looked_at.inspections)
        self.cost = SECONDS_TO_PREPARE

    def raw(self, first: int, last: int) -> Iterator[Raw]:
        """The sounds as they are read. Raises UserError for one that can no longer be."""
        for entry, look in zip(self.corpus.entries[first:last], self.corpus.inspections[first:last], strict=True):
            try:
                sound, rate = audio.read(entry.path, entry.start, entry.end)
            except audio.UnreadableSound as error:
                raise UserError(f"{entry.path}: {error}; it was readable when the run began") from None
            yield Raw(entry.id, sound, rate, {"path": entry.name}, look.sha256)

    def known(self, slices: Sequence[Path]) -> Known:
        """Labels and families as they were given."""
        entries = self.corpus.entries
        labels = np.array([[name in entry.labels for name in self.classes] for entry in entries], np.uint8)
        families = [entry.family for entry in entries]
        facts = {"synthetic": None, "warnings": list(self.corpus.warnings)}
        return Known(labels, families, self.corpus.families_known, self.corpus.twins, facts)


class Oracular:
    """Sounds that the oracular processor makes, judged by a written rule."""

    classes: tuple[str, ...] = composers.CLASSES

    def __init__(self, study: Study) -> None:
        settings = study.sounds.oracular
        assert settings is not None
        self.study, self.settings = study, settings
        self.count, self.seconds = settings.count, study.sounds.seconds
        self.total = self.count * self.seconds
        self.cost = SECONDS_TO_MAKE

    @cached_property
    def lineage(self) -> list[oracular.Descent]:
        """Who descends from whom."""
        return oracular.lineage(self.settings, self.study.seed)

    def raw(self, first: int, last: int) -> Iterator[Raw]:
        """The sounds, each a function of the study alone."""
        rate = self.study.sounds.sample_rate
        source, source_rate = audio.read(source_path(self.settings.source))
        stereo = audio.resampled(audio.in_channels(source), source_rate, rate)
        processor = oracular.Processor(stereo, rate, self.seconds, self.lineage, self.study.seed)
        for index in range(first, last):
            descent, rendered = self.lineage[index], processor.render(index)
            parent = None if descent.parent is None else self.lineage[descent.parent].id
            yield Raw(descent.id, rendered.sound, rate, {"level": descent.level, "parent": parent, "chain": rendered.chain})

    def known(self, slices: Sequence[Path]) -> Known:
        """The composer's judgement of what was measured."""
        settings, ids = self.settings, [descent.id for descent in self.lineage]
        scores = store.read_scores(slices)
        judgement = oracular.judged(settings, settings.composer, scores, self.study.seed)
        synthetic = {
            **composers.planted(settings.composer, scores, judgement, ids),
            **self._others(slices, ids),
            "share": settings.share,
            "levels": settings.levels,
            "processor": oracular.DESCRIPTION,
        }
        families = [descent.family for descent in self.lineage]
        return Known(judgement.labels, families, True, None, {"synthetic": synthetic, "warnings": []})

    def _others(self, slices: Sequence[Path], ids: list[str]) -> dict[str, Any]:
        """What is told of every composer where all have measured the sounds, whichever the study names: a later one then finds the same corpus."""
        measured = store.read_measures(slices)
        judged = {name: oracular.judged(self.settings, name, scores, self.study.seed) for name, scores in measured.items()}
        told = {name: composers.planted(name, measured[name], judged[name], ids) for name in judged}
        return {"composers": {name: {key: one[key] for key in one if key != "composer"} for name, one in told.items()}} if told else {}


class Rendered:
    """Excerpts rendered from sampled instruments. Those of a test set have lengths of their own."""

    classes: tuple[str, ...] = irmas.CLASSES

    def __init__(self, study: Study, set_name: str) -> None:
        settings = study.sounds.instruments
        assert settings is not None
        self.study, self.settings, self.set_name = study, settings, set_name
        self.excerpts = instruments.excerpts(settings, study.seed, set_name, study.sounds.seconds)
        self.count, self.seconds = len(self.excerpts), max(excerpt.seconds for excerpt in self.excerpts)
        self.total = sum(excerpt.seconds for excerpt in self.excerpts)
        self.cost = SECONDS_TO_RENDER

    def raw(self, first: int, last: int) -> Iterator[Raw]:
        """The excerpts, each a function of the study and the font alone."""
        font = instruments.font(self.settings, self.set_name)
        assert font is not None
        for excerpt in self.excerpts[first:last]:
            sound = instruments.rendered(excerpt, font, self.study.seed)
            origin = {"synthetic": True, "font": font.name, "labels": list(excerpt.labels), "recording": excerpt.family}
            yield Raw(excerpt.id, sound, instruments.RATE, origin)

    def known(self, slices: Sequence[Path]) -> Known:
        """Labels by who was made to play."""
        font = instruments.font(self.settings, self.set_name)
        synthetic = {"processor": instruments.DESCRIPTION, "font": font.name if font is not None else None}
        facts = {"synthetic": synthetic, "warnings": []}
        return Known(instruments.labels_of(self.excerpts), [excerpt.family for excerpt in self.excerpts], True, None, facts)


def source_path(name: str) -> Path:
    """The file of a source sound: the packaged phrase by its name, or a path."""
    return oracular.TROMBONE if name == PHRASE else Path(name)


def prepared(raw: Raw, study: Study, set_name: str) -> store.Prepared:
    """A sound as the study prepares it; one of a test set at its own length."""
    how = study.sounds.preparation
    length = round(raw.sound.shape[1] / raw.rate * how.sample_rate)
    if set_name:
        how = how.model_copy(update={"seconds": length / how.sample_rate})
    sound = audio.prepare(raw.sound, raw.rate, how)
    heard, made = audio.floating(sound), study.sounds.oracular
    measured = composers.determinants(heard, how.sample_rate) if study.is_measured else {}
    score = float("nan")
    if made is not None:
        score = measured[made.composer] if measured else composers.COMPOSERS[made.composer].measure(heard, how.sample_rate)
    told = descriptors.describe(heard, how.sample_rate)
    columns = np.array(list(measured.values())) if measured else None
    return store.Prepared(raw.id, sound, min(length, how.samples), json.dumps(raw.origin), raw.sha256, told, score, columns)

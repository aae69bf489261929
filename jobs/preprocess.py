"""The preprocess stage: look at every sound, prepare them in slices, join the slices into ``sounds.h5``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream import config, files
from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds import audio, composers, descriptors, labelled, oracular, store
from aesdream.sounds.labelled import Labelled
from aesdream.sounds.processes import PROCESSES
from aesdream.study import PHRASE, STARTS, Study, wrong_targets
from jobs.units import Unit

CLASSES = composers.CLASSES
NO_SCORE = float("nan")
SECONDS_TO_PREPARE = 0.012
SECONDS_TO_MAKE = 0.25
"""A prepared and an oracular sound of the thesis's size, on one core."""
LOOKED_AT_TOGETHER = 16


@dataclass(frozen=True)
class Sources:
    """What the sounds of a study are made from, looked at: ``corpus`` is None where they are made here."""

    study: Study
    start_sha256: str
    corpus: Labelled | None

    @property
    def count(self) -> int:
        """Number of sounds."""
        made = self.study.sounds.oracular
        return made.count if made is not None else len(self.corpus.entries) if self.corpus is not None else 0

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What the bytes of ``sounds.h5`` depend on; a corpus and the start by their files' content, not their paths."""
        sounds = self.study.sounds
        recipe: dict[str, Any] = {"seed": self.study.seed, "sounds": config.plain(sounds.preparation), "start": self.start_sha256}
        if sounds.oracular is not None:
            made = config.plain(sounds.oracular)
            # A process added to the list changes what every later draw picks.
            recipe["oracular"] = {**made, "source": files.sha256(source_path(sounds.oracular.source)), "processes": config.digest(list(PROCESSES))}
        if self.corpus is not None:
            rows = [[e.id, e.label, e.family, look.sha256] for e, look in zip(self.corpus.entries, self.corpus.inspections, strict=True)]
            recipe["files_and_labels"] = config.digest({"classes": list(self.corpus.classes), "sounds": rows})
        return recipe


def source_path(name: str) -> Path:
    """The file of a source sound: the packaged phrase by its name, or a path."""
    return oracular.TROMBONE if name == PHRASE else Path(name)


def look(entries: Sequence[labelled.Entry], at_least: float) -> list[audio.Inspection]:
    """One look at each of some entries; the work of a task."""
    return [audio.Inspection() if e.problem else audio.inspect(e.path, e.start, e.end, at_least=at_least) for e in entries]


def entries_of(study: Study) -> list[labelled.Entry]:
    """The labelled sounds of a study's folder; none where its sounds are made here."""
    folder = study.sounds.folder
    return labelled.entries(Path(folder.path)) if folder is not None else []


def sources(study: Study, entries: Sequence[labelled.Entry], looks: Sequence[audio.Inspection]) -> Sources:
    """The sources of a study, given one look at each entry. Raises UserError with a line for everything that is wrong with any of them."""
    problems = []
    made = study.sounds.oracular
    starts = [start for sweep in study.sweeps.values() for start in sweep.starts if start not in STARTS]
    for name in dict.fromkeys([study.sounds.start, *starts] + ([made.source] if made is not None else [])):
        found = audio.inspect(source_path(name))
        if found.problem:
            problems.append(f"{source_path(name)}: {found.problem}")
    corpus = None
    if study.sounds.folder is not None:
        by_family = any("by-family" in (t.protocols or study.training.protocols) for t in study.training.treatments.values())
        try:
            corpus = labelled.examined(study.sounds.folder, entries, looks, by_family=by_family, validation=study.training.validation)
            problems += wrong_targets(study, corpus.classes)
        except UserError as error:
            problems += error.lines
    if problems:
        raise UserError(*problems)
    return Sources(study, files.sha256(source_path(study.sounds.start)), corpus)


def at_least(study: Study) -> float:
    """The seconds that a sound must have: what the study asks for, if it refuses short ones."""
    return study.sounds.seconds if study.sounds.short == "refuse" else 0.0


def joined(source: Sources) -> Unit:
    """The unit of the whole corpus."""
    size = source.count * source.study.sounds.preparation.samples * audio.CHANNELS * 2
    return Unit("sounds", "preprocess", "sounds.json", source.recipe, bytes=size, seconds=size / 5e8)


def slices(source: Sources) -> list[Unit]:
    """The slices that are joined; they are there only until then."""
    each, sounds = source.study.sounds.slice, source.study.sounds
    share = sounds.preparation.samples / 480_000
    cost = (SECONDS_TO_PREPARE if sounds.oracular is None else SECONDS_TO_MAKE) * share
    return [
        Unit(
            name=f"sounds/slice-{number:03d}",
            stage="preprocess",
            marker=f"sounds/slice-{number:03d}.json",
            recipe={**source.recipe, "first": first, "last": min(first + each, source.count)},
            derived=True,
            batch=str(number),
            seconds=cost * (min(first + each, source.count) - first),
            bytes=(min(first + each, source.count) - first) * sounds.preparation.samples * audio.CHANNELS * 2,
        )
        for number, first in enumerate(range(0, source.count, each))
    ]


def prepare_slice(run: Path, source: Sources, unit: Unit) -> None:
    """Prepare the sounds of a slice."""
    first, last = unit.recipe["first"], unit.recipe["last"]
    path = (run / unit.marker).with_suffix(".h5")
    prepared = _made(source.study, first, last) if source.corpus is None else _recorded(source, first, last)
    with files.writing(path) as aside:
        store.write_slice(aside, prepared, last - first, source.study.sounds.preparation.samples)
    files.finish(run / unit.marker, unit.header, {}, {path.name: path})


def _recorded(source: Sources, first: int, last: int) -> Iterator[store.Prepared]:
    """The sounds that someone recorded and labelled."""
    assert source.corpus is not None
    how = source.study.sounds.preparation
    for entry, look in zip(source.corpus.entries[first:last], source.corpus.inspections[first:last], strict=True):
        try:
            sound, rate = audio.read(entry.path, entry.start, entry.end)
        except audio.UnreadableSound as error:
            raise UserError(f"{entry.path}: {error}; it was readable when the run began") from None
        length = min(round(sound.shape[1] / rate * how.sample_rate), how.samples)
        yield _prepared(entry.id, sound, rate, source.study, length, json.dumps({"path": entry.name}), look.sha256)


def _made(study: Study, first: int, last: int) -> Iterator[store.Prepared]:
    """The sounds that the oracular processor makes."""
    settings = study.sounds.oracular
    assert settings is not None
    rate = study.sounds.sample_rate
    source, source_rate = audio.read(source_path(settings.source))
    family = oracular.lineage(settings, study.seed)
    processor = oracular.Processor(audio.resampled(audio.stereo(source), source_rate, rate), rate, study.sounds.seconds, family, study.seed)
    for index in range(first, last):
        descent, rendered = family[index], processor.render(index)
        parent = None if descent.parent is None else family[descent.parent].id
        origin = json.dumps({"level": descent.level, "parent": parent, "chain": rendered.chain})
        length = min(rendered.sound.shape[1], study.sounds.preparation.samples)
        yield _prepared(descent.id, rendered.sound, rate, study, length, origin, "")


def _prepared(name: str, sound: audio.Samples, rate: int, study: Study, length: int, origin: str, sha256: str) -> store.Prepared:
    prepared = audio.prepare(sound, rate, study.sounds.preparation)
    heard = audio.floating(prepared)
    made = study.sounds.oracular
    score = composers.COMPOSERS[made.composer].measure(heard, study.sounds.sample_rate) if made is not None else NO_SCORE
    return store.Prepared(name, prepared, length, origin, sha256, descriptors.describe(heard, study.sounds.sample_rate), score)


def join(run: Path, source: Sources, unit: Unit, parts: Sequence[Unit]) -> None:
    """Join the slices into ``sounds.h5`` with labels and families, and remove them."""
    study = source.study
    slices = [files.verified(run / part.marker, Path(part.marker).with_suffix(".h5").name) for part in parts]
    labels, families, facts = _judged(source, slices)
    twins = source.corpus.twins if source.corpus is not None else None
    start, rate = audio.read(source_path(study.sounds.start))
    prepared = audio.prepare(start, rate, study.sounds.preparation)
    attributes = {
        "sample_rate": study.sounds.sample_rate,
        "classes": facts["classes"],
        "families_known": facts["families"] is not None,
        "preparation": config.plain(study.sounds.preparation),
    }
    path = run / "sounds.h5"
    with files.writing(path) as aside:
        store.join(aside, slices, labels=labels, families=families, twins=twins, start=prepared, attributes=attributes)
    content = {
        **facts,
        "positive": facts["classes"][-1],
        "count": source.count,
        "labels": {name: int((labels == i).sum()) for i, name in enumerate(facts["classes"])},
        "sample_rate": study.sounds.sample_rate,
        "seconds": study.sounds.seconds,
        "channels": audio.CHANNELS,
        "source": {"name": Path(study.sounds.start).name, "seconds": round(start.shape[1] / rate, 3)},
    }
    files.finish(run / unit.marker, unit.header, content, {path.name: path})
    shutil.rmtree(run / "sounds", ignore_errors=True)


def _judged(source: Sources, slices: Sequence[Path]) -> tuple[NDArray[np.int64], list[str], dict[str, Any]]:
    """Labels, families and what the marker says of them."""
    if source.corpus is not None:
        corpus = source.corpus
        labels = np.array([corpus.classes.index(entry.label) for entry in corpus.entries])
        known = len({entry.family for entry in corpus.entries}) if corpus.families_known else None
        facts: dict[str, Any] = {"classes": list(corpus.classes), "families": known, "synthetic": None, "warnings": list(corpus.warnings)}
        return labels, [entry.family for entry in corpus.entries], facts
    settings = source.study.sounds.oracular
    assert settings is not None
    scores = store.read_scores(slices)
    judgement = composers.judge(scores, settings.share, settings.exchanged, generator(source.study.seed, "composer"))
    descents = oracular.lineage(settings, source.study.seed)
    families = [descent.family for descent in descents]
    synthetic = {
        **composers.planted(settings.composer, scores, judgement, [descent.id for descent in descents]),
        "share": settings.share,
        "levels": settings.levels,
        "processor": oracular.DESCRIPTION,
    }
    facts = {"classes": list(CLASSES), "families": len(set(families)), "synthetic": synthetic, "warnings": []}
    return judgement.labels, families, facts

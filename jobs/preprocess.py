"""The preprocess stage: look at every sound, prepare them in slices, join the slices into ``sounds.h5`` and a file a test set."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from aesdream import config, files
from aesdream.contradictions import wrong_targets
from aesdream.dreaming.settings import is_file
from aesdream.errors import UserError
from aesdream.sounds import audio, instruments, irmas, labelled, processes, store
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.labelled import Labelled
from aesdream.study import Study
from jobs import corpora
from jobs.corpora import Corpus, source_path
from jobs.units import Unit

LOOKED_AT_TOGETHER = 16
THESIS_SAMPLES = 480_000
"""The size of sound that costs are told for."""


@dataclass(frozen=True)
class Sources:
    """What the sounds of a study are made from, looked at: ``recorded`` a set (the test sets by name), nothing where they are made here."""

    study: Study
    start_sha256: str
    recorded: Mapping[str, Labelled]

    @cached_property
    def sets(self) -> dict[str, Corpus]:
        """Every set of the study's sounds, that which models train on first and without a name."""
        return {name: corpora.of(self.study, name, self.recorded.get(name)) for name in ("", *self.study.sounds.sets())}

    @property
    def corpus(self) -> Corpus:
        """What models train on and are validated on."""
        return self.sets[""]

    @property
    def warnings(self) -> list[str]:
        """What is odd about the sounds of a user, and no error."""
        return [line for looked_at in self.recorded.values() for line in looked_at.warnings]

    @property
    def counts(self) -> list[str]:
        """Sounds, families and labels of every set in words, where there are test sets."""
        if len(self.sets) == 1:
            return []
        known = {name: corpus.known(()) for name, corpus in self.sets.items()}
        return [
            f"{name or 'training'}: {len(told.labels)} sounds of {len(set(told.families))} recordings: "
            + ", ".join(f"{label} {count}" for label, count in told.count(self.corpus.classes).items())
            for name, told in known.items()
        ]

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What the bytes of the corpus depend on; sounds, fonts and the start by their files' content, not their paths."""
        sounds = self.study.sounds
        recipe: dict[str, Any] = {"seed": self.study.seed, "sounds": config.plain(sounds.preparation), "start": self.start_sha256}
        if sounds.oracular is not None:
            source = files.sha256(source_path(sounds.oracular.source))
            recipe["oracular"] = {**config.plain(sounds.oracular), "source": source, "processes": processes.digest()}
            if self.study.is_measured:
                recipe["oracular"]["measures"] = list(COMPOSERS)
        if sounds.instruments is not None:
            played_on = {name or "training": instruments.font(sounds.instruments, name) for name in self.sets}
            digests = {name: files.sha256(font) for name, font in played_on.items() if font is not None}
            recipe["instruments"] = {**config.plain(sounds.instruments), "font": digests, "second_font": None}
        for name, looked_at in self.recorded.items():
            rows = [[e.id, *e.labels, e.family, look.sha256] for e, look in zip(looked_at.entries, looked_at.inspections, strict=True)]
            told = config.digest({"classes": list(looked_at.classes), "sounds": rows})
            recipe[f"{name}_files_and_labels" if name else "files_and_labels"] = told
        return recipe


def look(entries: Sequence[labelled.Entry], at_least: float) -> list[audio.Inspection]:
    """One look at each of some entries; the work of a task."""
    return [audio.Inspection() if e.problem else audio.inspect(e.path, e.start, e.end, at_least=at_least) for e in entries]


def entries_of(study: Study) -> list[labelled.Entry]:
    """The files of a study's folder, of every set; none where its sounds are made here."""
    sounds = study.sounds
    if sounds.irmas is not None:
        return irmas.entries(Path(sounds.irmas.path))
    return labelled.entries(Path(sounds.folder.path)) if sounds.folder is not None else []


def sources(study: Study, entries: Sequence[labelled.Entry], looks: Sequence[audio.Inspection]) -> Sources:
    """The sources of a study, given one look at each entry. Raises UserError with a line for everything that is wrong with any of them."""
    problems = []
    made = study.sounds.oracular
    starts = [start for sweep in study.sweeps.values() for start in sweep.starts if is_file(start)]
    for name in dict.fromkeys([study.sounds.start, *starts] + ([made.source] if made is not None else [])):
        found = audio.inspect(source_path(name))
        if found.problem:
            problems.append(f"{source_path(name)}: {found.problem}")
    if study.sounds.instruments is not None:
        problems += instruments.problems(study.sounds.instruments)
    recorded: Mapping[str, Labelled] = {}
    try:
        recorded = _examined(study, entries, looks)
        problems += wrong_targets(study, recorded[""].classes) if recorded else []
    except UserError as error:
        problems += error.lines
    if problems:
        raise UserError(*problems)
    return Sources(study, files.sha256(source_path(study.sounds.start)), recorded)


def _examined(study: Study, entries: Sequence[labelled.Entry], looks: Sequence[audio.Inspection]) -> Mapping[str, Labelled]:
    """The sets of a user's sounds. Raises UserError with a line for everything that is wrong with any of them."""
    sounds, training = study.sounds, study.training
    by_family = any("by-family" in (t.protocols or training.protocols) for t in training.treatments.values())
    if sounds.irmas is not None:
        return irmas.examined(sounds.irmas, entries, looks, by_family=by_family, validation=training.validation)
    if sounds.folder is not None:
        return {"": labelled.examined(sounds.folder, entries, looks, by_family=by_family, validation=training.validation)}
    return {}


def at_least(study: Study) -> float:
    """The seconds that a sound must have: what the study asks for, if it refuses short ones."""
    return study.sounds.seconds if study.sounds.short == "refuse" else 0.0


def joined(source: Sources) -> Unit:
    """The unit of the whole corpus, test sets included."""
    size = sum(_bytes(source.study, corpus, corpus.count) for corpus in source.sets.values())
    return Unit("sounds", "preprocess", "sounds.json", source.recipe, bytes=size, seconds=size / 5e8)


def _samples(study: Study, corpus: Corpus) -> int:
    return round(corpus.seconds * study.sounds.sample_rate)


def _bytes(study: Study, corpus: Corpus, count: int) -> int:
    return count * _samples(study, corpus) * study.sounds.channels * 2


def slices(source: Sources) -> list[Unit]:
    """The slices that are joined; they are there only until then."""
    return [unit for name, corpus in source.sets.items() for unit in _slices(source, name, corpus)]


def _slices(source: Sources, set_name: str, corpus: Corpus) -> list[Unit]:
    each = source.study.sounds.slice
    cost = corpus.cost * _samples(source.study, corpus) / THESIS_SAMPLES
    found = []
    for number, first in enumerate(range(0, corpus.count, each)):
        last = min(first + each, corpus.count)
        name = f"sounds/{set_name or 'slice'}-{number:03d}"
        recipe = {**source.recipe, "set": set_name, "first": first, "last": last}
        size = _bytes(source.study, corpus, last - first)
        found.append(Unit(name, "preprocess", f"{name}.json", recipe, derived=True, batch=name, seconds=cost * (last - first), bytes=size))
    return found


def prepare_slice(run: Path, source: Sources, unit: Unit) -> None:
    """Prepare the sounds of a slice."""
    set_name, first, last = (unit.recipe[key] for key in ("set", "first", "last"))
    study, corpus = source.study, source.sets[set_name]
    path = (run / unit.marker).with_suffix(".h5")
    prepared = (corpora.prepared(raw, study, set_name) for raw in corpus.raw(first, last))
    with files.writing(path) as aside:
        store.write_slice(aside, prepared, last - first, _samples(study, corpus), study.sounds.channels)
    files.finish(run / unit.marker, unit.header, {}, {path.name: path})


def join(run: Path, source: Sources, unit: Unit, parts: Sequence[Unit]) -> None:
    """Join the slices into ``sounds.h5`` and a file a test set, with labels and families, and remove them."""
    told = {}
    for name in source.sets:
        slices = [files.verified(run / part.marker, Path(part.marker).with_suffix(".h5").name) for part in parts if part.recipe["set"] == name]
        told[name] = _joined(run, source, name, slices)
    sounds, start = source.study.sounds, source_path(source.study.sounds.start)
    heard, rate = audio.read(start)
    content = {
        **told.pop(""),
        "sample_rate": sounds.sample_rate,
        "seconds": sounds.seconds,
        "channels": sounds.channels,
        "source": {"name": Path(sounds.start).name, "seconds": round(heard.shape[1] / rate, 3)},
        **({"sets": told} if told else {}),
    }
    paths = [store.path(run, name) for name in source.sets]
    files.finish(run / unit.marker, unit.header, content, {path.name: path for path in paths})
    shutil.rmtree(run / "sounds", ignore_errors=True)


def _joined(run: Path, source: Sources, set_name: str, slices: Sequence[Path]) -> dict[str, Any]:
    """Join the slices of one set; what the marker says of it."""
    study, corpus = source.study, source.sets[set_name]
    known = corpus.known(slices)
    attributes = {
        "sample_rate": study.sounds.sample_rate,
        "classes": list(corpus.classes),
        "families_known": known.families_known,
        "preparation": config.plain(study.sounds.preparation),
    }
    # Dreams start from the study's source sound, which has the length of what is trained on.
    start = None if set_name else audio.prepare(*audio.read(source_path(study.sounds.start)), study.sounds.preparation)
    with files.writing(store.path(run, set_name)) as aside:
        store.join(aside, slices, labels=known.labels, families=known.families, twins=known.twins, start=start, attributes=attributes)
    return {
        "classes": list(corpus.classes),
        "families": len(set(known.families)) if known.families_known else None,
        **known.facts,
        "positive": corpus.classes[-1],
        "count": corpus.count,
        "labels": known.count(corpus.classes),
    }

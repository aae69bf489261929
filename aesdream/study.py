"""A study: the whole configuration, from the sounds to the dreams, and what follows from it without touching any data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from aesdream import config
from aesdream.config import Section
from aesdream.dreaming.settings import RELATIVE, SPREAD, STARTS, Sweep, contradictions, drawn, filters_of, is_file
from aesdream.errors import UserError, one_of
from aesdream.models import Network
from aesdream.sounds import composers, irmas
from aesdream.sounds.audio import Preparation
from aesdream.sounds.instruments import Instruments
from aesdream.sounds.irmas import Irmas
from aesdream.sounds.labelled import Folder, fewest
from aesdream.sounds.oracular import Oracular
from aesdream.sounds.splits import Protocol, window_samples
from aesdream.training.settings import Training, file_names

PHRASE = "trombone"
"""The packaged source sound."""
CORPORA = {
    "oracular": "made here",
    "folder": "your own sounds",
    "irmas": "your copy of IRMAS",
    "instruments": "IRMAS's like, made here",
}


class SoundsSection(Preparation):
    """Where the sounds come from (one of ``CORPORA``), and how they are prepared."""

    oracular: Oracular | None = None
    folder: Folder | None = None
    irmas: Irmas | None = None
    instruments: Instruments | None = None
    start: str = PHRASE
    """The sound that dreams start from by default: the packaged phrase, or a file."""
    slice: int = Field(64, ge=1)
    """Sounds prepared as one unit of work."""

    @model_validator(mode="after")
    def _one_corpus(self) -> SoundsSection:
        if sum(getattr(self, name) is not None for name in CORPORA) != 1:
            told = ", ".join(f"{name} ({what})" for name, what in CORPORA.items())
            raise ValueError(f"needs exactly one of {told}; one that a base gives is undone by null")
        return self

    def sets(self) -> tuple[str, ...]:
        """The names of the test sets, beside the sounds that models train on and are validated on; none for most corpora."""
        kind = self.irmas or self.instruments
        return () if kind is None else kind.sets

    @property
    def preparation(self) -> Preparation:
        """The part that decides how a sound becomes a network's input."""
        return Preparation(**{name: getattr(self, name) for name in Preparation.model_fields})


@dataclass(frozen=True, order=True)
class Model:
    """One model of a study. Its name is its folder below ``models/``."""

    treatment: str
    protocol: Protocol
    split: int
    seed: int

    @property
    def name(self) -> str:
        """``treatment/protocol/split<j>-seed<k>``."""
        return f"{self.treatment}/{self.protocol}/split{self.split}-seed{self.seed}"


class Study(Section):
    """Everything that decides what a run contains. ``folder`` is where the paths of the file are relative to."""

    study: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    seed: int = Field(0, ge=0)
    threads: int = Field(1, ge=1)
    """Threads of every process; it changes the last bits of results, so it belongs to the study."""
    sounds: SoundsSection
    network: Network
    networks: dict[str, Network] = Field(default_factory=dict)
    """Others by name, for treatments that name them."""
    training: Training = Training()
    sweeps: dict[str, Sweep] = Field(default_factory=dict)
    notes: str = ""
    """Printed at the head of the appendix."""

    @field_validator("sweeps", "networks")
    @classmethod
    def _folders(cls, named: dict[str, Any]) -> dict[str, Any]:
        file_names(named)
        return named

    @model_validator(mode="after")
    def _known_networks(self) -> Study:
        for name, treatment in self.training.treatments.items():
            if treatment.network is not None and treatment.network not in self.networks:
                known = ", ".join(self.networks) or "none; name some under networks"
                raise ValueError(f"training.treatments.{name}.network: {treatment.network!r} is no key of networks; valid: {known}")
        return self

    def models(self) -> list[Model]:
        """Every model of the study, controls included."""
        training = self.training
        return [
            Model(name, protocol, split, seed)
            for name, treatment in training.treatments.items()
            for protocol in treatment.protocols or training.protocols
            for split in range(training.splits)
            for seed in range(treatment.seeds or training.seeds)
        ]

    def network_of(self, treatment: str) -> Network:
        """The network that models of a treatment have."""
        named = self.training.treatments[treatment].network
        return self.network if named is None else self.networks[named]

    def composer_of(self, treatment: str) -> str | None:
        """Who judged the sounds for a treatment; None where they are not made here."""
        made = self.sounds.oracular
        return None if made is None else self.training.treatments[treatment].composer or made.composer

    @property
    def composers(self) -> list[str]:
        """Every synthetic composer of the study, in their own order."""
        named = {self.composer_of(name) for name in self.training.treatments} | ({self.sounds.oracular.composer} if self.sounds.oracular else set())
        return [name for name in composers.COMPOSERS if name in named]

    @property
    def is_measured(self) -> bool:
        """Whether every composer measures every sound: several judge the sounds, or dreams start from some that are spread over all measures."""
        spread = any(drawn(start)[0] == SPREAD for sweep in self.sweeps.values() for start in sweep.starts)
        return self.sounds.oracular is not None and (spread or len(self.composers) > 1)

    def input_samples(self, treatment: str) -> int:
        """Samples that a model of this treatment hears."""
        sounds = self.sounds
        return window_samples(self.training.treatments[treatment], sounds.preparation.samples, sounds.sample_rate)

    def swept(self, sweep: Sweep) -> list[Model]:
        """The models that a sweep's globs name, in the sweep's order."""
        models = self.models()
        chosen = [model for pattern in sweep.models for model in models if fnmatchcase(model.name, pattern)]
        return list(dict.fromkeys(chosen))

    def targets(self, sweep: Sweep, model: Model, layer: str, classes: Sequence[str]) -> list[str]:
        """The targets of a sweep in one layer of a model, ``all`` written out."""
        filters = self.network_of(model.treatment).settings.layer_filters(len(classes))[layer]
        listed = [str(i) for i in range(filters)] if layer != "class" else list(classes)
        named = [one for target in sweep.targets for one in (listed if target == "all" else [target])]
        return list(dict.fromkeys(named))


def file_name(target: str) -> str:
    """A target as a folder's name: nothing in it climbs or opens folders, and no two targets share one."""
    return quote(target, safe="+ ").replace(".", "%2E")


def start_name(start: str) -> str:
    """What dreams from a start are called: its name, or its file's."""
    return Path(start).stem if is_file(start) else start


def load(path: Path, overrides: Sequence[str] = ()) -> Study:
    """The study in a YAML file with ``key=value`` overrides, its paths made absolute, everything checked that needs no data.

    Raises UserError with a line for every problem.
    """
    tree = config.override(config.read_yaml(path), overrides)
    study = config.validate(Study, tree, str(path))
    study = _with_absolute_paths(study, path.resolve().parent)
    problems = [f"{path}: {line}" for line in _contradictions(study)]
    if problems:
        raise UserError(*problems)
    return study


def _with_absolute_paths(study: Study, home: Path) -> Study:
    def absolute(path: str) -> str:
        return str((home / Path(path).expanduser()).resolve())

    sounds = study.sounds
    changes: dict[str, Any] = {}
    if sounds.start != PHRASE:
        changes["start"] = absolute(sounds.start)
    if sounds.folder is not None:
        changes["folder"] = sounds.folder.model_copy(update={"path": absolute(sounds.folder.path)})
    if sounds.oracular is not None and sounds.oracular.source != PHRASE:
        changes["oracular"] = sounds.oracular.model_copy(update={"source": absolute(sounds.oracular.source)})
    if sounds.irmas is not None:
        changes["irmas"] = sounds.irmas.model_copy(update={"path": absolute(sounds.irmas.path)})
    if sounds.instruments is not None:
        changes["instruments"] = _with_fonts(sounds.instruments, absolute)
    sweeps = {
        name: sweep.model_copy(update={"starts": tuple(absolute(s) if is_file(s) else s for s in sweep.starts)})
        for name, sweep in study.sweeps.items()
    }
    return study.model_copy(update={"sounds": sounds.model_copy(update=changes), "sweeps": sweeps})


def _with_fonts(made: Instruments, absolute: Callable[[str], str]) -> Instruments:
    """The section with its fonts' paths made absolute, and without a second font that is missing and may be."""
    font = None if made.font is None else absolute(made.font)
    second = made.second_font
    if second is not None:
        second = second.model_copy(update={"path": absolute(second.path)})
        second = None if second.missing == "skip" and not Path(second.path).is_file() else second
    return made.model_copy(update={"font": font, "second_font": second})


def _contradictions(study: Study) -> list[str]:
    lines = _too_few_sounds(study)
    for name in study.training.treatments:
        lines += _wrong_treatment(study, name)
    known = [model.name for model in study.models()]
    for name, sweep in study.sweeps.items():
        lines += _wrong_layers(study, name, sweep)
        lines += [
            f"sweeps.{name}.models: {pattern!r} names no model; the first of {len(known)}: {', '.join(known[:3])}"
            for pattern in sweep.models
            if not any(fnmatchcase(model, pattern) for model in known)
        ]
        lines += _wrong_starts(name, sweep)
        networks = [study.network_of(model.treatment) for model in study.swept(sweep)]
        has_front_end = all(network.han is not None for network in networks)
        lines += [f"sweeps.{name}.{line}" for line in contradictions(sweep, study.sounds.sets(), has_front_end, study.sounds.oracular is not None)]
    return list(
        dict.fromkeys(
            lines + _shared_names(start for sweep in study.sweeps.values() for start in sweep.starts) + wrong_targets(study, known_classes(study))
        )
    )


def _wrong_treatment(study: Study, name: str) -> list[str]:
    treatment, network = study.training.treatments[name], study.network_of(name)
    lines = []
    try:
        network.settings.frames(study.input_samples(name))
    except UserError as error:
        said = [line if treatment.network is None else line.replace("network.", f"networks.{treatment.network}.", 1) for line in error.lines]
        lines += [line if treatment.window is None else f"training.treatments.{name}: {line}" for line in said]
    if treatment.dreams is not None and network.han is None:
        lines.append(f"training.treatments.{name}.dreams: learns from spectrograms, which network.han alone hears")
    if treatment.composer is not None and study.sounds.oracular is None:
        lines.append(f"training.treatments.{name}.composer: composers judge the sounds of sounds.oracular alone; leave it out")
    elif treatment.composer is not None and treatment.composer not in composers.COMPOSERS:
        lines.append(str(one_of(f"training.treatments.{name}.composer", treatment.composer, composers.COMPOSERS)))
    elif treatment.composer is not None and network.settings.output != "softmax":
        lines.append(f"training.treatments.{name}.composer: a composer's sounds have one class each; the network's output must be softmax")
    return lines


def _wrong_layers(study: Study, name: str, sweep: Sweep) -> list[str]:
    """A line for every layer that the network of a swept model lacks; without a model, that the study's own lacks."""
    networks = [study.network_of(model.treatment) for model in study.swept(sweep)] or [study.network]
    found = [network.settings.layer_filters(2) for network in networks]
    return [str(one_of(f"sweeps.{name}.layers", layer, layers)) for layers in found for layer in sweep.layers if layer not in layers]


def _too_few_sounds(study: Study) -> list[str]:
    made, wanted = study.sounds.oracular, fewest(study.training.validation)
    rendered = study.sounds.instruments
    if rendered is not None and rendered.recordings < wanted:
        few = f"{rendered.recordings} a class are too few to split {study.training.validation:g} off; give at least {wanted}"
        return [f"sounds.instruments.recordings: {few}"]
    if made is None:
        return []
    positives = composers.sizes(made.count, made.share, made.exchanged)[0]
    fewer = min(positives, made.count - positives)
    few = f"share {made.share:g} of {made.count} sounds leaves {fewer} of one class; at least {wanted} are needed to split it: raise count"
    return [f"sounds.oracular: {few}"] if fewer < wanted else []


def _wrong_starts(name: str, sweep: Sweep) -> list[str]:
    files = [start for start in sweep.starts if is_file(start)]
    lines = [f"{start}: no such file; give {', '.join(STARTS)} or sound files" for start in files if not Path(start).is_file()]
    return [f"sweeps.{name}.starts: {line}" for line in lines]


def _shared_names(starts: Iterable[str]) -> list[str]:
    """A line for every name that several starts of a study have: the appendix keeps a start once, by its name."""
    called: dict[str, set[str]] = {}
    for start in starts:
        name = start_name(start)
        called.setdefault(name, set() if is_file(name) else {name}).add(start)
    shared = [(name, sorted(members)) for name, members in called.items() if len(members) > 1]
    return [f"sweeps: the starts {' and '.join(members)} are called {name!r}, as their dreams would be; rename one" for name, members in shared]


def wrong_targets(study: Study, classes: Sequence[str]) -> list[str]:
    """A line for every target that its layer lacks; those of ``class`` wait until ``classes`` are known."""
    return [line for name, sweep in study.sweeps.items() for line in _lacking(study, name, sweep, classes)]


def _lacking(study: Study, name: str, sweep: Sweep, classes: Sequence[str]) -> list[str]:
    lines = []
    kinds = {network: None for model in study.swept(sweep) for network in [study.network_of(model.treatment)]}
    for layers in [network.settings.layer_filters(len(classes)) for network in kinds]:
        asked = [(layer, target) for layer in sweep.layers if layers.get(layer) for target in sweep.targets if target not in ("all", *RELATIVE)]
        for layer, target in asked:
            try:
                filters_of(target, layer, layers[layer], classes)
            except UserError as error:
                lines.append(f"sweeps.{name}.targets: {error}")
    return lines


def known_classes(study: Study) -> tuple[str, ...]:
    """The classes that the configuration alone tells; empty where only the folder does."""
    if study.sounds.folder is not None:
        return study.sounds.folder.classes or ()
    return composers.CLASSES if study.sounds.oracular is not None else irmas.CLASSES

"""A study: the whole configuration, from the sounds to the dreams, and what follows from it without touching any data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from aesdream import config, contradictions
from aesdream.config import Section
from aesdream.dreaming.settings import SPREAD, Sweep, drawn, is_file
from aesdream.errors import UserError
from aesdream.models import Network
from aesdream.sounds import composers
from aesdream.sounds.audio import Preparation
from aesdream.sounds.instruments import Instruments
from aesdream.sounds.irmas import Irmas
from aesdream.sounds.labelled import Folder
from aesdream.sounds.oracular import Oracular
from aesdream.sounds.splits import Protocol, window_samples
from aesdream.training.settings import Training, file_names

PHRASE = "trombone"
"""The packaged source sound."""
SEEDS_OF_A_SPLIT = 1_000_000
"""How many seeds a split may have where they are its own."""
PATHS = tuple(
    tuple(dotted.split("."))
    for dotted in (
        "sounds.start",
        "sounds.folder.path",
        "sounds.oracular.source",
        "sounds.irmas.path",
        "sounds.instruments.font",
        "sounds.instruments.second_font.path",
        "sweeps.*.starts",
    )
)
"""Keys whose values are paths."""
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
    """Everything that decides what a run contains."""

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

    def initialisation(self, model: Model) -> int:
        """The number that a model's first weights and orders of batches are drawn from: its seed, or one that no other split has. Models of one
        network, split and seed begin alike whatever they learn."""
        return model.seed + (SEEDS_OF_A_SPLIT * model.split if self.training.own_seeds else 0)

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


def load(path: Path, overrides: Sequence[str] = ()) -> Study:
    """The study in a YAML file with ``key=value`` overrides, everything checked that needs no data. Its paths are made absolute: those of a file
    are relative to that file, those of an override to the current directory.

    Raises UserError with a line for every problem.
    """
    tree = config.override(config.read_yaml(path, with_absolute_paths), overrides, with_absolute_paths)
    study = _without_missing_font(config.validate(Study, tree, str(path)))
    problems = [f"{path}: {line}" for line in contradictions.of(study)]
    if problems:
        raise UserError(*problems)
    return study


def with_absolute_paths(tree: config.Tree, home: Path) -> config.Tree:
    """A study's tree, or a part of one, with all paths in it relative to ``home`` made absolute."""

    def absolute(value: Any, keys: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: absolute(inner, (*keys, str(key))) for key, inner in value.items()}
        if not any(len(keys) == len(path) and all(map(fnmatchcase, keys, path)) for path in PATHS):
            return value
        if isinstance(value, list):
            return [absolute(inner, keys) for inner in value]
        is_path = isinstance(value, str) and (is_file(value) if keys[0] == "sweeps" else value != PHRASE)
        return str((home / Path(value).expanduser()).resolve()) if is_path else value

    return {key: absolute(value, (key,)) for key, value in tree.items()}


def _without_missing_font(study: Study) -> Study:
    """The study without a second font that is missing and may be."""
    made = study.sounds.instruments
    if made is None or made.second_font is None or made.second_font.missing != "skip" or Path(made.second_font.path).is_file():
        return study
    sounds = study.sounds.model_copy(update={"instruments": made.model_copy(update={"second_font": None})})
    return study.model_copy(update={"sounds": sounds})

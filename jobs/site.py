"""Site files: what a cluster is called and what every stage asks of it. Nothing in them changes a byte of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, field_validator

from aesdream import config
from aesdream.config import Section
from aesdream.errors import UserError

OURS = {
    **dict.fromkeys(("array", "dependency", "kill-on-invalid-dep", "output", "error", "chdir", "job-name", "signal", "open-mode", "requeue"), ""),
    **dict.fromkeys(("ntasks", "ntasks-per-node", "parsable", "test-only", "wait", "wrap"), ""),
    **{name: name for name in ("partition", "account", "qos", "constraint", "nodes")},
    **{"time": "minutes", "mem": "memory", "cpus-per-task": "cpus", "gpus-per-node": "gpus"},
}
"""Options of sbatch that are set here, and the key that sets them."""
WORDS = {
    "account": ("account",),
    "partition": ("partition",),
    "qos": ("qos",),
    "feature": ("constraint",),
    "time limit": ("minutes",),
    "memory": ("memory",),
    "gres": ("gpus",),
    "node count": ("nodes",),
    "node configuration": ("nodes", "cpus", "gpus", "memory", "constraint"),
    "more processors": ("cpus", "nodes"),
    "unrecognized option": ("sbatch",),
    "reservation": ("sbatch",),
}
"""What Slurm's refusals speak of, and the keys that may be at fault."""


class Asked(Section):
    """What a task asks of Slurm; what is not said is left to the cluster's own defaults."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    minutes: int = Field(60, ge=1)
    """The time limit of a task."""
    memory: str | None = None
    """Of a node, for instance 8G."""
    nodes: int = Field(1, ge=1)
    """Nodes over which the processes of one model are spread."""
    cpus: int | None = Field(None, ge=1)
    """CPUs of a process; the study's threads if not said."""
    gpus: int = Field(0, ge=0)
    """GPUs of a process."""
    faster: float = Field(1.0, gt=0)
    """How many times as fast as one CPU core a process works; it only decides how much is packed into a task."""
    sbatch: dict[str, str | int | bool] = Field(default_factory=dict)
    """Any other option of sbatch, by its long name."""

    @field_validator("memory")
    @classmethod
    def _size(cls, memory: str | None) -> str | None:
        if memory is not None and not re.fullmatch(r"\d+[KMGT]?", memory):
            raise ValueError(f"must be a number with K, M, G or T, for instance 8G, is {memory!r}")
        return memory

    @field_validator("sbatch")
    @classmethod
    def _not_ours(cls, sbatch: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        for name in sbatch:
            key = OURS.get(name.replace("_", "-"))
            if key is not None:
                raise ValueError(f"{name} is " + (f"written as the key {key}" if key else "set by aesdream itself; leave it out"))
        return {name.replace("_", "-"): value for name, value in sbatch.items() if value is not False}


class Stages(Section):
    """What single stages ask for beyond the rest; ``check`` looks at the sounds, ``join`` joins the slices."""

    check: Asked = Asked()
    preprocess: Asked = Asked()
    join: Asked = Asked()
    train: Asked = Asked()
    dream: Asked = Asked()
    appendix: Asked = Asked()


class Site(Asked):
    """A cluster. The keys of a task stand at the top for every stage, and under ``stages`` for one."""

    setup: tuple[str, ...] = ()
    """Lines of shell that make the environment on a node, before Python starts."""
    python: str | None = None
    """The interpreter on the nodes; the submitting one if not said."""
    array_throttle: int = Field(256, ge=1)
    """Tasks of one array that run at a time."""
    minutes_a_task: float = Field(20, gt=0)
    """Units are packed into tasks of about so long, by their estimated times."""
    retries: int = Field(5, ge=0)
    """How often a task that was killed, or a unit that was begun and never finished, is tried again."""
    interface: str | None = None
    """The network interface over which the processes of a model talk, for gloo and nccl."""
    scratch: str | None = None
    """A folder on the node's own disk to which the corpus is copied; variables of the node's shell are filled in."""
    hdf5_locking: bool = True
    """False for file systems without locks."""
    stages: Stages = Stages()

    def asked(self, step: str) -> Asked:
        """What a step asks for: its own keys over those of all."""
        own: Asked = getattr(self.stages, step)
        said = {name: getattr(own, name) for name in own.model_fields_set}
        sbatch = {**self.sbatch, **own.sbatch}
        return Asked(**{**{name: getattr(self, name) for name in Asked.model_fields}, **said, "sbatch": sbatch})

    def all_asked(self) -> list[Asked]:
        """What the steps ask for."""
        return [self.asked(step) for step in Stages.model_fields]


def said(site: Site) -> str:
    """A site as a file that reads back the same: what was not said stays unsaid, so that a stage goes on taking it from the top."""
    return yaml.safe_dump(site.model_dump(mode="json", exclude_unset=True), sort_keys=False)


def load(path: Path) -> Site:
    """The site in a YAML file. Raises UserError with a line for every problem; an unknown key lists the valid ones."""
    if not path.is_file():
        raise UserError(f"{path}: no such site file; copy slurm/site.example.yaml, or use --on here")
    return config.validate(Site, config.read_yaml(path), str(path))


def blamed(path: Path, site: Site, refusals: Mapping[str, str]) -> list[str]:
    """Lines that name keys of a site file, each with its line, of which Slurm's words speak (step -> words); the words alone where they name none."""
    lines = dict(_lines(path))
    found: dict[str, list[str]] = {}
    for step, words in refusals.items():
        keys = dict.fromkeys(key for word, named in WORDS.items() if word in words.lower() for key in named)
        at = {key: lines.get(f"stages.{step}.{key}", lines.get(key)) for key in keys}
        places = [f"line {line}: {key}: {getattr(site.asked(step), key)!r}" for key, line in at.items() if line is not None]
        what = "it is" if not places else f"{places[0]} is" if len(places) == 1 else f"one of these is wrong: {'; '.join(places)}:"
        found.setdefault(f"{path}: {what} refused by Slurm: {words}", []).append(step)
    return [f"{line} (for {', '.join(steps)})" for line, steps in found.items()]


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    """Every key of a YAML file with a dot, and its line."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    yield from _below(node, "")


def _below(node: Any, prefix: str) -> Iterator[tuple[str, int]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        dotted = f"{prefix}{key.value}"
        yield dotted, key.start_mark.line + 1
        yield from _below(value, f"{dotted}.")

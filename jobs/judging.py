"""``aesdream judge``: the models of runs as one panel, and what it says of sounds, folder by folder, as it goes."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, get_args

import numpy as np
from numpy.typing import NDArray

from aesdream import files
from aesdream.errors import DamagedFile, UserError
from aesdream.sounds import audio
from aesdream.sounds.labelled import sounds_below
from aesdream.sounds.splits import Protocol
from aesdream.training import judging
from aesdream.training.checkpoints import Checkpoint, load_network
from jobs.executors import Here, Outcome, Task, in_batches
from jobs.progress import Progress
from jobs.tools import finished, study_of

STRICTEST: tuple[Protocol, ...] = get_args(Protocol)[::-1]
TOGETHER = 8
"""Sounds judged as one task; so few are judged without starting workers, each of which has to import torch."""
LISTED = 512
"""Sounds handed out before more are listed, so that memory does not grow with a folder."""


@dataclass(frozen=True)
class Member:
    """A model of a panel: its checkpoint, with its digest, and its name in its run (a file's own where there is none)."""

    checkpoint: Path
    sha256: str
    model: str


@dataclass(frozen=True)
class Panel:
    """Models that judge together; all know the same ``classes``, the positive one last."""

    members: tuple[Member, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What a panel says of one file: ``probabilities`` (models, classes), empty where it could not be judged; ``note`` says why, or what was done."""

    sound: Path
    seconds: float
    probabilities: NDArray[np.float64]
    note: str

    @property
    def is_judged(self) -> bool:
        """Whether there is a judgement."""
        return bool(self.probabilities.size)

    @property
    def cells(self) -> list[object]:
        """Its row: the columns after ``sound`` are empty where it could not be judged."""
        if not self.is_judged:
            return [self.sound, "", *[""] * self.probabilities.shape[1], "", "", self.note]
        means = [f"{value:.4f}" for value in self.probabilities.mean(0)]
        apart = judging.disagreement(self.probabilities)
        return [self.sound, f"{self.seconds:.3f}", *means, "" if apart is None else f"{apart:.4f}", len(self.probabilities), self.note]


def panel_of(sources: Sequence[Path], model: str | None = None) -> Panel:
    """The panel of run folders and checkpoint files. Raises UserError where they know different classes, DamagedFile for a checkpoint that is none.

    Of a run those models judge that were trained under its strictest protocol (``by-family`` before ``split-first`` before ``augment-first``) and are
    no controls: what is known of the others' judgement flatters them. ``model``, a glob, names others; controls are left out in any case.
    """
    members = [member for source in sources for member in ([_alone(source)] if source.is_file() else _seated(source, model))]
    known = {member: tuple(network.description.classes) for member, network in zip(members, _networks(tuple(members)), strict=True)}
    classes = known[members[0]]
    if other := next((member for member in members if known[member] != classes), None):
        raise UserError(
            f"judge: {members[0].checkpoint.parent} knows the classes {', '.join(classes)}, {other.checkpoint.parent} {', '.join(known[other])}; "
            "judge with one of them at a time"
        )
    return Panel(tuple(members), classes)


def _alone(checkpoint: Path) -> Member:
    return Member(checkpoint, files.sha256(checkpoint), checkpoint.name)


def _seated(run: Path, model: str | None) -> list[Member]:
    """The models of a run that judge."""
    names, study = finished(run, model or "*"), study_of(run)
    composers = {study.composer_of(name.partition("/")[0]) for name in names}
    if len(composers) > 1:
        told = ", ".join(sorted(map(str, composers)))
        which = f"name those of one with --model, for instance '{names[0].partition('/')[0]}/*', or take a run of one composer"
        raise UserError(f"judge: the models of {run} learned from several composers ({told}); {which}")
    if model is None:
        by_name = {one.name: one.protocol for one in study.models()}
        protocol = next(strict for strict in STRICTEST if strict in {by_name[name] for name in names})
        names = [name for name in names if by_name[name] == protocol]
    markers = [run / "models" / name / "evaluation.json" for name in names]
    return [
        Member(files.verified(marker, "checkpoint.pt"), files.read_marker(marker)["files"]["checkpoint.pt"], name)
        for marker, name in zip(markers, names, strict=True)
    ]


@lru_cache(maxsize=1)
def _networks(members: tuple[Member, ...]) -> list[Checkpoint]:
    """The networks of a panel, loaded once a process."""
    found = []
    for member in members:
        if files.sha256(member.checkpoint) != member.sha256:
            raise DamagedFile(member.checkpoint, "it changed while it was judging")
        found.append(load_network(member.checkpoint))
    return found


def networks(panel: Panel) -> list[Checkpoint]:
    """The networks of a panel, in its order."""
    return _networks(panel.members)


def judged(panel: Panel, paths: Iterable[Path]) -> list[Verdict]:
    """What a panel says of some files; the work of a task. What cannot be judged is told, never raised."""
    return [_verdict(networks(panel), path) for path in paths]


def _verdict(models: Sequence[Checkpoint], path: Path) -> Verdict:
    how = models[0].preparation
    try:
        sound, rate = audio.read(path)
        heard = judging.hear(models, sound, rate)
    except audio.UnreadableSound as error:
        return Verdict(path, 0.0, np.zeros((0, len(models[0].description.classes))), str(error))
    except OSError as error:
        return Verdict(path, 0.0, np.zeros((0, len(models[0].description.classes))), f"cannot be read ({error.strerror})")
    except Exception as error:  # one sound's trouble is not another's
        return Verdict(path, 0.0, np.zeros((0, len(models[0].description.classes))), f"{type(error).__name__}: {error}")
    seconds = sound.shape[1] / rate
    notes = [f"resampled from {rate} Hz"] if rate != how.sample_rate else []
    notes += [{1: "mono", 2: "channels mixed"}[len(sound)]] if len(sound) != how.channels else []
    notes += [f"padded to {how.seconds:g} s"] if seconds < how.seconds else []
    notes += [f"{heard.segments} segments"] if heard.segments > 1 else []
    return Verdict(path, seconds, heard.probabilities, "; ".join(notes))


def judge(given: Sequence[Path], csv_file: Path | None, model: str | None, progress: Progress) -> int:
    """Judge sounds and write a row for each as it comes, to a new file or to standard output; returns how many could not be judged.

    Raises UserError before anything is written.
    """
    sources = [path for path in given if path.suffix == ".pt" or (path / "study.yaml").is_file()]
    if not sources:
        raise UserError("judge: needs a run folder or a checkpoint.pt before the sounds")
    named = [path for path in given if path not in sources]
    total = sum(1 for _ in sounds_below(named))
    if not total:
        raise UserError("no sounds given; name sound files, or folders that hold some")
    panel = panel_of(sources, model)
    with _opened(csv_file) as out, progress.stage("judge", total) if csv_file else nullcontext(lambda count: None) as advance:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["sound", "seconds", *[f"p({name})" for name in panel.classes], "disagreement", "models", "note"])
        out.flush()
        lost = 0
        for verdict in verdicts(panel, sounds_below(named), total):
            rows.writerow(verdict.cells)
            out.flush()
            advance(1)
            lost += not verdict.is_judged
    return lost


def _opened(csv_file: Path | None) -> IO[str] | nullcontext[IO[str]]:
    if csv_file is None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")
        return nullcontext(sys.stdout)
    try:
        return csv_file.open("x", newline="", encoding="utf-8", errors="surrogateescape")  # a name's bytes, whatever they are
    except FileExistsError:
        raise UserError(f"{csv_file}: exists already; give a new name, nothing is overwritten") from None
    except OSError as error:
        raise UserError(f"{csv_file}: cannot be written ({error.strerror}); give another name") from None


def verdicts(panel: Panel, paths: Iterable[Path], total: int) -> Iterator[Verdict]:
    """What a panel says of ``total`` files, in their order; every core of this machine judges where there are many."""
    if total <= TOGETHER:
        yield from judged(panel, paths)
        return
    log, waiting = Path(tempfile.gettempdir()) / f"aesdream-judge-{os.getpid()}.log", iter(paths)
    with closing(Here(threads=1)) as pool:
        while few := list(islice(waiting, LISTED)):
            batches = in_batches(few, TOGETHER)
            tasks = [Task((f"batch {number}",), judged, (panel, batch), log) for number, batch in enumerate(batches)]
            done: dict[tuple[str, ...], Outcome] = {}
            for outcome in pool.run(tasks, processes=1, on_gpu=False, begun=lambda task: None):
                done[outcome.task.units] = outcome
                while tasks and tasks[0].units in done:
                    yield from _told(done.pop(tasks.pop(0).units), panel, batches.pop(0), log)


def _told(outcome: Outcome, panel: Panel, paths: Sequence[Path], log: Path) -> list[Verdict]:
    """The verdicts of a task; where its worker died, each of its files is tried alone, and one that kills its worker again is told."""
    if outcome.damaged or outcome.wrong:
        raise outcome.damaged or outcome.wrong  # type: ignore[misc]
    if outcome.error is None:
        return list(outcome.result)
    if len(paths) == 1:
        return [Verdict(paths[0], 0.0, np.zeros((0, len(panel.classes))), f"{outcome.error} (log: {log})")]
    with closing(Here(threads=1)) as pool:
        alone = [Task((str(path),), judged, (panel, [path]), log) for path in paths]
        tried = {one.task.units[0]: one for one in pool.run(alone, processes=1, on_gpu=False, begun=lambda task: None)}
    return [verdict for path in paths for verdict in _told(tried[str(path)], panel, [path], log)]

"""A judge in a generation: it hears every level, and the next is made from what it keeps.

OUT/judged/level-1.json     what every model says of each sound of the level, which are kept, and which are near-copies of one that is
OUT/without-judge/          the same generation with every sound in the pool, where a comparison is asked for
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aesdream import config, files
from aesdream.errors import DamagedFile, UserError
from aesdream.sounds import audio, likeness
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.oracular import levels
from aesdream.training import judging
from aesdream.training.statistics import THRESHOLD
from jobs import ledger, rounds, sounds
from jobs.executors import Here, Task, in_batches
from jobs.generation import CONTROL, JUDGED, MARKER, Judge, Level, Told, everything, made, state_of
from jobs.judging import Panel, networks, panel_of
from jobs.progress import Progress
from jobs.tools import study_of

TOGETHER = 4
"""Sounds heard as one task."""


@dataclass(frozen=True)
class Selection:
    """What a panel keeps of each level of a generation in ``out``; ``composer`` is the synthetic one whose measure is told, if any."""

    out: Path
    panel: Panel
    judge: Judge
    composer: str | None
    pool: Here
    progress: Progress

    def __call__(self, level: int, sounds: Sequence[Path]) -> list[Path]:
        """The sounds of a level that are kept (``levels.Choose``)."""
        told = self.level(level)
        return [path for path in sounds if told[path.stem].kept]

    def level(self, level: int) -> dict[str, Told]:
        """What is known of every sound of a level, dropped or not; heard and written where that is not done yet."""
        path, sounds = self.out / JUDGED / f"level-{level}.json", everything(self.out, level)
        if path.exists():
            with suppress(DamagedFile):  # what is damaged is heard again
                done = config.validate(Level, files.read_json(path), str(path))
                if done.judge == self.judge and {sound.stem for sound in sounds} <= done.sounds.keys():
                    return done.sounds
        before = {name: np.array(told.cells) for earlier in range(1, level) for name, told in self.level(earlier).items() if told.kept}
        every = heard(self.panel, self.composer, sounds, self.pool, self.progress, self.out)
        # Once the next level is planned, the choice that it was planned from is made again; before, only of what is in the pool.
        there = sounds if self._is_planned(level + 1) else made(self.out, level)
        passed = {name: one.model_copy(update={"cells": []}) for name, one in every.items()}
        told = passed | chosen({sound.stem: every[sound.stem] for sound in there}, self.judge, before)
        files.write_json(path, config.plain(Level(judge=self.judge, sounds=told)))
        return told

    def _is_planned(self, level: int) -> bool:
        return len(state_of(self.out).levels) >= level


def heard(panel: Panel, composer: str | None, paths: Sequence[Path], pool: Here, progress: Progress, out: Path) -> dict[str, Told]:
    """What a panel says of made sounds, by their ids. Raises UserError for one that is damaged."""
    log = out / ledger.FOLDER / "logs" / "judge.log"
    tasks = [Task(tuple(path.stem for path in few), hear, (panel, composer, few), log) for few in in_batches(paths, TOGETHER)]
    found: dict[str, Told] = {}
    with progress.stage("judge", len(paths)) as advance:
        for outcome in pool.run(tasks, processes=1, on_gpu=False, begun=lambda task: None):
            if outcome.wrong or outcome.damaged:
                raise outcome.wrong or outcome.damaged  # type: ignore[misc]
            if outcome.error:
                raise UserError(f"{', '.join(outcome.task.units)}: could not be judged ({outcome.error}; log: {log}); the same command tries again")
            found |= outcome.result
            advance(len(outcome.task.units))
    return {path.stem: found[path.stem] for path in paths}


def hear(panel: Panel, composer: str | None, paths: Sequence[Path]) -> dict[str, Told]:
    """What a panel says of a few sounds; the work of a task."""
    models = networks(panel)
    found = {}
    for path in paths:
        try:
            sound, rate = audio.read(path)
        except audio.UnreadableSound as error:
            raise UserError(f"{path}: damaged ({error}); delete it and its JSON, and the same command makes it again") from None
        probabilities = judging.hear(models, sound, rate).probabilities[:, -1]
        measure = None
        if composer is not None:  # as it is measured in the study that the judge comes from
            how = models[0].preparation
            measure = round(COMPOSERS[composer].measure(audio.floating(audio.prepare(sound, rate, how)), how.sample_rate), 9)
        cells = [round(float(level), 2) for level in likeness.cells(sound, rate)]
        found[path.stem] = Told(probabilities=[round(float(value), 9) for value in probabilities], measure=measure, cells=cells)
    return found


def chosen(told: Mapping[str, Told], judge: Judge, before: Mapping[str, likeness.Cells]) -> dict[str, Told]:
    """Which sounds a judge keeps: from the highest down, passing over near-copies of one that is kept already, here or ``before``."""
    kept = dict(before)
    left = judge.keep
    found: dict[str, Told] = {}
    for name in sorted(told, key=lambda name: (-told[name].probability, name)):
        cells = np.array(told[name].cells)
        close = likeness.nearest(cells, kept.items()) if left else None
        near = close[0] if close and close[1] < judge.near_db else None
        stays = left > 0 and near is None
        if stays:
            kept[name] = cells
            left -= 1
        found[name] = told[name].model_copy(update={"kept": stays, "near": near, "cells": told[name].cells if stays else []})
    return {name: found[name] for name in told}


def loop(
    given: Sequence[Path],
    out: Path,
    progress: Progress,
    *,
    run: Path,
    keep: int,
    outputs: Sequence[int],
    seconds: tuple[float, float],
    seed: int,
    compare: bool,
) -> int:
    """Levels that a judge chooses from, and what came of them (``rounds``); returns how many sounds failed.

    With ``compare`` the same generation is made without the judge too. Raises UserError before anything is written.
    """
    panel = of_two_classes(run)
    if (out / MARKER).is_file():  # a level more that it has already belongs to what is told
        outputs = [*outputs, *map(len, state_of(out).levels[len(outputs) :])]
    if not 1 <= keep <= min(outputs):
        raise UserError(f"--keep {keep}: must be from 1 to the sounds of a level ({min(outputs)})")
    judge = Judge(models={member.model: member.sha256 for member in panel.members}, keep=keep, near_db=likeness.NEAR_DB)
    composer = rounds.composer_of(run)
    with closing(Here(threads=1)) as pool:
        selection = Selection(out, panel, judge, composer, pool, progress)
        failed = sounds.generate(given, out, progress, outputs=outputs, seconds=seconds, seed=seed, choose=selection, judge=judge, pool=pool)
        unjudged = Selection(out / CONTROL, panel, judge.model_copy(update={"keep": 0}), composer, pool, progress)
        if not failed and compare:
            failed = sounds.generate(given, unjudged.out, progress, outputs=outputs, seconds=seconds, seed=seed, choose=levels.keep_all, pool=pool)
        if failed:
            return failed
        told = [selection.level(level) for level in range(1, len(outputs) + 1)]
        control = [unjudged.level(level) for level in range(1, len(outputs) + 1)] if compare else []
    with ledger.locked(out):
        rounds.write(out, run, panel, told, control)
    return 0


def of_two_classes(run: Path) -> Panel:
    """The panel of a run. Raises UserError where it does not tell yes from no."""
    if not (run / "study.yaml").is_file():
        raise UserError(f"--judge {run}: not a run folder; give the folder that aesdream run made")
    panel = panel_of([run])
    study = study_of(run)
    outputs = {study.network_of(model.treatment).settings.output for model in study.models()}
    if len(panel.classes) != 2 or outputs != {"softmax"}:
        raise UserError(
            f"--judge: {run} knows the classes {', '.join(panel.classes)}; choosing takes a judge that tells two apart, the positive one last"
        )
    return panel


def drop(out: Path, run: Path, keep: int | None, progress: Progress) -> str:
    """Take out of the newest level's pool what a judge refuses, or with ``keep`` all but so many that it ranks highest, near-copies passed over."""
    newest = max(1, len(state_of(out).levels))
    panel = of_two_classes(run)
    there = made(out, newest)
    with closing(Here(threads=1)) as pool:
        told = heard(panel, None, there, pool, progress, out)
    if keep is not None:
        judge = Judge(models={}, keep=keep, near_db=likeness.NEAR_DB)
        refused = [name for name, one in chosen(told, judge, {}).items() if not one.kept]
    else:
        refused = [name for name, one in told.items() if one.probability <= THRESHOLD]
    if len(refused) == len(there):
        raise UserError(f"{run}: says {panel.classes[0]} to every sound of level {newest} of {out}; say with --keep how many are to stay")
    return sounds.dropped(out, refused)

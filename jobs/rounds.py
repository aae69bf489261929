"""What came of a judged generation: the table of its sounds, the best of them in a folder, and the page to listen with.

OUT/judged.csv              every sound with what the judge says of it
OUT/judged/report.json      what is told of the judge on the page
OUT/best/001-2-0013.wav     copies of the best of all levels, the highest first, each with its record
OUT/listen.html             to judge by ear, blind; below, what the judge did and how far it can be trusted
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aesdream import files
from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds.composers import COMPOSERS
from aesdream.sounds.oracular.levels import name_of
from aesdream.training import calibration, judging
from aesdream.training.evaluation import DRAWS, bootstrap
from aesdream.training.statistics import Resampling, number
from jobs.generation import BEST, CONTROL, DROPPED, JUDGED, TABLE, State, Told, place_of, state_of, write_page, write_rows
from jobs.judging import Panel
from jobs.tools import study_of

OURS = re.compile(r"\d{3,}-\d+-\d{4,}\.(wav|json)")

CHANCE = 0.5
"""ROC AUC of guessing."""

Levels = Sequence[Mapping[str, Told]]
Families = Mapping[str, str]


def composer_of(run: Path) -> str | None:
    """The synthetic composer that a run's judges learned from, if it was one."""
    if not (run / "sounds.json").is_file():
        raise UserError(f"{run}: has no sounds.json, which says what its labels are; aesdream run makes it again")
    study = study_of(run)
    learned = {study.composer_of(model.treatment) for model in study.models() if not study.training.treatments[model.treatment].is_control}
    return next(iter(learned)) if len(learned) == 1 else None


def write(out: Path, run: Path, panel: Panel, told: Levels, control: Levels) -> None:
    """Write the table, the folder and the page; ``control`` is the same generation without the judge, or nothing."""
    state = state_of(out)
    assert state.asked.judge is not None
    everything = {name: one for level in told for name, one in level.items()}
    ranked = sorted((name for name in everything if everything[name].kept), key=lambda name: (-everything[name].probability, name))
    family = _families(out, told)
    _write_table(out, state, panel, everything, ranked, family)
    best = [name for name in ranked if not _is_dropped(out, name)][: state.asked.judge.keep]
    _write_best(out, best)
    listened = [*best, *_others(out, state.asked.seed, told, best)]
    report = _report(run, panel, state, (told, family), (control, _families(out / CONTROL, control)))
    files.write_json(out / JUDGED / "report.json", report)
    write_page(out, state.asked, listened, classes=panel.classes, kept=best, judge=report)


def trust(out: Path) -> str:
    """How well the judge of a generation tells the sounds apart that it never heard, in a line or two for the terminal."""
    auc = files.read_json(out / JUDGED / "report.json")["calibration"]["roc_auc"]
    bounds = "no interval" if auc["low"] is None else f"95 % interval {auc['low']:.3f} to {auc['high']:.3f}"
    value = "not known" if auc["value"] is None else f"{auc['value']:.3f}"
    line = f"the judge's ROC AUC on sounds that it never heard: {value} ({bounds}); guessing has .5"
    if auc["low"] is not None and auc["low"] > CHANCE:
        return line
    return f"{line}\nwarning: it is not surely better than guessing, so that what it kept may be no better than what it refused"


def _families(out: Path, told: Levels) -> dict[str, str]:
    return {name: files.read_json(place_of(out, name).with_suffix(".json"))["family"] for level in told for name in level}


def _others(out: Path, seed: int, told: Levels, best: Sequence[str]) -> list[str]:
    """Sounds that were not kept, at random, from each round as many as are among the best: so that the two differ by the judge, not by round."""
    found: list[str] = []
    for place, level in enumerate(told, 1):
        names = sorted(name for name, one in level.items() if not one.kept and not _is_dropped(out, name))
        order = generator(seed, "listening", "others", place).permutation(len(names))
        found += [names[int(index)] for index in order[: sum(name in level for name in best)]]
    return found


def _is_dropped(out: Path, name: str) -> bool:
    return DROPPED in place_of(out, name).relative_to(out).parts


def _write_table(out: Path, state: State, panel: Panel, everything: Mapping[str, Told], ranked: Sequence[str], family: Families) -> None:
    parents = {name_of(level, place): parent for level, line in enumerate(state.levels, 1) for place, parent in enumerate(line)}
    rank = {name: place for place, name in enumerate(ranked, 1)}
    head = ["path", "level", "family", "parent", f"p({panel.classes[-1]})", "disagreement", "measure", "kept", "near_copy_of", "rank"]
    rows: list[Sequence[object]] = [head]
    for name, one in everything.items():
        measure = "" if one.measure is None else f"{one.measure:.6g}"
        apart = judging.disagreement(np.array(one.probabilities))
        path = place_of(out, name).relative_to(out).as_posix()
        kept = "yes" if one.kept else "no"
        made = [path, name.partition("-")[0], family[name], parents[name]]
        rows.append([*made, f"{one.probability:.4f}", "" if apart is None else f"{apart:.4f}", measure, kept, one.near or "", rank.get(name, "")])
    write_rows(out / TABLE, rows)


def _write_best(out: Path, best: Sequence[str]) -> None:
    """Copies, because links do not survive every disk, archive and telephone; only files that bear our names are taken away."""
    wanted = {
        f"{place:03d}-{name}{suffix}": place_of(out, name).with_suffix(suffix) for place, name in enumerate(best, 1) for suffix in (".wav", ".json")
    }
    for old in (out / BEST).glob("*") if (out / BEST).is_dir() else ():
        if OURS.fullmatch(old.name) and old.name not in wanted:
            old.unlink()
    for name, source in wanted.items():
        if not (out / BEST / name).exists():
            with files.writing(out / BEST / name) as aside:
                shutil.copyfile(source, aside)


def _report(run: Path, panel: Panel, state: State, chosen: tuple[Levels, Families], control: tuple[Levels, Families]) -> dict[str, Any]:
    """What the page tells of the judge."""
    told = chosen[0]
    judge, study, composer = state.asked.judge, study_of(run), composer_of(run)
    assert judge is not None
    evaluations = [files.read_marker(member.checkpoint.with_name("evaluation.json")) for member in panel.members]
    held_out = calibration.held_out(evaluations)
    probabilities = np.array([one.probabilities for level in told for one in level.values()])
    alike = [(known["treatment"], known["protocol"], known["split"]) for known in evaluations]
    return {
        "study": study.study,
        "models": [member.model for member in panel.members],
        "treatments": list(dict.fromkeys(known["treatment"] for known in evaluations)),
        "protocol": evaluations[0]["protocol"],
        "models_a_split": sorted(set(Counter(known["split"] for known in evaluations).values())),
        "leaky": evaluations[0]["protocol"] == "augment-first",
        "rule": COMPOSERS[composer].rule if composer else None,
        "measure": composer,
        "keep": judge.keep,
        "near_db": judge.near_db,
        "control": bool(control[0]),
        "rounds": _rounds(state.asked.seed, chosen, control, composer),
        "alone": _alone(told),
        "disagreement": calibration.disagreement(probabilities, alike),
        "calibration": calibration.calibration(held_out, bootstrap(held_out.families, study.seed), generator(study.seed, "calibration")),
    }


def _alone(told: Levels) -> float | None:
    """Of the sounds kept, the share that one model alone has among as many highest of the level, averaged over models; near-copies left out."""
    shares = []
    for level in told:
        choice = [one for one in level.values() if one.near is None]
        kept = np.array([one.kept for one in choice])
        for model in np.array([one.probabilities for one in choice]).T if kept.any() else ():
            highest = np.argsort(-model, kind="stable")[: int(kept.sum())]
            shares.append(float(kept[highest].mean()))
    return number(float(np.mean(shares))) if shares else None


def _rounds(seed: int, chosen: tuple[Levels, Families], control: tuple[Levels, Families], composer: str | None) -> list[dict[str, Any]]:
    """A row a level: how many sounds, and what judge and measure say of all, of those kept and of those made without the judge."""
    (told, family), (beside, other_family) = chosen, control
    families = {family[name] for level in told for name in level} | {other_family[name] for level in beside for name in level}
    resampling = Resampling(families, DRAWS, generator(seed, "rounds"))
    values: dict[str, Callable[[Told], float]] = {"probability": lambda one: one.probability}
    if composer:
        values["measure"] = lambda one: float(one.measure)  # type: ignore[arg-type]
    rows: list[dict[str, Any]] = []
    for place, level in enumerate(told):
        kept = {name: one for name, one in level.items() if one.kept}
        sets = {"all": (level, family), "kept": (kept, family), **({"control": (beside[place], other_family)} if beside else {})}
        row: dict[str, Any] = {"level": place + 1, "sounds": len(level), "kept": len(kept), "share": number(len(kept) / len(level))}
        row["near"] = sum(one.near is not None for one in level.values())
        for what, value in values.items():
            seen = {name: (np.array([value(one) for one in some.values()]), [of[sound] for sound in some]) for name, (some, of) in sets.items()}
            row[what] = {name: calibration.mean_with_interval(*columns, resampling) for name, columns in seen.items() if len(columns[0])}
            if beside:
                row[what]["gained"] = calibration.difference_of_means(seen["all"], seen["control"], resampling)
        rows.append(row)
    return rows

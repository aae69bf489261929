"""The commands that use what a run has made: judge, dream, and the appendix again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from aesdream import config, files
from aesdream.dreaming.alone import dream_alone
from aesdream.dreaming.rules import RULES
from aesdream.dreaming.settings import SIDES, filters_of
from aesdream.dreaming.sonify import write_wav
from aesdream.errors import UserError, one_of
from aesdream.sounds import audio
from aesdream.sounds.labelled import SUFFIXES
from aesdream.study import Study
from aesdream.training import judging
from aesdream.training.checkpoints import Checkpoint, load_network
from jobs import ledger, train


def study_of(run: Path) -> Study:
    """The resolved study of a run folder. Raises UserError for any other folder."""
    path = run / "study.yaml"
    if not path.is_file():
        raise UserError(f"{run}: not a run folder (it has no study.yaml); give the folder that aesdream run made, or a checkpoint.pt")
    return config.validate(Study, config.read_yaml(path), str(path))


def checkpoints_of(source: Path, model: str) -> list[Checkpoint]:
    """The checkpoint of a file, or of every finished model of a run that a glob names, controls left out."""
    if source.is_file():
        return [load_network(source)]
    study = study_of(source)
    real = [m.name for m in study.models() if not study.training.treatments[m.treatment].is_control]
    chosen = [name for name in real if fnmatchcase(name, model)]
    there = [name for name in chosen if (source / "models" / name / "evaluation.json").exists()]
    if not there:
        raise UserError(f"{source}: no finished model is named {model!r}; models: {', '.join(real[:6])}{' ...' if len(real) > 6 else ''}")
    return [train.load(source, name) for name in there]


def judge(given: Sequence[Path], csv_file: Path | None, model: str) -> str:
    """The table of judgements as CSV text: a row a sound, its probability of each class over all models, and their standard deviation."""
    sources = [path for path in given if path.suffix == ".pt" or (path / "study.yaml").is_file()]
    if not sources:
        raise UserError("judge: needs a run folder or a checkpoint.pt before the sounds")
    networks = [checkpoint for source in sources for checkpoint in checkpoints_of(source, model)]
    classes = networks[0].description.classes
    if any(network.description.classes != classes for network in networks):
        raise UserError(f"judge: the models know different classes ({', '.join(classes)} and others); judge with one run at a time")
    if csv_file is not None and csv_file.exists():
        raise UserError(f"{csv_file}: exists already; give a new name, nothing is overwritten")
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["sound", "seconds", *[f"p({name})" for name in classes], "disagreement", "models", "note"])
    for path in sounds_below([path for path in given if path not in sources]):
        rows.writerow(_row(path, networks))
    if csv_file is not None:
        files.write_bytes(csv_file, table.getvalue().encode())
    return table.getvalue()


def _row(path: Path, networks: Sequence[Checkpoint]) -> list[object]:
    try:
        sound, rate = audio.read(path)
    except audio.UnreadableSound as error:
        raise UserError(f"{path}: {error}") from None
    how = networks[0].preparation
    prepared = {network.preparation: list(judging.segments(sound, rate, network.preparation)) for network in networks}
    found = np.array([judging.judge(network, prepared[network.preparation]) for network in networks])
    notes = [f"resampled from {rate} Hz"] if rate != how.sample_rate else []
    notes += ["mono"] if len(sound) == 1 else []
    notes += [f"{len(prepared[how])} segments"] if len(prepared[how]) > 1 else []
    means = [f"{value:.4f}" for value in found.mean(0)]
    return [str(path), f"{sound.shape[1] / rate:.3f}", *means, f"{found[:, -1].std():.4f}", len(networks), "; ".join(notes)]


def sounds_below(paths: Sequence[Path]) -> list[Path]:
    """Every sound file named, or lying in a folder named. Raises UserError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(inner for inner in path.rglob("*") if inner.suffix.lower() in SUFFIXES)
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f"{path}: no such sound or folder")
    if not found:
        raise UserError("no sounds given; name sound files, or folders that hold some")
    return found


def dream(
    source: Path, sound: Path, targets: Sequence[str], out: Path | None, model: str | None, *, side: str, rule: str, step: float, steps: int
) -> Iterator[str]:
    """Dream a sound toward every target; yields a line about each WAV written. Raises UserError before any long work."""
    if side not in SIDES:
        raise one_of("--side", side, SIDES)
    if rule not in RULES:
        raise one_of("--rule", rule, RULES)
    checkpoint = checkpoints_of(source, model or _first_dreamed(source))[0]
    wanted = [(target, *_parsed(target, checkpoint)) for target in targets]
    if out is not None and len(wanted) > 1:
        raise UserError(f"--out {out}: one WAV for {len(wanted)} targets; leave it out, or give one target")
    paths = [out or Path(f"{sound.stem}-{target.replace(':', '-').replace('/', '_')}.wav") for target in targets]
    for path in paths:
        if path.suffix.lower() != ".wav":
            raise UserError(f"--out {path}: must end in .wav, the format that is written")
        if path.exists():
            raise UserError(f"{path}: exists already; give another name with --out, nothing is overwritten")
    try:
        start, rate = audio.read(sound)
    except audio.UnreadableSound as error:
        raise UserError(f"{sound}: {error}") from None
    for path, (target, layer, filters) in zip(paths, wanted, strict=True):
        dreamed, activation = dream_alone(checkpoint, start, rate, layer, filters, side=side, rule=rule, step=step, steps=steps)
        write_wav(path, dreamed, checkpoint.preparation.sample_rate)
        went = "rose" if activation[-1] > activation[0] else "did not rise:"
        hint = "" if activation[-1] > activation[0] or side == "pre" else "; it may be silent on this sound, --side pre looks before its ReLU"
        yield f"{path}: {target} {went} from {activation[0]:.6g} to {activation[-1]:.6g} in {steps} steps{hint}"


def _first_dreamed(source: Path) -> str:
    if source.is_file():
        return "*"
    study = study_of(source)
    dreamed = [model for sweep in study.sweeps.values() for model in study.swept(sweep)]
    return (dreamed or study.models())[0].name


def _parsed(target: str, checkpoint: Checkpoint) -> tuple[str, tuple[int, ...]]:
    layer, colon, filters = target.partition(":")
    layers = checkpoint.network.layers()  # type: ignore[operator]
    if not colon or layer not in layers:
        raise UserError(f"--target {target}: must read layer:filter, for instance conv4:10; layers: {', '.join(layers)}")
    return layer, filters_of(filters, layer, layers[layer].filters, checkpoint.description.classes)


def appendix(run: Path) -> str:
    """Draw the appendix again from what the run holds, without the sounds it was made of; returns the path of its page."""
    from aesdream.appendix import build

    study = study_of(run)
    marker, plan = run / "results.json", run / ledger.FOLDER / "plan.json"
    known = files.read_marker(marker) if marker.exists() else {"unit": "appendix", "digest": "", "recipe": {}}
    header = {key: known[key] for key in ("unit", "digest", "recipe")}
    with ledger.locked(run):
        return str(build(run, study, header, ledger.failures(run, files.read_json(plan))))

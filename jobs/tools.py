"""Commands that use what a run has made: dream, and the appendix again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from aesdream import config, files
from aesdream.dreaming.alone import dream_alone
from aesdream.dreaming.objectives import SIDES
from aesdream.dreaming.rules import RULES
from aesdream.dreaming.settings import filters_of
from aesdream.dreaming.sonify import write_wav
from aesdream.errors import UserError, one_of
from aesdream.sounds import audio
from aesdream.study import Study
from aesdream.training.checkpoints import Checkpoint, load_network
from jobs import ledger, train


def study_of(run: Path) -> Study:
    """The resolved study of a run folder. Raises UserError for any other folder."""
    path = run / "study.yaml"
    if not path.is_file():
        raise UserError(f"{run}: not a run folder (it has no study.yaml); give the folder that aesdream run made, or a checkpoint.pt")
    return config.validate(Study, config.read_yaml(path), str(path))


def finished(run: Path, model: str) -> list[str]:
    """The names of a run's finished models that a glob names, controls left out. Raises UserError where there is none."""
    study = study_of(run)
    real = [m.name for m in study.models() if not study.training.treatments[m.treatment].is_control]
    there = [name for name in real if fnmatchcase(name, model) and (run / "models" / name / "evaluation.json").exists()]
    if not there:
        raise UserError(f"{run}: no finished model is named {model!r}; models: {', '.join(real[:6])}{' ...' if len(real) > 6 else ''}")
    return there


def dream(source: Path, sound: Path, targets: Sequence[str], out: Path | None, model: str | None, **how: Any) -> Iterator[str]:
    """Dream a sound toward every target, by keywords of ``dream_alone``; yields a line about each WAV written. Raises UserError before any long
    work.
    """
    for option, known in (("side", SIDES), ("rule", RULES)):
        if how[option] not in known:
            raise one_of(f"--{option}", how[option], known)
    name = "" if source.is_file() else finished(source, model or _first_dreamed(source))[0]
    checkpoint = train.load(source, name) if name else load_network(source)
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
    whose, most = f" of {name}" if name else "", "at most " if how["stop_rms"] else ""
    for path, (target, layer, filters) in zip(paths, wanted, strict=True):
        dreamed, activation = dream_alone(checkpoint, start, rate, layer, filters, **how)
        write_wav(path, dreamed, checkpoint.preparation.sample_rate)
        went = "rose" if activation[-1] > activation[0] else "did not rise:"
        hint = "" if activation[-1] > activation[0] or how["side"] != "post" else "; it may be silent on this sound, --side pre looks before its ReLU"
        yield f"{path}: {target}{whose} {went} from {activation[0]:.6g} to {activation[-1]:.6g} in {most}{how['steps']} steps{hint}"


def _first_dreamed(source: Path) -> str:
    study = study_of(source)
    dreamed = [model for sweep in study.sweeps.values() for model in study.swept(sweep)]
    return (dreamed or study.models())[0].name


def _parsed(target: str, checkpoint: Checkpoint) -> tuple[str, tuple[int, ...]]:
    layer, colon, filters = target.partition(":")
    layers = checkpoint.network.layers()  # type: ignore[operator]
    if not colon or layer not in layers:
        raise UserError(f"--target {target}: must read layer:filter, for instance conv4:10; layers: {', '.join(layers)}")
    return layer, filters_of(filters, layer, layers[layer].filters, checkpoint.description.classes)


def appendix(runs: Sequence[Path], *, compared: bool) -> str:
    """Draw the appendix of a run again from what it holds, without the sounds it was made of, or put several side by side; the path of the page."""
    if compared:
        from aesdream.appendix.compare import compare

        for run in runs:
            study_of(run)
        return str(compare(runs))
    if len(runs) > 1:
        raise UserError(f"appendix: draws one run, {runs[0]}; aesdream appendix {runs[0]} --compare {' '.join(map(str, runs[1:]))} compares")
    from aesdream.appendix.build import build

    run = runs[0]
    study = study_of(run)
    marker, plan = run / "results.json", run / ledger.FOLDER / "plan.json"
    known = files.read_marker(marker) if marker.exists() else {"unit": "appendix", "digest": "", "recipe": {}}
    header = {key: known[key] for key in ("unit", "digest", "recipe")}
    with ledger.locked(run):
        return str(build(run, study, header, ledger.failures(run, files.read_json(plan))))

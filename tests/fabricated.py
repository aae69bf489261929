"""A fabricated run folder: real files by the contracts of the run folder, made without training or dreaming anything."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import soundfile
import torch

from aesdream import config, files
from aesdream.dreaming.sonify import listening_copy
from aesdream.seeding import generator
from aesdream.sounds import descriptors, splits, store
from aesdream.study import Study
from aesdream.training.checkpoints import describe, save_network
from aesdream.training.evaluation import by_sound, evaluate
from aesdream.training.statistics import Resampling

TREE: dict[str, Any] = {
    "study": "made-up",
    "seed": 3,
    "sounds": {"oracular": {"count": 40, "share": 0.3, "exchanged": 0.1}, "sample_rate": 8000, "seconds": 0.5, "fade_out": 0.1},
    "network": {"jenkins": {"kernel": 64, "stride": 32, "start": "mean", "filters": [2, 2, 3]}},
    "training": {
        "treatments": {
            "plain": {},
            "oversampled": {"oversampling": 2, "protocols": ["augment-first"]},
            "windowed": {"window": 0.25, "overlap": 0.125, "protocols": ["by-family"]},
            "shuffled": {"labels": "shuffled", "protocols": ["by-family"]},
        },
        "protocols": ["augment-first", "by-family"],
        "splits": 2,
        "seeds": 1,
        "epochs": 2,
    },
    "sweeps": {
        "appendix": {
            "models": ["plain/by-family/split0-seed0"],
            "layers": ["conv3", "conv4"],
            "sides": ["post", "pre"],
            "steps": 16,
        }
    },
}
DEAD = ("conv4", "2")
MISSING = "models/plain/augment-first/split1-seed0"
FAILED = "dreams/appendix/plain/by-family/split0-seed0/conv4/1/post/source"
REASON = "the disk was full"
HEADER = {"unit": "appendix", "digest": "0123456789abcdef", "recipe": {"made": "up"}}
QUALITY = {"plain": 0.9, "oversampled": 1.2, "windowed": 0.2, "shuffled": 0.1}


def header(unit: str) -> dict[str, Any]:
    return {"unit": unit, "digest": "0123456789abcdef", "recipe": {"made": "up"}}


def finish(marker: Path, unit: str, content: dict[str, Any], *companions: str) -> None:
    files.finish(marker, header(unit), content, {name: marker.parent / name for name in companions})


def tones(random: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    times = np.arange(samples) / rate
    sides = [np.sin(2 * np.pi * random.uniform(100, 0.4 * rate) * times) * np.exp(-3 * times / times[-1]) for _ in range(2)]
    return 0.5 * np.stack(sides) + random.normal(0, 0.01, (2, samples))


def write_corpus(run: Path, study: Study, random: np.random.Generator) -> SimpleNamespace:
    count, rate = study.sounds.oracular.count, study.sounds.sample_rate  # type: ignore[union-attr]
    samples = study.sounds.preparation.samples
    labels = (random.permutation(count) < 0.3 * count).astype(np.int64)
    families = [f"f{index // 3}" for index in range(count)]
    sounds = [tones(random, samples, rate) for _ in range(count)]
    scores = labels + random.uniform(0, 0.9, count)

    def prepared(index: int) -> store.Prepared:
        kept = np.round(sounds[index] * 32767).astype(np.int16)
        return store.Prepared(f"s{index:03}", kept, samples, "{}", "0" * 64, descriptors.describe(sounds[index], rate), float(scores[index]))

    part = run / "part.h5"
    store.write_slice(part, map(prepared, range(count)), count, samples)
    start = tones(random, samples, rate)
    attributes = {"sample_rate": rate, "classes": ["not interesting", "interesting"], "families_known": True, "preparation": {}}
    store.join(run / "sounds.h5", [part], labels=labels, families=families, start=np.round(start * 32767).astype(np.int16), attributes=attributes)
    part.unlink()
    content = {
        "classes": attributes["classes"],
        "positive": "interesting",
        "count": count,
        "labels": {"not interesting": int(count - labels.sum()), "interesting": int(labels.sum())},
        "sample_rate": rate,
        "seconds": study.sounds.seconds,
        "channels": 2,
        "families": len(set(families)),
        "synthetic": {
            "composer": "bright",
            "rule": "The brightest sounds are interesting.",
            "share": 0.3,
            "exchanged": 1,
            "processor": "A made-up chain.",
        },
        "source": {"name": "trombone", "seconds": 0.5},
        "warnings": [],
    }
    finish(run / "sounds.json", "sounds", content, "sounds.h5")
    return SimpleNamespace(ids=[f"s{i:03}" for i in range(count)], labels=labels, families=families, samples=samples, rate=rate, start=start)


def write_model(run: Path, study: Study, asked: Any, corpus: SimpleNamespace, resampling: Resampling) -> None:
    folder = run / "models" / asked.name
    folder.mkdir(parents=True)
    treatment = study.training.treatments[asked.treatment]
    sounds = splits.Sounds(corpus.labels, corpus.families, corpus.samples, corpus.rate)
    split = splits.split(sounds, treatment, asked.protocol, study.training.validation, study.seed, asked.split)
    train, validation = (splits.names(corpus.ids, side, sounds) for side in (split.train, split.validation))
    files.write_json(folder / "split.json", {"train": train, "validation": validation})
    lines = [{"epoch": epoch, "loss": 1 / epoch, "conv1_change": 0.01 * epoch, "conv1_silent": 0.0} for epoch in (1, 2)]
    files.write_bytes(folder / "history.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    files.write_json(folder / "census.json", census(study))
    samples = study.input_samples(asked.treatment)
    network = study.network.settings.build(samples, 2, torch.Generator().manual_seed(asked.split))
    initial = network.conv1.weight.detach().clone()
    with torch.no_grad():
        network.conv1.weight.add_(0.003 * torch.randn(initial.shape, generator=torch.Generator().manual_seed(7)))
    save_network(folder / "checkpoint.pt", network, describe(study.network, study.sounds.preparation, ["no", "yes"], samples, samples, {}), initial)
    random = generator(5, asked.name)
    labels = split.validation.labels
    judged = 1 / (1 + np.exp(-random.normal(QUALITY[asked.treatment] * (2 * labels - 1), 1.0)))
    families = [corpus.families[index] for index in split.validation.sound]
    common = {"corpus_prevalence": float(corpus.labels.mean()), "resampling": resampling, "leaky": asked.protocol == "augment-first"}
    sets = {"validation": evaluate(validation, families, labels, judged, **common)}
    if treatment.window:
        sets["sounds"] = evaluate(*by_sound(validation, families, labels, judged), **common)
    sizes = {"train": len(train), "validation": len(validation), "validation_sounds": len({name.partition("@")[0] for name in validation})}
    content = {
        **{key: getattr(asked, key) for key in ("treatment", "protocol", "split", "seed")},
        "sizes": sizes,
        "parameters": sum(p.numel() for p in network.parameters()),
        "died": "conv1 gave only zeros from epoch 2 on" if asked.treatment == "shuffled" else None,
        "sets": sets,
    }
    finish(folder / "evaluation.json", f"models/{asked.name}", content, "checkpoint.pt", "split.json", "census.json", "history.jsonl")


def census(study: Study) -> dict[str, Any]:
    numbers = {"start_pre_mean": 0.1, "start_post_mean": 0.1, "corpus_pre_max": 1.0, "corpus_post_mean": 0.1, "gain_pre": 1.0, "gain_post": 1.0}
    layers = {
        layer: [
            {"filter": i, **numbers, **state((layer, str(i)) == DEAD), "slow": {"pre": False, "post": (layer, str(i)) == DEAD}} for i in range(count)
        ]
        for layer, count in study.network.settings.layer_filters(2).items()
        if layer != "class"
    }
    return {"bottleneck": {"layer": "conv1", "silent_on_start": False, "silent_on_corpus": False, "share_silent": 0.025}, "layers": layers}


def state(dead: bool) -> dict[str, bool]:
    return {"silent_on_start": dead, "slow": False, "silent_on_corpus": False, "upstream": False}


def write_dream(run: Path, study: Study, sweep: str, model: str, layer: str, target: str, side: str, corpus: SimpleNamespace) -> None:
    folder = run / "dreams" / sweep / model / layer / target / side
    folder.mkdir(parents=True)
    settings, steps = study.network.settings, study.sweeps[sweep].steps
    random = generator(11, model, layer, int(target), side)
    dead = (layer, target) == DEAD and side == "post"
    frames = (corpus.samples - settings.kernel) // settings.stride + 1
    times = np.linspace(0, 1, frames)
    spread = np.zeros(frames) if dead else 0.15 * np.sin(2 * np.pi * (2 + random.integers(0, 9)) * times + random.uniform(0, 6)) * (times > 0.2)
    change = np.zeros((2, corpus.samples))
    for frame, value in enumerate(spread):
        change[:, frame * settings.stride :][:, : settings.kernel] += value
    sound = np.clip(corpus.start + change, -1, 1).astype(np.float32)
    first = 0.0 if dead else random.uniform(0.001, 0.02)
    rise = np.zeros(steps + 1) if dead else np.sqrt(np.arange(steps + 1)) * 0.01
    content = {
        **{"model": model, "checkpoint": "0123456789abcdef", "layer": layer, "target": target, "side": side, "start": "source"},
        **{"rule": "std", "step": 0.002, "steps": steps, "sample_rate": corpus.rate},
        "activation": (first + rise).tolist(),
        "rms_from_start": float(np.sqrt(np.mean((sound - corpus.start) ** 2))),
        "peak": float(np.abs(sound).max()),
        "share_under_20hz": None if dead else float(random.uniform(0.3, 0.9)),
        "state": state(dead),
        "coefficients": spread.tolist(),
        "hop_seconds": settings.stride / corpus.rate,
        "change": {
            "energy_100ms": [float(np.abs(c).mean()) for c in np.array_split(spread, 5)],
            "modulation": {"hertz": list(range(1, 17)), "share": (np.ones(16) / 16).tolist()},
            "peakiness": 12.5,
            "start_peakiness": 30.25,
        },
    }
    buffer = io.BytesIO()
    soundfile.write(buffer, sound.T, corpus.rate, "FLOAT", format="WAV")
    files.write_bytes(folder / "source.wav", buffer.getvalue())
    listening_copy(folder / "source.mp3", sound, corpus.rate, corpus.start)
    finish(folder / "source.json", f"dreams/{sweep}/{model}/{layer}/{target}/{side}/source", content, "source.wav", "source.mp3")


def fabricate(run: Path, tree: dict[str, Any] = TREE) -> Study:
    """Write a whole run of a study under ``run``; the dream of ``DEAD`` after its ReLU stays where it started."""
    study = config.validate(Study, tree, "fabricated")
    run.mkdir(parents=True)
    corpus = write_corpus(run, study, generator(study.seed, "corpus"))
    resampling = Resampling(corpus.families, 100, generator(study.seed, "bootstrap"))
    for model in study.models():
        write_model(run, study, model, corpus, resampling)
    for name, sweep in study.sweeps.items():
        for model in study.swept(sweep):
            for layer in sweep.layers:
                for target in study.targets(sweep, model, layer, ("not interesting", "interesting")):
                    for side in sweep.sides:
                        write_dream(run, study, name, model.name, layer, target, side, corpus)
    return study


def rename_starts(run: Path, start: str, *, own: bool = False) -> None:
    """Let every dream of a run that ``fabricate`` wrote begin from another start, which is its ``own`` where it lies beside it."""
    for marker in [*(run / "dreams").rglob("source.json")]:
        made = [marker.with_name(f"source{suffix}").rename(marker.with_name(f"{start}{suffix}")) for suffix in (".wav", ".mp3")]
        if own:
            made += [Path(shutil.copy(path, path.with_name(f"{start}-start{path.suffix}"))) for path in made]
        content = {key: value for key, value in files.read_json(marker).items() if key not in ("schema", "unit", "digest", "recipe", "files")}
        marker.unlink()
        finish(marker.with_name(f"{start}.json"), "a dream", {**content, "start": start}, *(path.name for path in made))


def squeezed(text: str) -> str:
    """Text without white space: where lines break is the setting's business."""
    return re.sub(r"\s+", "", text)

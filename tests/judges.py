"""Run folders whose models are finished but learned nothing: networks as they start, so that a judge costs no training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml

from aesdream import config, files
from aesdream.models import Network
from aesdream.seeding import generator
from aesdream.study import Model, Study
from aesdream.training import evaluation
from aesdream.training.checkpoints import describe, save_network

RATE = 8000
CLASSES = ["dull", "bright"]
SOUNDS = 40


def run(
    folder: Path,
    *,
    protocols: Sequence[str] = ("by-family", "augment-first"),
    treatments: str = "{plain: {}, shuffled: {labels: shuffled}}",
    classes: Sequence[str] = CLASSES,
    composer: str | None = "bright",
    splits: int = 2,
    seeds: int = 2,
) -> Path:
    """Write a run folder with every model of its study; half a second at 8 kHz is heard."""
    tree = {
        "study": "judges",
        "seed": 3,
        "sounds": {"oracular": {"count": SOUNDS}, "sample_rate": RATE, "seconds": 0.5, "fade_out": 0.1},
        "network": {"jenkins": {"kernel": 64, "stride": 32, "start": "mean", "filters": [4, 4, 4], "hidden": 8}},
        "training": {"treatments": yaml.safe_load(treatments), "protocols": list(protocols), "splits": splits, "seeds": seeds},
    }
    study = config.validate(Study, tree, "a test")
    files.write_bytes(folder / "study.yaml", config.to_yaml(study).encode())
    files.write_json(folder / "sounds.json", {"synthetic": {"composer": composer} if composer else None})
    for model in study.models():
        _model(folder, study, model, list(classes))
    return folder


def _model(folder: Path, study: Study, model: Model, classes: list[str]) -> None:
    home = folder / "models" / model.name
    samples = study.input_samples(model.treatment)
    torch.manual_seed(0)
    seed = 100 * model.split + 10 * model.seed + len(model.protocol)
    network = study.network.settings.build(samples, len(classes), torch.Generator().manual_seed(seed))
    description = describe(Network(jenkins=study.network.jenkins), study.sounds.preparation, classes, samples, max(1, samples // 2), {})
    save_network(home / "checkpoint.pt", network, description, next(network.parameters()))
    random = generator(seed, "predictions")
    ids = [f"s{number:04d}" for number in generator(model.split, "held out").permutation(SOUNDS)[:12]]
    families = [f"f{int(name[1:]) // 4}" for name in ids]
    said = random.random(12)
    labels = (generator(1, "labels").random(SOUNDS) < 0.4).astype(int)[[int(name[1:]) for name in ids]]
    judged = evaluation.evaluate(
        ids, families, labels, said, corpus_prevalence=0.4, resampling=evaluation.bootstrap(families, study.seed), leaky=False
    )
    if study.training.treatments[model.treatment].window is not None:
        judged = {**judged, "predictions": {**judged["predictions"], "id": [f"{name}@0" for name in ids]}}
    content = {"treatment": model.treatment, "protocol": model.protocol, "split": model.split, "seed": model.seed, "sets": {"validation": judged}}
    header = {"unit": f"models/{model.name}", "digest": config.digest(model.name), "recipe": {}}
    files.finish(home / "evaluation.json", header, content, {"checkpoint.pt": home / "checkpoint.pt"})


def spread(values: Sequence[float]) -> float:
    """The root mean square over classes of the standard deviation over models (models, classes)."""
    return float(np.sqrt(np.var(np.asarray(values), axis=0, ddof=1).mean()))

"""The train stage for a network of many classes: what it writes, and that it writes the same again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aesdream import config, files
from aesdream.seeding import generator
from aesdream.sounds import irmas, store
from aesdream.study import Study
from aesdream.training import multilabel
from jobs import train
from jobs.units import Unit

RATE, SAMPLES, CLASSES = 8000, 1600, list(irmas.CLASSES)
MODEL = "windowed/by-family/split0-seed0"


def study(**training: Any) -> Study:
    tree = {
        "study": "made-up",
        "sounds": {"irmas": {"path": "nowhere"}, "sample_rate": RATE, "channels": 1, "seconds": SAMPLES / RATE, "fade_out": 0},
        "network": {"han": {"fft": 64, "hop": 32, "mels": 12, "centre": -6, "filters": [3, 4], "hidden": 8}},
        "training": {
            "treatments": {"windowed": {"window": 0.1}},
            "protocols": ["by-family"],
            "validation": 0.25,
            "epochs": 2,
            "batch": 16,
            **training,
        },
    }
    return config.validate(Study, tree, "study")


def write_set(run: Path, name: str, labels: np.ndarray, lengths: list[int]) -> None:
    """A store of tones, one for each of a sound's classes; families of two sounds."""
    random = generator(3, "sounds", name)
    longest = max(lengths)
    prepared = []
    for number, (row, length) in enumerate(zip(labels, lengths, strict=True)):
        seconds = np.arange(length) / RATE
        tones = sum(np.sin(2 * np.pi * 300 * (c + 1) * seconds) for c in np.flatnonzero(row))
        sound = (3000 * tones + 100 * random.standard_normal(length))[None].astype(np.int16)
        prepared.append(store.Prepared(f"{name or 'train'}{number}", sound, length, "{}", f"{number:064x}", np.zeros(12), np.nan))
    store.write_slice(run / "slice.h5", prepared, len(labels), longest, 1)
    store.join(
        store.path(run, name),
        [run / "slice.h5"],
        labels=labels,
        families=[f"{name}{number // 2}" for number in range(len(labels))],
        start=None if name else prepared[0].sound,
        attributes={"sample_rate": RATE, "classes": CLASSES, "families_known": True, "preparation": {}},
    )
    (run / "slice.h5").unlink()


def written(run: Path) -> Path:
    """A run folder with a corpus of every class and a test set of sounds with one or two labels, each of its own length."""
    run.mkdir(parents=True)
    write_set(run, "", np.eye(11, dtype=np.uint8)[np.repeat(np.arange(11), 8)], [SAMPLES] * 88)
    labels = np.eye(11, dtype=np.uint8)[np.arange(22) % 11]
    labels[::2, 3] = 1
    write_set(run, "test", labels, [1700 + 100 * (number % 5) for number in range(22)])
    return run


def made(run: Path, asked: Study) -> dict[str, Any]:
    (unit,) = train.units(asked, "0" * 16, 88)
    train.make(run, asked, unit, asked.models()[0])
    return files.read_marker(run / unit.marker)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = written(tmp_path_factory.mktemp("instruments") / "run")
    made(folder, study())
    return folder


def test_a_model_is_evaluated_on_validation_sounds_and_on_every_test_set(run: Path) -> None:
    evaluation = files.read_marker(run / "models" / MODEL / "evaluation.json")
    sets = evaluation["sets"]
    assert list(sets) == ["validation", "test"]
    assert sets["test"]["sizes"] == {"sounds": 22, "families": 11, "labels": 32}
    assert sets["test"]["classes"] == CLASSES
    kept = json.loads((run / "models" / MODEL / "split.json").read_text())["validation"]
    assert set(sets["validation"]["predictions"]["id"]) == {name.partition("@")[0] for name in kept}
    best = multilabel.chosen(multilabel.judged(sets["validation"]))
    for name in ("S1", "S2"):
        assert sets["test"][name]["threshold"] == sets["validation"][name]["threshold"] == best[name]
    assert not sets["validation"]["leaky"]


def test_what_it_says_of_a_test_sound_is_the_mean_over_windows_of_its_own_length(run: Path) -> None:
    checkpoint = train.load(run, MODEL)
    corpus = store.Corpus(store.path(run, "test"))
    sound = torch.from_numpy(corpus.read(4)[:, :2100].astype(np.float32) / 32768)
    windows = torch.stack([sound[:, first : first + 800] for first in range(0, 2100 - 800 + 1, 400)])
    with torch.no_grad():
        wanted = torch.sigmoid(checkpoint.network(windows).double()).mean(0)
    evaluation = files.read_marker(run / "models" / MODEL / "evaluation.json")
    assert evaluation["sets"]["test"]["predictions"]["probabilities"][4] == pytest.approx(wanted.tolist(), abs=1e-6)


def test_a_checkpoint_says_what_its_outputs_are(run: Path) -> None:
    checkpoint = train.load(run, MODEL)
    assert (checkpoint.output, checkpoint.description.classes, checkpoint.preparation.channels) == ("sigmoid", CLASSES, 1)


def test_the_bands_of_its_training_sounds_are_kept_beside_it(run: Path) -> None:
    known = files.read_json(files.verified(run / "models" / MODEL / "evaluation.json", "bands.json"))
    assert len(known["mean"]) == len(known["deviation"]) == 12
    assert known["low"] < min(known["mean"]) < known["high"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_making_it_again_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    again = written(tmp_path / "run")
    made(again, study())
    assert contents(again / "models" / MODEL) == contents(run / "models" / MODEL)


def test_patience_is_part_of_what_a_model_is_made_from_only_where_it_is_asked_for() -> None:
    def unit(**training: Any) -> Unit:
        return train.units(study(**training), "0" * 16, 88)[0]

    assert "patience" not in unit().recipe["training"]
    assert unit(patience=2).recipe["training"]["patience"] == 2
    assert list(unit().recipe["network"]) == ["han"]


def test_patience_does_not_end_a_control_whose_labels_validation_cannot_know() -> None:
    treatments = {"windowed": {"window": 0.1}, "shuffled": {"window": 0.1, "labels": "shuffled"}}
    recipes = {unit.name.split("/")[1]: unit.recipe["training"] for unit in train.units(study(patience=2, treatments=treatments), "0" * 16, 88)}
    assert recipes["windowed"]["patience"] == 2
    assert "patience" not in recipes["shuffled"]


def test_a_plan_counts_a_models_checkpoint_its_test_sets_and_its_dreams(run: Path) -> None:
    treatments = {"windowed": {"window": 0.1}, "dreamed": {"window": 0.1, "dreams": {"sounds": 16, "steps": 50}}}
    asked = study(treatments=treatments)
    plain, dreamed = train.units(asked, "0" * 16, 88)
    tested, _ = train.units(asked, "0" * 16, 88, 100.0, len(CLASSES))
    assert dreamed.seconds > plain.seconds
    assert tested.seconds > plain.seconds
    assert tested.bytes > (run / "models" / MODEL / "checkpoint.pt").stat().st_size - 20_000  # the archive's own pages


def test_a_network_that_diverged_fails_with_what_would_help(tmp_path: Path) -> None:
    folder = written(tmp_path / "run")
    with pytest.raises(FloatingPointError, match="learning_rate"):
        made(folder, study(learning_rate=1e30, epochs=1))

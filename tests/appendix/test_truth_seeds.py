"""What comes again from another seed, told of models of which it is known what they share."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from aesdream import arrays, files
from aesdream import study as studies
from aesdream.appendix.chapters import Listing
from aesdream.appendix.reading import Dream, Model
from aesdream.appendix.truth.asked import control_of
from aesdream.appendix.truth.beside import again, carried
from aesdream.appendix.truth.seeds import OTHER, SEED, Responses, seeds
from aesdream.appendix.truth.tables import layers
from aesdream.appendix.truth.transferring import transfer
from aesdream.dreaming import dream
from aesdream.dreaming.sonify import write_wav
from aesdream.seeding import generator
from aesdream.training.checkpoints import describe, save_network
from tests.runs import ROOT

CLASSES = ["not interesting", "interesting"]
SOUNDS, FILTERS = 40, 10


def finished(marker: Path, content: dict[str, Any], *names: str) -> dict[str, Any]:
    """A unit's marker, of files that lie beside it."""
    files.finish(marker, {"unit": marker.stem, "digest": "0" * 16, "recipe": {}}, content, {name: marker.parent / name for name in names})
    return files.read_marker(marker)


def responding(folder: Path, study: studies.Study, model: studies.Model) -> Model:
    """A model of which ``conv3`` responds by whom it learned from, ``conv2`` by the weights that it began with, ``conv1`` by what any labels
    teach, and ``conv4`` by nothing."""
    treatment = study.training.treatments[model.treatment]
    by_label = (study.composer_of(model.treatment), model.split) if not control_of(treatment) else (model.treatment, model.split, model.seed)
    any_labels = ("any", model.split) if not control_of(treatment) else ("own", model.name)
    ways = {"conv1": any_labels, "conv2": ("weights", model.seed, model.split), "conv3": ("labels", *by_label), "conv4": ("own", model.name)}
    own = generator(1, "noise", model.name)
    layers = {
        layer: (generator(0, *map(str, way)).standard_normal((SOUNDS, FILTERS)) + 0.3 * own.standard_normal((SOUNDS, FILTERS))).astype(np.float32)
        for layer, way in ways.items()
    }
    place = folder / "models" / model.name
    arrays.write(place / "responses.npz", id=np.array([f"s{number}" for number in range(SOUNDS)]), **layers)
    evaluation = finished(place / "evaluation.json", {}, "responses.npz")
    return Model(model.treatment, model.protocol, model.split, model.seed, place, evaluation, None, None)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("seeds")
    study = studies.load(ROOT / "configs/tiny-truth.yaml", ["training.splits=3", "training.seeds=2"])
    models = [responding(folder, study, model) for model in study.models()]
    return seeds(SimpleNamespace(study=study, models=models), Responses())  # type: ignore[arg-type]


def share(told: list[dict[str, Any]], layer: str, name: str) -> float:
    return next(row["sets"][name]["found_again"]["value"] for row in told if (row["network"], row["layer"]) == ("many", layer))


def test_filters_that_a_composer_taught_are_found_again_and_those_of_shuffled_labels_are_not(told: list[dict[str, Any]]):
    assert share(told, "conv3", "bright") > 0.8
    assert share(told, "conv3", "shuffled") < 0.2
    assert share(told, "conv3", SEED) < 0.2
    assert share(told, "conv3", OTHER) < 0.2
    assert share(told, "conv4", "bright") < 0.2


def test_filters_that_the_first_weights_made_are_found_again_whoever_taught_them(told: list[dict[str, Any]]):
    assert share(told, "conv2", SEED) > 0.8
    assert share(told, "conv2", "bright") < 0.2
    said = " ".join(again({"composers": ["bright", "wide"], "seeds": told}))
    assert "many, conv3: “bright”" in said
    assert "what its first weights made of it" in said.partition("More are found")[2]
    assert "many, conv2" in said.partition("More are found")[2]
    assert "conv4" not in said


def test_only_a_composers_own_share_is_marked_as_taught(told: list[dict[str, Any]]):
    table = layers({"composers": ["bright", "wide"], "seeds": told})[0]
    assert isinstance(table, Listing)
    marked = {(row[0], head) for row in table.rows for head, cell in zip(table.heads, row, strict=True) if "*" in cell}
    assert {head for _, head in marked} <= {"bright", "wide"}
    assert ("many, conv3", "bright") in marked


def test_filters_that_the_layout_makes_alike_are_not_ascribed_to_a_composer():
    more, less = ({"value": sign * 0.3, "low": sign * 0.3 - 0.1, "high": sign * 0.3 + 0.1} for sign in (1, -1))
    bright = {"less_other": more, "less_shuffled": more, "less_untrained": less}
    row = {"network": "many", "layer": "conv1", "threshold": 0.5, "sets": {"bright": bright, "untrained": {"less_own": more}}}
    nothing, layout = again({"composers": ["bright"], "seeds": [row]})
    assert "In none of 1 layers" in nothing
    assert "More are found again between untrained networks" in layout


def test_filters_that_any_labels_teach_are_not_ascribed_to_a_composer(told: list[dict[str, Any]]):
    assert share(told, "conv1", "bright") > 0.8
    assert share(told, "conv1", OTHER) > 0.8
    sets = next(row["sets"] for row in told if (row["network"], row["layer"]) == ("many", "conv1"))
    assert sets["bright"]["less_shuffled"]["low"] > 0.5
    assert sets["bright"]["less_other"]["low"] is None or sets["bright"]["less_other"]["low"] < 0
    assert "conv1" not in " ".join(again({"composers": ["bright", "wide"], "seeds": told})).partition("More are found")[0]


def test_what_one_split_says_alone_is_not_sure():
    once = {key: {"value": 1.0, "low": None, "high": None} for key in ("less_other", "less_shuffled", "less_untrained")}
    row = {"network": "many", "layer": "conv1", "threshold": 0.5, "sets": {"bright": once}}
    assert "In none of 1 layers" in again({"composers": ["bright"], "seeds": [row]})[0]


def test_models_that_heard_other_sounds_are_not_compared(tmp_path: Path):
    study = studies.load(ROOT / "configs/tiny-truth.yaml", ["training.splits=1", "training.seeds=2"])
    models = [responding(tmp_path, study, model) for model in study.models()]
    other = models[1].folder
    with np.load(other / "responses.npz") as kept:
        arrays.write(other / "responses.npz", **{**kept, "id": kept["id"][::-1]})
    finished(other / "evaluation.json", {}, "responses.npz")
    models[1] = Model(models[1].treatment, "by-family", 0, 1, other, files.read_marker(other / "evaluation.json"), None, None)
    told = seeds(SimpleNamespace(study=study, models=models), Responses())  # type: ignore[arg-type]
    assert "bright" not in next(row["sets"] for row in told if row["network"] == "many")


class Twins:
    """Two seeds of one treatment, ``alike`` or not, with dreams of the first one's filters and classes."""

    def __init__(self, folder: Path, *, alike: bool) -> None:
        self.study = studies.load(ROOT / "configs/tiny-truth.yaml", ["training.seeds=2", "training.splits=1"])
        self.sounds = {"classes": CLASSES}
        samples = self.study.sounds.preparation.samples
        treatment = "learned-bright-many"
        settings = self.study.network_of(treatment).settings
        self.start = 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(0))
        heard = torch.randn(30, 2, samples, generator=torch.Generator().manual_seed(1)) * torch.linspace(0.05, 0.3, 30)[:, None, None]
        self.models = []
        for seed in range(2):
            drawn = torch.Generator().manual_seed(0 if alike else seed)
            network = settings.build(samples, 2, drawn, channels=2, sample_rate=8000).eval()
            place = folder / f"models/{treatment}/by-family/split0-seed{seed}"
            description = describe(self.study.network_of(treatment), self.study.sounds.preparation, CLASSES, samples, samples, {"model": "m"})
            save_network(place / "checkpoint.pt", network, description, next(iter(network.parameters())))
            with torch.no_grad():
                first = torch.relu(network.conv1(heard))
                told = torch.relu(network.deeper["conv2"](first)).mean(2).numpy()  # type: ignore[index]
            arrays.write(place / "responses.npz", id=np.arange(30).astype(str), conv2=told)
            evaluation = finished(place / "evaluation.json", {}, "checkpoint.pt", "responses.npz")
            self.models.append(Model(treatment, "by-family", 0, seed, place, evaluation, None, None))
            if seed == 0:
                filters = self._dreams(folder, network, "conv2", [0, 1, 2, 3], ["0", "1", "2", "3"], "post")
                classes = self._dreams(folder, network, "class", [0, 1], CLASSES, "pre")
                self.dreams = {"again": filters, "classes": classes}
        self.views = SimpleNamespace(start_sound=lambda *_: self.start.numpy())

    def _dreams(self, folder: Path, network: torch.nn.Module, layer: str, targets: list[int], names: list[str], side: str) -> list[Dream]:
        dreamt = dream(network, layer, targets, self.start, side=side, steps=30, step=0.004)
        found = []
        for name, sound in zip(names, dreamt.sounds, strict=True):
            marker = folder / f"dreams/again/{layer}/{name}.json"
            marker.parent.mkdir(parents=True, exist_ok=True)
            write_wav(marker.with_suffix(".wav"), sound.numpy(), 8000)
            content = finished(marker, {"activation": [0.0, 1.0]}, f"{name}.wav")
            found.append(Dream("again", self.models[0].name, layer, name, side, "source", marker, content, None))
        return found

    def told(self) -> dict[str, dict[str, Any]]:
        return {row["layer"]: row for row in transfer(self, Responses())}  # type: ignore[arg-type]


def test_a_dream_works_for_a_model_that_is_the_same(tmp_path: Path):
    found = Twins(tmp_path, alike=True).told()
    assert found["conv2"]["looked_at"] == 4
    assert found["conv2"]["excited"]["value"] > 0.7
    assert found["conv2"]["beyond_others"]["value"] > 0.2
    assert found["class"]["share_toward"]["value"] == 1
    assert found["class"]["carried"]["value"] == pytest.approx(1, abs=1e-3)


def test_a_dream_of_a_class_carries_less_to_a_model_of_other_weights(tmp_path: Path):
    assert abs(Twins(tmp_path, alike=False).told()["class"]["carried"]["value"]) < 0.8


def test_a_dream_of_a_class_is_said_to_carry_only_beyond_shuffled_labels():
    def told(less: dict[str, float] | None) -> str:
        toward = {"value": 0.9, "low": 0.8, "high": 1.0}
        one = {"network": "many", "composer": "bright", "layer": "class", "beyond_others": None, "share_toward": toward, "less_shuffled": less}
        control = {**one, "composer": "shuffled", "less_shuffled": None}
        return carried({"composers": ["bright"], "transfer": [one, control]})[0]

    assert "in 1 of 1 treatments looked at: “bright” in many" in told({"value": 0.3, "low": 0.1, "high": 0.5})
    assert "none of 1 treatments" in told({"value": 0.3, "low": -0.1, "high": 0.7})
    assert "none of 0 treatments looked at. Without models of shuffled labels to compare with: “bright” in many." in told(None)

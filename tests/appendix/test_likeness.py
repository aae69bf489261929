"""Likeness: by what dreams add and by responses to the corpus, against numpy; near-copies are alike in both; runs side by side."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from aesdream import files
from aesdream.appendix import likeness, results
from aesdream.appendix.alike import draw
from aesdream.appendix.compare import compare, labels
from aesdream.appendix.likeness import correlations, cosines, distances, linkage, nearest, square
from aesdream.errors import UserError
from aesdream.training.checkpoints import load_network


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, made_up: SimpleNamespace) -> Any:
    run = tmp_path_factory.mktemp("fabricated") / "run"
    return results.material(run, made_up.fabricate(run))


def test_correlations_are_numpy_s_and_a_constant_column_has_none() -> None:
    columns = np.random.default_rng(1).normal(size=(50, 4))
    assert np.allclose(correlations(columns), np.corrcoef(columns.T))
    columns[:, 2] = 0.25
    assert np.allclose(correlations(columns)[2], 0)


@given(st.integers(2, 9), st.integers(0, 99))
def test_distances_are_symmetric_and_zero_to_oneself(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    far = distances(cosines(random.normal(size=(count, 5)).tolist()), correlations(random.normal(size=(7, count))))
    assert np.array_equal(far, far.T)
    assert not far.diagonal().any()
    assert linkage(1 - far, 1 - far).shape == (count - 1, 4)


def test_near_copies_are_alike_in_both_senses(made_up: SimpleNamespace) -> None:
    added = cosines([[1, 0], [1, 0.01], [0, 1], [0.01, 1]])
    responded = np.eye(4)
    responded[0, 1] = responded[1, 0] = 0.99
    tree = linkage(added, responded)
    assert [int(row[2] <= 1 - likeness.NEAR) for row in tree] == [1, 0, 0]
    assert set(tree[0][:2]) == {0, 1}


def test_without_coefficients_responses_alone_decide_and_no_cosine_is_invented() -> None:
    alike = correlations(np.random.default_rng(3).normal(size=(9, 3)))
    assert np.allclose(distances(cosines([[]] * 3), alike), 1 - alike)
    found = {"targets": ["0", "1", "2"], "added": [[None, None], [None]], "responses": [[0.5, 0.1], [0.2]]}
    assert nearest(found, "0") == [{"target": "1", "added": None, "responses": 0.5}]


def test_every_layer_has_its_matrix(material: Any) -> None:
    layer = material.content["likeness"]["layers"][0]
    figure = Figure()
    draw(figure, [layer] * 5)
    assert len(figure.axes) == 5 + 1
    boxes = [axes.get_position() for axes in figure.axes]
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_what_results_json_holds_is_the_likeness_of_the_dreams_and_of_the_network(material: Any) -> None:
    (layer,) = [each for each in material.content["likeness"]["layers"] if (each["layer"], each["side"]) == ("conv3", "post")]
    dreams = {dream.target: dream for dream in material.by_name.values() if (dream.layer, dream.side) == ("conv3", "post")}
    first, second = (np.array(dreams[target].content["coefficients"]) for target in layer["targets"][:2])
    assert square(layer["added"])[0, 1] == pytest.approx(first @ second / np.linalg.norm(first) / np.linalg.norm(second), abs=1e-4)
    model = next(model for model in material.models if model.name == layer["model"])
    network = load_network(model.checkpoint()).network
    seen: list[torch.Tensor] = []
    network.layers()["conv3"].module.register_forward_hook(lambda _m, _i, out: seen.append(out.relu().mean(2)))
    with torch.no_grad():
        for index in range(len(material.corpus.ids)):
            network(torch.from_numpy(material.corpus.read(index).copy()).float()[None] / 32768)
    assert np.allclose(square(layer["responses"]), correlations(torch.cat(seen).double().numpy()), atol=2e-3)


def test_the_nearest_comes_first_and_is_never_itself(material: Any) -> None:
    for layer in material.content["likeness"]["layers"]:
        for target in layer["targets"]:
            found = nearest(layer, target)
            far = [max(1 - each["added"], 1 - each["responses"]) for each in found]
            assert far == sorted(far)
            assert all(distance <= 1 - likeness.LIKE for distance in far)
            assert target not in [each["target"] for each in found]
        assert sorted(layer["order"]) == sorted(layer["targets"])


def test_dead_filters_have_no_likeness(material: Any, made_up: SimpleNamespace) -> None:
    layers = [each for each in material.content["likeness"]["layers"] if (each["layer"], each["side"]) == (made_up.dead[0], "post")]
    assert [made_up.dead[1] in layer["targets"] for layer in layers] == [False]


def test_runs_are_compared_by_their_results_alone(tmp_path: Path, built: SimpleNamespace) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copytree(built.run / "appendix/data", tmp_path / name / "appendix/data")
        shutil.copy(built.run / "results.json", tmp_path / name)
    content = files.read_json(tmp_path / "two/results.json")
    content["tables"][0]["mean"]["roc_auc"] = {"value": 0.1234, "low": 0.1, "high": 0.2}
    content["study"]["training"]["treatments"]["another"] = {"epochs": 3, "labels": "shuffled"}
    content["study"]["sweeps"][next(iter(content["study"]["sweeps"]))]["steps"] += 1
    files.write_json(tmp_path / "two/results.json", content)
    page = compare([tmp_path / "one", tmp_path / "two"])
    assert page == tmp_path / "one/compare/two/index.html"
    text = page.read_text()
    assert "0.123 [0.100, 0.200]" in text
    assert text.count("training.treatments.another") == 1, "a treatment that a run lacks is one line"
    assert "epochs 3, labels shuffled" in text
    assert re.search(r"sweeps\.\w+\.steps", text)
    assert "../../../two/appendix/data/dreams.js" in page.read_text()


def test_verdicts_of_the_truth_stand_side_by_side_with_their_distance(tmp_path: Path, built: SimpleNamespace) -> None:
    for name, verdict in (("one", "faint"), ("two", "incomparable")):
        shutil.copytree(built.run / "appendix/data", tmp_path / name / "appendix/data")
        content = files.read_json(built.run / "results.json")
        row = {"composer": "bright", "verdict": verdict, "share": {"value": 0.03, "low": 0.01, "high": 0.05}}
        content["truth"] = {"networks": [{"network": "short", "rms": 0.002, "rows": [row]}]}
        if name == "two":
            del content["study"]["sweeps"]  # as results were before they held them
        files.write_json(tmp_path / name / "results.json", content)
    text = compare([tmp_path / "one", tmp_path / "two"]).read_text()
    assert "short: bright" in text
    assert "tells, faintly; 0.030 [0.010, 0.050] at RMS 0.002" in text
    assert "not comparable; " in text
    assert "study.sweeps" not in text


def test_what_cannot_be_compared_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no appendix to compare"):
        compare([tmp_path, tmp_path / "other"])


def test_a_run_is_not_compared_with_itself(built: SimpleNamespace) -> None:
    with pytest.raises(UserError, match="none of them twice"):
        compare([built.run, built.run.parent / ".." / built.run.parent.name / built.run.name])


def test_runs_are_called_by_what_tells_them_apart() -> None:
    assert labels([Path("/a/x/demo"), Path("/a/y/demo")]) == ["x/demo", "y/demo"]
    assert labels([Path("/a/one"), Path("/b/two")]) == ["one", "two"]

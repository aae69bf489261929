"""Several networks and composers in one study, and dreams that are only measured: from the study file to a whole run of ``tiny-truth``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from aesdream import config, files
from aesdream.appendix import parts, results, schema
from aesdream.appendix.chapters import Picture, Terms
from aesdream.dreaming.objectives import find_layer
from aesdream.dreaming.sonify import read_wav
from aesdream.errors import UserError
from aesdream.labels import labels_of, sounds_of
from aesdream.sounds import store
from aesdream.sounds.composers import COMPOSERS
from aesdream.study import Study, load
from aesdream.training.checkpoints import load_network
from aesdream.training.loop import initial_network
from jobs import cli, dream, judging, preprocess
from jobs.graph import Graph
from jobs.starts import Starts
from tests.conftest import _InProcess
from tests.runs import ROOT

TRUTH, TINY = ROOT / "configs/truth.yaml", ROOT / "configs/tiny-truth.yaml"
ONE_SPLIT = ("training.splits=1", "training.validation=0.4")
MODEL = "learned-wide-many/by-family/split0-seed1"


def refused(*changes: str, path: Path = TINY) -> str:
    with pytest.raises(UserError) as error:
        load(path, changes)
    return "\n".join(error.value.lines)


def test_lists_of_composers_and_networks_are_a_treatment_each() -> None:
    study = load(TRUTH)
    learned = [name for name in study.training.treatments if name.startswith("learned-")]
    assert learned == [f"learned-{composer}-{network}" for composer in COMPOSERS for network in ("thesis", "short", "many", "logmel")]
    assert study.training.treatments["shuffled-many"].composer is None
    assert study.composers == list(COMPOSERS)
    assert {study.composer_of(name) for name in study.training.treatments if "shuffled" in name} == {"bright"}


def test_the_resolved_study_reads_back_the_same(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(config.to_yaml(load(TINY)))
    assert load(tmp_path / "study.yaml") == load(TINY)


def test_each_model_has_the_network_of_its_treatment_and_a_recipe_that_says_so() -> None:
    study = load(TRUTH)
    graph = Graph(study, preprocess.Unit("sounds", "preprocess", "sounds.json", {}), 480, ("no", "yes"))
    recipes = {unit.name.split("/")[1]: unit.recipe for unit in graph.models}
    assert recipes["learned-dense-many"]["network"]["jenkins"]["first"] == 16
    assert "first" not in recipes["learned-dense-short"]["network"]["jenkins"]
    assert list(recipes["learned-dense-logmel"]["network"]) == ["han"]
    assert recipes["learned-dense-short"]["treatment"]["composer"] == "dense"
    assert "composer" not in recipes["shuffled-short"]["treatment"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("training.treatments.plain={network: longest}", "training.treatments.plain.network: 'longest' is no key of networks; valid: many, logmel"),
        ("training.treatments.plain={composer: loud}", "training.treatments.plain.composer: 'loud' is unknown; valid: bright, pulsing"),
        ("training.treatments.learned-bright-many={}", "'learned-bright-many' is there twice"),
        ("networks.many.jenkins.kernel=9000", "networks.many.jenkins.kernel: 9000 samples is longer than the sound"),
        ("networks.logmel.han.output=sigmoid", "a composer's sounds have one class each; the network's output must be softmax"),
        ("sweeps.again={models: ['*'], layers: [conv5]}", "sweeps.again.layers: 'conv5' is unknown; valid: conv1, conv2, conv3, conv4, class"),
        ("sweeps.random={stop_rms: null, at: []}", "direction random needs layers [class], a stop_rms"),
        ("sweeps.random={direction: rule, sides: [pre]}", "direction rule needs sides [margin], and starts of which measures are known"),
        ("sweeps.rule.keep=sounds", "direction rule needs keep: numbers, and no stop_confidence"),
        ("sweeps.rule.stop_confidence=0.9", "direction rule needs keep: numbers, and no stop_confidence"),
        ("sweeps.random.momentum=0.9", "momentum: follows gradients, and direction random has none; say momentum: 0"),
        ("sweeps.truth.momentum=1", "sweeps.truth.momentum"),
        ("sweeps.truth.stop_rms=null", "at needs a stop_rms to be on the way to"),
        ("sweeps.truth.at=[0.005, 0.002]", "at: distances must be above zero, ascend, and be less than stop_rms"),
        ("sweeps.truth.stop_rms=0.004", "at: distances must be above zero, ascend, and be less than stop_rms"),
        ("sweeps.again={models: ['*'], layers: [conv2], sides: [margin]}", "sides: a margin is between classes: layers must be [class]"),
        ("sweeps.truth.starts={spread: 0}", "spread: 0 starts cannot be drawn"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(change: str, says: str) -> None:
    assert says in refused(change)


def test_spread_starts_need_sounds_that_composers_measured(tmp_path: Path) -> None:
    instruments = ROOT / "configs/tiny-instruments.yaml"
    sweep = "sweeps={s: {models: ['*'], layers: [class], starts: {spread: 2}}}"
    assert "starts: only the sounds of sounds.oracular are measured" in refused(sweep, path=instruments)
    assert load(ROOT / "configs/tiny.yaml", [f"sweeps.s={sweep[11:-1]}"]).is_measured
    assert not load(ROOT / "configs/tiny.yaml").is_measured


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of one split of ``tiny-truth`` up to its dreams, in this process."""
    folder = tmp_path_factory.mktemp("truth") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.executors.ProcessPoolExecutor", _InProcess)
        arguments = [item for change in ONE_SPLIT for item in ("--set", change)]
        patch.setattr("sys.argv", ["aesdream", "run", str(TINY), "--out", str(folder), "--until", "dream", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code in (None, 0)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def study(run: Path) -> Study:
    return load(TINY, ONE_SPLIT)


@pytest.fixture(scope="module")
def corpus(run: Path) -> store.Corpus:
    return store.Corpus(store.path(run))


def dreams(run: Path, sweep: str, model: str = "**") -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((run / "dreams" / sweep).glob(f"{model}/class/**/*.json"))]


def test_every_composer_has_measured_every_sound_and_tells_its_ceiling(run: Path, corpus: store.Corpus, study: Study) -> None:
    assert list(corpus.measures) == list(COMPOSERS)
    for name, composer in COMPOSERS.items():
        heard = composer.measure(corpus.read(7).astype(np.float32) / 32768, corpus.sample_rate)
        assert corpus.measures[name][7] == pytest.approx(heard, rel=1e-12)
    assert (corpus.measures["bright"] == corpus.scores).all()
    told = files.read_marker(run / "sounds.json")["synthetic"]["composers"]
    for name in study.composers:
        treatment = next(one for one in study.training.treatments if study.composer_of(one) == name)
        labels, ranks = labels_of(corpus, study, treatment), np.argsort(np.argsort(-corpus.measures[name], kind="stable"))
        exchanged = sorted(np.flatnonzero((ranks < labels.sum()) != labels).tolist())
        assert [corpus.ids[index] for index in exchanged] == told[name]["exchanged_sounds"]
        assert labels.sum() == corpus.label.sum()


def test_all_composers_share_the_splits_and_the_starts_of_the_corpuss_own(run: Path) -> None:
    for seed in (0, 1):
        sides = [files.read_json(path)["validation"] for path in run.glob(f"models/*/by-family/split0-seed{seed}/split.json")]
        assert len(sides) > 2
        assert all(side == sides[0] for side in sides)
    told = {dream["start"]: dream["excerpt"]["id"] for dream in dreams(run, "truth") + dreams(run, "shuffled") + dreams(run, "random")}
    assert len(set(told.values())) == len(told) == 3
    assert all(told[dream["start"]] == dream["excerpt"]["id"] for sweep in ("truth", "untrained", "random") for dream in dreams(run, sweep))
    assert set(told.values()) <= set(sides[0])


def test_no_two_models_of_a_treatment_begin_alike_and_those_of_a_split_and_seed_do() -> None:
    graph = Graph(load(TINY), preprocess.Unit("sounds", "preprocess", "sounds.json", {}), 60, ("no", "yes"))
    seeds: dict[str, list[int]] = {}
    for unit in graph.models:
        seeds.setdefault(unit.name.split("/")[1], []).append(unit.recipe["initialisation"])
    assert all(len(set(own)) == len(own) == 4 for own in seeds.values())
    assert len({tuple(own) for own in seeds.values()}) == 1
    shared = Graph(load(TINY, ["training.own_seeds=false"]), preprocess.Unit("sounds", "preprocess", "sounds.json", {}), 60, ("no", "yes"))
    assert {unit.recipe["initialisation"] for unit in shared.models} == {0, 1}
    build = load(TINY).networks["many"].settings.build
    begun = [initial_network(partial(build, 8000, 2, channels=2, sample_rate=8000), 11, seed, "float32") for seed in seeds["untrained-many"]]
    for one, other in combinations(begun, 2):
        assert not any(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True) if a.abs().sum() > 0)


def test_a_model_is_judged_by_the_composer_of_its_treatment(run: Path, corpus: store.Corpus, study: Study) -> None:
    told = files.read_marker(run / "models" / MODEL / "evaluation.json")["sets"]["validation"]["predictions"]
    labels = dict(zip(corpus.ids, labels_of(corpus, study, "learned-wide-many").tolist(), strict=True))
    assert [labels[name] for name in told["id"]] == told["label"]
    assert set(told["label"]) == {0, 1}
    assert sounds_of(corpus, study, "shuffled-many").strata is None


def test_responses_are_what_the_filters_gave_on_the_validation_sounds(run: Path, corpus: store.Corpus) -> None:
    responses = np.load(run / "models" / MODEL / "responses.npz")
    assert responses["id"].tolist() == files.read_json(run / "models" / MODEL / "split.json")["validation"]
    network = load_network(run / "models" / MODEL / "checkpoint.pt").network
    heard = torch.from_numpy(np.stack([corpus.read(corpus.ids.index(name)) for name in responses["id"]])).float() / 32768
    seen: dict[str, torch.Tensor] = {}
    for name in network.layers():
        layer = find_layer(network, name)
        layer.module.register_forward_hook(lambda _m, _i, out, name=name, layer=layer: seen.update({name: layer.activation(out)}))
    with torch.no_grad():
        network(heard)
    assert sorted(responses.files) == sorted(["id", *seen])
    for name, outputs in seen.items():
        wanted = outputs.flatten(2).mean(2) if outputs.dim() > 2 else outputs
        np.testing.assert_allclose(responses[name], wanted.numpy(), atol=1e-5)
        assert responses[name].dtype == np.float32


def test_measured_dreams_tell_of_every_distance_that_they_came_to_and_keep_no_sound(run: Path, study: Study) -> None:
    for sweep in ("truth", "random", "regularised-masked"):
        found = dreams(run, sweep)
        assert {told["recipe"]["keep"] for told in found} == {"numbers"}
        assert all(told["files"] == {} for told in found)
        distances = (*study.sweeps[sweep].at, study.sweeps[sweep].stop_rms)
        for told in found:
            passed = [there["rms"] for there in told["passed"]]
            assert passed == [distance for distance in distances if distance <= told["rms_from_start"] * (1 + 1e-5)]
            if len(passed) == len(distances):
                assert told["rms_from_start"] == pytest.approx(distances[-1], rel=1e-5)
                assert told["passed"][-1]["measures"] == told["measures"]
                assert told["passed"][-1]["margin"] == pytest.approx(told["activation"][-1], rel=1e-4, abs=1e-6)
        assert sum(len(told["passed"]) == len(distances) for told in found) > 0.5 * len(found)
        assert {path.suffix for path in (run / "dreams" / sweep).rglob("*") if path.is_file()} == {".json"}


def test_measures_are_those_of_the_start_and_of_the_dream(run: Path, corpus: store.Corpus) -> None:
    told = dreams(run, "classes")[0]
    path = next((run / "dreams/classes").rglob(f"{told['start']}.json"))
    told = json.loads(path.read_text())
    index = corpus.ids.index(told["excerpt"]["id"])
    assert told["excerpt"]["measures"] == {name: scores[index] for name, scores in corpus.measures.items()}
    sound = read_wav(path.with_suffix(".wav"))
    for name, composer in COMPOSERS.items():
        assert told["measures"][name] == pytest.approx(composer.measure(sound, corpus.sample_rate), rel=1e-9)


def test_more_spread_starts_than_held_out_sounds_are_refused(run: Path, study: Study) -> None:
    network = load_network(run / "models" / MODEL / "checkpoint.pt")
    held_out = len(files.read_json(run / "models" / MODEL / "split.json")["validation"])
    starts = Starts(run, study, MODEL, network, {})
    ids = [starts.of(f"spread-{number}").told["id"] for number in range(held_out)]
    assert len(set(ids)) == held_out
    with pytest.raises(
        UserError, match=rf"spread-{held_out} would be held-out sound {held_out + 1} of {held_out} of learned-[^ ]*; ask for at most {held_out}"
    ):
        starts.of(f"spread-{held_out}")


def test_random_directions_are_opposite_for_the_two_classes(run: Path) -> None:
    found = {(d["model"], d["start"], d["target"]): d for d in dreams(run, "random")}
    pairs = [
        (found[model, start, "interesting"], found[model, start, "not interesting"]) for model, start, target in found if target == "interesting"
    ]
    rises = [(up["activation"][-1] - up["activation"][0]) for up, _ in pairs]
    assert len(pairs) == 6
    assert all(up["steps_taken"] == 1 and up["activation"][-1] == up["activation"][1] for up, _ in pairs)
    assert len(set(rises)) == len(rises)  # each start and model has a noise of its own


def test_dreams_of_a_rule_move_what_their_models_composer_measures_each_the_way_that_it_was_aimed(run: Path, study: Study) -> None:
    found = dreams(run, "rule")
    assert {study.composer_of(told["model"].partition("/")[0]) for told in found} == {"bright", "wide"}
    for told in found:
        composer = study.composer_of(told["model"].partition("/")[0])
        way = 1 if told["target"] == "interesting" else -1
        assert told["momentum"] == 0.9
        assert way * (told["measures"][composer] - told["excerpt"]["measures"][composer]) > 0
        # A rule's logit is what its composer measures, and a margin of two opposite logits twice that.
        assert told["activation"][0] == pytest.approx(2 * way * told["excerpt"]["measures"][composer], rel=1e-4)
        assert not told["coefficients"]


def test_the_appendix_has_each_composer_and_no_dream_of_which_only_numbers_are_kept(run: Path, study: Study) -> None:
    material = results.material(run, study)
    found = material.content
    schema.check(found)
    assert set(found["sweeps"]) == {"again", "classes"}
    assert {table["composer"] for table in found["tables"]} == {"bright", "wide"}
    assert {(stick["judge"], stick["composer"]) for stick in found["yardsticks"]} >= {("ceiling", "wide"), ("descriptors", "bright")}
    composer_of = {table["treatment"]: table["composer"] for table in found["tables"]}
    pairs = [(pair["from"], pair["to"]) for pair in found["comparisons"]]
    assert all(composer_of[one] == composer_of[other] for one, other in pairs)
    controls = {name for name, treatment in study.training.treatments.items() if treatment.is_control}
    assert all(study.network_of(one) == study.network_of(other) for one, other in pairs if one in controls)
    best, against = found["headline"]["best"]["treatment"], found["headline"]["against"]
    assert {entry["control"] for entry in against} == {one for one, other in pairs if other == best and one in controls} != set()
    assert all(entry["verdict"] != "never paired" for entry in against)
    assert {next(iter(network["treatments"])) for network in found["network"]} == {"learned-bright-many", "learned-bright-logmel"}
    assert found["problems"] == []
    chapters = parts.chapters(material)
    pictures = {block.name: block for chapter in chapters for block in chapter.blocks if isinstance(block, Picture)}
    assert {"curves-by-family-bright", "curves-by-family-wide", "network-0", "network-1"} <= pictures.keys()
    kernel = next(picture for name, picture in pictures.items() if name.startswith("conv1-learned-bright-many"))
    figure = Figure(figsize=kernel.size)
    assert kernel.draw is not None
    kernel.draw(figure)  # of three filters
    assert [[len(axes.get_yticks()) for axes in figure.axes][place] for place in (1, 3)] == [3, 3]
    terms = [heading for chapter in chapters for block in chapter.blocks if isinstance(block, Terms) for heading, _ in block.pairs]
    assert "Other composers" in terms


def test_dreams_that_are_missing_are_counted_by_sweep(run: Path, study: Study) -> None:
    gone = next((run / "dreams/truth").rglob("spread-1.json"))
    kept = gone.read_bytes()
    gone.unlink()
    try:
        assert results.material(run, study).content["problems"] == [{"unit": "dreams/truth", "why": "1 of 48 not made yet"}]
    finally:
        gone.write_bytes(kept)


def test_models_of_several_composers_are_no_panel(run: Path) -> None:
    with pytest.raises(UserError, match=r"learned from several composers \(bright, wide\); name those of one with --model"):
        judging.panel_of([run])
    assert len(judging.panel_of([run], "learned-wide-*").members) == 4


def test_a_measured_dream_is_planned_with_the_bytes_of_its_json() -> None:
    study = load(TRUTH)
    graph = Graph(study, preprocess.Unit("sounds", "preprocess", "sounds.json", {}), 480, ("not interesting", "interesting"))
    measured = [unit for unit in graph.dreams if unit.name.startswith("dreams/truth/")]
    assert len(measured) == 24 * 10 * 20 * 2
    assert {unit.bytes for unit in measured} == {20_000}
    assert {len(batch) for batch in dream.batches(measured)} == {20}

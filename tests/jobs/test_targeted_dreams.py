"""Dreams of held-out sounds and of noises, in a spectrogram network's waveform and in its spectrogram, through a whole run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from aesdream import config, files
from aesdream.appendix import parts, results, schema
from aesdream.appendix.chapters import Audio, Picture
from aesdream.dreaming import bands
from aesdream.dreaming.climb import Climb
from aesdream.dreaming.sonify import read_wav
from aesdream.sounds import store
from aesdream.study import Study
from aesdream.training.checkpoints import load_network
from jobs import dream
from jobs.graph import Graph
from tests import corpora
from tests.conftest import Call
from tests.runs import aesdream, assert_same

MODEL = "windowed/by-family/split0-seed0"
HAN = {"han": {"fft": 256, "hop": 128, "mels": 16, "filters": [4, 4], "hidden": 8, "output": "softmax"}}
RELATIVE = {"models": [MODEL], "layers": ["class"], "sides": ["pre"], "step": 0.05, "steps": 6, "batch": 4}
SWEEPS: dict[str, Any] = {
    "targeted": {**RELATIVE, "targets": ["right", "wrong", "right-then-wrong"], "starts": {"held_out": 4}, "domain": "spectrogram"},
    "nearest": {**RELATIVE, "targets": ["right", "wrong"], "starts": {"held_out": 3}, "domain": "spectrogram", "stop_confidence": 0.5},
    "sounds": {**RELATIVE, "targets": ["right", "wrong"], "starts": {"held_out": 2}, "step": 0.002},
    "clips": {**RELATIVE, "targets": ["wrong"], "starts": {"held_out": 2}, "windows": "all", "domain": "spectrogram"},
    "noises": {**RELATIVE, "starts": {"noise": 3}, "domain": "spectrogram"},
    "filters": {**RELATIVE, "layers": ["conv2"], "targets": ["0", "2"], "domain": "spectrogram", "rule": "mean"},
}
STUDY = {
    **corpora.STUDY,
    "seed": 5,
    "network": HAN,
    "training": {
        "treatments": {"windowed": {"window": 0.25}, "dreamed": {"window": 0.25, "dreams": {"sounds": 6, "epochs": 2, "steps": 3}},
                       "undreamed": {"window": 0.25, "dreams": {"sounds": 6, "epochs": 2, "steps": 0}}},
        "protocols": ["by-family"], "epochs": 2, "batch": 8,
    },
    "sweeps": SWEEPS,
}  # fmt: skip


def written(folder: Path, changes: list[str] | None = None) -> Path:
    corpora.table(folder / "sounds", corpora.good(folder / "sounds", each=9))
    return corpora.study(folder, changes or [], STUDY)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("targeted")
    done = aesdream("run", written(folder), "--out", folder / "run", "--until", "dream")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def of(run: Path, sweep: str) -> dict[str, dict[str, Any]]:
    """The JSON of every dream of a sweep, by target and start."""
    found = sorted((run / "dreams" / sweep).rglob("*.json"))
    return {f"{path.parent.parent.name}/{path.stem}": json.loads(path.read_text()) for path in found}


def arrays(run: Path, content: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and dream (windows, 1, frames, bands)."""
    with np.load((run / content["unit"]).with_suffix(".npz")) as kept:
        return torch.from_numpy(kept["start"])[:, None], torch.from_numpy(kept["dream"])[:, None]


@torch.no_grad()
def said(run: Path, spectrograms: torch.Tensor) -> list[float]:
    """The network's outputs for the windows of a clip."""
    network = load_network(run / "models" / MODEL / "checkpoint.pt").network
    return network.body(spectrograms).double().mean(0).softmax(0).tolist()


def test_every_dream_says_where_it_came_from_where_it_went_and_what_the_network_thinks(run: Path):
    found = of(run, "targeted")
    assert len(found) == 12
    known = files.read_json(run / "models" / MODEL / "bands.json")
    split = files.read_json(run / "models" / MODEL / "split.json")
    held_out = {name.rpartition("@")[0] for name in split["validation"]}
    corpus = store.Corpus(run / "sounds.h5")
    for name, content in found.items():
        kind, start = name.split("/")
        excerpt = content["excerpt"]
        assert excerpt["id"] in held_out
        assert corpus.classes[corpus.label[corpus.ids.index(excerpt["id"])]] == excerpt["right"]
        assert content["goal"] == [excerpt["right"] if kind == "right" else excerpt["wrong"]]
        begin, end = arrays(run, content)
        assert begin.shape == end.shape == (1, 1, 15, 16)
        assert float(end.min()) >= np.float32(known["low"])
        assert float(end.max()) <= np.float32(known["high"])
        assert content["distance"] == bands.distance(begin.numpy(), end.numpy())
        for when, values in (("start", begin), ("dream", end)):
            assert content["outputs"][when] == pytest.approx(said(run, values), abs=1e-5)
        place = corpus.classes.index(content["goal"][0])
        assert content["confidence"]["dream"] == content["outputs"]["dream"][place]
        assert content["success"] == (content["outputs"]["dream"][place] >= 0.9)
        assert content["activation"][-1] > content["activation"][0]
        assert len(content["activation"]) == 7
        assert start == content["start"]
    rights = {start: found[f"right/{start}"] for start in ("held-out-0", "held-out-1", "held-out-2", "held-out-3")}
    assert sorted(content["excerpt"]["right"] for content in rights.values()) == ["bright", "bright", "dull", "dull"]


def test_a_dream_from_right_to_wrong_begins_where_the_right_one_ended(run: Path):
    found = of(run, "targeted")
    for number in range(4):
        right, onward = found[f"right/held-out-{number}"], found[f"right-then-wrong/held-out-{number}"]
        assert torch.equal(arrays(run, right)[1], arrays(run, onward)[0])
        assert onward["confidence"]["start"] == pytest.approx(1 - right["confidence"]["dream"], abs=1e-9)


def test_a_dream_that_is_sure_has_ended(run: Path):
    found = of(run, "nearest")
    for number in range(3):  # of two classes one has at least half of the output
        told = [found[f"{kind}/held-out-{number}"] for kind in ("right", "wrong")]
        assert any(content["steps_taken"] == 0 for content in told)
        for content in told:
            assert content["stop_confidence"] == 0.5
            begin, end = arrays(run, content)
            assert torch.equal(begin, end) == (content["steps_taken"] == 0)
            assert (content["steps_taken"] < 6) <= (content["confidence"]["dream"] >= 0.5 - 1e-6)


def test_spectrograms_are_heard_in_two_ways_that_the_network_judges_again(run: Path):
    for content in of(run, "targeted").values():
        assert set(content["inversion"]) == {"phase", "griffin-lim"}
        assert content["sound_by"] == "phase"
        name = Path(content["unit"]).name
        wanted = {f"{name}{rest}" for rest in (".wav", ".mp3", ".npz", "-start.wav", "-start.mp3", "-griffin-lim.mp3")}
        assert set(content["files"]) == wanted
        sound = read_wav((run / content["unit"]).with_suffix(".wav"))
        assert sound.shape == (1, 2000)
        network = load_network(run / "models" / MODEL / "checkpoint.pt").network
        with torch.no_grad():
            again = network(torch.from_numpy(sound)[None]).double().softmax(1)[0].tolist()
        assert content["inversion"]["phase"]["dream"]["outputs"] == pytest.approx(again, abs=1e-5)
    found = of(run, "targeted")["right/held-out-0"]["inversion"]
    assert found["phase"]["start"]["rmse_db"] < found["griffin-lim"]["start"]["rmse_db"]


def test_waveforms_stay_in_bounds_and_their_spectrograms_are_told(run: Path):
    for content in of(run, "sounds").values():
        sound = read_wav((run / content["unit"]).with_suffix(".wav"))
        assert np.abs(sound).max() <= 1
        assert "inversion" not in content
        network = load_network(run / "models" / MODEL / "checkpoint.pt").network
        with torch.no_grad():
            heard = network.front_end(torch.from_numpy(sound)[None])
        torch.testing.assert_close(arrays(run, content)[1], heard, rtol=1e-5, atol=1e-5)
        assert content["outputs"]["dream"] == pytest.approx(said(run, heard), abs=1e-5)


def test_a_clip_is_dreamed_by_its_mean_logit_over_windows_that_follow_one_another(run: Path):
    found = of(run, "clips")
    assert len(found) == 2
    for content in found.values():
        begin, end = arrays(run, content)
        assert begin.shape == (2, 1, 15, 16)
        assert content["excerpt"]["windows"] == 2
        assert content["outputs"]["dream"] == pytest.approx(said(run, end), abs=1e-5)
        assert read_wav((run / content["unit"]).with_suffix(".wav")).shape == (1, 4000)


def test_noises_are_the_same_for_every_class_and_unlike_each_other(run: Path):
    found = of(run, "noises")
    assert len(found) == 6
    starts = {name.split("/")[1]: arrays(run, content)[0] for name, content in found.items()}
    assert sorted(starts) == ["noise-0", "noise-1", "noise-2"]
    for name, content in found.items():
        assert torch.equal(arrays(run, content)[0], starts[name.split("/")[1]])
        assert content["sound_by"] == "griffin-lim"
    assert not torch.equal(starts["noise-0"], starts["noise-1"])


def test_filters_are_dreamed_in_the_spectrogram_of_the_source(run: Path):
    for content in of(run, "filters").values():
        assert content["activation"][-1] > content["activation"][0]
        assert "outputs" not in content
        assert content["coefficients"] == []


def test_dreams_are_the_same_bytes_in_whatever_batches_they_are_computed(run: Path, tmp_path: Path):
    study = config.validate(Study, config.read_yaml(run / "study.yaml"), "study")
    graph, again = Graph.joined(study, run), shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(again / "dreams")
    wanted = [unit for unit in graph.dreams if "/targeted/" in unit.name or "/noises/" in unit.name or "/clips/" in unit.name]
    for batch in dream.batches(wanted):
        for unit in reversed(batch):
            dream.make(again, study, [unit])
    for other in ("nearest", "sounds", "filters"):
        shutil.copytree(run / "dreams" / other, again / "dreams" / other)
    assert_same(run, again)
    assert {len(batch) for batch in dream.batches(wanted)} == {4, 2, 1}


def test_a_dream_ended_on_its_second_leg_goes_on_to_the_same_bytes(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = config.validate(Study, config.read_yaml(run / "study.yaml"), "study")
    again = shutil.copytree(run, tmp_path / "run")
    batch = [unit for unit in Graph.joined(study, run).dreams if "/right-then-wrong/" in unit.name]
    shutil.rmtree((again / batch[0].marker).parents[1])
    step, calls = Climb.step, []

    def until(self: Climb, rule: str, size: float) -> None:
        calls.append(1)
        if len(calls) == 10:
            raise KeyboardInterrupt
        step(self, rule, size)

    with monkeypatch.context() as patch:
        patch.setattr(Climb, "step", until)
        with pytest.raises(KeyboardInterrupt):
            dream.make(again, study, batch, every=0.0)
    assert len(list((again / "jobs" / "kept").iterdir())) == 2
    dream.make(again, study, batch, every=0.0)
    assert not list((again / "jobs" / "kept").iterdir())
    assert_same(run, again)


def test_a_model_learns_on_from_its_dreams_after_it_has_learned_as_without_them(run: Path):
    histories = {}
    for name in ("windowed", "dreamed"):
        lines = (run / "models" / MODEL.replace("windowed", name) / "history.jsonl").read_text().splitlines()
        histories[name] = [json.loads(line) for line in lines]
    assert histories["dreamed"][:2] == histories["windowed"]
    first, second = histories["dreamed"][2:]
    assert (first["dreamed_epoch"], first["dreams"], second["dreamed_epoch"]) == (1, 6, 2)
    assert 0 <= first["reached"] <= 6
    weights = [load_network(run / "models" / MODEL.replace("windowed", name) / "checkpoint.pt").network.state_dict() for name in histories]
    assert all(value.isfinite().all() for value in weights[1].values())
    assert not torch.equal(weights[0]["body.out.weight"], weights[1]["body.out.weight"])


def test_its_control_learns_on_for_as_many_steps_from_the_same_pieces_none_of_them_dreamed(run: Path):
    history = [json.loads(line) for line in (run / "models" / MODEL.replace("windowed", "undreamed") / "history.jsonl").read_text().splitlines()]
    dreamed = [json.loads(line) for line in (run / "models" / MODEL.replace("windowed", "dreamed") / "history.jsonl").read_text().splitlines()]
    assert history[:2] == dreamed[:2]
    assert [set(record) for record in history] == [set(record) for record in dreamed]
    assert (history[2]["dreams"], history[2]["reached"]) == (6, 0)
    assert history[2]["loss"] != dreamed[2]["loss"]


def test_the_appendix_tells_of_them_and_draws_them(run: Path):
    study = config.validate(Study, config.read_yaml(run / "study.yaml"), "study")
    found = results.material(run, study)
    schema.check(found.content)
    told = found.content["instruments"]["sweeps"]
    assert set(told["targeted"][MODEL]["targeted"]["kinds"]) == {"right", "wrong", "right-then-wrong"}
    assert told["noises"][MODEL]["noises"]["starts"] == 3
    assert [claim["verdict"] for claim in told["targeted"][MODEL]["claims"]]
    chapters = {chapter.key: chapter for chapter in parts.chapters(found)}
    assert {"targeted", "noise", "dreams", "census"} <= set(chapters)
    pictures = [block for chapter in chapters.values() for block in chapter.blocks if isinstance(block, Picture) and block.draw]
    assert {picture.number for picture in pictures} >= {"3"}
    for picture in pictures:
        picture.draw(Figure(figsize=picture.size))
    heard = [path for chapter in chapters.values() for block in chapter.blocks if isinstance(block, Audio) for _, *path in block.sounds]
    assert heard
    assert all((run / path).is_file() for paths in heard for path in paths if path)


def test_more_held_out_sounds_than_there_are_end_the_run_with_what_there_is(tmp_path: Path, call: Call):
    study = written(tmp_path, ["sweeps.targeted.starts={held_out: 40}"])
    answer = call("run", study, "--out", tmp_path / "run", "--until", "dream")
    assert answer.code == 2
    assert "held_out" in answer.err or "held-out" in answer.err
    assert "ask for at most" in answer.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sweeps.targeted.starts={held_out: 0}", "held_out: 0 starts cannot be drawn; give a whole number from 1"),
        ("sweeps.targeted.starts={held: 3}", "'held' cannot be drawn; valid: held_out, noise"),
        ("sweeps.targeted.starts=[source]", "targets right and wrong needs sounds of a known class: starts must be {held_out: N}"),
        ("sweeps.targeted.layers=[conv1]", "is for classes: layers must be [class]"),
        ("sweeps.nearest.layers=[conv1]", "stop_confidence is for classes: layers must be [class]"),
        ("sweeps.targeted.excerpts=test", "sweeps.targeted.excerpts: 'test' is no set of this study; valid: validation"),
        ("sweeps.nearest.stop_confidence=1.5", "stop_confidence"),
        ("sweeps.targeted.domain=mel", "domain"),
        ("network={han: null, jenkins: {kernel: 256, stride: 64}}", "domain: the network hears the waveform itself"),
    ],
)
def test_what_a_sweep_cannot_mean_is_told_with_its_key(tmp_path: Path, call: Call, change: str, message: str):
    answer = call("check", written(tmp_path, [change]))
    assert answer.code == 2
    assert message in answer.err

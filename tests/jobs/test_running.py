"""Whole runs of the tiny study, as a user calls them: resuming, extending, refusing, repairing, and the same bytes whatever happened."""

from __future__ import annotations

import json
import operator
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from aesdream import files
from aesdream.dreaming.objectives import Watch, activations, find_layer, selection
from aesdream.dreaming.sonify import read_wav
from aesdream.training.checkpoints import load_network
from jobs import ledger
from jobs.executors import Here, Task
from tests import printed
from tests.runs import TINY, aesdream, assert_same, contents, events, killed_after

pytestmark = pytest.mark.xdist_group("tiny run")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the tiny study; tests that change a run copy it."""
    run = tmp_path_factory.mktemp("tiny") / "run"
    done = aesdream("run", TINY, "--out", run)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(run / "appendix" / "index.html")
    return run


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run")


def test_status_counts_every_unit_as_done(finished: Path) -> None:
    told = json.loads(aesdream("status", finished, "--json").stdout)
    assert {stage: counts["done"] for stage, counts in told["stages"].items()} == {"preprocess": 1, "train": 11, "dream": 28, "appendix": 1}
    assert not told["failures"]
    assert not told["at_work"]


def test_page_and_pdf_print_what_results_json_holds_and_no_other_number(finished: Path) -> None:
    printed.check(printed.read(finished))


def test_the_same_call_on_a_finished_run_computes_nothing_and_changes_no_byte(copy: Path) -> None:
    before = contents(copy)
    done = aesdream("run", TINY, "--out", copy)
    assert done.returncode == 0, done.stderr
    assert events(copy) == []
    assert contents(copy) == before


def test_more_seeds_train_only_the_new_models(copy: Path) -> None:
    done = aesdream("run", TINY, "--out", copy, "--set", "training.seeds=2", "--until", "train")
    assert done.returncode == 0, done.stderr
    begun = events(copy)
    assert len(begun) == 11
    assert all(name.endswith("seed1") for name in begun)


def test_a_changed_setting_is_refused_with_its_key_and_both_values_and_changes_nothing(copy: Path) -> None:
    before = contents(copy)
    done = aesdream("run", TINY, "--out", copy, "--set", "training.epochs=3", "--set", "sweeps.appendix.steps=9")
    assert done.returncode == 2
    assert "training.epochs: was 2, now 3" in done.stderr
    assert "sweeps.appendix.steps: was 8, now 9" in done.stderr
    assert "--out" in done.stderr
    assert contents(copy) == before


def test_kills_at_any_moment_end_in_the_bytes_of_an_undisturbed_run(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for seconds in (4.0, 7.0, 9.5):
        killed_after(seconds, "run", TINY, "--out", run)
    done = aesdream("run", TINY, "--out", run)
    assert done.returncode == 0, done.stderr
    assert_same(run, finished)


def test_dreams_computed_apart_have_the_bytes_of_those_computed_together(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(run / "dreams")
    for only in ("dreams/appendix/*/conv4/2/post/*", "dreams/appendix/*/conv4/*"):
        done = aesdream("run", TINY, "--out", run, "--only", only, "--until", "dream")
        assert done.returncode == 0, done.stderr
    made = {name: data for name, data in contents(run).items() if "/conv4/" in name}
    assert len(made) == 4 * 2 * 3
    assert made == {name: data for name, data in contents(finished).items() if "/conv4/" in name}


@pytest.mark.parametrize(
    ("name", "until"),
    [
        ("sounds.h5", "train"),
        ("models/plain/by-family/split0-seed0/checkpoint.pt", "dream"),
        ("dreams/appendix/oversampled/by-family/split0-seed0/conv2/1/post/source.wav", "appendix"),
    ],
)
def test_a_damaged_file_is_found_when_read_named_and_made_again(finished: Path, copy: Path, name: str, until: str) -> None:
    damaged = copy / name
    data = bytearray(damaged.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64 * [data[middle] ^ 0x55])
    damaged.write_bytes(data)
    readers = {"train": "models/plain/split-first", "dream": "dreams/classes", "appendix": "results.json"}
    reader = copy / readers[until]
    shutil.rmtree(reader) if reader.is_dir() else reader.unlink()
    done = aesdream("run", TINY, "--out", copy)
    assert done.returncode == 0, done.stderr
    assert f"{damaged}: damaged" in done.stderr
    assert_same(copy, finished)


def test_a_unit_that_fails_is_reported_with_reason_and_log_while_the_others_are_done(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("sounds.h5", "sounds.json"):
        shutil.copy(finished / name, run / name)
    (run / "models/plain/split-first/split0-seed0/census.json/in the way").mkdir(parents=True)
    done = aesdream("run", TINY, "--out", run, "--until", "train", "--only", "models/plain/*")
    assert done.returncode == 1
    told = json.loads(aesdream("status", run, "--json").stdout)
    assert told["stages"]["train"] == {"done": 2, "running": 0, "waiting": 8, "failed": 1}
    (failure,) = told["failures"]
    assert failure["unit"] == "models/plain/split-first/split0-seed0"
    assert "IsADirectoryError" in failure["reason"]
    assert "Traceback" in Path(failure["log"]).read_text()


def test_dreams_of_a_model_that_failed_are_failed_and_everything_else_is_done_and_drawn(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    for gone in ("models/plain/by-family", "dreams", "results.json"):
        shutil.rmtree(run / gone) if (run / gone).is_dir() else (run / gone).unlink()
    (run / "models/plain/by-family/split0-seed0/census.json/in the way").mkdir(parents=True)
    done = aesdream("run", TINY, "--out", run)
    assert done.returncode == 1
    told = json.loads(aesdream("status", run, "--json").stdout)
    assert {stage: (counts["done"], counts["failed"]) for stage, counts in told["stages"].items()} == {
        "preprocess": (1, 0), "train": (10, 1), "dream": (24, 4), "appendix": (1, 0),
    }  # fmt: skip
    assert all("its model is not there" in failure["reason"] for failure in told["failures"] if failure["unit"].startswith("dreams"))
    assert "its model is not there" in (run / "appendix" / "index.html").read_text()
    shutil.rmtree(run / "models/plain/by-family/split0-seed0/census.json")
    done = aesdream("run", TINY, "--out", run)
    assert done.returncode == 0, done.stderr
    assert_same(run, finished)


def test_a_killed_worker_fails_no_unit_but_its_own() -> None:
    def outcomes(tasks: list[Task]) -> dict[tuple[str, ...], str | None]:
        here = Here(1)
        try:
            return {outcome.task.units: outcome.error for outcome in here.run(tasks, processes=1, on_gpu=False, begun=lambda task: None)}
        finally:
            here.close()

    log = Path(os.devnull)
    tasks = [Task((str(number),), operator.add, (number, 1), log) for number in range(6)]
    found = outcomes([*tasks[:3], Task(("killer",), os._exit, (9,), log), *tasks[3:]])
    assert {units[0]: error is None for units, error in found.items()} == {**{str(number): True for number in range(6)}, "killer": False}
    assert "killed twice" in str(found["killer",])


def test_a_glob_that_matches_nothing_is_refused(copy: Path) -> None:
    done = aesdream("run", TINY, "--out", copy, "--only", "models/plian/*")
    assert done.returncode == 2
    assert "--only models/plian/*: matches no unit; units are named like sounds, models/plain/" in done.stderr


def test_a_second_run_in_the_same_folder_is_turned_away(copy: Path) -> None:
    with ledger.locked(copy):
        assert json.loads(aesdream("status", copy, "--json").stdout)["at_work"]
        second = aesdream("run", TINY, "--out", copy)
    assert second.returncode == 2
    assert "another aesdream is at work here" in second.stderr


def test_every_dream_fed_back_through_its_network_gives_the_last_activation_of_its_trace(finished: Path) -> None:
    markers = list((finished / "dreams").rglob("*.json"))
    assert len(markers) == 28
    for marker in markers:
        told = files.read_marker(marker)
        sound = read_wav(files.verified(marker, marker.with_suffix(".wav").name))
        assert np.abs(sound).max() <= 1
        network = load_network(finished / "models" / told["model"] / "checkpoint.pt").network
        layer = find_layer(network, told["layer"])
        with torch.no_grad():
            outputs, _ = Watch(network, layer, None)(torch.from_numpy(sound)[None])
        target = int(told["target"]) if told["target"].isdecimal() else ["not interesting", "interesting"].index(told["target"])
        found = float(activations(outputs, layer, told["side"], selection([target], outputs.shape[1], outputs)))
        trace = told["activation"]
        assert len(trace) == told["steps"] + 1
        assert found == pytest.approx(trace[-1], abs=1e-3 * max(map(abs, trace)) + 1e-12)


def test_the_appendix_command_draws_the_same_bytes_again(finished: Path, copy: Path) -> None:
    done = aesdream("appendix", copy)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(copy / "appendix" / "index.html")
    assert_same(copy, finished)


def test_judge_tells_the_probability_of_each_class_for_sounds_of_any_rate(finished: Path, tmp_path: Path) -> None:
    table = tmp_path / "judged.csv"
    phrase = Path(sys.modules["aesdream"].__path__[0]) / "data" / "trombone.flac"
    done = aesdream("judge", finished, phrase, "--csv", table, "--model", "plain/*")
    assert done.returncode == 0, done.stderr
    header, row = table.read_text().splitlines()
    assert header == "sound,seconds,p(not interesting),p(interesting),disagreement,models,note"
    cells = row.split(",")
    assert float(cells[2]) + float(cells[3]) == pytest.approx(1, abs=2e-4)
    assert cells[5] == "3"
    assert "resampled from 48000 Hz" in row
    assert aesdream("judge", finished, phrase, "--csv", table).returncode == 2


def test_dream_writes_one_wav_a_target_and_overwrites_none(finished: Path, tmp_path: Path) -> None:
    phrase = Path(sys.modules["aesdream"].__path__[0]) / "data" / "trombone.flac"
    call = ["dream", finished, phrase, "--target", "conv4:1", "--target", "class:interesting", "--side", "pre", "--steps", "3"]
    done = aesdream(*call, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("trombone-conv4-1.wav", "trombone-class-interesting.wav"):
        sound = read_wav(tmp_path / name)
        assert sound.shape == (2, 12 * 8000)
        assert np.abs(sound).max() <= 1
    again = aesdream(*call, cwd=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (["status", "nowhere"], "not a run folder"),
        (["judge", "nowhere", "sound.wav"], "needs a run folder or a checkpoint"),
        (["dream", "nowhere", "sound.wav", "--target", "conv4:1"], "not a run folder"),
        (["run", str(TINY), "--until", "lunch"], "preprocess, train, dream, appendix"),
    ],
)
def test_wrong_calls_are_answered_in_one_line(call: list[str], answer: str, tmp_path: Path) -> None:
    done = aesdream(*call, cwd=tmp_path)
    assert done.returncode == 2
    assert answer in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_check_and_dry_run_tell_the_plan_and_write_nothing(tmp_path: Path) -> None:
    checked = aesdream("check", TINY, cwd=tmp_path)
    planned = aesdream("run", TINY, "--dry-run", cwd=tmp_path)
    for told in (checked, planned):
        assert told.returncode == 0, told.stderr
        assert "40 sounds, 11 models, 28 dreams" in told.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_plans_what_only_and_until_choose_and_refuses_globs_that_name_nothing(tmp_path: Path) -> None:
    told = aesdream("run", TINY, "--dry-run", "--only", "models/plain/*", "--until", "train", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    chosen = re.search(r"40 sounds, (\d+) of 11 models, 0 of 28 dreams", told.stdout)
    assert chosen is not None
    assert 0 < int(chosen[1]) < 11
    assert re.search(rf"^train +{chosen[1]} units", told.stdout, re.MULTILINE)
    assert not re.search(r"^dream ", told.stdout, re.MULTILINE)
    lost = aesdream("run", TINY, "--dry-run", "--only", "modls/*", cwd=tmp_path)
    assert lost.returncode == 2
    assert "--only modls/*: matches no unit" in lost.stderr


def test_two_processes_train_one_model_as_one_process_does(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("sounds.h5", "sounds.json"):
        shutil.copy(finished / name, run / name)
    model = "models/plain/by-family/split0-seed0"
    done = aesdream("run", TINY, "--out", run, "--only", model, "--until", "train", "--set", "training.processes=2")
    assert done.returncode == 0, done.stderr
    one, two = ([json.loads(line)["loss"] for line in (folder / model / "history.jsonl").read_text().splitlines()] for folder in (finished, run))
    assert two == pytest.approx(one, rel=1e-5)

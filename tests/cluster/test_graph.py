"""The whole graph on a real Slurm: the bytes of a run here, whatever packing, nodes and limits; and what a user may do while it is queued."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from slurm.testbed.testbed import Testbed
from tests import corpora
from tests.cluster.suite import FAULTS, MODEL, Suite
from tests.runs import ROOT, TINY, aesdream, assert_same, contents


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study, run here."""
    run = tmp_path_factory.mktemp("here") / "run"
    done = aesdream("run", TINY, "--out", run)
    assert done.returncode == 0, done.stderr
    return run


def test_the_tiny_study_ends_in_the_bytes_of_a_run_here(bed: Testbed, folder: Path, tiny: Path) -> None:
    suite = Suite(bed, folder, study=TINY)
    suite.write_site(minutes_a_task=0.02, scratch=f"{folder}/scratch-$(hostname)", hdf5_locking=False, stages={"train": {"gpus": 1}})
    told = suite.submit()
    assert "aesdream status" in told
    suite.finish(tiny)
    assert sum(counts["done"] for counts in suite.told()["stages"].values()) == 1 + 11 + 28 + 1
    assert list(folder.glob("scratch-*/aesdream-*.h5")), "the corpus was staged to the nodes"
    assert "nothing was submitted" in suite.submit()


def test_four_processes_on_two_nodes_train_the_bytes_of_four_on_one_and_of_four_here(bed: Testbed, folder: Path) -> None:
    options = ("--set", "training.processes=4", "--set", "training.epochs=4", "--until", "train")
    made = {}
    for name, nodes in (("two", 2), ("one", 1)):
        (folder / name).mkdir()
        suite = Suite(bed, folder / name, *options)
        suite.write_site(interface="lo", stages={"train": {"nodes": nodes}})
        suite.submit()
        suite.idle()
        assert len({line["host"] for line in suite.notes("joined")}) == nodes
        made[name] = suite.run
    here = folder / "here"
    done = aesdream("run", FAULTS, "--out", here, *options)
    assert done.returncode == 0, done.stderr
    assert_same(made["two"], made["one"])
    assert_same(made["two"], here)


def test_queued_tasks_run_the_code_that_was_submitted_whatever_happens_to_the_clone(bed: Testbed, folder: Path) -> None:
    clone = folder / "clone"
    for package in ("aesdream", "jobs"):
        shutil.copytree(ROOT / package, clone / package)
    suite = Suite(bed, folder, "--until", "preprocess")
    with suite.closed():
        done = suite.aesdream("run", suite.study, "--on", suite.site, "--out", suite.run, *suite.options, clone=clone)
        assert done.returncode == 0, done.stderr
        for module in clone.rglob("*.py"):
            module.write_text("raise SystemExit('the clone was changed')")
    suite.idle()
    assert (suite.run / "sounds.json").exists(), suite.logs()


def test_what_is_queued_is_not_submitted_twice_is_left_by_a_run_here_and_is_cancelled_or_taken_over(bed: Testbed, folder: Path) -> None:
    suite = Suite(bed, folder, "--until", "train", "--set", "training.epochs=2")
    with suite.closed():
        suite.submit()
        queued = sorted(suite.queue())
        told = suite.told()
        assert told["stages"]["train"]["waiting"] == 1
        assert sum(told["waiting_for"].values()) == len(queued)
        assert "nothing was submitted" in suite.submit()
        assert sorted(suite.queue()) == queued
        left = suite.aesdream("run", suite.study, "--out", suite.run, *suite.options)
        assert left.returncode == 0, left.stderr
        assert "left to it" in left.stderr
        assert not (suite.run / "sounds.json").exists()
        cancelled = suite.aesdream("cancel", suite.run)
        assert f"{len(queued)} tasks cancelled" in cancelled.stdout
        assert not suite.queue()
        assert suite.told()["failures"] == []
        suite.submit()
        assert len(suite.queue()) == len(queued)
        taken = suite.aesdream("run", suite.study, "--out", suite.run, "--take-over", *suite.options)
        assert taken.returncode == 0, taken.stderr
        assert not suite.queue()
        assert (suite.run / MODEL / "evaluation.json").exists()


def test_what_is_wrong_with_the_sounds_stops_the_graph_and_stands_in_status(bed: Testbed, folder: Path) -> None:
    home = folder / "mine"
    corpora.table(home / "sounds", corpora.good(home / "sounds"))
    broken = home / "sounds" / "03.wav"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:60])
    study = corpora.study(home)
    suite = Suite(bed, folder, "--until", "train", study=study)
    assert "check 1" in suite.submit()
    suite.idle()
    told = suite.told()
    [failure] = told["failures"]
    assert failure["unit"] == "check"
    assert str(broken) in failure["reason"]
    assert not (suite.run / "sounds").exists()
    broken.write_bytes(whole)
    suite.submit()
    suite.idle()
    here = folder / "here"
    assert aesdream("run", study, "--out", here, "--until", "train").returncode == 0
    assert_same(suite.run, here)


def test_a_sound_that_is_not_there_is_refused_at_once(bed: Testbed, folder: Path) -> None:
    home = folder / "mine"
    corpora.table(home / "sounds", corpora.good(home / "sounds"))
    (home / "sounds" / "03.wav").unlink()
    suite = Suite(bed, folder, study=corpora.study(home))
    done = suite.call()
    assert done.returncode == 2
    assert "03.wav: no such file" in done.stderr
    assert not suite.queue()


def test_a_failed_model_fails_its_dreams_alone_and_the_appendix_says_so(bed: Testbed, folder: Path) -> None:
    study = yaml.safe_load(FAULTS.read_text())
    study["training"] |= {"epochs": 1, "treatments": {"plain": {}, "untrained": {"epochs": 0}}}
    study["sweeps"]["long"] |= {"models": ["plain/*", "untrained/*"], "layers": ["conv4"], "steps": 2}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    suite = Suite(bed, folder, study=path)
    suite.run.mkdir()
    (suite.run / "models").mkdir()
    (suite.run / "models" / "plain").touch()  # a file where the model's folder should be
    suite.submit()
    suite.idle()
    told = suite.told()
    assert told["stages"]["train"] == {"done": 1, "running": 0, "waiting": 0, "failed": 1}
    assert told["stages"]["dream"] == {"done": 4, "running": 0, "waiting": 0, "failed": 4}
    assert told["stages"]["appendix"]["done"] == 1
    assert "its model is not there" in json.dumps(told["failures"])
    assert "its model is not there" in (suite.run / "results.json").read_text()


@pytest.fixture(scope="session")
def small_bed() -> Iterator[Testbed]:
    """A cluster without accounting that takes arrays of 11 tasks."""
    bed = Testbed(Path(tempfile.mkdtemp(prefix="bed")), accounting=False, max_array=11)
    bed.start()
    yield bed
    bed.stop(purge=True)


def test_arrays_longer_than_the_cluster_takes_are_split_and_status_needs_no_accounting(small_bed: Testbed, folder: Path) -> None:
    study = yaml.safe_load(FAULTS.read_text())
    study["network"]["jenkins"]["filters"] = [16, 16, 24]
    study["training"]["epochs"] = 1
    study["sweeps"]["long"] |= {"layers": ["conv2", "conv3", "conv4"], "sides": ["post", "pre"], "steps": 2, "batch": 8}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    suite = Suite(small_bed, folder, "--until", "dream", study=path)
    assert "dream 14" in suite.submit()
    assert len({task.job.split("_")[0] for task in suite.queue() if task.step == "dream"}) == 2
    victim = [task.job for task in suite.queue() if task.step == "dream"][-1]  # of a task that never began Slurm keeps no state
    suite.slurm("scancel", victim)
    suite.idle()
    [reason] = {failure["reason"] for failure in suite.told()["failures"]}
    assert f"its job {victim} ended" in reason
    here = folder / "here"
    assert aesdream("run", path, "--out", here, "--until", "dream").returncode == 0
    suite.finish(here)


def test_a_limit_on_submitted_jobs_is_kept_and_the_rest_is_handed_in_from_inside(bed: Testbed, folder: Path, tiny: Path) -> None:
    suite = Suite(bed, folder, study=TINY)
    suite.write_site(qos="few", minutes_a_task=1e-9, minutes=1)
    suite.submit()
    assert len(suite.queue()) <= 6
    suite.idle(300)
    assert contents(suite.run) == contents(tiny)


def test_what_hands_in_the_rest_tries_nothing_twice_and_ends(bed: Testbed, folder: Path) -> None:
    study = yaml.safe_load(FAULTS.read_text())
    study["training"] |= {"epochs": 100_000, "seeds": 6}  # models that take too long to share a task
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False))
    suite = Suite(bed, folder, "--set", "sweeps.long.steps=1", study=path)
    suite.write_site(qos="few", minutes_a_task=1e-9, minutes=1)
    (suite.run / "models").mkdir(parents=True)
    (suite.run / "models" / "plain").touch()  # a file where the models' folder should be: every one fails
    suite.submit()
    suite.idle(300)
    told = suite.told()
    assert told["stages"]["train"]["failed"] == 6
    assert told["stages"]["dream"]["failed"] == 4
    assert told["stages"]["appendix"]["done"] == 1
    assert suite.notes("done", "rest"), "more than could be submitted at once"
    scripts = [path.read_text() for path in suite.run.glob("jobs/slurm/*/*_submission.sh")]
    assert all("#SBATCH --qos=few" in script for script in scripts), "also what was handed in from inside"
    begun = [unit for line in suite.notes("failed", "models/") for unit in line["units"]]
    assert len(begun) == len(set(begun)) == 6

"""What goes wrong on a cluster, done to a real Slurm: the same command then ends in the bytes of an undisturbed run, and status told the truth."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slurm.testbed.testbed import Testbed
from tests.cluster.suite import FAULTS, MODEL, Suite
from tests.runs import aesdream

DREAMS = "dreams/long"
UNTIL = ("--until", "dream")
"""The appendix costs more than all the rest; tests of the whole graph draw it."""
LONG_TRAINING = ("--set", "training.epochs=600")
LONG_DREAMS = ("--set", "sweeps.long.steps=10000")
"""What is to be disturbed takes long enough to be caught at it."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs here, each made once: ``undisturbed("--set", "key=value", ...)``."""
    runs: dict[tuple[str, ...], Path] = {}

    def made(*options: str) -> Path:
        if options not in runs:
            run = tmp_path_factory.mktemp("here") / "run"
            done = aesdream("run", FAULTS, "--out", run, *options)
            assert done.returncode == 0, done.stderr
            runs[options] = run
        return runs[options]

    return made


@pytest.fixture
def suite(bed: Testbed, folder: Path) -> Iterator[Suite]:
    suite = Suite(bed, folder, *UNTIL)
    yield suite
    suite.slurm("scancel", "--user=root")
    suite.slurm("scancel", "--user=root", "--signal=KILL", "--full")
    bed.start()  # what a test killed and did not bring back
    bed.wait_up()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("partition", "nowhere", "invalid partition"), ("account", "nobody", "account"), ("constraint", "quantum", "feature"), ("qos", "gold", "qos")],
)
def test_what_slurm_refuses_is_told_with_its_words_and_the_line_and_nothing_is_submitted(suite: Suite, key: str, value: str, words: str) -> None:
    suite.write_site(stages={"dream": {key: value}})
    done = suite.call()
    assert done.returncode == 2
    line = suite.site.read_text().splitlines().index(f"    {key}: {value}") + 1
    assert f"{suite.site}: line {line}: {key}: '{value}' is refused by Slurm" in done.stderr
    assert words in done.stderr.lower()
    assert not suite.queue()


def test_a_node_that_dies_in_mid_dream_leaves_an_orphan_beside_its_successor_and_no_harm(
    suite: Suite, undisturbed: Callable[..., Path], bed: Testbed
) -> None:
    suite.options += LONG_DREAMS
    suite.submit()
    suite.until(lambda: suite.begun(DREAMS), "a dream under way")
    job = suite.notes("begun", DREAMS)[0]["job"]
    [lost] = [task for task in suite.running("dream") if task.job == job]
    first = suite.processes(lost.job)
    bed.kill_node(lost.node)
    for process in first.values():
        os.kill(process, signal.SIGSTOP)  # the orphan goes on only when its successor is at work
    suite.until(lambda: len(list(suite.run.glob(f"jobs/attempts/{lost.job}.*.0.jsonl"))) == 2, "a second attempt", 120)
    for process in first.values():
        os.kill(process, signal.SIGCONT)
    assert suite.told()["stages"]["dream"]["failed"] == 0
    bed.start_node(lost.node)
    suite.finish(undisturbed(*suite.options), orphan=lost.job)


def test_what_a_killed_attempt_left_of_a_result_stops_no_other(suite: Suite, undisturbed: Callable[..., Path]) -> None:
    suite.options += LONG_TRAINING
    suite.submit()
    suite.until((suite.run / MODEL / "state.pt").exists, "a state of the training")
    job = suite.running("train")[0].job
    for name in ("result", "submitted"):
        (suite.run / "jobs" / "slurm" / job.split("_")[0] / f"{job}_0_{name}.pkl.save_tmp").write_text("half of it")
    suite.slurm("scancel", "--signal=USR2", job)
    suite.until(lambda: len(suite.notes("begun", MODEL)) == 2, "a second attempt")
    suite.finish(undisturbed(*suite.options))


def test_a_killed_rank_ends_its_job_which_is_handed_in_again_and_goes_on(suite: Suite, undisturbed: Callable[..., Path]) -> None:
    suite.options += ("--set", "training.processes=2", "--set", "training.epochs=200")
    suite.submit()
    suite.until((suite.run / MODEL / "state.pt").exists, "a state of the training")
    job = suite.running("train")[0].job
    suite.kill(suite.processes(job)[1])
    suite.until(lambda: {task.state for task in suite.queue() if task.step == "train"} == {"PENDING"}, "a job that waits again")
    assert suite.told()["stages"]["train"] == {"done": 0, "running": 0, "waiting": 1, "failed": 0}
    suite.until(lambda: len(suite.notes("begun", MODEL)) == 2, "a second attempt")
    assert suite.notes("begun", MODEL)[1]["kept"], "it goes on from a state"
    suite.finish(undisturbed(*suite.options))


def test_a_controller_that_dies_and_returns_in_mid_array_loses_nothing(suite: Suite, undisturbed: Callable[..., Path], bed: Testbed) -> None:
    suite.options += LONG_DREAMS
    suite.submit()
    suite.until(lambda: suite.begun(DREAMS), "a dream under way")
    bed.wait_saved(suite.queue()[0].job)
    bed.kill_controller()
    told = suite.told()
    assert told["notice"], "status says that Slurm is silent"
    assert not told["failures"]
    refused = suite.call()
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    bed.start_controller()
    bed.wait_up()
    suite.finish(undisturbed(*suite.options))


def test_what_slurm_cannot_launch_and_holds_is_told_and_the_same_command_releases_it(
    folder: Path, tmp_path: Path, undisturbed: Callable[..., Path]
) -> None:
    broken, prolog = tmp_path / "broken", folder / "prolog"
    broken.touch()
    prolog.write_text(f"#!/bin/sh\n! [ -e {broken} ]\n")  # a node that fails it is taken out of service, and its job is held
    prolog.chmod(0o755)
    bed = Testbed(folder / "bed", nodes=2, accounting=False, conf=(f"Prolog={prolog}",))
    bed.start()
    try:
        suite = Suite(bed, folder, *UNTIL)
        suite.submit()
        suite.until(lambda: len(suite.held()) == 2, "both slices of the sounds held")
        told = suite.told()
        assert "tasks that Slurm could not launch and holds: 2;" in told["notice"]
        assert not told["failures"]
        broken.unlink()
        bed.start()
        assert "nothing was submitted; tasks that Slurm could not launch and held are released: 2" in suite.submit()
        suite.finish(undisturbed(*suite.options))
    finally:
        bed.stop()


@pytest.mark.parametrize("signalled", [False, True], ids=["without the user signal", "with the user signal"])
def test_a_preempted_training_goes_on_from_its_last_checkpoint(
    suite: Suite, signalling_bed: Testbed, undisturbed: Callable[..., Path], folder: Path, *, signalled: bool
) -> None:
    suite = Suite(signalling_bed, folder, *UNTIL) if signalled else suite
    suite.write_site(partition="low")
    suite.options += LONG_TRAINING
    suite.submit()
    suite.until((suite.run / MODEL / "state.pt").exists, "a state of the training")
    [process] = suite.processes(suite.running("train")[0].job).values()
    suite.hold(process)  # Slurm may take longer to preempt than this training takes
    blocker = subprocess.Popen(
        ["srun", "-p", "high", "-N", str(suite.bed.nodes), "--exclusive", "sleep", "4"], env={**os.environ, **suite.bed.environment()}
    )
    suite.until(lambda: not suite.running("train"), "preemption")
    assert suite.told()["stages"]["train"]["failed"] == 0
    blocker.wait(60)
    suite.until(lambda: len(suite.notes("begun", MODEL)) > 1, "a second attempt")
    assert suite.notes("begun", MODEL)[-1]["kept"], "it goes on from a state"
    assert ("told by SIGUSR2" in suite.logs()) == signalled
    suite.finish(undisturbed(*suite.options))


def test_a_time_limit_hands_the_task_in_again(suite: Suite, undisturbed: Callable[..., Path]) -> None:
    suite.write_site(stages={"train": {"minutes": 1}})
    suite.options += LONG_TRAINING
    suite.submit()
    suite.until((suite.run / MODEL / "state.pt").exists, "a state of the training")
    [process] = suite.processes(suite.running("train")[0].job).values()
    suite.hold(process)  # a training that is slower than its limit, without the work
    suite.until(lambda: len(suite.notes("begun", MODEL)) == 2, "a second attempt", 120)
    assert suite.notes("begun", MODEL)[1]["kept"], "it goes on from a state"
    assert not suite.told()["failures"]
    suite.finish(undisturbed(*suite.options))


def test_a_full_disk_fails_with_a_reason_and_the_same_command_goes_on(suite: Suite, undisturbed: Callable[..., Path]) -> None:
    suite.run.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", suite.run], check=True)
    try:
        suite.options += LONG_TRAINING
        suite.submit()
        suite.until(lambda: suite.begun(MODEL), "a training under way")
        filler = suite.run / "filler"
        with filler.open("wb", buffering=0) as out:  # nothing is left to be written as it closes
            try:
                while True:
                    out.write(bytes(1 << 16))
            except OSError:
                pass
        suite.idle()
        assert sum(stage["failed"] for stage in suite.told()["stages"].values()) > 0
        filler.unlink()
        suite.finish(undisturbed(*suite.options))
    finally:
        subprocess.run(["umount", "-l", suite.run], check=True)


def test_a_node_without_the_package_is_told_by_its_log_and_the_same_command_goes_on(suite: Suite, undisturbed: Callable[..., Path]) -> None:
    broken = suite.site.with_name("broken")
    broken.touch()
    python = suite.site.with_name("python")
    python.write_text(f'#!/bin/sh\n[ -e {broken} ] && exec {sys.executable} -I -S "$@"\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    suite.write_site(python=str(python), retries=1)
    suite.submit()
    suite.idle()
    [failure] = [told for told in suite.told()["failures"] if told["unit"].startswith("sounds/slice-000")]
    assert "No module named" in failure["reason"]
    broken.unlink()
    suite.finish(undisturbed(*suite.options))

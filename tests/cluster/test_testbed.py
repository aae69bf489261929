"""The test bed is a Slurm: its nodes are apart, its limits hold, what is killed comes back, and it leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slurm.testbed.machine import BedError
from slurm.testbed.testbed import Testbed
from tests.runs import ROOT

HOSTS = Path("/etc/hosts")


def ask(bed: Testbed, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={**os.environ, **bed.environment()}, capture_output=True, text=True, timeout=60, check=False)


def said(bed: Testbed, *command: str) -> str:
    done = ask(bed, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


def living(bed: Testbed) -> list[str]:
    """The commands of all processes that were started for this bed; a zombie has none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"SLURM_CONF={bed.slurm_conf}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bed", ignore_cleanup_errors=True) as short:
        yield Path(short) / "b"


def test_a_job_of_two_nodes_runs_under_two_host_names(bed: Testbed) -> None:
    assert len(bed.names) == bed.nodes
    assert len(set(said(bed, "srun", "-N2", "hostname").split()) & set(bed.names)) == 2


def test_node_names_resolve(bed: Testbed) -> None:
    for name in bed.names:
        assert said(bed, "getent", "hosts", name).split()[0] == "127.0.0.1"


def test_gpus_are_given_out_by_number_and_never_twice(bed: Testbed) -> None:
    assert said(bed, "srun", "-N1", "--gpus-per-node=2", "printenv", "CUDA_VISIBLE_DEVICES") == "0,1"
    ids = said(bed, "srun", "-N1", "--ntasks=2", "--gpus-per-task=1", "printenv", "CUDA_VISIBLE_DEVICES").split()
    assert len(ids) == 2
    assert ask(bed, "srun", "-N1", "--gpus-per-node=3", "true").returncode


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--partition=nowhere"], "invalid partition"),
        (["--account=nobody"], "Invalid account"),
        (["--qos=nothing"], "Invalid qos"),
        (["--constraint=warm"], "Invalid feature"),
    ],
)
def test_what_the_bed_does_not_have_is_refused_at_submission(bed: Testbed, wrong: list[str], words: str) -> None:
    done = ask(bed, "sbatch", *wrong, "--wrap=true")
    assert done.returncode
    assert words in done.stderr


def test_accounts_qos_and_their_limits_are_the_schedulers(bed: Testbed) -> None:
    assert said(bed, "srun", "-A", "lab", "--qos=urgent", "-C", "testbed", "-p", "short", "hostname") in bed.names
    submitted = [ask(bed, "sbatch", "--hold", "--qos=few", "--output=/dev/null", "--wrap=true") for _ in range(7)]
    said(bed, "scancel", "--qos=few")
    assert [bool(done.returncode) for done in submitted] == [False] * 6 + [True]
    assert "QOSMaxSubmitJobPerUserLimit" in submitted[-1].stderr


def test_accounting_remembers_a_job(bed: Testbed) -> None:
    done = ask(bed, "sbatch", "--parsable", "--wait", "--output=/dev/null", "--wrap=exit 3")
    job = done.stdout.strip()
    assert eventually(lambda: "FAILED|3:0" in said(bed, "sacct", "-nPX", "-j", job, "-o", "State,ExitCode"))


def test_a_killed_node_comes_back_and_serves(bed: Testbed) -> None:
    name = bed.names[-1]
    bed.kill_node(name)
    bed.start_node(name)
    bed.wait_up()
    assert said(bed, "srun", "-w", name, "hostname") == name


def test_a_killed_controller_comes_back_and_knows_its_jobs(bed: Testbed) -> None:
    job = said(bed, "sbatch", "--parsable", "--hold", "--output=/dev/null", "--wrap=true")
    bed.wait_saved(job)  # a crash before that forgets the job
    bed.kill_controller()
    assert ask(bed, "scontrol", "ping").returncode
    bed.start_controller()
    assert said(bed, "squeue", "-h", "-j", job, "-o", "%t") == "PD"
    said(bed, "scancel", job)
    bed.wait_up()


def test_a_start_gives_back_the_nodes_that_were_taken_out_of_service(bed: Testbed) -> None:
    said(bed, "scontrol", "update", f"NodeName={bed.names[0]}", "State=DRAIN", "Reason=tried")
    with pytest.raises(BedError, match=rf"{bed.names[0]} is drained \(tried\)"):
        bed.wait_up(1)
    bed.start()
    assert said(bed, "sinfo", "-h", "-n", bed.names[0], "-p", "main", "-o", "%T") == "idle"


def test_starting_again_leaves_what_runs_and_refuses_other_settings(bed: Testbed) -> None:
    before = sorted(living(bed))
    bed.start()
    assert sorted(living(bed)) == before
    for other in [Testbed(bed.folder, nodes=3), Testbed(bed.folder, max_array=11)]:
        with pytest.raises(BedError, match="other settings"):
            other.start()
    assert sorted(living(bed)) == before


def test_a_bed_without_accounting_lives_beside_and_leaves_nothing(bed: Testbed, folder: Path) -> None:
    beside = Testbed(folder, nodes=2, gpus=0, accounting=False, conf=["MaxJobCount=77"])
    beside.start()
    try:
        assert not set(beside.names) & set(bed.names)
        assert said(beside, "srun", "hostname") == beside.names[0]
        assert said(bed, "srun", "hostname") == bed.names[0]
        assert "= 77" in said(beside, "sh", "-c", "scontrol show config | grep MaxJobCount")
        assert ask(beside, "sacct").returncode
        said(beside, "sbatch", "-w", beside.names[0], "--output=/dev/null", "--wrap=exec sleep 977")
        assert eventually(lambda: any("sleep 977" in command for command in living(beside)))
        beside.kill_node(beside.names[0])
    finally:
        beside.stop(purge=True)
    assert living(beside) == []
    assert str(folder) not in HOSTS.read_text()
    assert not folder.exists()


def test_a_bed_that_cannot_start_says_why_and_leaves_nothing(folder: Path) -> None:
    bed = Testbed(folder, accounting=False, conf=["SchedulerType=sched/nothing"])
    with pytest.raises(BedError, match="sched/nothing"):
        bed.start()
    assert living(bed) == []
    assert str(folder) not in HOSTS.read_text()


def test_a_folder_that_cannot_be_is_refused_in_a_line(folder: Path) -> None:
    with pytest.raises(BedError, match="too long"):
        Testbed(folder / ("x" * 70)).start()
    with pytest.raises(BedError, match="takes no such path"):
        Testbed(folder / "a b").start()


def test_a_folder_of_other_things_is_neither_taken_nor_purged(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").touch()
    with pytest.raises(BedError, match="holds something else"):
        Testbed(folder).start()
    Testbed(folder).stop(purge=True)
    assert (folder / "thesis.tex").exists()


def test_the_command_line_starts_and_stops(folder: Path) -> None:
    program = [sys.executable, "slurm/testbed/testbed.py"]
    start = [*program, "start", str(folder), "--nodes=1", "--gpus=0", "--no-accounting", "--preempt-signal", "--max-array=11"]
    started = subprocess.run(start, cwd=ROOT, capture_output=True, text=True, check=False)
    assert started.stdout.splitlines()[-1] == f"export SLURM_CONF={folder}/etc/slurm.conf", started.stderr
    config = said(Testbed(folder), "scontrol", "show", "config")
    assert "preempt_send_user_signal" in config
    assert subprocess.run([*program, "stop", str(folder), "--purge"], cwd=ROOT, check=False).returncode == 0
    assert living(Testbed(folder)) == []


def test_a_machine_without_slurm_is_told_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert "apt-get install" in (Testbed.missing() or "")

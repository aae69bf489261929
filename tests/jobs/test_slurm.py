"""What is understood of squeue, sacct, scontrol and sacctmgr, and how seldom they are asked. Their words are those of Slurm 22.05."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aesdream import files
from aesdream.errors import UserError
from jobs import slurm
from jobs.site import Asked
from jobs.slurm import Job, Limits
from tests.jobs.slurms import CONFIG, SILENT, Slurm, installed


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    return installed(tmp_path / "bin", monkeypatch)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "jobs").mkdir(parents=True)
    return tmp_path / "run"


def row(job: str, state: str, reason: str, folder: Path) -> str:
    return f"{job}|{state}|{reason}|{folder}\n"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time on."""
    now = [time.time()]

    def forward(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "time", lambda: now[0])
    return forward


def test_the_queue_holds_the_jobs_that_run_inside_the_run_and_no_others(cluster: Slurm, run: Path) -> None:
    code = run / "jobs" / "code" / "0123"
    beside = run.parent / "run2" / "jobs" / "code" / "0123"
    rows = row("12_0", "RUNNING", "None", code) + row("12_1", "PENDING", "JobArrayTaskLimit", code) + row("13", "PENDING", "Dependency", code)
    cluster.says("squeue", rows + row("14", "RUNNING", "None", beside) + row("15", "RUNNING", "None", run.parent))
    assert slurm.queue(run) == {
        "12_0": Job("12_0", "RUNNING", "None"),
        "12_1": Job("12_1", "PENDING", "JobArrayTaskLimit"),
        "13": Job("13", "PENDING", "Dependency"),
    }
    assert [job for job, told in slurm.queue(run).items() if told.waits] == ["12_1", "13"]


def test_a_folder_with_a_bar_in_its_name_is_still_known(cluster: Slurm, tmp_path: Path) -> None:
    run = tmp_path / "a|b"
    run.mkdir()
    cluster.says("squeue", row("7", "RUNNING", "None", run / "jobs" / "code" / "0123"))
    assert list(slurm.queue(run)) == ["7"]


def test_a_machine_without_slurm_is_told_as_a_silence(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match="squeue: not installed here; submit from a machine of the cluster, or use --on here"):
        slurm.queue(run)
    assert "squeue: not installed here" in slurm.asked(run, ["12"]).silence


def test_accounting_tells_how_jobs_ended(cluster: Slurm, run: Path) -> None:
    cluster.says("sacct", "12_0|COMPLETED|0:0\n12_1|TIMEOUT|0:0\n12_2|CANCELLED by 0|0:15\n13|OUT_OF_MEMORY|0:125\n")
    ended = slurm.asked(run, ["12_1", "12_2", "13"]).ended
    assert ended == {"12_1": "TIMEOUT, exit code 0:0", "12_2": "CANCELLED by 0, exit code 0:15", "13": "OUT_OF_MEMORY, exit code 0:125"}
    assert len(cluster.calls("sacct")) == 1
    assert "12,13" in cluster.calls("sacct")[0]


def test_without_accounting_the_controllers_memory_tells(cluster: Slurm, run: Path) -> None:
    line = "JobId={} ArrayJobId=12 ArrayTaskId={} JobName=a b UserId=root(0) Priority=1 Account=(null) JobState={} Reason=NonZeroExit ExitCode={}\n"
    told = line.format(12, 1, "FAILED", "3:0") + line.format(14, 0, "NODE_FAIL", "1:0")
    single = "JobId=15 JobName=c JobState=PREEMPTED Reason=None ExitCode=0:15\n"
    cluster.does("scontrol", f"case $4 in 12) printf %s '{told}';; 15) printf %s '{single}';; *) echo 'Invalid job id specified' >&2; exit 1;; esac")
    assert slurm.asked(run, ["12_0", "12_1", "15", "16"]).ended == {
        "12_0": "NODE_FAIL, exit code 1:0",
        "12_1": "FAILED, exit code 3:0",
        "15": "PREEMPTED, exit code 0:15",
        "16": "",
    }


def test_the_controller_is_asked_at_most_every_30_s(cluster: Slurm, run: Path, clock: Callable[[float], None]) -> None:
    cluster.says("squeue", row("12", "RUNNING", "None", run / "jobs" / "code" / "0123"))
    first = slurm.asked(run, ["12"])
    for _ in range(5):
        clock(5.9)
        assert slurm.asked(run, ["12"]) == first
    assert len(cluster.calls("squeue")) == 1
    cluster.says("squeue", "")
    clock(1)
    assert slurm.asked(run, ["12"]).jobs == {}
    assert len(cluster.calls("squeue")) == 2


def test_thousands_of_held_tasks_are_released_and_what_stays_held_is_not_counted(cluster: Slurm, run: Path) -> None:
    held = [f"1234567_{number}" for number in range(20_000)]
    slurm.asked(run, [])
    cluster.says("squeue", row(held[7], "PENDING", "launch failed requeued held", run / "jobs" / "code" / "0123"))
    assert slurm.release(run, held) == 19_999
    named = [job for call in cluster.calls("scontrol") if call.startswith("release ") for job in call.removeprefix("release ").split(",")]
    assert named == held
    assert slurm.asked(run, []).jobs.keys() == {held[7]}, "status asks anew"


def test_a_release_that_slurm_refuses_releases_nothing(cluster: Slurm, run: Path) -> None:
    cluster.says("scontrol", "Access/permission denied", code=1)
    cluster.says("squeue", row("12_0", "PENDING", "JobHoldMaxRequeue", run / "jobs" / "code" / "0123"))
    assert slurm.release(run, ["12_0"]) == 0


def test_how_a_job_ended_is_asked_once(cluster: Slurm, run: Path, clock: Callable[[float], None]) -> None:
    cluster.says("sacct", "12|FAILED|3:0\n")
    for _ in range(3):
        assert slurm.asked(run, ["12"]).ended == {"12": "FAILED, exit code 3:0"}
        clock(31)
    assert len(cluster.calls("sacct")) == 1


def test_a_silent_controller_leaves_what_was_known_and_says_so(cluster: Slurm, run: Path, clock: Callable[[float], None]) -> None:
    cluster.says("squeue", row("12", "RUNNING", "None", run / "jobs" / "code" / "0123"))
    known = slurm.asked(run, ["12"])
    assert not known.silence
    clock(60)
    cluster.says("squeue", SILENT, code=1)
    told = slurm.asked(run, ["12"])
    assert (told.time, told.jobs) == (known.time, known.jobs)
    assert "Unable to contact slurm controller (connect failure)" in told.silence


def test_a_controller_that_never_answered_leaves_nothing_known(cluster: Slurm, run: Path) -> None:
    cluster.says("squeue", SILENT, code=1)
    told = slurm.asked(run, ["12"])
    assert told.jobs == {}
    assert told.time == 0
    assert told.silence


def test_a_torn_memory_of_the_queue_is_asked_again(cluster: Slurm, run: Path) -> None:
    (run / "jobs" / "queue.json").write_text('{"time": 99999')
    cluster.says("squeue", row("12", "PENDING", "Priority", run / "jobs" / "code" / "0123"))
    assert slurm.asked(run, ["12"]).jobs == {"12": Job("12", "PENDING", "Priority")}
    assert files.read_json(run / "jobs" / "queue.json")["jobs"]["12"]["reason"] == "Priority"


def test_limits_come_from_the_configuration_where_there_is_no_accounting(cluster: Slurm) -> None:
    cluster.says("squeue", "1\n2_0\n2_1\n")
    assert slurm.limits([]) == Limits(1001, 9997)
    cluster.says("scontrol", CONFIG.replace("1001", "11").replace("10000", "2"))
    assert slurm.limits([]) == Limits(11, 0)


QOS = "normal||\nfew|6|\nsmall||4\n"


@pytest.mark.parametrize(
    ("association", "asked", "jobs"),
    [
        ("lab||normal||\n", [{}], 9998),
        ("lab||normal||\n", [{"qos": "few"}], 4),
        ("lab||few||\n", [{}], 4),
        ("lab||normal||\n", [{"qos": "normal"}, {"qos": "small"}], 2),
        ("lab||normal|20|\nlab||normal||50\n", [{}], 18),
        ("lab||normal|3|\n", [{"qos": "few"}], 1),
        ("lab||normal|1|\n", [{}], 0),
        ("lab||normal|20|\nother||normal|1|\nlab|debug|normal|1|\n", [{"partition": "main"}], 18),
        ("lab||normal|20|\nother||normal|5|\n", [{"account": "other"}], 3),
    ],
)
def test_the_tightest_of_association_and_qos_counts_less_what_is_queued(
    cluster: Slurm, association: str, asked: list[dict[str, str]], jobs: int
) -> None:
    cluster.says("squeue", "1\n2_0\n")
    cluster.does("sacctmgr", f"case $4 in user) echo lab;; assoc) printf '{association}';; qos) printf '{QOS}';; esac".replace("\n", "\\n"))
    assert slurm.limits([Asked.model_validate(each) for each in asked]) == Limits(1001, jobs)
    assert f"user={getpass.getuser()}" in "".join(cluster.calls("sacctmgr"))


def test_a_refusal_is_told_in_slurms_words_and_a_script_that_is_taken_has_none(cluster: Slurm) -> None:
    cluster.says("sbatch", "sbatch: error: invalid partition specified: x\nallocation failure: Invalid partition name specified\n", code=1)
    assert slurm.refusal("a.sh") == "invalid partition specified: x; allocation failure: Invalid partition name specified"
    cluster.does("sbatch", "echo 'sbatch: Job 7 to start at 2026-11-22T00:06:00 using 1 processors' >&2")
    assert slurm.refusal("a.sh") == ""
    assert cluster.calls("sbatch") == ["--test-only a.sh"] * 2


def test_what_slurm_set_for_a_job_is_not_handed_on(cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SBATCH_PARTITION", "low")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm/slurm.conf")
    cluster.does("sinfo", 'echo "$SLURM_JOB_ID$SBATCH_PARTITION$SLURM_CONF"')
    assert slurm.call("sinfo") == "/etc/slurm/slurm.conf\n"


def test_nothing_to_cancel_asks_nobody(cluster: Slurm) -> None:
    slurm.cancel([])
    slurm.cancel(["12", "13_4"])
    assert cluster.calls("scancel") == ["12 13_4"]

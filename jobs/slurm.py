"""Asking Slurm, and telling it to cancel: what is queued, how jobs ended, how many it takes. Truth about results is on disk, never here."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aesdream import files
from aesdream.errors import DamagedFile, UserError
from jobs.ledger import FOLDER
from jobs.site import Asked

ASKED_EVERY = 30.0
"""``status`` asks the controller no more often than this, in seconds."""
PATIENCE = 60
"""Seconds that the controller is given to answer."""
AT_ONCE = 500
"""Jobs that one command names: all in one argument, which has a longest length."""
WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
UNLAUNCHED = {"launch failed requeued held", "JobHoldMaxRequeue"}
"""Why a job waits that no node could begin: a broken node, or a controller that died and forgot that it runs. Slurm lets it wait for ever."""


class SlurmSilent(UserError):
    """Slurm did not answer."""


@dataclass(frozen=True)
class Job:
    """A task that Slurm still has. ``id`` is ``123`` or, in an array, ``123_4``."""

    id: str
    state: str
    reason: str

    @property
    def waits(self) -> bool:
        """Whether it has not begun, or is to begin again."""
        return self.state in WAITING

    @property
    def is_unlaunched(self) -> bool:
        """Whether Slurm could not begin it, and holds it until someone releases it."""
        return self.waits and self.reason in UNLAUNCHED


@dataclass(frozen=True)
class Queue:
    """What Slurm said of a run's jobs at a ``time``; ``ended`` says how those ended that it no longer has. ``asked`` is when it last was."""

    time: float
    asked: float
    jobs: dict[str, Job]
    ended: dict[str, str]
    silence: str = ""
    """Why nothing newer is known; empty where Slurm answered."""


NEVER = Queue(0, 0, {}, {})


@dataclass(frozen=True)
class Limits:
    """How many tasks an array, and how many jobs more this user, may have. None: no limit is known."""

    array: int
    jobs: int | None


def call(*command: str) -> str:
    """What a command of Slurm's prints. Raises SlurmSilent with its own words."""
    done = _called(*command)
    if done.returncode:
        raise SlurmSilent(f"{command[0]}: {words(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout


def refusal(script: str) -> str:
    """Why Slurm would refuse a batch script; empty where it would take it."""
    tested = _called("sbatch", "--test-only", script)
    return words(tested.stderr) or f"exit code {tested.returncode}" if tested.returncode else ""


def _called(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment())
    except FileNotFoundError:
        raise SlurmSilent(f"{command[0]}: not installed here; submit from a machine of the cluster, or use --on here") from None
    except subprocess.TimeoutExpired:
        raise SlurmSilent(f"{command[0]}: Slurm did not answer within {PATIENCE} s") from None


def words(text: str) -> str:
    """Slurm's message in one line, without the names of its commands."""
    spoken = r"^((sbatch|squeue|scontrol|scancel|sacct|sacctmgr|slurm_\w+): )?((error|fatal): )?"
    lines = [re.sub(spoken, "", line).strip() for line in text.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line))


def environment() -> dict[str, str]:
    """This process's environment; inside a job without what Slurm set for it, so that it can hand in others as a login shell would."""
    inside = "SLURM_JOB_ID" in os.environ
    ours = re.compile("SLURM_(?!CONF$)|SLURMD_|SBATCH_|SRUN_")
    return {name: value for name, value in os.environ.items() if not (inside and ours.match(name))}


def forget_own_job() -> None:
    """Inside a job: forget what Slurm gave it, which would be passed on to the jobs that it hands in."""
    for name in os.environ.keys() - environment().keys():
        del os.environ[name]


def queue(run: Path) -> dict[str, Job]:
    """The jobs of a run that Slurm still has, by id; they are known by the folder in which they run. Raises SlurmSilent."""
    home = f"{run.resolve() / FOLDER}/"
    rows = (line.split("|", 3) for line in call("squeue", "-h", "-r", "-u", getpass.getuser(), "-o", "%i|%T|%r|%Z").splitlines())
    return {job: Job(job, state, reason) for job, state, reason, folder in rows if f"{folder}/".startswith(home)}


def asked(run: Path, of_interest: Collection[str]) -> Queue:
    """What Slurm says, or said within the last 30 s, of a run's jobs, and how those ``of_interest`` ended that it no longer has. Never raises."""
    path = run / FOLDER / "queue.json"
    kept = _kept(path)
    if 0 <= time.time() - kept.asked < ASKED_EVERY:
        return kept
    now = time.time()
    try:
        jobs = queue(run)
        ended = {job: how for job, how in kept.ended.items() if how and job not in jobs}
        ended |= how_ended([job for job in of_interest if job not in jobs and job not in ended])
        found = Queue(now, now, jobs, ended)
    except SlurmSilent as silent:
        found = replace(kept, asked=now, silence=str(silent))
    with suppress(UserError):  # a full disk, or a run of someone else's
        files.write_json(path, asdict(found))
    return found


def _kept(path: Path) -> Queue:
    try:
        said = files.read_json(path) if path.exists() else None
        return NEVER if said is None else Queue(**{**said, "jobs": {job: Job(**told) for job, told in said["jobs"].items()}})
    except (DamagedFile, TypeError, KeyError):
        return NEVER


def how_ended(jobs: Collection[str]) -> dict[str, str]:
    """The last state of jobs that left the queue, by Slurm's accounting where there is one, else as long as the controller remembers; else empty."""
    if not jobs:
        return {}
    arrays = sorted({job.split("_")[0] for job in jobs})
    try:
        table = call("sacct", "-n", "-P", "-X", "-j", ",".join(arrays), "-o", "JobID,State,ExitCode")
        found = dict(_told(*line.split("|")) for line in table.splitlines())
    except SlurmSilent:
        found = dict(_told(*row) for array in arrays for row in _remembered(array))
    # What was cancelled before it began is told for the array, not for its tasks.
    return {job: found.get(job, found.get(job.split("_")[0], "")) for job in jobs}


def _told(job: str, state: str, code: str) -> tuple[str, str]:
    return job.split("_[", maxsplit=1)[0], f"{state}, exit code {code}"


def _remembered(array: str) -> Iterator[tuple[str, str, str]]:
    """Id, state and exit code of a job's tasks as ``scontrol`` still knows them, some minutes after their end."""
    try:
        text = call("scontrol", "-o", "show", "job", array)
    except SlurmSilent:
        return
    for line in text.splitlines():
        told = dict(part.split("=", 1) for part in line.split() if "=" in part)
        task = told.get("ArrayTaskId", "")
        if "JobState" in told:
            yield f"{array}_{task}" if task.isdigit() else array, told["JobState"], told.get("ExitCode", "")


def log_path(run: Path, job: str) -> Path:
    """The log of a task's first process."""
    return run / FOLDER / "slurm" / job.split("_", maxsplit=1)[0] / f"{job}_0_log.out"


def cancel(jobs: Iterable[str]) -> None:
    """Cancel jobs."""
    if whole := list(jobs):
        call("scancel", *whole)


def release(run: Path, jobs: Sequence[str]) -> int:
    """Let jobs of a run begin again that could not be launched; how many of them Slurm holds no more. Never raises."""
    for at in range(0, len(jobs), AT_ONCE):
        with suppress(SlurmSilent):  # one of them is gone meanwhile
            call("scontrol", "release", ",".join(jobs[at : at + AT_ONCE]))
    if not jobs:
        return 0
    (run / FOLDER / "queue.json").unlink(missing_ok=True)
    try:
        left = queue(run)
    except SlurmSilent:
        return 0
    return sum(job not in left or not left[job].is_unlaunched for job in jobs)


def limits(asked: Iterable[Asked]) -> Limits:
    """The limits of this cluster on this user, for what the steps of a site ask; those that cannot be read do not count."""
    shown = dict(re.findall(r"^(\w+)\s*= (\S+)", call("scontrol", "show", "config"), re.MULTILINE))
    known = [int(shown["MaxJobCount"]) - len(call("squeue", "-h", "-r", "-o", "%i").splitlines())] if shown.get("MaxJobCount", "").isdigit() else []
    user = getpass.getuser()
    mine = len(call("squeue", "-h", "-r", "-u", user, "-o", "%i").splitlines())
    with suppress(SlurmSilent):  # no accounting, no such limits
        known += [limit - mine for limit in _submitted(user, shown.get("ClusterName", ""), list(asked))]
    return Limits(int(shown.get("MaxArraySize", "1001")), max(0, min(known)) if known else None)


def _submitted(user: str, cluster: str, asked: Sequence[Asked]) -> Iterator[int]:
    """The limits on submitted jobs of the associations, and of the QOS, that will be used."""
    default = call("sacctmgr", "-n", "-P", "show", "user", user, "format=DefaultAccount").strip()
    columns = "format=Account,Partition,DefaultQOS,MaxSubmitJobs,GrpSubmitJobs"
    rows = [line.split("|") for line in call("sacctmgr", "-n", "-P", "show", "assoc", f"user={user}", f"cluster={cluster}", columns).splitlines()]
    pairs = {(each.account or default, each.partition) for each in asked}
    mine = [row for row in rows if any(row[0] == account and row[1] in ("", partition) for account, partition in pairs)]
    used = {each.qos for each in asked if each.qos} or {row[2] for row in mine if row[2]} or {"normal"}
    table = call("sacctmgr", "-n", "-P", "show", "qos", "format=Name,MaxSubmitJobsPerUser,MaxSubmitJobsPerAccount,GrpSubmitJobs")
    cells = [cell for row in mine for cell in row[3:]]
    cells += [cell for name, *found in (line.split("|") for line in table.splitlines()) if name in used for cell in found]
    yield from (int(cell) for cell in cells if cell.isdigit())


def longest(partition: str | None) -> float | None:
    """The time limit of a partition (the default one, if not said) in minutes; None where it has none, or is not known."""
    for line in call("sinfo", "-h", "-o", "%P|%l").splitlines():
        name, limit = line.split("|")
        if name.removesuffix("*") == partition or (partition is None and name.endswith("*")):
            days, _, clock = limit.rpartition("-")
            parts = clock.split(":")
            if all(part.isdigit() for part in parts) and len(parts) > 1:
                hours, minutes, seconds = [0] * (3 - len(parts)) + [int(part) for part in parts]
                return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60
    return None

"""Asking Slurm, and telling it to cancel: what is queued, how jobs ended, how many it takes. Truth about results is on disk, never here."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from aesdream import files
from aesdream.errors import DamagedFile, UserError
from jobs.ledger import FOLDER

ASKED_EVERY = 30.0
"""``status`` asks the controller no more often than this, in seconds."""
PATIENCE = 60
"""Seconds that the controller is given to answer."""
WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"}


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


@dataclass(frozen=True)
class Queue:
    """What Slurm said of a run's jobs at a ``time``; ``ended`` says how those ended that it no longer has."""

    time: float
    jobs: dict[str, Job]
    ended: dict[str, str]
    silence: str = ""
    """Why nothing newer is known; empty where Slurm answered."""


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
    """This process's environment without what Slurm sets in a job, so that a job can hand in others as a login shell would."""
    return {name: value for name, value in os.environ.items() if name == "SLURM_CONF" or not re.match("SLURM_|SLURMD_|SBATCH_|SRUN_", name)}


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
    if kept is not None and time.time() - kept.time < ASKED_EVERY:
        return kept
    try:
        jobs = queue(run)
    except SlurmSilent as silent:
        return Queue(kept.time, kept.jobs, kept.ended, str(silent)) if kept is not None else Queue(0, {}, {}, str(silent))
    ended = {} if kept is None else {job: how for job, how in kept.ended.items() if job not in jobs}
    ended |= how_ended([job for job in of_interest if job not in jobs and job not in ended])
    found = Queue(time.time(), jobs, ended)
    files.write_json(path, {**asdict(found), "silence": ""})
    return found


def _kept(path: Path) -> Queue | None:
    try:
        said = files.read_json(path) if path.exists() else None
    except DamagedFile:
        return None
    return None if said is None else Queue(said["time"], {job: Job(**told) for job, told in said["jobs"].items()}, said["ended"])


def how_ended(jobs: Collection[str]) -> dict[str, str]:
    """The last state of jobs that left the queue, by Slurm's accounting where there is one, else as long as the controller remembers; else empty."""
    if not jobs:
        return {}
    arrays = ",".join(sorted({job.split("_")[0] for job in jobs}))
    try:
        table = call("sacct", "-n", "-P", "-X", "-j", arrays, "-o", "JobID,State,ExitCode")
        found = {row[0]: f"{row[1]}, exit code {row[2]}" for row in (line.split("|") for line in table.splitlines())}
    except SlurmSilent:
        found = _remembered({job.split("_")[0] for job in jobs})
    return {job: found.get(job, "") for job in jobs}


def _remembered(arrays: Iterable[str]) -> dict[str, str]:
    """States that ``scontrol`` still knows, some minutes after a job's end."""
    found = {}
    for array in arrays:
        try:
            text = call("scontrol", "-o", "show", "job", array)
        except SlurmSilent:
            continue
        for line in text.splitlines():
            told = dict(part.split("=", 1) for part in line.split() if "=" in part)
            task = told.get("ArrayTaskId")
            found[f"{array}_{task}" if task else array] = f"{told.get('JobState', '')}, exit code {told.get('ExitCode', '')}"
    return found


def log_path(run: Path, job: str) -> Path:
    """The log of a task's first process."""
    return run / FOLDER / "slurm" / job.split("_", maxsplit=1)[0] / f"{job}_0_log.out"


def cancel(jobs: Iterable[str]) -> None:
    """Cancel jobs."""
    if whole := list(jobs):
        call("scancel", *whole)


def limits(qos: Iterable[str]) -> Limits:
    """The limits of this cluster on this user, with the QOS that a site names; those that cannot be read do not count."""
    shown = dict(re.findall(r"^(\w+)\s*= (\S+)", call("scontrol", "show", "config"), re.MULTILINE))
    known = [int(shown["MaxJobCount"]) - len(call("squeue", "-h", "-r", "-o", "%i").splitlines())] if shown.get("MaxJobCount", "").isdigit() else []
    user = getpass.getuser()
    mine = len(call("squeue", "-h", "-r", "-u", user, "-o", "%i").splitlines())
    for limit in _submitted(user, set(qos)):
        known.append(limit - mine)
    return Limits(int(shown.get("MaxArraySize", "1001")), max(0, min(known)) if known else None)


def _submitted(user: str, qos: set[str]) -> list[int]:
    """The limits on submitted jobs of an association and of the QOS used (or by default used), where there is accounting."""
    try:
        associations = call("sacctmgr", "-n", "-P", "show", "assoc", f"user={user}", "format=MaxSubmitJobs,DefaultQOS")
        table = call("sacctmgr", "-n", "-P", "show", "qos", "format=Name,MaxSubmitJobsPerUser,MaxSubmitJobsPerAccount")
    except SlurmSilent:
        return []
    rows = [line.split("|") for line in associations.splitlines()]
    used = qos or {row[1] for row in rows if row[1]} or {"normal"}
    found = [row[0] for row in rows] + [cell for name, *cells in (line.split("|") for line in table.splitlines()) if name in used for cell in cells]
    return [int(cell) for cell in found if cell.isdigit()]

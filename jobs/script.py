"""The batch script of a step: what it asks of Slurm, how a node is set up, and when a lost task is handed in again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from aesdream.study import Study
from jobs.executors import THREAD_VARIABLES
from jobs.graph import ON_GPU
from jobs.site import Site
from jobs.staging import SCRATCH
from jobs.task import DONE, FAILED, TOLD, WRONG

NOTICE = 90
"""Seconds before its time limit at which a task is told of it; a quarter of a short limit."""
PATIENCE_WITH_PEERS = 120
"""Seconds after which srun ends what is left of a task when one of its processes has ended."""


def parameters(site: Site, study: Study, step: str, code: Path, *, ok: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> dict[str, Any]:
    """What submitit is told about a step. ``ok``: jobs that must have succeeded before, ``after``: jobs that must have ended; ``code`` runs."""
    asked = site.asked(step)
    a_node = study.training.processes // asked.nodes if step == "train" else 1
    cpus = asked.cpus or study.threads
    waits = [f"{kind}:{':'.join(jobs)}" for kind, jobs in (("afterok", ok), ("afterany", after)) if jobs]
    gpus = asked.gpus * a_node if step in ON_GPU else 0
    wanted = {
        "job_name": f"{study.study}-{step}",
        "time": asked.minutes,
        "partition": asked.partition,
        "account": asked.account,
        "qos": asked.qos,
        "constraint": asked.constraint,
        "mem": asked.memory,
        "nodes": asked.nodes if step == "train" else 1,
        "ntasks_per_node": a_node,
        "cpus_per_task": cpus,
        "gpus_per_node": gpus or None,
        "dependency": ",".join(waits) or None,
        "array_parallelism": site.array_throttle,
        "signal_delay_s": min(NOTICE, asked.minutes * 15),
        "stderr_to_stdout": True,
        "wckey": None,
        "setup": _setup(site, study, code),
        "teardown": _teardown(code, site.retries),
        # srun no longer takes over --cpus-per-task by itself; a dead process must end its peers.
        "srun_args": ["--kill-on-bad-exit=1", f"--wait={PATIENCE_WITH_PEERS}", f"--cpus-per-task={cpus}"],
        "additional_parameters": {"chdir": str(code), "requeue": True, "kill-on-invalid-dep": "yes", **asked.sbatch},
    }
    return {name: value for name, value in wanted.items() if value is not None or name == "wckey"}


def _setup(site: Site, study: Study, code: Path) -> list[str]:
    """The site's lines, then ours: threads, the code that was submitted, and what the site says of network and disks."""
    variables = {name: str(study.threads) for name in THREAD_VARIABLES}
    if site.interface is not None:
        variables |= {"GLOO_SOCKET_IFNAME": site.interface, "NCCL_SOCKET_IFNAME": site.interface}
    if not site.hdf5_locking:
        variables["HDF5_USE_FILE_LOCKING"] = "FALSE"
    lines = [*site.setup, *(f"export {name}={shlex.quote(value)}" for name, value in variables.items())]
    # Code that numba keeps is for one type of processor; on a shared disk two types would take each other's.
    lines.append(f"export NUMBA_CACHE_DIR={shlex.quote(str(code.parents[1] / 'numba'))}/$(hostname)")
    lines.append(f"export PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}")
    if site.scratch is not None:
        lines.append(f'export {SCRATCH}="{site.scratch}"')
    return lines


def _teardown(code: Path, retries: int) -> list[str]:
    """A task is handed in again from inside, while it still counts as running, so that nothing that waits for it begins or is given up.

    One that was told to make room always (what it does is counted a unit), one that was lost only so often.
    """
    lost = code.parents[1] / "attempts"
    return [
        "code=$?",
        f"lost={shlex.quote(str(lost))}/$SLURM_JOB_ID.lost",
        f'case "$code" in {DONE} | {WRONG} | {FAILED}) exit "$code" ;; {TOLD}) ;; *)',
        f'    mkdir -p "${{lost%/*}}"; {{ echo "$code" >> "$lost" && [ "$(wc -l < "$lost")" -le {retries} ]; }} || exit "$code"',
        '    echo "lost with exit code $code; handed in again" ;;',
        "esac",
        'scontrol requeue "$SLURM_JOB_ID" && sleep 60',
        'exit "$code"',
    ]

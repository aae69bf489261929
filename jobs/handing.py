"""What the command line does with a scheduler: hand a study in, leave to it what it has, take back what is queued."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from aesdream.errors import UserError
from aesdream.study import Study
from jobs import ledger, slurm
from jobs.progress import Progress

GONE_WITHIN = 120.0
"""Seconds that cancelled jobs are given to end."""


def planned(run: Path, study: Study, site: Path, until: str, only: Sequence[str]) -> str:
    """What would be handed in, in words."""
    from jobs.submitting import Submission

    counts = Submission(run, study, site, until=until, only=only).planned()
    return f"on {site}: " + (", ".join(f"{step} {count}" for step, count in counts.items() if count) or "no") + " tasks"


def submit(run: Path, study: Study, site: Path, until: str, only: Sequence[str]) -> str:
    """Hand in what is missing and not queued; what to tell the user."""
    from jobs.submitting import Submission

    slurm.forget_own_job()
    submission = Submission(run, study, site, until=until, only=only)
    counts = submission.go()
    released = f"; tasks that Slurm could not launch and held are released: {submission.released}" if submission.released else ""
    if any(counts.values()):
        told = ", ".join(f"{step} {count}" for step, count in counts.items() if count)
        follow = f"aesdream status {run} follows them, aesdream cancel {run} takes them back"
        return f"{run}: submitted {sum(counts.values())} tasks ({told}){released}; {follow}"
    page = run / "appendix" / "index.html"
    if released:
        return f"{run}: nothing was submitted{released}"
    if ledger.queued(run, slurm.queue(run)):
        return f"{run}: what is missing is queued already; nothing was submitted"
    return f"{run}: everything is there, nothing was submitted" + (f": {page}" if page.exists() else "")


def left_to_slurm(run: Path, progress: Progress, *, take_over: bool) -> tuple[frozenset[str], bool]:
    """The units that a run on this machine leaves to Slurm, which has them queued, and whether it is sure that nothing is at work elsewhere.

    Where they are taken over they are cancelled, and none is left.
    """
    if not ledger.jobs(run):
        return frozenset(), True
    if shutil.which("squeue") is None:
        progress.say("this run was handed to Slurm, which is not installed here: what may still be queued there is done here too")
        return frozenset(), False
    live = slurm.queue(run)
    if take_over:
        _cancelled(run, live)
        return frozenset(), True
    left = frozenset(ledger.queued(run, live))
    if left:
        progress.say(f"{len(left)} units are queued on Slurm and left to it; --take-over cancels them and does them here")
    return left, not live


def cancel(run: Path) -> str:
    """Cancel everything that Slurm has of a run; what to tell the user. Raises UserError for a folder that is no run."""
    if not (run / ledger.FOLDER / "plan.json").exists():
        raise UserError(f"{run}: not a run folder; give the folder that aesdream run made")
    live = slurm.queue(run)
    _cancelled(run, live)
    return f"{run}: {len(live)} tasks cancelled" if live else f"{run}: nothing is queued"


def _cancelled(run: Path, live: dict[str, slurm.Job]) -> None:
    """Cancel jobs, wait until they are gone, and note it. Raises UserError where they are not gone in time."""
    if not live:
        return
    slurm.cancel(live)
    patience = time.monotonic() + GONE_WITHIN
    while slurm.queue(run):
        if time.monotonic() > patience:
            raise UserError(f"{run}: Slurm still ends {len(live)} cancelled tasks; give the same command again in a minute")
        time.sleep(1)
    ledger.Ledger(run).note("cancelled", ledger.queued(run, live))
    (run / ledger.FOLDER / "queue.json").unlink(missing_ok=True)

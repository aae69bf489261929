"""Stand-ins for the commands of Slurm, for tests that ask them: small shell scripts on PATH that say what they are told and count their calls."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

CONFIG = "MaxArraySize            = 1001\nMaxJobCount             = 10000\nMinJobAge               = 300 sec\n"
SILENT = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"


@dataclass(frozen=True)
class Slurm:
    """A folder of stand-ins, first on PATH."""

    folder: Path

    def says(self, command: str, text: str, *, code: int = 0) -> None:
        """Let a command print ``text``: to standard error where ``code`` is not 0."""
        answer = self.folder / f"{command}.txt"
        answer.write_text(text, encoding="utf-8")
        self.does(command, f'cat "{answer}"{" >&2" if code else ""}; exit {code}')

    def does(self, command: str, script: str) -> None:
        """Let a command be a line of shell; its arguments are kept."""
        path = self.folder / command
        path.write_text(f'#!/bin/sh\necho "$@" >> "{self.folder}/{command}.calls"\n{script}\n', encoding="utf-8")
        path.chmod(0o755)

    def lacks(self, command: str) -> None:
        """Let a command fail as one of a cluster without accounting."""
        self.says(command, "Slurm accounting storage is disabled\n", code=1)

    def calls(self, command: str) -> list[str]:
        """The arguments of every call so far."""
        kept = self.folder / f"{command}.calls"
        return kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """A Slurm with nothing in its queue, without accounting, and without limits but the stock ones."""
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    slurm = Slurm(folder)
    slurm.says("squeue", "")
    slurm.says("scontrol", CONFIG)
    slurm.says("sinfo", "main*|infinite\nshort|2:00\n")
    slurm.does("scancel", "true")
    slurm.does("srun", "true")
    for command in ("sacct", "sacctmgr"):
        slurm.lacks(command)
    return slurm

"""What tests of several parts share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of several tests that wait for each other busily take many times as long
from jobs import cli, executors


class Answer(NamedTuple):
    """What a command line said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on standard error."""
        return self.err.splitlines()


class _InProcess:
    """A pool of workers whose work is done by whoever hands it in: no process starts and imports torch."""

    def __init__(self, *_: Any) -> None:
        pass

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*arguments))
        return done

    def shutdown(self, **_: Any) -> None:
        pass


Call = Callable[..., Answer]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """The command line ``aesdream`` inside this process: what a user sees, without the seconds that a process takes to start."""
    monkeypatch.setattr(executors, "ProcessPoolExecutor", _InProcess)

    def called(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["aesdream", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, *capfd.readouterr())

    return called

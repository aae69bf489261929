"""Where tasks run: here, sharing out this machine's cores and GPUs."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import Queue, connection, get_context, parent_process
from pathlib import Path
from typing import Any

from aesdream.errors import DamagedFile, UserError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Task:
    """Units computed together: ``function(*arguments)`` makes them all. ``log`` takes the trace of a failure."""

    units: tuple[str, ...]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    log: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a task. ``error`` is None where it was done; ``damaged`` and ``wrong`` are what stops or repeats the whole run."""

    task: Task
    error: str | None = None
    damaged: DamagedFile | None = None
    wrong: UserError | None = None
    result: Any = None


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


class Here:
    """Worker processes on this machine, kept from stage to stage. They end when their submitter does, however it ends."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ProcessPoolExecutor | None = None
        self._size: tuple[int, int] = (0, 0)

    def run(self, tasks: Iterable[Task], *, cores_a_task: int, on_gpu: bool, begun: Callable[[Task], None]) -> Iterator[Outcome]:
        """Run every task; yields their outcomes as they come. Tasks wait until a worker is free, so ``begun`` tells the truth."""
        gpus = _gpus() if on_gpu else 0
        workers = gpus or max(1, cores() // max(1, cores_a_task))
        todo = list(reversed(list(tasks)))
        waiting: dict[Future[Outcome], Task] = {}
        while todo or waiting:
            while todo and len(waiting) < workers:
                task = todo.pop()
                begun(task)
                waiting[self._pool_of(min(workers, len(todo) + 1), gpus).submit(_run, task)] = task
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield self._outcome(future, waiting.pop(future))

    def _outcome(self, future: Future[Outcome], task: Task) -> Outcome:
        try:
            return future.result()
        except BrokenProcessPool:
            self.close()
            return Outcome(task, "the worker process was killed (out of memory, or by someone)")

    def _pool_of(self, workers: int, gpus: int) -> ProcessPoolExecutor:
        if self._pool is None or self._size[0] < workers or self._size[1] != gpus:
            self.close()
            os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(self.threads)))
            context = get_context("spawn")
            places: Queue[int] = context.Queue()
            for place in range(workers):
                places.put(place)
            self._pool = ProcessPoolExecutor(workers, context, _begin, (self.threads, places, gpus))
            self._size = (workers, gpus)
        return self._pool

    def close(self) -> None:
        """Stop the workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _begin(threads: int, places: Queue[int], gpus: int) -> None:
    """Prepare a worker: its own GPU, its threads, and an end with its submitter's."""
    if gpus:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[places.get() % gpus]
    import torch

    torch.set_num_threads(threads)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _run(task: Task) -> Outcome:
    """Run a task in a worker; whatever goes wrong is an outcome, its trace in the task's log."""
    try:
        return Outcome(task, result=task.function(*task.arguments))
    except DamagedFile as damaged:
        return Outcome(task, str(damaged), damaged=damaged)
    except UserError as wrong:
        return Outcome(task, str(wrong), wrong=wrong)
    except Exception as error:  # a failed unit is reported; the others are still done
        task.log.parent.mkdir(parents=True, exist_ok=True)
        task.log.write_text(traceback.format_exc(), encoding="utf-8")
        return Outcome(task, f"{type(error).__name__}: {error}")


def in_batches(units: Sequence[Any], size: int) -> list[list[Any]]:
    """Units in runs of at most ``size``."""
    return [list(units[at : at + size]) for at in range(0, len(units), size)]

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
    """The cores that this process may use: those of the machine, or fewer where a Slurm job was given fewer."""
    ours = len(os.sched_getaffinity(0))
    given = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE", "")
    return min(ours, int(given)) if given.isdigit() else ours


class Here:
    """Worker processes on this machine, kept from stage to stage. They end when their submitter does, however it ends."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ProcessPoolExecutor | None = None
        self._size = (0, 0, 0)

    def run(self, tasks: Iterable[Task], *, processes: int, on_gpu: bool, begun: Callable[[Task], None]) -> Iterator[Outcome]:
        """Run every task, each of so many ``processes``; yields their outcomes as they come. Tasks wait until a worker is free.

        A worker that is killed takes the pool with it: what was under way is tried once more, one by one, and only what kills its worker again fails.
        """
        gpus = _gpus() if on_gpu else 0
        workers = max(1, gpus // processes) if gpus else max(1, cores() // (processes * self.threads))
        todo = list(reversed(list(tasks)))
        blamed: set[tuple[str, ...]] = set()
        waiting: dict[Future[Outcome], Task] = {}
        while todo or waiting:
            while todo and len(waiting) < workers:
                task = todo.pop()
                begun(task)
                waiting[self._pool_of(min(workers, len(todo) + 1), gpus, processes).submit(_run, task)] = task
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in finished):
                wait(waiting)
                self.close()
                for future, task in list(waiting.items()):
                    del waiting[future]
                    if future.exception() is None:
                        yield future.result()
                    elif task.units in blamed:
                        yield Outcome(task, "its worker process was killed twice (out of memory, or by someone)")
                    else:
                        blamed.add(task.units)
                        todo.append(task)
                workers = 1 if blamed else workers
                continue
            for future in finished:
                del waiting[future]
                yield future.result()

    def _pool_of(self, workers: int, gpus: int, processes: int) -> ProcessPoolExecutor:
        if self._pool is None or self._size[0] < workers or self._size[1:] != (gpus, processes if gpus else 1):
            self.close()
            os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(self.threads)))
            context = get_context("spawn")
            places: Queue[int] = context.Queue()
            for place in range(workers):
                places.put(place)
            self._pool = ProcessPoolExecutor(workers, context, _begin, (self.threads, places, gpus, processes))
            self._size = (workers, gpus, processes if gpus else 1)
        return self._pool

    def close(self) -> None:
        """Stop the workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _begin(threads: int, places: Queue[int], gpus: int, processes: int) -> None:
    """Prepare a worker: GPUs of its own (one for each process that a task starts), its threads, and an end with its submitter's."""
    if gpus:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
        first = places.get() * processes
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(visible[(first + number) % gpus] for number in range(min(processes, gpus)))
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

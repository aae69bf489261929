"""Several processes that train one model, by torchrun's conventions: gloo on CPUs, nccl on GPUs.

A process knows its place from ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``, ``MASTER_ADDR`` and ``MASTER_PORT``, whoever set them: ``launch`` on
one machine, torchrun, or a cluster's launcher. Without them it is alone.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import SimpleQueue, get_context
from typing import Any

import torch
from torch import distributed, multiprocessing, nn


class PeerLost(Exception):
    """Another process of the same training is gone."""


PATIENCE = timedelta(hours=2)
"""How long the others wait while the leader judges and counts."""


@dataclass(frozen=True)
class Place:
    """This process among those that train one model."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """The part of a batch of ``count`` that this process computes; the parts of all processes are the batch, in order."""
        return slice(count * self.rank // self.world, count * (self.rank + 1) // self.world)

    def wrapped(self, network: nn.Module) -> nn.Module:
        """``network`` with its gradients averaged over the processes after every backward pass."""
        network = network.to(self.device)
        return nn.parallel.DistributedDataParallel(network) if self.world > 1 else network

    def from_leader(self, make: Callable[[], Any]) -> Any:
        """What ``make`` returns in the leader, in every process."""
        given = [make() if self.leads else None]
        if self.world > 1:
            distributed.broadcast_object_list(given, device=self.device)
        return given[0]

    def total(self, value: float) -> float:
        """The sum of a number over the processes, the same bits in each."""
        if self.world == 1:
            return value
        numbers = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.all_reduce(numbers)
        return float(numbers)


def default_device(local_rank: int = 0) -> torch.device:
    """The GPU of this process where there is one, else the CPU. On a GPU convolutions keep single precision and give the same bits each time."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda", local_rank % torch.cuda.device_count())


@contextmanager
def joined() -> Iterator[Place]:
    """Join the group of processes that the environment describes, and leave it when the work is done."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    device = default_device(int(os.environ.get("LOCAL_RANK", "0")))
    if world == 1:
        yield Place(0, 1, device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # nccl wants a device for every process; gloo serves several that share one.
    own_device = device.type == "cuda" and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", str(world)))
    try:
        distributed.init_process_group("nccl" if own_device else "gloo", timeout=PATIENCE)
        yield Place(distributed.get_rank(), world, device)
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in ("gloo", "nccl")):
            raise PeerLost(f"another of the {world} processes is gone: {error}") from error
        raise
    distributed.barrier()  # all leave together: one that ended while the leader was still writing has aborted
    # Not where the work failed: what failed must be told before the others find their connections lost.
    distributed.destroy_process_group()


def launch(processes: int, threads: int, function: Callable[..., Any], *arguments: Any) -> None:
    """Run ``function(*arguments)`` in ``processes`` processes of this machine that can join each other; here, where this is one of so many.

    Raises what the first failing process raised, after the others were stopped.
    """
    if processes == int(os.environ.get("WORLD_SIZE", "1")):  # a cluster's launcher, or torchrun, has started them already
        function(*arguments)
        return
    settings = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    raised = get_context("spawn").SimpleQueue()
    try:
        multiprocessing.spawn(_start, (raised, settings, threads, function, arguments), nprocs=processes)
    except (multiprocessing.ProcessRaisedException, multiprocessing.ProcessExitedException) as error:
        if raised.empty():
            raise
        raise raised.get() from error


def _start(
    rank: int, raised: SimpleQueue[Exception], settings: dict[str, str], threads: int, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    os.environ.update(settings, RANK=str(rank), LOCAL_RANK=str(rank))
    torch.set_num_threads(threads)
    try:
        function(*arguments)
    except Exception as error:
        # torch hands on the text of one process's exception; the others only lose their connection to the one that failed first.
        raised.put(error)
        if distributed.is_initialized():
            distributed.destroy_process_group()
        raise
    # Everything is written and synced. Taking torch's threads down in an orderly way has now and then aborted a process that had done its work.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

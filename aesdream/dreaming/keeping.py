"""The state of a batch of dreams that takes long, kept on disk: a batch that was ended goes on from it to the bits of one that was not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import nn

from aesdream import config
from aesdream.errors import DamagedFile
from aesdream.training import checkpoints


class Keeper:
    """Writes a state to ``path`` every so many seconds, whole or not at all, and finds it again; without a path it does neither.

    ``decides`` is everything that the result depends on: a state that was written for anything else is not found.
    """

    def __init__(self, path: Path | None, every: float, decides: Mapping[str, Any]) -> None:
        self.path, self.every = path, every
        self.digest = "" if path is None else config.digest(decides)
        self.written = monotonic()

    def found(self) -> dict[str, Any] | None:
        """The state that was kept; None where there is none, or it is damaged or another batch's."""
        if self.path is None or not self.path.exists():
            return None
        try:
            kept = checkpoints.read(self.path)
        except DamagedFile:
            return None
        return kept["state"] if kept.get("digest") == self.digest else None

    def after_a_step(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Write the state if the last one is old enough. Raises UserError where the disk is full."""
        if self.path is not None and monotonic() - self.written >= self.every:
            checkpoints.save(self.path, {"schema": checkpoints.SCHEMA, "digest": self.digest, "state": dict(state())})
            self.written = monotonic()


def fingerprint(network: nn.Module, start: torch.Tensor) -> str:
    """The SHA-256 of a network's form and weights and of a start: names, types, shapes and bytes."""
    whole = hashlib.sha256(repr(network).encode())
    for name, value in [*network.named_parameters(), *network.named_buffers(), ("start", start)]:
        whole.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        whole.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()

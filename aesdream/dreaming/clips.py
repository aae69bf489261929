"""Clips longer than what a network hears: a class is dreamed by its mean logit over the clip's windows."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from aesdream.models.layers import Dreamable, Layer


class Averaged(nn.Module):
    """(batch, windows, ...) -> mean logits (batch, classes) of ``network``, whose layer ``class`` is the only one that can be dreamed here."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.mean = network, nn.Identity()

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """The mean over the windows of each clip."""
        logits = self.network(clips.flatten(0, 1))
        return self.mean(logits.unflatten(0, clips.shape[:2]).mean(1))

    def layers(self) -> dict[str, Layer]:
        """``class`` alone."""
        last = cast(Dreamable, self.network).layers()["class"]
        return {"class": Layer(self.mean, last.activation, last.filters)}

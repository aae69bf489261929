"""What every network here offers to those who dream it: its layers by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import nn


@dataclass(frozen=True)
class Layer:
    """A place to dream: ``module`` gives the outputs before the activation (batch, filters, ...), ``activation`` those after it."""

    module: nn.Module
    activation: Callable[[torch.Tensor], torch.Tensor]
    filters: int


@runtime_checkable
class Dreamable(Protocol):
    """A network that lists its layers in order of depth; the first listed one reads the input."""

    def layers(self) -> dict[str, Layer]:
        """Layer by name, input first; the last is ``class``."""
        ...


class StridedConv1d(nn.Conv1d):
    """A 1-d convolution with a long kernel and a long stride, computed as a matrix product over blocks of one stride.

    The same parameters and, to rounding, the same outputs as ``nn.Conv1d``, two to five times as fast for the first layer of a waveform
    network, because the input is read once and nothing is unfolded.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(batch, in, samples) -> (batch, out, frames)."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        pieces = -(-kernel // stride)
        frames = (input.shape[-1] - kernel) // stride + 1
        blocks = frames + pieces - 1
        missing = max(0, blocks * stride - input.shape[-1])
        whole = nn.functional.pad(input, (0, missing)) if missing else input[..., : blocks * stride]
        cut = whole.reshape(*input.shape[:2], blocks, stride)
        weight = nn.functional.pad(self.weight, (0, pieces * stride - kernel)).view(self.out_channels, self.in_channels, pieces, stride)
        products = torch.matmul(cut, weight.permute(1, 3, 0, 2).reshape(self.in_channels, stride, -1)).sum(1)
        shifted = products.view(len(input), blocks, self.out_channels, pieces)
        outputs = sum(shifted[:, piece : piece + frames, :, piece] for piece in range(pieces))
        assert isinstance(outputs, torch.Tensor)
        outputs = outputs.transpose(1, 2)
        return outputs if self.bias is None else outputs + self.bias[:, None]

"""What every network here offers: settings that build it, layers by name to those who dream it, and what networks are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import nn

Output = Literal["softmax", "sigmoid"]
"""One class a sound, or any number of them."""


class NetworkSettings(Protocol):
    """A network's part of a study: what it will be is known before it is built."""

    @property
    def output(self) -> Output:
        """What makes probabilities of its logits."""
        ...

    def layer_filters(self, classes: int) -> dict[str, int]:
        """Filters of every dreamable layer."""
        ...

    def frames(self, samples: int) -> list[int]:
        """Frames that are left of an input of ``samples`` on its way. Raises UserError where nothing is."""
        ...

    def seconds(self, samples: int, channels: int) -> float:
        """An estimate for plans: how long one core trains on one input, once."""
        ...

    def parameters(self, samples: int, classes: int, channels: int) -> int:
        """How many numbers it learns, for plans: found without building it."""
        ...

    def build(self, samples: int, classes: int, generator: torch.Generator, *, channels: int, sample_rate: int) -> nn.Module:
        """The network: (batch, channels, samples) in [-1, 1] -> logits (batch, classes)."""
        ...


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


def probabilities(logits: torch.Tensor, output: Output) -> torch.Tensor:
    """(batch, classes) logits as probabilities: they sum to one, or each stands for itself."""
    return torch.softmax(logits, dim=1) if output == "softmax" else torch.sigmoid(logits)


@dataclass
class Draws:
    """What the dropouts of one step draw from: for the ``whole`` batch, of which this process hears ``part``."""

    generator: torch.Generator
    whole: int
    part: slice


class Dropout(nn.Module):
    """Dropout of which every draw is told: ``draws`` is set before each step of training, by ``draw_dropouts``.

    Drawn for the whole batch, so that a sound loses the same units whichever process hears it.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.draws: Draws | None = None

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(batch, ...) with a share of its values zero and the others raised to keep their mean; unchanged in evaluation."""
        if not self.training or not self.share:
            return hidden
        if self.draws is None:
            raise RuntimeError("a dropout in training needs its draws; draw_dropouts gives them")
        drawn = torch.rand((self.draws.whole, *hidden.shape[1:]), generator=self.draws.generator, device=hidden.device)
        return hidden * (drawn[self.draws.part] >= self.share).to(hidden.dtype) / (1 - self.share)


def draw_dropouts(network: nn.Module, draws: Draws) -> None:
    """Let every dropout of ``network`` draw from ``draws`` in its next forward pass."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.draws = draws


class _BlockProduct(torch.autograd.Function):
    """(channels, blocks, stride) x (channels, stride, columns) -> (blocks, columns), summed over channels; each pass reads the blocks once.

    PyTorch's own backward multiplies the tall matrix transposed, three to five times slower for so few columns.
    """

    @staticmethod
    def forward(ctx: Any, cut: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(cut, weight)
        return torch.bmm(cut, weight).sum(0)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        cut, weight = ctx.saved_tensors
        spread = gradients[0].expand(len(cut), *gradients[0].shape)
        for_cut = torch.bmm(spread, weight.transpose(1, 2)) if ctx.needs_input_grad[0] else None
        for_weight = torch.bmm(spread.transpose(1, 2), cut).transpose(1, 2) if ctx.needs_input_grad[1] else None
        return for_cut, for_weight


class StridedConv1d(nn.Conv1d):
    """A 1-d convolution with a long kernel and a long stride, computed as a matrix product over blocks of one stride.

    The same parameters and, to rounding, the same outputs as ``nn.Conv1d``, several times as fast as the first layer of a waveform network, because
    the input is read once and nothing is unfolded. Batches laid out channel by channel in memory (``channel_major``) are not copied.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, bias=bias)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(batch, in, samples) -> (batch, out, frames)."""
        stride, pieces, frames = self.stride[0], self.pieces, self.frames(input.shape[-1])
        blocks = frames + pieces - 1
        by_channel = input.transpose(0, 1)
        missing = blocks * stride - input.shape[-1]
        whole = nn.functional.pad(by_channel, (0, missing)) if missing > 0 else by_channel[..., : blocks * stride]
        products = _BlockProduct.apply(whole.reshape(self.in_channels, -1, stride), self.columns())
        return self.gathered(products.view(len(input), blocks, -1), frames)

    def gathered(self, products: torch.Tensor, frames: int) -> torch.Tensor:
        """(batch, blocks, out * pieces) what each block gives to the outputs that it takes part in -> those outputs (batch, out, frames)."""
        shifted = products.unflatten(2, (self.out_channels, self.pieces))
        outputs = sum((shifted[:, piece : piece + frames, :, piece] for piece in range(1, self.pieces)), start=shifted[:, :frames, :, 0])
        outputs = outputs.transpose(1, 2)
        return outputs if self.bias is None else outputs + self.bias[:, None]

    @property
    def pieces(self) -> int:
        """Strides that a kernel spans."""
        return -(-self.kernel_size[0] // self.stride[0])

    def frames(self, samples: int) -> int:
        """Outputs for an input of ``samples``."""
        frames = (samples - self.kernel_size[0]) // self.stride[0] + 1
        if frames < 1:
            raise ValueError(f"{samples} samples are fewer than the kernel's {self.kernel_size[0]}")
        return frames

    def columns(self) -> torch.Tensor:
        """The kernels cut into strides: (in, stride, out * pieces)."""
        stride, pieces = self.stride[0], self.pieces
        weight = nn.functional.pad(self.weight, (0, pieces * stride - self.kernel_size[0]))
        return weight.view(self.out_channels, self.in_channels, pieces, stride).permute(1, 3, 0, 2).reshape(self.in_channels, stride, -1)

    def spread(self, outputs: torch.Tensor, blocks: int) -> torch.Tensor:
        """Which columns each of ``blocks`` blocks of the input takes part in, times ``outputs`` (batch, out, frames): (batch, blocks, out * pieces).

        Multiplied by ``columns`` transposed this is the gradient at the input for a gradient ``outputs`` at the outputs.
        """
        batch, _, frames = outputs.shape
        spread = outputs.new_zeros(batch, blocks, self.out_channels, self.pieces)
        for piece in range(self.pieces):
            spread[:, piece : piece + frames, :, piece] = outputs.transpose(1, 2)
        return spread.flatten(2)


def channel_major(channels: int, batch: int, samples: int, like: torch.Tensor) -> torch.Tensor:
    """An uninitialised batch (batch, channels, samples) whose channels lie one after another in memory, as ``StridedConv1d`` reads it."""
    return like.new_empty(channels, batch, samples).transpose(0, 1)

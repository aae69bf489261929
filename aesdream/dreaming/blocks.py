"""The path by blocks of a stride, for networks that read a waveform with a long strided convolution: the dreams of the generic path, several
times as fast (docs/performance.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from aesdream.dreaming.climb import NOT_FINITE, Climb, first_layer, per_sound
from aesdream.dreaming.objectives import Target
from aesdream.dreaming.rules import RULES, SIZES_FROM_SUMS, scaled
from aesdream.models.layers import StridedConv1d, channel_major


class BlockClimb(Climb):
    """The same climb where the first layer is a long strided convolution of a waveform: nothing as long as the sound is kept but the sound.

    The gradient at the sound is the first layer's kernels spread by as many numbers as that layer has outputs, so autograd is asked for those
    numbers only, the rule's size follows from them and the kernels' own products, and the sound is read and written three times a step: the
    first layer's products, the update (a matrix product added in place), the clip.
    """

    @staticmethod
    def serves(network: nn.Module, start: torch.Tensor) -> bool:
        """Whether this climb is for such a network and start."""
        return isinstance(first_layer(network), StridedConv1d) and start.dim() == 2

    def __init__(
        self, network: nn.Module, layer: str, targets: Sequence[Target], start: torch.Tensor, side: str, bounds: tuple[float, float] | None
    ) -> None:
        first = first_layer(network)
        assert isinstance(first, StridedConv1d)
        stride, (channels, samples) = first.stride[0], start.shape
        self.first, self.blocks, self.values = first, -(-samples // stride), channels * samples
        self.frames = first.frames(samples)
        super().__init__(network, layer, targets, start, side, bounds)
        self.columns = first.columns().transpose(1, 2).contiguous()
        exact = self.columns.double()
        self.sums, self.products = exact.sum((0, 2)), torch.einsum("cqs,cps->qp", exact, exact)

    def _copies(self, count: int) -> torch.Tensor:
        # Whole strides, so that the blocks of all sounds are one matrix; what stands beyond the sound is never part of a window.
        channels, samples = self.start.shape
        self.room = channel_major(channels, count, self.blocks * self.first.stride[0], self.start).zero_()
        return self.room[..., :samples].copy_(self.start)

    def look(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As in general, but with the first layer's outputs as the inputs of everything else."""
        with torch.no_grad():
            self.heard = self.first(self.room)[..., : self.frames].contiguous()
        self.heard.requires_grad_()
        with _speaking(self.first, self.heard):
            return super().look()

    def step(self, rule: str, size: float, stop_rms: float | None) -> None:
        """One step of every dream, by what reaches the first layer's outputs."""
        found, _ = self.look()
        (gradient,) = torch.autograd.grad(found.sum(), [self.heard], allow_unused=True)
        outputs = torch.zeros_like(self.heard) if gradient is None else gradient
        factors = scaled(step=size, size=self._size(rule, self.first.spread(outputs, self.blocks)))
        if not torch.isfinite(factors).all():
            raise FloatingPointError(NOT_FINITE.format("the gradient"))
        moved = outputs * per_sound(factors, outputs)
        spread = self.first.spread(moved, self.blocks).flatten(0, 1)
        room = self.room.transpose(0, 1).view(self.sounds.shape[1], -1, self.first.stride[0])
        room.baddbmm_(spread.expand(len(room), *spread.shape), self.columns)
        if self.bounds is not None:
            room.clamp_(*self.bounds)
        self.taken += 1
        self.coefficients = moved.flatten(1) if self.coefficients is None else self.coefficients + moved.flatten(1)

    def _size(self, rule: str, spread: torch.Tensor) -> torch.Tensor:
        """What the rule divides the gradient by (batch,), from (batch, blocks, columns) what each block takes part in."""
        if rule in SIZES_FROM_SUMS:
            exact = spread.double()
            return SIZES_FROM_SUMS[rule](exact.sum(1) @ self.sums, ((exact @ self.products) * exact).sum((1, 2)), self.values, spread.dtype)
        whole = torch.matmul(spread, self.columns[:, None]).transpose(0, 1)
        return RULES[rule](whole.flatten(2)[..., : self.values // len(self.columns)].flatten(1))


@contextmanager
def _speaking(module: nn.Module, outputs: torch.Tensor) -> Iterator[None]:
    """Let a module answer every call with ``outputs``."""
    module.forward = lambda _input: outputs
    try:
        yield
    finally:
        del module.forward

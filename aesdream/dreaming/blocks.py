"""The path by blocks of a stride, for networks that read a waveform with a long strided convolution: the dreams of the generic path, many times as
fast (docs/performance.md)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from aesdream.dreaming.climb import NEARLY, NOT_FINITE, Asked, Bounds, Climb, clipped, first_layer, per_sound, shortened
from aesdream.dreaming.rules import RULES, SIZES_FROM_SUMS, scaled
from aesdream.models.layers import StridedConv1d, channel_major

LARGE = 2**16
"""Values of a sound from which on the compiled pass is worth being loaded."""
ALONE = 2**18
"""Values of a sound from which on its gradient is made by itself, where a rule's size does not follow from sums: it is then gone before the next."""


class Blocks:
    """The sounds of a batch, cut into blocks of the first layer's stride, moved by torch: three passes over the sounds a step."""

    def __init__(self, first: StridedConv1d, start: torch.Tensor, count: int, bounds: Bounds) -> None:
        self.first, self.bounds = first, bounds
        channels, self.samples = start.shape
        self.count, self.stride, self.frames = -(-self.samples // first.stride[0]), first.stride[0], first.frames(self.samples)
        self.columns = first.columns().transpose(1, 2).contiguous()
        exact = self.columns.double()
        self.sums, self.gram = exact.sum((0, 2)), torch.einsum("cqs,cps->qp", exact, exact)
        # Whole strides, so that the blocks of all sounds are one matrix; what stands beyond the sound is never part of a window.
        self.room = channel_major(channels, count, self.count * self.stride, start).zero_()
        self.sounds = self.room[..., : self.samples].copy_(start)
        self.cut = self.room.transpose(0, 1).view(channels, count, self.count, self.stride)

    def outputs(self) -> torch.Tensor:
        """What the first layer says of the sounds: (batch, out, frames)."""
        return self.first(self.room)[..., : self.frames].contiguous()

    def move(self, moved: torch.Tensor) -> None:
        """Add the kernel's columns times ``moved`` (batch, blocks, columns), and clip."""
        flat = moved.flatten(0, 1)
        self.cut.flatten(1, 2).baddbmm_(flat.expand(len(self.cut), *flat.shape), self.columns)
        if self.bounds is not None:
            self.room.clamp_(*self.bounds)

    def with_gram(self, exact: torch.Tensor) -> torch.Tensor:
        """(batch, blocks, columns) multiplied by the products of the kernel's columns, one after another: nothing larger is made on the way."""
        total = torch.zeros_like(exact)
        for column, products in enumerate(self.gram):
            total += exact[..., column, None] * products
        return total

    def finish(self) -> None:
        """Let the sounds be what all steps made of them."""

    def state(self) -> dict[str, Any]:
        """What steps have changed beside the sounds."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be what ``state`` told."""


class LazyBlocks(Blocks):
    """The same, touched only where a step may be clipped (``compiled``); with ``measured`` it also tells how far the sounds are from their start."""

    def __init__(self, first: StridedConv1d, start: torch.Tensor, count: int, bounds: Bounds, measured: bool) -> None:
        from aesdream.dreaming import compiled

        super().__init__(first, start, count, bounds)
        self.compiled = compiled
        self.edges = (-np.inf, np.inf) if bounds is None else bounds
        cut = self.cut[:, 0].clone()
        self.products = torch.einsum("cbs,cqs->bq", cut, self.columns).double().expand(count, -1, -1).clone()
        low, high = cut.amin((0, 2)).expand(count, -1).clone(), cut.amax((0, 2)).expand(count, -1).clone()
        settled = self.products.clone()
        waiting, away = torch.zeros_like(settled), torch.zeros_like(low, dtype=torch.float64)
        self.began = settled[0].clone()
        most, least = self.columns.amax((0, 2)).double(), self.columns.amin((0, 2)).double()
        source = cut if measured else cut[:, :0]
        own = (self.cut, source, self.columns, self.gram, most, least, waiting, settled, low, high, away)
        self.held = compiled.Held(*(value.numpy() for value in own))
        self.kept = {"products": self.products, "waiting": waiting, "settled": settled, "low": low, "high": high, "away": away}

    def outputs(self) -> torch.Tensor:
        """As in general, from the products as they follow from the last steps."""
        return self.first.gathered(self.products, self.frames).to(self.room.dtype)

    def move(self, moved: torch.Tensor) -> None:
        """As in general; only blocks in which something may have to be clipped are touched."""
        self.compiled.shared_out(self.compiled.advance, self.held, moved.numpy(), self.products.numpy(), *map(np.float32, self.edges))

    def finish(self) -> None:
        """As in general."""
        self.settle(list(range(len(self.products))))

    def settle(self, sounds: Sequence[int]) -> None:
        """Bring some sounds up to date."""
        self.compiled.shared_out(self.compiled.settle_sounds, self.held, np.array(sounds, np.int64), *map(np.float32, self.edges))

    def at_most_away(self, moved: torch.Tensor) -> torch.Tensor:
        """(batch,) squared distances from the start that a move by ``moved`` would not pass: clipping only brings values nearer."""
        waiting = self.kept["waiting"] + moved
        along = 2 * (self.kept["settled"] - self.began) + self.with_gram(waiting)
        return self.kept["away"].sum(1) + (waiting * along).sum((1, 2))

    def state(self) -> dict[str, Any]:
        """As in general."""
        return self.kept

    def restore(self, state: Mapping[str, Any]) -> None:
        """As in general."""
        for name, value in self.kept.items():
            value.copy_(state[name])


class BlockClimb(Climb):
    """The same climb where the first layer is a long strided convolution of a waveform: nothing as long as the sound is kept but the sound.

    The gradient at the sound is the first layer's kernels spread by as many numbers as that layer has outputs, so autograd is asked for those
    numbers only, and the rule's size follows from them and the kernels' own products.
    """

    @staticmethod
    def serves(asked: Asked) -> bool:
        """Whether this climb is for such a network, start and stop: there is one start for all; one that stops at a distance needs the compiled pass,
        and a start within the bounds; none stops at a confidence, or is kept at distances on its way."""
        starts, bounds, stop = asked.starts, asked.bounds, asked.stop
        first = first_layer(asked.network)
        if stop.confidence is not None or stop.at or not isinstance(first, StridedConv1d) or starts.dim() != 3 or len(starts) > 1:
            return False
        within = bounds is None or bool(((starts >= bounds[0]) & (starts <= bounds[1])).all())
        return stop.rms is None or (within and lazily(starts[0]))

    def __init__(self, asked: Asked) -> None:
        first, bounds = first_layer(asked.network), asked.bounds
        assert isinstance(first, StridedConv1d)
        self.first, self.start = first, asked.starts[0]
        measured = asked.stop.rms is not None
        count = len(asked.targets)
        self.blocks = LazyBlocks(first, self.start, count, bounds, measured) if lazily(self.start) else Blocks(first, self.start, count, bounds)
        super().__init__(asked)

    def _copies(self, count: int) -> torch.Tensor:
        return self.blocks.sounds

    def state(self) -> dict[str, Any]:
        """As in general."""
        return {**super().state(), "blocks": self.blocks.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """As in general."""
        super().restore(state)
        self.blocks.restore(state["blocks"])

    def finish(self) -> None:
        """As in general."""
        self.blocks.finish()

    def look(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """As in general, but with the first layer's outputs as the inputs of everything else."""
        with torch.no_grad():
            self.heard = self.blocks.outputs()
        self.heard.requires_grad_()
        with _speaking(self.first, self.heard):
            return super().look()

    def step(self, rule: str, size: float) -> None:
        """One step of every dream, by what reaches the first layer's outputs."""
        found, _ = self.look()
        (gradient,) = torch.autograd.grad(found.sum(), [self.heard], allow_unused=True)
        outputs = torch.zeros_like(self.heard) if gradient is None else gradient
        spread = self.first.spread(outputs, self.blocks.count)
        factors = scaled(step=size, size=self._size(rule, spread)) * self.moving
        if not torch.isfinite(factors).all():
            raise FloatingPointError(NOT_FINITE.format("the gradient"))
        self.taken += self.moving
        if self.stop.rms is not None:
            self._shorten(spread, factors, self.stop.rms)
        self.blocks.move(spread * per_sound(factors, spread))
        moved = (outputs * per_sound(factors, outputs)).flatten(1)
        self.coefficients = moved if self.coefficients is None else self.coefficients + moved

    def _size(self, rule: str, spread: torch.Tensor) -> torch.Tensor:
        """What the rule divides the gradient by (batch,), from (batch, blocks, columns) what each block takes part in."""
        values = self.start.numel()
        if rule in SIZES_FROM_SUMS:
            exact = spread.double()
            squares = (self.blocks.with_gram(exact) * exact).sum((1, 2))
            return SIZES_FROM_SUMS[rule]((exact.sum(1) * self.blocks.sums).sum(1), squares, values, spread.dtype)
        return torch.cat([RULES[rule](self._gradient(part).flatten(1)) for part in spread.split(1 if values >= ALONE else len(spread))])

    def _gradient(self, spread: torch.Tensor) -> torch.Tensor:
        """The gradient at some sounds (some, channels, samples)."""
        whole = torch.matmul(spread, self.blocks.columns[:, None]).transpose(0, 1)
        return whole.flatten(2)[..., : self.start.shape[1]]

    def _shorten(self, spread: torch.Tensor, factors: torch.Tensor, stop_rms: float) -> None:
        """Shorten the factors of the dreams whose step would pass the distance; those move no more."""
        assert isinstance(self.blocks, LazyBlocks)
        away = (self.blocks.at_most_away(spread * per_sound(factors, spread)) / self.start.numel()).sqrt()
        near = torch.nonzero(self.moving & (away > NEARLY * stop_rms)).flatten().tolist()
        self.blocks.settle(near)
        placed = partial(clipped, bounds=self.bounds)
        for place in near:
            one = slice(place, place + 1)
            gradient = self._gradient(spread[one])
            factors[place], passing = shortened(self.sounds[one], gradient, factors[place], self.start, placed, stop_rms)
            self.moving[place] &= not passing


@cache
def has_compiler() -> bool:
    """Whether numba is there; said once where it is not."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        warnings.warn(f"without numba dreams of long sounds take several times as long ({error})", stacklevel=2)
        return False
    return True


def lazily(start: torch.Tensor) -> bool:
    """Whether dreams from such a start are computed by the compiled pass."""
    return start.device.type == "cpu" and start.dtype == torch.float32 and start.numel() >= LARGE and has_compiler()


@contextmanager
def _speaking(module: nn.Module, outputs: torch.Tensor) -> Iterator[None]:
    """Let a module answer every call with ``outputs``."""
    module.forward = lambda _input: outputs.clone()  # what follows may write in place
    try:
        yield
    finally:
        del module.forward

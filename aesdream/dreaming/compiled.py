"""The one pass over the sounds of a batch, compiled by numba: it reads and writes a block only where a step may be clipped.

As long as no value of a block can have left the bounds, many steps are one: what is to be added waits as a coefficient for each column of the first
layer's kernel, and the block's products with these follow from the kernel's own. When the highest or lowest value that the block may have reached
passes a bound, the block is settled: update, clip, products and the new extremes in one go, a cache-full at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
import torch

POSITIVE = 0x7FFFFFFF
"""All bits of a 32-bit float but its sign."""


def _compiler(cache: bool) -> Callable[[Any], Any]:
    return numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "nnan"}, cache=cache)


try:
    compiled = _compiler(cache=True)
    compiled(lambda: None)
except RuntimeError:  # no folder to keep compiled code in may be written to
    compiled = _compiler(cache=False)


class Held(NamedTuple):
    """A batch as numpy sees it: ``sounds`` (channels, batch, blocks, stride) float32 with ``start`` (channels, blocks, stride), or nothing where the
    distance from it is not asked for; ``columns`` (channels, columns, stride) of the kernel, their products ``gram`` (columns, columns), largest
    values ``most`` and smallest ``least`` (columns,); what is ``waiting`` to be added and the ``settled`` products (batch, blocks, columns); ``low``
    and ``high`` when last settled, and the squared distance ``away`` then (batch, blocks)."""

    sounds: np.ndarray
    start: np.ndarray
    columns: np.ndarray
    gram: np.ndarray
    most: np.ndarray
    least: np.ndarray
    waiting: np.ndarray
    settled: np.ndarray
    low: np.ndarray
    high: np.ndarray
    away: np.ndarray


@compiled
def ordered(bits: Any) -> Any:
    """The bits of a float as an integer of the same order, and back: LLVM looks for the largest of many integers at once, of floats one by one."""
    return np.int32(bits ^ ((bits >> 31) & POSITIVE))


@compiled
def add(values: Any, column: Any, size: float) -> None:
    """Add a column times ``size``."""
    for place in range(len(values)):
        values[place] += size * column[place]


@compiled
def clip(values: Any, floor: float, ceiling: float) -> tuple[Any, Any]:
    """Clip; the lowest and the highest value left, as ordered integers."""
    for place in range(len(values)):
        values[place] = min(max(values[place], floor), ceiling)
    low, high = np.int32(POSITIVE), np.int32(-POSITIVE)
    for place in range(len(values)):
        number = ordered(np.float32(values[place]).view(np.int32))
        low, high = min(low, number), max(high, number)
    return low, high


@compiled
def product(values: Any, column: Any) -> Any:
    """The sum of the products."""
    total = np.float32(0)
    for place in range(len(values)):
        total += values[place] * column[place]
    return total


@compiled
def distance(values: Any, start: Any) -> Any:
    """The squared distance from the start."""
    total = np.float32(0)
    for place in range(len(values)):
        apart = values[place] - start[place]
        total += apart * apart
    return total


@compiled
def settle(held: Any, sound: int, block: int, floor: float, ceiling: float) -> None:
    """Bring one block up to date."""
    low, high, away = np.int32(POSITIVE), np.int32(-POSITIVE), 0.0
    held.settled[sound, block] = 0
    channels, columns, _ = held.columns.shape
    for channel in range(channels):
        values = held.sounds[channel, sound, block]
        for column in range(columns):
            add(values, held.columns[channel, column], np.float32(held.waiting[sound, block, column]))
        lowest, highest = clip(values, floor, ceiling)
        low, high = min(low, lowest), max(high, highest)
        for column in range(columns):
            held.settled[sound, block, column] += product(values, held.columns[channel, column])
        if held.start.size:
            away += distance(values, held.start[channel, block])
    held.waiting[sound, block] = 0
    held.low[sound, block] = np.int32(ordered(low)).view(np.float32)
    held.high[sound, block] = np.int32(ordered(high)).view(np.float32)
    held.away[sound, block] = away


@compiled
def advance(first: int, every: int, held: Any, moved: Any, now: Any, floor: float, ceiling: float) -> None:
    """Add ``moved`` (batch, blocks, columns) to each ``every``-th block from ``first`` on; ``now`` (alike) takes the products as they then are."""
    batch, blocks, columns = moved.shape
    gram, most, least, waiting, settled, low, high = held.gram, held.most, held.least, held.waiting, held.settled, held.low, held.high
    for row in range(first, batch * blocks, every):
        sound, block = row // blocks, row % blocks
        up = down = 0.0
        for column in range(columns):
            waiting[sound, block, column] += moved[sound, block, column]
            one, other = waiting[sound, block, column] * most[column], waiting[sound, block, column] * least[column]
            up, down = up + max(one, other), down + min(one, other)
        if high[sound, block] + up > ceiling or low[sound, block] + down < floor:
            settle(held, sound, block, floor, ceiling)
        for column in range(columns):
            total = settled[sound, block, column]
            for other in range(columns):
                total += waiting[sound, block, other] * gram[other, column]
            now[sound, block, column] = total


@compiled
def settle_sounds(first: int, every: int, held: Any, sounds: Any, floor: float, ceiling: float) -> None:
    """Bring each ``every``-th block of ``sounds`` (numbers) from ``first`` on up to date."""
    blocks = held.waiting.shape[1]
    for row in range(first, len(sounds) * blocks, every):
        sound, block = sounds[row // blocks], row % blocks
        if held.waiting[sound, block].any():
            settle(held, sound, block, floor, ceiling)


def shared_out(function: Callable[..., None], *arguments: Any) -> None:
    """Call a compiled function in as many threads as torch has, each with its own blocks; blocks know nothing of each other, so the bits stay."""
    threads = torch.get_num_threads()
    if threads == 1:
        function(0, 1, *arguments)
    else:
        list(_pool(threads).map(lambda first: function(first, threads, *arguments), range(threads)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)

"""The small picture of a dream on the page: its waveform over its spectrogram, drawn straight into pixels."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from aesdream.appendix.analysis import View
from aesdream.appendix.style import BLUE, HEAT

_LANE = 30  # pixels of one channel's waveform
_CLEAR, _WAVE, _START, _LINE = range(4)  # the first colours; the spectrogram has the others
_HEATS = 252


@cache
def _palette() -> bytes:
    """Clear, wave, start and middle line, readable on light and dark, then the spectrogram's colours."""
    colours = [(0.5, 0.5, 0.5), to_rgb(BLUE), (0.45, 0.45, 0.48), (0.55, 0.55, 0.55)]
    heat: Any = matplotlib.colormaps[HEAT](np.linspace(0, 1, _HEATS))[:, :3]
    return bytes(np.round(255 * np.concatenate([np.array(colours), heat])).astype(np.uint8).tobytes())


def thumbnail(dream: View, start: View | None) -> bytes:
    """A PNG of a dream, half the columns of its view wide; the start's waveform lies over it in grey."""
    small = dream.half()
    waves = _waves(small, start.half() if start is not None else None)
    heat = 4 + np.round(small.heat[::-1].astype(np.float32) * ((_HEATS - 1) / 255)).astype(np.uint8)
    image = Image.frombytes("P", (heat.shape[1], len(waves) + len(heat)), np.concatenate([waves, heat]).tobytes())
    image.putpalette(_palette())
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=False, compress_level=9, transparency=_CLEAR)
    return out.getvalue()


def _waves(dream: View, start: View | None) -> NDArray[np.uint8]:
    channels, width = len(dream.low), dream.heat.shape[1]
    canvas = np.full((channels * _LANE, width), _CLEAR, np.uint8)
    rows = np.arange(len(canvas))[:, None]
    for index in range(channels):
        middle = (index + 0.5) * _LANE
        canvas[int(middle)] = _LINE
        for shown, colour in ((dream, _WAVE), (start, _START)):
            if shown is not None:
                canvas[_between(rows, shown.low[index], shown.high[index], middle, width)] = colour
    return canvas


def _between(rows: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32], middle: float, width: int) -> NDArray[np.bool_]:
    columns = np.arange(width) * len(low) // width
    reach = _LANE / 2 - 0.5
    return (rows + 0.5 >= middle - reach * high[columns] - 0.5) & (rows + 0.5 <= middle - reach * low[columns] + 0.5)

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
from aesdream.appendix.style import BLUE, HEAT, VERMILLION

_LANE, _STRIP = 30, 24  # pixels of one channel's waveform, and of what the dream added
_CLEAR, _WAVE, _START, _LINE, _ADDED, _COLOURS = range(6)  # the first colours; the spectrogram has the others
_HEATS = 256 - _COLOURS


@cache
def _palette() -> bytes:
    """Clear, wave, start, middle line and change, readable on light and dark, then the spectrogram's colours."""
    colours = [(0.5, 0.5, 0.5), to_rgb(BLUE), (0.45, 0.45, 0.48), (0.55, 0.55, 0.55), to_rgb(VERMILLION)]
    heat: Any = matplotlib.colormaps[HEAT](np.linspace(0, 1, _HEATS))[:, :3]
    return bytes(np.round(255 * np.concatenate([np.array(colours), heat])).astype(np.uint8).tobytes())


def height(channels: int, rows: int) -> int:
    """Pixels of a thumbnail of so many channels and spectrogram rows."""
    return channels * _LANE + _STRIP + rows // 2


def thumbnail(dream: View, start: View | None) -> bytes:
    """A PNG of a dream, half the columns of its view wide: waveform with the start's over it in grey, change on a scale of its own, spectrogram."""
    small = dream.half()
    waves = _waves(small, start.half() if start is not None else None)
    heat = _COLOURS + np.round(small.heat[::-1].astype(np.float32) * ((_HEATS - 1) / 255)).astype(np.uint8)
    return _png(np.concatenate([waves, heat]))


def spectrogram(heat: NDArray[np.uint8]) -> bytes:
    """A PNG of a spectrogram [shape=(rows, columns)], low frequencies below."""
    return _png(_COLOURS + np.round(heat[::-1].astype(np.float32) * ((_HEATS - 1) / 255)).astype(np.uint8))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    image = Image.frombytes("P", (pixels.shape[1], len(pixels)), pixels.tobytes())
    image.putpalette(_palette())
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=False, compress_level=9, transparency=_CLEAR)
    return out.getvalue()


def _waves(dream: View, start: View | None) -> NDArray[np.uint8]:
    channels, width = len(dream.low), dream.heat.shape[1]
    canvas = np.full((channels * _LANE + _STRIP, width), _CLEAR, np.uint8)
    for index in range(channels):
        middle = (index + 0.5) * _LANE
        canvas[int(middle)] = _LINE
        for shown, colour in ((dream, _WAVE), (start, _START)):
            if shown is not None:
                _fill(canvas, shown.low[index], shown.high[index], middle, _LANE / 2 - 0.5, colour)
    if dream.change is not None:
        peak = float(np.abs(dream.change).max()) or 1.0
        _fill(canvas, dream.change[0] / peak, dream.change[1] / peak, channels * _LANE + _STRIP / 2, _STRIP / 2 - 2, _ADDED)
    return canvas


def _fill(canvas: NDArray[np.uint8], low: NDArray[np.float32], high: NDArray[np.float32], middle: float, reach: float, colour: int) -> None:
    """Colour what lies between ``low`` and ``high``, a row at least; ``reach`` pixels are full scale."""
    low, high = low.clip(-1, 1), high.clip(-1, 1)
    rows = np.arange(len(canvas))[:, None] + 0.5
    columns = np.arange(canvas.shape[1]) * len(low) // canvas.shape[1]
    canvas[(rows >= middle - reach * high[columns] - 0.5) & (rows <= middle - reach * low[columns] + 0.5)] = colour

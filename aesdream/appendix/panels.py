"""Small coordinate systems drawn by hand on one bare axes.

An appendix has hundreds of them; a matplotlib axes with its ticks takes some fifty milliseconds, a panel less than ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from aesdream.appendix.words import MINUS

_TICK, _AWAY = 0.035, 0.055  # inches: a tick's length, a number's distance from its axis
_SIZE, _LABEL = 6.5, 7.0
Ticks = Sequence[tuple[float, str]]


def canvas(figure: Figure | SubFigure) -> Axes:
    """A bare axes over a whole figure, or a part of one, whose unit is the inch."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    size = figure.dpi_scale_trans.inverted().transform((figure.bbox.width, figure.bbox.height))
    axes.set_xlim(0, size[0])
    axes.set_ylim(0, size[1])
    axes.set_autoscale_on(False)
    return axes


@dataclass(frozen=True)
class Panel:
    """A rectangle of a canvas (inches), and what its edges stand for in ``x`` and ``y``."""

    axes: Axes
    left: float
    bottom: float
    width: float
    height: float
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)

    def spanning(self, x: tuple[float, float], y: tuple[float, float]) -> Panel:
        """The same rectangle with other ranges; an empty range is opened."""
        low, high = (side if side[1] > side[0] else (side[0] - 0.5, side[0] + 0.5) for side in (x, y))
        return Panel(self.axes, self.left, self.bottom, self.width, self.height, low, high)

    def points(self, xs: ArrayLike, ys: ArrayLike) -> NDArray[np.float64]:
        """Values as places on the canvas [shape=(n, 2)], rounded to a ten-thousandth of an inch, which keeps files small."""
        across = self.left + self.width * (np.asarray(xs, dtype=np.float64) - self.x[0]) / (self.x[1] - self.x[0])
        up = self.bottom + self.height * (np.asarray(ys, dtype=np.float64) - self.y[0]) / (self.y[1] - self.y[0])
        return np.round(np.stack(np.broadcast_arrays(across, up), axis=1), 4)

    def line(self, xs: ArrayLike, ys: ArrayLike, colour: str, width: float = 0.9) -> None:
        """A line through values."""
        self.axes.add_collection(LineCollection([self.points(xs, ys)], colors=colour, linewidths=width, capstyle="round"), autolim=False)

    def frame(self, xlabel: str, ylabel: str, *, title: str = "", xticks: Ticks | None = None, yticks: Ticks | None = None) -> None:
        """Both axes with ticks, numbers and labels; ticks at round numbers unless they are given."""
        across = [(float(self.points([at], [self.y[0]])[0, 0]), name) for at, name in (round_ticks(self.x) if xticks is None else xticks)]
        up = [(float(self.points([self.x[0]], [at])[0, 1]), name) for at, name in (round_ticks(self.y, 4) if yticks is None else yticks)]
        left, bottom, top, right = self.left, self.bottom, self.bottom + self.height, self.left + self.width
        marks = [[(at, bottom), (at, bottom - _TICK)] for at, _ in across] + [[(left, at), (left - _TICK, at)] for at, _ in up]
        self.axes.add_collection(
            LineCollection([[(left, top), (left, bottom), (right, bottom)], *marks], colors="black", linewidths=0.6), autolim=False
        )
        for at, name in across:
            self.axes.text(at, bottom - _AWAY, name, ha="center", va="top", fontsize=_SIZE)
        for at, name in up:
            self.axes.text(left - _AWAY, at, name, ha="right", va="center", fontsize=_SIZE)
        self.axes.text(left + self.width / 2, bottom - 0.19, xlabel, ha="center", va="top", fontsize=_LABEL)
        widest = max((len(name) for _, name in up), default=1)
        self.axes.text(left - 0.12 - 0.055 * widest, bottom + self.height / 2, ylabel, ha="right", va="center", rotation=90, fontsize=_LABEL)
        if title:
            self.axes.text(left, top + 0.06, title, fontsize=_LABEL, fontweight="bold")


def round_ticks(span: tuple[float, float], most: int = 5) -> list[tuple[float, str]]:
    """Up to ``most`` round numbers inside a range, with as many digits as tell them apart."""
    found = MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(*span)
    step = float(found[1] - found[0])
    slack = 1e-9 * (span[1] - span[0])
    inside = [float(value) for value in found if span[0] - slack <= value <= span[1] + slack]
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    if digits > 4:
        return [(value, "0" if abs(value) < step / 2 else f"{value:.2g}".replace("-", MINUS)) for value in inside]
    return [(value, f"{value + 0.0:.{digits}f}".replace("-", MINUS)) for value in inside]

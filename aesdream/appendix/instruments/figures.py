"""Figures 1, 2 and 3 of the paper, drawn from what a run measured. Each function draws into a figure, or a part of one, that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from aesdream.appendix.instruments.dreamt import Dreamt
from aesdream.appendix.style import BLUE, GREY, HEAT, ORANGE, VERMILLION, plain_axes

Canvas = Figure | SubFigure
ROW = 0.19
"""Inches a system in figure 1."""
MEASURES = {"micro_f1": "micro F1", "macro_f1": "macro F1"}
RANGE = 80.0
"""dB of a spectrogram that are shown."""


def performance_height(rows: Sequence[Mapping[str, Any]]) -> float:
    """Inches that figure 1 needs."""
    return 0.75 + ROW * len(rows)


def performance(canvas: Canvas, rows: Sequence[Mapping[str, Any]]) -> None:
    """Figure 1: systems in their order; each has ``name``, ``micro_f1`` and ``macro_f1`` (estimates, or plain values of others), ``ours`` and
    ``verified``. What is ours has intervals; what nobody here could look up is hollow.
    """
    both = canvas.subplots(1, 2, sharey=True, gridspec_kw={"left": 0.36, "right": 0.98, "bottom": 0.45 / performance_height(rows), "top": 0.9})
    places = np.arange(len(rows))[::-1]
    for axes, (key, title) in zip(both, MEASURES.items(), strict=True):
        for place, row in zip(places, rows, strict=True):
            _estimate(axes, float(place), row[key], ours=row["ours"], verified=row["verified"])
        axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xlim(0, 1)
        axes.grid(axis="x", linewidth=0.3, color="#cccccc")
        plain_axes(axes)
    both[0].set_yticks(places, [row["name"] + ("" if row["verified"] else " (unverified)") for row in rows])
    both[0].set_ylim(-0.7, len(rows) - 0.3)


def _estimate(axes: Axes, place: float, found: Mapping[str, float | None] | float | None, *, ours: bool, verified: bool) -> None:
    value = found if found is None or isinstance(found, int | float) else found["value"]
    if value is None:
        return
    if isinstance(found, Mapping) and found["low"] is not None and found["high"] is not None:
        axes.plot([found["low"], found["high"]], [place, place], color=BLUE, linewidth=1.2)
    colour = BLUE if ours else GREY
    axes.plot([value], [place], "o", markersize=4, color=colour, markerfacecolor=colour if verified else "white")


def originals(canvas: Canvas, rows: Sequence[Sequence[Dreamt]], classes: Sequence[str]) -> None:
    """Figure 2: a row an original; first as it was, then dreamed to some classes (the same in every row), the network's outputs below each."""
    columns = 1 + len(rows[0])
    axes = canvas.subplots(
        2 * len(rows), columns, squeeze=False,
        gridspec_kw={"height_ratios": [3, 1.2] * len(rows), "hspace": 0.32, "wspace": 0.12, "left": 0.05, "right": 0.99, "bottom": 0.07, "top": 0.95},
    )  # fmt: skip
    for number, row in enumerate(rows):
        top, low = _range([row[0].start, *[one.dream for one in row]])
        first = row[0].content
        shown = [(f"was {first['excerpt']['right']}", row[0].start, first["outputs"]["start"], None)]
        shown += [(f"to {one.content['goal'][0]}", one.dream, one.content["outputs"]["dream"], one.content["goal"][0]) for one in row]
        for column, (title, spectrogram, outputs, goal) in enumerate(shown):
            image, bars = axes[2 * number][column], axes[2 * number + 1][column]
            _spectrogram(image, spectrogram, low, top)
            image.set_title(title, pad=2)
            _bars(bars, outputs, classes, goal, named=column == 0 and number == len(rows) - 1)


def noise_grid(
    canvas: Canvas, grid: Sequence[Sequence[Dreamt]], classes: Sequence[str], outputs: Sequence[Sequence[float]], marked: NDArray[np.bool_]
) -> None:
    """Figure 3: noises on the left, beside each its dreams to every class, what they share outlined (``marked`` [shape=(classes, frames, bands)]);
    the mean outputs of a column below it.
    """
    rows, columns = len(grid), 1 + len(classes)
    axes = canvas.subplots(
        rows + 1, columns, squeeze=False,
        gridspec_kw={"height_ratios": [3] * rows + [1.6], "hspace": 0.08, "wspace": 0.08, "left": 0.06, "right": 0.995, "bottom": 0.07, "top": 0.95},
    )  # fmt: skip
    top, low = _range([one.dream for row in grid for one in row])
    for number, row in enumerate(grid):
        _spectrogram(axes[number][0], row[0].start, low, top)
        for column, one in enumerate(row, start=1):
            _spectrogram(axes[number][column], one.dream, low, top)
            axes[number][column].contour(marked[column - 1].T.astype(float), levels=[0.5], colors="white", linewidths=0.6)
    for column, name in enumerate(["noise", *classes]):
        axes[0][column].set_title(name, pad=2)
    axes[rows][0].set_axis_off()
    for column, (name, said) in enumerate(zip(classes, outputs, strict=True), start=1):
        _bars(axes[rows][column], said, classes, name, named=column == 1)


def pair_matrix(canvas: Canvas, values: Sequence[Sequence[float | None]], classes: Sequence[str], title: str) -> None:
    """A number for every right class (rows) and wrong class (columns), blank where there is none."""
    axes = canvas.subplots(gridspec_kw={"left": 0.16, "right": 0.97, "bottom": 0.14, "top": 0.9})
    shown = np.array([[np.nan if value is None else value for value in row] for row in values], dtype=np.float64)
    axes.imshow(np.ma.masked_invalid(shown), cmap=HEAT, vmin=0)
    middle = np.nanmax(shown) / 2 if np.isfinite(shown).any() else 0.0
    for i, j in zip(*np.nonzero(np.isfinite(shown)), strict=True):
        axes.text(j, i, f"{shown[i, j]:.3g}", ha="center", va="center", fontsize=5, color="white" if shown[i, j] < middle else "black")
    axes.set_xticks(range(len(classes)), classes, rotation=90)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("wrong class")
    axes.set_ylabel("right class")
    axes.set_title(title, loc="left")


def _range(spectrograms: Sequence[NDArray[np.floating]]) -> tuple[float, float]:
    """The highest value and the lowest that is shown."""
    top = max(float(one.max()) for one in spectrograms)
    return top, max(top - RANGE, min(float(one.min()) for one in spectrograms))


def _spectrogram(axes: Axes, spectrogram: NDArray[np.floating], low: float, top: float) -> None:
    """A log-mel spectrogram [shape=(windows, frames, bands)], its windows side by side, low bands below."""
    axes.imshow(np.concatenate(list(spectrogram)).T, origin="lower", aspect="auto", cmap=HEAT, vmin=low, vmax=top, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def _bars(axes: Axes, outputs: Sequence[float], classes: Sequence[str], goal: str | None, *, named: bool) -> None:
    """The output of every class; what was dreamed stands out."""
    colours = [VERMILLION if name == goal else ORANGE if goal is None else GREY for name in classes]
    axes.bar(range(len(classes)), outputs, color=colours, width=0.8)
    axes.set_ylim(0, 1)
    axes.set_xticks(range(len(classes)), classes if named else [""] * len(classes), rotation=90, fontsize=3.8)
    axes.tick_params(axis="x", length=1, pad=1)
    axes.set_yticks([0, 1] if named else [])
    plain_axes(axes)

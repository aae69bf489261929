"""Pictures of how well models tell the classes apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from aesdream.appendix.style import BLUE, CYCLE, GREY, VERMILLION, plain_axes

_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Line:
    """One model's curve: ``x`` and ``y`` between 0 and 1, drawn in the colour of its ``group``."""

    group: str
    x: ArrayLike
    y: ArrayLike


def _lines(axes: Axes, lines: Sequence[Line], *, steps: bool) -> None:
    groups = list(dict.fromkeys(line.group for line in lines))
    for line in lines:
        place = groups.index(line.group)
        look = {"color": CYCLE[place % len(CYCLE)], "linestyle": _STYLES[place // len(CYCLE) % len(_STYLES)], "linewidth": 0.7, "alpha": 0.9}
        label = None if any(group.get_label() == line.group for group in axes.lines) else line.group
        if steps:
            axes.step(line.x, line.y, where="pre", label=label, **look)  # type: ignore[arg-type]
        else:
            axes.plot(line.x, line.y, label=label, **look)  # type: ignore[arg-type]
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
    plain_axes(axes)


def roc(axes: Axes, lines: Sequence[Line]) -> None:
    """Receiver operating characteristics, a thin line for each model; the diagonal is chance."""
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=0.8, label="chance")
    _lines(axes, lines, steps=False)
    axes.set_xlabel("false positive rate (1 − specificity)")
    axes.set_ylabel("true positive rate (recall)")


def precision_recall(axes: Axes, lines: Sequence[Line], prevalences: Sequence[float]) -> None:
    """Precision over recall, a thin line for each model; a horizontal line at each prevalence is what chance would give."""
    for prevalence in sorted({round(value, 3) for value in prevalences}):
        axes.axhline(prevalence, color=GREY, linestyle="--", linewidth=0.8)
    _lines(axes, lines, steps=True)
    axes.set_xlabel("recall")
    axes.set_ylabel("precision")


@dataclass(frozen=True)
class Estimate:
    """One row of a forest plot; ``kind`` is ``model``, ``control`` or ``baseline``, ``heading`` opens a group of rows."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    kind: str = "model"
    heading: str = ""


_KINDS = {"model": (BLUE, "o"), "control": (VERMILLION, "s"), "baseline": (GREY, "D")}


def forest(axes: Axes, rows: Sequence[Estimate]) -> None:
    """Estimates of an area under a ROC curve with their intervals, one a row, headings between groups; a dash where there is none."""
    at = 0.0
    ticks: list[tuple[float, str]] = []
    for row in rows:
        if row.heading:
            at += 0.5 if at else 0.0
            axes.text(-0.012, at, row.heading, transform=axes.get_yaxis_transform(), ha="right", va="center", fontweight="bold")
            at += 1.0
        _estimate(axes, row, at)
        ticks.append((at, row.label))
        at += 1.0
    axes.axvline(0.5, color=GREY, linestyle="--", linewidth=0.8, zorder=0)
    lows = [row.low for row in rows if row.low is not None]
    axes.set_xlim(max(min([0.45, *(low - 0.03 for low in lows)]), -0.02), 1.02)
    axes.set_ylim(at - 0.4, -0.8)
    axes.set_yticks([y for y, _ in ticks], [label for _, label in ticks])
    axes.set_xlabel("area under the ROC curve (0.5 is chance, 1 is perfect)")
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    plain_axes(axes)


def _estimate(axes: Axes, row: Estimate, at: float) -> None:
    colour, marker = _KINDS[row.kind]
    if row.value is None:
        axes.text(0.5, at, " – not available", va="center", color=colour)
        return
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [at, at], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot([row.value], [at], marker, color=colour, markersize=4.5)

"""The drawing of the network: the thesis's figure 5.2, which is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from aesdream.appendix.style import BLUE, GREEN, GREY, ORANGE

_FILL = {"input": "#eeeeee", "conv": "#d6e8f4", "pool": "#f9ecd0", "dense": "#d5efe6"}
_EDGE = {"input": GREY, "conv": BLUE, "pool": ORANGE, "dense": GREEN}
_BOX, _GAP, _ROW, _ROW_GAP = 1.0, 0.34, 1.0, 0.32


def network(axes: Axes, layers: Sequence[Mapping[str, Any]], *, columns: int = 5) -> None:
    """Boxes from left to right, row after row: name, what it does, the shape it hands on, its parameters.

    A layer is {"name", "kind" (input, conv, pool or dense), "lines": what it does, "shape": text, "parameters": int or None}.
    """
    rows = -(-len(layers) // columns)
    width = columns * (_BOX + _GAP) - _GAP
    for index, layer in enumerate(layers):
        x, y = _place(index, columns)
        _box(axes, layer, x, y)
        if index + 1 < len(layers):
            _arrow(axes, x, y, *_place(index + 1, columns))
    axes.set_xlim(-0.03, width + 0.03)
    axes.set_ylim(-(rows - 1) * (_ROW + _ROW_GAP) - 0.03, _ROW + 0.03)
    axes.set_axis_off()


def _place(index: int, columns: int) -> tuple[float, float]:
    return index % columns * (_BOX + _GAP), -(index // columns) * (_ROW + _ROW_GAP)


def _box(axes: Axes, layer: Mapping[str, Any], x: float, y: float) -> None:
    kind = layer["kind"]
    style = "round,pad=0,rounding_size=0.05"
    axes.add_patch(FancyBboxPatch((x, y), _BOX, _ROW, boxstyle=style, facecolor=_FILL[kind], edgecolor=_EDGE[kind], linewidth=0.9))
    middle = x + _BOX / 2
    axes.text(middle, y + 0.87 * _ROW, layer["name"], ha="center", va="center", fontsize=8.5, fontweight="bold")
    axes.text(middle, y + 0.54 * _ROW, "\n".join(layer["lines"]), ha="center", va="center", fontsize=6, linespacing=1.25)
    axes.text(middle, y + 0.22 * _ROW, layer["shape"], ha="center", va="center", fontsize=6.5)
    count = layer["parameters"]
    if count is not None:
        text = f"{count:,} parameters" if count else "no parameters"
        axes.text(middle, y + 0.08 * _ROW, text, ha="center", va="center", fontsize=6, color="#333333")


def _arrow(axes: Axes, x: float, y: float, next_x: float, next_y: float) -> None:
    look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 7, "linewidth": 0.8, "color": "#444444", "shrinkA": 0, "shrinkB": 0}
    if next_y == y:
        axes.add_patch(FancyArrowPatch((x + _BOX + 0.02, y + _ROW / 2), (next_x - 0.02, y + _ROW / 2), **look))
        return
    half = y - _ROW_GAP / 2
    middle, target = x + _BOX / 2, next_x + _BOX / 2
    axes.plot([middle, middle, target], [y, half, half], color="#444444", linewidth=0.8, solid_joinstyle="miter")
    axes.add_patch(FancyArrowPatch((target, half), (target, next_y + _ROW + 0.01), **look))

"""The matrix as a picture, and how the determinants go together. Each function draws into a figure, or a part of one, that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from aesdream.appendix import words
from aesdream.appendix.style import BLACK, BLUE, GREY, plain_axes
from aesdream.appendix.truth.claims import SMALLEST
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.appendix.truth.verdicts import CHANCE, JUDGED, VERDICTS

Content = Mapping[str, Any]
Canvas = Figure | SubFigure
WIDTH = 7.4
ROW = 0.36
"""Inches a row of the matrix."""
GAP = 0.45
"""Rows between composers and controls."""
DIVERGING = "RdBu_r"
"""Told apart by the colour-blind: what matters is the distance from white, and the sign is printed."""
TITLE = 15.0
"""Points between a panel and its title: the matrix has its columns' names there."""
DARK = 0.62
"""Share of the scale beyond which numbers are white."""
RULE = "the rule itself"
MARKS = "● network  ○ shuffled labels  ◇ ten descriptors  | its own rule"
"""What stands for what beside the matrix."""


def height(network: Content) -> float:
    """Inches that the matrix of a network needs."""
    return 0.95 + ROW * (len(network["rows"]) + len(network["controls"]) + 1 + GAP)


def matrix(canvas: Canvas, network: Content, determinants: Sequence[str], yardsticks: Mapping[str, Content]) -> None:
    """One network: composers (rows) by determinants (columns), controls below them, and beside each row how well it was heard."""
    tall = height(network)
    bottom, span = 0.42 / tall, 1 - 0.95 / tall
    axes = canvas.add_axes((0.14, bottom, 0.55, span))
    rows = [*network["rows"], *network["controls"], {"control": RULE, "cells": network["reach"], "roc_auc": None}]
    limits = _limits(network)
    places = [place + (GAP if place >= len(network["rows"]) else 0.0) for place in range(len(rows))]
    for at, row in zip(places, rows, strict=True):
        _row(axes, at, row, determinants, limits)
    axes.set_xlim(-0.5, len(determinants) - 0.5)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_xticks(range(len(determinants)), determinants)
    axes.xaxis.tick_top()
    axes.set_yticks(places, [_label(row) for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(GREY if "verdict" in row and row["verdict"] not in JUDGED else BLACK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"what dreams moved (standard deviations; full colour: {SMALLEST:g} of the rule's)", fontsize=7.5, loc="left", pad=4)
    canvas.text(0.01, 1 - 0.2 / tall, network["network"], fontsize=9, fontweight="bold", va="center")
    _heard(canvas.add_axes((0.71, bottom, 0.16, span)), places, rows, yardsticks)
    _verdicts(canvas.add_axes((0.885, bottom, 0.11, span)), places, rows)


def _verdicts(axes: Axes, places: Sequence[float], rows: Sequence[Content]) -> None:
    for at, row in zip(places, rows, strict=True):
        if "verdict" in row:
            axes.text(0.0, at, VERDICTS[row["verdict"]], va="center", fontsize=7, fontweight="bold" if row["verdict"] == "tells" else "normal")
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_axis_off()
    axes.set_title("verdict", fontsize=7.5, loc="left", pad=TITLE)


def _label(row: Content) -> str:
    return str(row.get("composer") or CONTROLS.get(row["control"], row["control"]))


def _limits(network: Content) -> list[float]:
    """What is in full colour: the share that counts of what dreams of the rule itself move; where they surely move nothing is coloured."""
    return [SMALLEST * one["value"] if one["low"] is not None and one["low"] > 0 else float("inf") for one in network["reach"]]


def _row(axes: Axes, at: float, row: Content, determinants: Sequence[str], limits: Sequence[float]) -> None:
    marked = row.get("beyond", [False] * len(determinants))
    for column, (name, cell) in enumerate(zip(determinants, row["cells"], strict=True)):
        _cell(axes, column, at, cell, limits[column], marked=marked[column])
        if name == row.get("composer"):
            axes.add_patch(Rectangle((column - 0.475, at - 0.46), 0.95, 0.92, fill=False, edgecolor=BLACK, linewidth=1.6, zorder=3))


def _cell(axes: Axes, column: int, at: float, cell: Content, limit: float, *, marked: bool) -> None:
    value, (told, _, bounds) = cell["value"], words.interval(cell).partition(" ")
    if value is None:
        axes.text(column, at, told, ha="center", va="center", fontsize=7, color=GREY)
        return
    colours = _colours(max(-1.0, min(value / limit, 1.0)))
    axes.add_patch(Rectangle((column - 0.5, at - 0.5), 1, 1, facecolor=colours[0], edgecolor="white", linewidth=0.8))
    axes.text(column, at - 0.13, told, ha="center", va="center", fontsize=7.5, color=colours[1], fontweight="bold" if marked else None)
    axes.text(column, at + 0.23, bounds, ha="center", va="center", fontsize=4.6, color=colours[1])
    if marked:
        axes.plot([column + 0.4], [at - 0.33], "o", markersize=3, color=colours[1], zorder=4)


def _colours(share: float) -> tuple[Any, str]:
    """Of a cell, and of what is printed on it; ``share`` is between -1 and 1."""
    return colormaps[DIVERGING](0.5 + 0.5 * share), "white" if abs(share) > DARK else BLACK


def _heard(axes: Axes, places: Sequence[float], rows: Sequence[Content], yardsticks: Mapping[str, Content]) -> None:
    """AUC of every row, beside that of plain descriptors and of the composer's own rule."""
    lows = [CHANCE]
    for at, row in zip(places, rows, strict=True):
        for judge, mark in (("ceiling", "|"), ("descriptors", "D")):
            found = yardsticks.get(row.get("composer", ""), {}).get(judge)
            if found is not None and found["value"] is not None:
                axes.plot([found["value"]], [at], mark, color=GREY, markersize=6 if mark == "|" else 3.2, markerfacecolor="white")
        shuffled = row.get("shuffled_auc", {}).get("value")
        if shuffled is not None:
            axes.plot([shuffled], [at], "o", color=BLUE, markersize=3.4, markerfacecolor="white")
            lows.append(shuffled)
        auc = row["roc_auc"]
        if auc is not None and auc["value"] is not None:
            axes.plot([auc["value"]], [at], "o", color=BLUE, markersize=4)
            lows.append(auc["value"])
            if auc["low"] is not None:
                axes.plot([auc["low"], auc["high"]], [at, at], color=BLUE, linewidth=1.3)
                lows.append(auc["low"])
    axes.axvline(CHANCE, color=GREY, linestyle="--", linewidth=0.7, zorder=0)
    axes.set_xlim(min(lows) - 0.05, 1.02)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([0.5, 0.75, 1.0])
    axes.set_title("what was heard (AUC)", fontsize=7.5, loc="left", pad=TITLE)
    axes.set_xlabel(MARKS, fontsize=5, labelpad=1.5)
    plain_axes(axes)
    axes.spines["left"].set_visible(False)


def correlations(canvas: Canvas, names: Sequence[str], ranks: Sequence[Sequence[float | None]]) -> None:
    """Rank correlations between the determinants over the corpus, each pair once."""
    axes = canvas.add_axes((0.25, 0.13, 0.5, 0.85))
    for i in range(1, len(names)):
        for j in range(i):
            value = ranks[i][j]
            fill, ink = _colours(value if value is not None else 0.0)
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=fill, edgecolor="white", linewidth=0.8))
            axes.text(j, i, words.number(value, 2), ha="center", va="center", fontsize=7, color=ink)
    axes.set_xlim(-0.5, len(names) - 1.5)
    axes.set_ylim(len(names) - 0.5, 0.5)
    axes.set_xticks(range(len(names) - 1), names[:-1])
    axes.set_yticks(range(1, len(names)), names[1:])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)

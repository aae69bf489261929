"""Many dreams on a page: rows of small pictures, each the waveform over the spectrogram, with its name and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from aesdream.appendix import plots, words
from aesdream.appendix.layout import fitted, wrapped
from aesdream.appendix.material import Material
from aesdream.appendix.panels import Panel, canvas
from aesdream.appendix.style import BLUE, START, VERMILLION

COLUMNS = 5
HEIGHT = 1.5
_LINES = 2  # below a picture, of why there is none or why it did not rise
_GAP = 0.1
_WAVES, _CHANGE, _HEAT, _WORDS = 0.42, 0.16, 0.44, 0.3  # inches


def row(figure: Figure | SubFigure, dreams: Sequence[Mapping[str, Any]], material: Material, *, starts: bool) -> None:
    """Up to ``COLUMNS`` dreams of results.json side by side, named with what they started from where ``starts`` says so."""
    axes = canvas(figure)
    width = (axes.get_xlim()[1] + _GAP) / COLUMNS - _GAP
    for place, dream in enumerate(dreams):
        left = place * (width + _GAP)
        unit = material.by_name[dream["dream"]]
        if unit.ready:
            view, start = material.views.of(unit), material.views.start(unit)
            middles = [0.5 - (index + 0.5) / len(view.low) for index in range(len(view.low))]
            waves = Panel(axes, left, _WORDS + 0.01 + _HEAT + _CHANGE, width, _WAVES, y=(-0.5, 0.5))
            plots.outlines(waves, view.half(), middles, BLUE, 1.0, scale=0.47 / len(middles))
            if start is not None:
                plots.outlines(waves, start.half(), middles, START, 0.5, scale=0.47 / len(middles))
            if view.change is not None:
                peak = float(np.abs(view.change).max()) or 1.0
                plots.added(Panel(axes, left, _WORDS + 0.01 + _HEAT, width, _CHANGE, y=(-1.1 * peak, 1.1 * peak)), view.half())
            plots.heat(Panel(axes, left, _WORDS, width, _HEAT), view.half())
        _words(axes, dream, left, width, f", {dream['start']}" if starts else "")


def _words(axes: Any, dream: Mapping[str, Any], left: float, width: float, start: str) -> None:
    layer = "" if dream["layer"] == "class" else f"{dream['layer']}, "
    named, size = fitted(f"{layer}{dream['target']}{start}", width, (6.5, 6, 5.5), bold=True)
    axes.text(left, HEIGHT - 0.1, named, fontsize=size, fontweight="bold", va="center")
    if not dream["problem"]:
        axes.text(left, _WORDS - 0.07, f"{words.significant(dream['first'])} → {words.significant(dream['last'])}", fontsize=6, va="center")
    lines = wrapped(dream["problem"] or words.verdict(dream, short=True), width, 5.5)
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], lines[_LINES - 1] + " …"]
    for place, line in enumerate(lines):
        axes.text(left, _WORDS - 0.16 - 0.085 * place, line, fontsize=5.5, color=VERMILLION, va="center")

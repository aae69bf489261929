"""How every picture looks: one font, one set of colours that the colour-blind tell apart, and the same bytes each time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aesdream import files

# Okabe and Ito's colours, which remain apart under every common colour blindness.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000", "#777777"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
START = "#222222"  # what a dream started from, laid over it
HEAT = "magma"
PAGE = (8.27, 11.69)  # A4 in inches

_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.titlesize": 8.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.0,
    "pdf.fonttype": 42,
    "svg.hashsalt": "aesdream",
    "text.parse_math": False,  # a user's dollar signs are dollars
}


@contextmanager
def house() -> Iterator[None]:
    """Draw inside this with the settings of this project, whatever the user's own matplotlib file says.

    A letter that the font lacks is drawn as a box, without a warning.
    """
    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    settings: dict[Any, Any] = {**defaults, **_SETTINGS}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        yield


def plain_axes(axes: Axes) -> None:
    """Take away the box's upper and right side."""
    axes.spines[["top", "right"]].set_visible(False)


def save_svg(path: Path, figure: Figure) -> Path:
    """Write a figure as SVG, whole or not at all, without a date; returns the path."""
    with files.writing(path) as aside:
        figure.savefig(aside, format="svg", metadata={"Date": None}, bbox_inches=None)
    return path

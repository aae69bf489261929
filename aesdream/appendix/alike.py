"""The chapter of likeness: which filters of a layer are near-copies, and a picture of how alike each two are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from math import ceil
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from aesdream.appendix import figures, words
from aesdream.appendix.chapters import Block, Chapter, Listing, Picture, Text
from aesdream.appendix.likeness import ordered, square
from aesdream.appendix.material import Material

Content = Mapping[str, Any]
_ACROSS = 4
"""Matrices in a row."""
_WHOSE = ("sweep", "model", "side", "start")


def chapters(material: Material) -> list[Chapter]:
    """Nothing where no layer has two living filters."""
    found = material.content.get("likeness")
    if found is None:
        return []
    said = (
        "Two filters of a layer are near-copies where what their dreams add is alike (cosine of conv1's coefficients) and so are their mean "
        f"responses to {found['sounds']} sounds of the corpus (correlation), both by at least {found['near']:g}."
        f"{_farthest(material.content)} Where dreams have no coefficients, responses alone decide, and a dash or an empty half stands for the "
        "cosine. A dream's own page names those most like it."
    )
    blocks: list[Block] = [Text(said), _listing(found)]
    for place, (whose, layers) in enumerate(groupby(found["layers"], lambda layer: tuple(layer[key] for key in _WHOSE))):
        blocks.append(_picture(place, whose, list(layers)))
    return [Chapter("likeness", "How alike the filters are", blocks, "Likeness")]


def _farthest(content: Content) -> str:
    """Which figures show the filters that are farthest apart, as many as there are."""
    living = [
        entry["figure"] for entry in content["figures"] if entry["figure"].startswith("6.") and not entry["figure"].startswith(("6.15", "6.16"))
    ]
    return f" The figures {living[0]} to {living[-1]} are the filters that are farthest apart." if len(living) > 1 else ""


def _listing(found: Content) -> Listing:
    rows = [
        [
            f"{layer['model']}, {layer['layer']} {layer['side']}" + ("" if layer["start"] == "source" else f", {layer['start']}"),
            str(len(layer["targets"])),
            str(layer["kinds"]),
            "; ".join(", ".join(group) for group in layer["groups"]) or words.DASH,
        ]
        for layer in found["layers"]
    ]
    note = "Kinds: groups of near-copies, and each filter that is like no other. Filters that are dead or did not rise are left out."
    return Listing("Near-copies", ("layer", "living", "kinds", "groups of near-copies (filters)"), (0.42, 0.07, 0.07, 0.44), rows, [note])


def _picture(place: int, whose: Sequence[str], layers: Sequence[Content]) -> Picture:
    sweep, model, side, start = whose
    caption = (
        f"{model}, {words.SIDES[side]}, from {start} (sweep “{sweep}”): how alike each two filters of a layer are, likes together. Above the "
        "diagonal the cosine of what their dreams add, below it the correlation of their responses."
    )
    width, height = figures.LIKENESS_SIZE
    size = (width, height * ceil(len(layers) / _ACROSS))
    return Picture(f"likeness-{place}", caption, size, partial(draw, layers=layers), "Matrices of likeness, one a layer.")


def draw(figure: Figure | SubFigure, layers: Sequence[Content]) -> None:
    """A matrix a layer, its filters in the order of their tree; so many in a row."""
    width, side, row = 1 / min(len(layers), _ACROSS), 0.27, 1 / ceil(len(layers) / _ACROSS)
    for place, layer in enumerate(layers):
        below, left = divmod(place, _ACROSS)
        axes = figure.add_axes((left * width + 0.04, 1 - (below + 0.86) * row, min(side, width - 0.06), 0.72 * row))
        order = ordered(layer)
        added, alike = (square(layer[key])[np.ix_(order, order)] for key in ("added", "responses"))
        image = axes.imshow(np.triu(added, 1) + np.tril(alike), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="none")
        every = max(1, len(order) // 8)
        ticks = range(0, len(order), every)
        axes.set_xticks(ticks, [layer["order"][tick] for tick in ticks], fontsize=5.5)
        axes.set_yticks(ticks, [layer["order"][tick] for tick in ticks], fontsize=5.5)
        axes.set_title(f"{words.layer_number(layer['layer'])}, {len(order)} filters", fontsize=7, loc="left")
        axes.tick_params(length=1.5)
    bar = figure.add_axes((0.36, 0.055 * row, 0.28, 0.025 * row))
    figure.colorbar(image, cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=5.5, length=1.5)
    for x, aligned, said in ((-0.04, "right", "cosine or correlation"), (1.04, "left", "1 the same, 0 unlike, −1 opposite")):
        bar.text(x, 0.5, said, fontsize=5.5, ha=aligned, va="center", transform=bar.transAxes)

"""Whole figures, each drawn into a figure or a part of one, so that the page and the PDF show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from aesdream.appendix import drawing, plots, scores, words
from aesdream.appendix.analysis import View, responses
from aesdream.appendix.anatomy import FirstLayer
from aesdream.appendix.panels import Panel, canvas
from aesdream.appendix.reading import Dream, Model
from aesdream.training.statistics import curves

NETWORK_SIZE = (7.4, 3.2)
BODY_SIZE = (7.4, 3.15)
SOURCE_SIZE = (7.4, 2.2)
KERNEL_SIZE = (7.4, 4.4)
CURVES_HEIGHT = 3.7
KEY, KEYS = 0.17, 3
"""Inches that a row of the key of curves takes, and how many stand in one: names of treatments may be long."""
APPENDIX_SIZE = (7.4, 2.05)
KEY_SIZE = (7.4, 0.55)
LIKENESS_SIZE = (7.4, 3.0)


def network(figure: Figure | SubFigure, layers: Sequence[Mapping[str, Any]]) -> None:
    """The network's boxes (figure 5.2)."""
    drawing.network(figure.add_axes((0.01, 0.01, 0.98, 0.98)), layers)


def sound(figure: Figure | SubFigure, shown: View, *, start: View | None = None) -> None:
    """A waveform with its spectrogram beside it."""
    axes = canvas(figure)
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    _pair(axes, shown, start, width, 0.4, height - 0.48)


def _pair(axes: Axes, shown: View, start: View | None, width: float, bottom: float, height: float) -> None:
    strip = 0.0 if shown.change is None else 0.46
    plots.waveform(Panel(axes, 0.6, bottom + strip, width / 2 - 0.8, height - strip), shown, start=start)
    if strip:
        plots.change(Panel(axes, 0.6, bottom, width / 2 - 0.8, strip - 0.14), shown)
    plots.spectrogram(Panel(axes, width / 2 + 0.44, bottom, width / 2 - 0.52, height), shown)


def body(figure: Figure | SubFigure, dream: Dream, shown: View, start: View | None) -> None:
    """A dream as the body shows it: waveform and spectrogram, and below them how it rose and what it added."""
    axes = canvas(figure)
    width, height = axes.get_xlim()[1], axes.get_ylim()[1]
    _pair(axes, shown, start, width, 1.62, height - 1.72)
    content, change = dream.content, dream.content["change"]
    at = [Panel(axes, 0.6 + place * (width - 0.06) / 4, 0.42, width / 4 - 0.7, 0.6) for place in range(4)]
    plots.activation(at[0], content["activation"])
    if content.get("coefficients"):
        plots.coefficients(at[1], dream.spread, content["hop_seconds"])
    plots.energy(at[2], change["energy_100ms"])
    plots.modulation(at[3], change["modulation"]["hertz"], change["modulation"]["share"])


def colour_key(figure: Figure | SubFigure) -> None:
    """The colours of every spectrogram."""
    axes = canvas(figure)
    plots.colour_key(Panel(axes, 0.42, 0.36, 2.8, 0.12))


def kernel(figure: Figure | SubFigure, layer: FirstLayer) -> None:
    """conv1's kernel before and after training, and its frequency response, for each channel; of several kernels the largest, and all responses."""
    channels, several = layer.before.shape[1], len(layer.after) > 1
    largest = int(np.argmax(np.square(layer.after).sum(axis=(1, 2))))
    before, after = (responses(kernels, layer.rate) if several else None for kernels in (layer.before, layer.after))
    height = 0.8 / channels
    for channel in range(channels):
        bottom = 0.1 + (channels - 1 - channel) * (height + 0.1)
        size = height - 0.1
        left, right = figure.add_axes((0.09, bottom, 0.38, size)), figure.add_axes((0.575, bottom, 0.4, size))
        name = f"conv1, filter {largest}" if several else "conv1's kernel"
        plots.kernel(left, layer.before[largest], layer.after[largest], layer.rate, channel, name)
        if before is not None and after is not None:
            plots.kernel_responses(right, before, after, layer.rate, channel)
        else:
            plots.kernel_response(right, layer.before[0], layer.after[0], layer.rate, channel)
        if channel == 0:
            (left if several else right).legend(loc="lower left", frameon=False)


def curves_size(models: Sequence[Model], protocol: str) -> tuple[float, float]:
    """Inches that ``evaluation_curves`` needs: its key has a line for each treatment, and one for chance."""
    keys = 1 + len({model.treatment for model in models if model.protocol == protocol and model.evaluation is not None})
    return (7.4, CURVES_HEIGHT + KEY * -(-keys // KEYS))


def evaluation_curves(figure: Figure | SubFigure, models: Sequence[Model], protocol: str) -> None:
    """ROC and precision-recall curves of every model under one protocol, a colour for each treatment; windowed ones judged by sound."""
    roc: list[scores.Line] = []
    recall: list[scores.Line] = []
    prevalences = []
    for model in models:
        if model.protocol != protocol or model.evaluation is None:
            continue
        sets = model.evaluation["sets"]
        chosen = sets.get("sounds", sets["validation"])
        found = curves(chosen["predictions"]["label"], chosen["predictions"]["probability"])
        prevalences.append(chosen["prevalence"])
        for lines, points in ((roc, found["roc"]), (recall, found["precision_recall"])):
            if points:
                xs, ys = zip(*points, strict=True)
                lines.append(scores.Line(model.treatment, xs, ys))
    height = curves_size(models, protocol)[1]
    below = 1 - (CURVES_HEIGHT - 0.6) / height
    left, right = (figure.add_axes((x, below, 0.4, 1 - below - 0.1 / height)) for x in (0.08, 0.58))
    scores.roc(left, roc)
    scores.precision_recall(right, recall, prevalences)
    figure.legend(*left.get_legend_handles_labels(), loc="lower center", ncols=KEYS, frameon=False)


def estimates(content: Mapping[str, Any]) -> list[scores.Estimate]:
    """The rows of the forest plot: by protocol, treatments, controls and yardsticks; windowed treatments by sound."""
    rows: list[scores.Estimate] = []
    for protocol in dict.fromkeys(table["protocol"] for table in content["tables"]):
        here: list[tuple[str, str, Mapping[str, Any] | None]] = []
        for table in content["tables"]:
            if table["protocol"] == protocol and (not table["windowed"] or table["set"] == "sounds" or table["mean"] is None):
                name = f"{table['treatment']}, {words.models_of(table)}" + (" (leaky)" if table["leaky"] else "")
                here.append((name, "control" if table["control"] else "model", (table["mean"] or {}).get("roc_auc")))
        here.sort(key=lambda row: row[1] == "control")
        for stick in content["yardsticks"]:
            if stick["protocol"] == protocol:
                here.append((words.judge(stick), "baseline", stick["mean"]["roc_auc"]))
        for place, (label, kind, found) in enumerate(here):
            value, low, high = (None if found is None else found[key] for key in ("value", "low", "high"))
            rows.append(scores.Estimate(label, value, low, high, kind, protocol if place == 0 else ""))
    return rows


def forest_height(rows: Sequence[scores.Estimate]) -> float:
    """Inches that the forest plot of ``rows`` needs."""
    return 0.75 + 0.19 * (len(rows) + 1.5 * sum(bool(row.heading) for row in rows))


def draw_forest(figure: Figure | SubFigure, rows: Sequence[scores.Estimate], height: float) -> None:
    """The forest plot of ``estimates`` in a figure that is ``height`` inches tall."""
    scores.forest(figure.add_axes((0.34, 0.5 / height, 0.63, 1 - 0.55 / height)), rows)

"""Pictures of one sound, one dream or one kernel, each drawn from arrays on a panel or axes that the caller gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from aesdream.appendix.analysis import CEILING_DB, FLOOR_DB, Array, Responses, View, response, to_mel
from aesdream.appendix.panels import Panel
from aesdream.appendix.style import BLUE, GREY, HEAT, ORANGE, SKY, START, VERMILLION, plain_axes
from aesdream.appendix.words import MINUS

_LANE = 1.3  # half the distance between the middles of two channels' lanes
_CHANNELS = ("left", "right")
_FAINTEST = -40.0  # dB below a kernel's largest gain


def waveform(panel: Panel, shown: View, *, start: View | None = None) -> None:
    """The envelope of a sound, a lane for each channel from -1 to 1; the envelope of ``start`` is laid over it in grey."""
    middles = [_LANE * (len(shown.low) - 1 - 2 * index) for index in range(len(shown.low))]
    panel = panel.spanning((0, shown.seconds), (min(middles) - 1.08, max(middles) + 1.08))
    for middle in middles:
        panel.line([0, shown.seconds], middle, GREY, 0.3)
    outlines(panel, shown, middles, BLUE, 1.0)
    if start is not None:
        outlines(panel, start, middles, START, 0.5)
    ticks = [(middle + value, name) for middle in middles for value, name in ((-1, f"{MINUS}1"), (0, "0"), (1, "1"))]
    for middle, name in zip(middles, _CHANNELS if len(middles) == 2 else [""], strict=False):
        across, up = panel.points([panel.x[1]], [middle])[0]
        panel.axes.text(across + 0.03, up, name[:1].upper(), fontsize=6.5, va="center")
    if shown.change is None:
        panel.frame("time (s)", "amplitude", yticks=ticks)
    else:
        panel.frame("", "amplitude", xticks=[], yticks=ticks)


def change(panel: Panel, shown: View) -> None:
    """What a dream added to its start, both channels in one, on a scale of its own."""
    assert shown.change is not None
    peak = float(np.abs(shown.change).max())
    panel = panel.spanning((0, shown.seconds), (-peak, peak))
    added(panel, shown)
    marks = [(-peak, f"{MINUS}{peak:.2g}"), (peak, f"{peak:.2g}")] if peak else [(0.0, "0")]
    panel.frame("time (s)", "change", yticks=marks)


def added(panel: Panel, shown: View) -> None:
    """The bare envelope of a change over a whole panel."""
    assert shown.change is not None
    low, high = shown.change
    times = np.linspace(*panel.x, len(low))
    thin = 0.01 * (panel.y[1] - panel.y[0])
    shape = np.concatenate([panel.points(times, np.maximum(high, low + thin)), panel.points(times, low - thin)[::-1]])
    panel.axes.add_collection(PolyCollection([shape], facecolors=VERMILLION, edgecolors="none"), autolim=False)


def outlines(panel: Panel, shown: View, middles: Sequence[float], colour: str, alpha: float, *, scale: float = 1.0) -> None:
    """Fill the envelope of every channel around its ``middle``, ``scale`` high for full scale, over the whole width of a panel.

    What exceeds full scale is cut there.
    """
    times = np.linspace(*panel.x, shown.low.shape[1])
    thin = 0.006  # a line's width at least, or digital silence would not be seen
    shapes = []
    for middle, low, high in zip(middles, shown.low.clip(-1, 1), shown.high.clip(-1, 1), strict=True):
        upper, lower = middle + scale * np.maximum(high, low + thin), middle + scale * (low - thin)
        shapes.append(np.concatenate([panel.points(times, upper), panel.points(times, lower)[::-1]]))
    panel.axes.add_collection(PolyCollection(shapes, facecolors=colour, edgecolors="none", alpha=alpha), autolim=False)


def spectrogram(panel: Panel, shown: View) -> None:
    """A mel spectrogram from 0 Hz to Nyquist in the colours that every spectrogram of the appendix shares."""
    panel = panel.spanning((0, shown.seconds), (0, float(to_mel(shown.nyquist))))
    heat(panel, shown)
    marks = [hertz for hertz in (200, 500, 1000, 2000, 5000, 10000, 20000) if hertz < shown.nyquist * 0.95]
    names = [f"{hertz // 1000}k" if hertz >= 1000 else str(hertz) for hertz in marks]
    panel.frame("time (s)", "frequency (Hz)", yticks=[(0.0, "0"), *((float(to_mel(hertz)), name) for hertz, name in zip(marks, names, strict=True))])


def heat(panel: Panel, shown: View) -> None:
    """The bare spectrogram over a whole panel."""
    extent = (panel.left, panel.left + panel.width, panel.bottom, panel.bottom + panel.height)
    panel.axes.imshow(shown.heat, origin="lower", aspect="auto", extent=extent, cmap=HEAT, vmin=0, vmax=255, interpolation="none")


def colour_key(panel: Panel) -> None:
    """The colour range of every spectrogram, as a strip with decibels below it."""
    panel = panel.spanning((FLOOR_DB, CEILING_DB), (0, 1))
    strip = np.arange(256, dtype=np.uint8)[None]
    heat(panel, View(np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float32), strip, 0, 1))
    panel.frame(
        "level (dB relative to a sine at full scale)", "", xticks=[(level, str(level).replace("-", MINUS)) for level in range(-90, 1, 15)], yticks=[]
    )


def _padded(values: Sequence[float]) -> tuple[float, float]:
    room = 0.06 * (max(values) - min(values))
    return min(values) - room, max(values) + room


def activation(panel: Panel, trace: Sequence[float]) -> None:
    """A target's mean activation before each step of a dream and after the last."""
    panel = panel.spanning((0, max(len(trace) - 1, 1)), _padded(trace))
    panel.line(np.arange(len(trace)), trace, BLUE)
    panel.frame("step", "mean activation", title="activation")


def coefficients(panel: Panel, values: Sequence[float], hop_seconds: float) -> None:
    """How much of conv1's kernel the dream added at each of conv1's output frames."""
    panel = panel.spanning((0, len(values) * hop_seconds), _padded([0.0, *values]))
    panel.line(panel.x, 0, GREY, 0.4)
    edges = np.repeat(np.arange(len(values) + 1) * hop_seconds, 2)[1:-1]
    panel.line(edges, np.repeat(values, 2), BLUE, 0.5)
    panel.frame("time (s)", "coefficient", title="kernel added")


def energy(panel: Panel, rms: Sequence[float]) -> None:
    """RMS of what the dream changed, every 100 ms."""
    panel = panel.spanning((0, len(rms) * 0.1), (0, 1.06 * max(rms, default=0.0) or 1.0))
    edges = np.repeat(np.arange(len(rms) + 1) * 0.1, 2)
    tops = np.concatenate([[0.0], np.repeat(rms, 2), [0.0]])
    panel.axes.add_collection(PolyCollection([panel.points(edges, tops)], facecolors=SKY, edgecolors=BLUE, linewidths=0.5), autolim=False)
    panel.frame("time (s)", "RMS of change", title="change, 100 ms")


def modulation(panel: Panel, hertz: Sequence[float], share: Sequence[float]) -> None:
    """How the envelope of the change fluctuates: the share of each modulation frequency."""
    parts = [100 * part for part in share]
    panel = panel.spanning((0, max(hertz, default=1.0)), (0, 1.06 * max(parts, default=0.0) or 1.0))
    panel.line(hertz, parts, BLUE)
    panel.frame("frequency (Hz)", "share (%)", title="its modulation")


def kernel(axes: Axes, before: Array, after: Array, rate: int, channel: int, name: str) -> None:
    """One channel of a kernel [shape=(channels, taps)] before and after training, in milliseconds."""
    times = np.arange(before.shape[1]) * 1000.0 / rate
    axes.plot(times, after[channel], color=BLUE, linewidth=0.7, label="after training")
    axes.plot(times, before[channel], color=ORANGE, linewidth=1.2, linestyle="--", label="before training")
    axes.axhline(0, color=GREY, linewidth=0.4)
    axes.set_xlim(0, times[-1])
    axes.margins(y=0.12)
    axes.set_xlabel("time in the kernel (ms)")
    axes.set_ylabel("weight")
    axes.set_title(f"{name}{_which(channel, len(before))}", loc="left")
    plain_axes(axes)


def _which(channel: int, channels: int) -> str:
    return f", {_CHANNELS[channel]} channel" if channels == 2 else ""


def kernel_response(axes: Axes, before: Array, after: Array, rate: int, channel: int) -> None:
    """The gain over frequency of one channel of a kernel [shape=(channels, taps)], with the 20 Hz below which nothing is heard."""
    hertz, gain_before = response(before[channel : channel + 1], rate)
    _, gain_after = response(after[channel : channel + 1], rate)
    axes.plot(hertz, gain_after[0], color=BLUE, linewidth=0.7, label="after training")
    axes.plot(hertz, gain_before[0], color=ORANGE, linewidth=0.9, linestyle="--", label="before training")
    top = float(max(gain_before.max(), gain_after.max()))
    axes.text(21.5, top + 2, "20 Hz", color=VERMILLION, va="top", fontsize=7)
    axes.set_ylim(top - 80, top + 5)
    axes.set_ylabel("gain (dB)")
    _over_frequency(axes, rate, f"its response{_which(channel, len(before))}")


def kernel_responses(axes: Axes, before: Responses, after: Responses, rate: int, channel: int) -> None:
    """The same of several kernels after training: a row for each, by its loudest frequency, as bright as its gain is near its own largest in any
    channel; a dot where it was loudest before training."""
    order, rows = np.argsort(after.loudest, kind="stable"), np.arange(len(after.loudest))
    rim = np.append(rows, len(rows)) - 0.5
    axes.pcolormesh(after.edges, rim, after.gains[order, channel], cmap=HEAT, vmin=_FAINTEST, vmax=0, rasterized=True)
    axes.plot(np.maximum(before.loudest[order], 1), rows, "o", color="white", markeredgecolor=BLUE, markersize=3, linestyle="none")
    axes.set_yticks(rows, [str(place) for place in order], fontsize=min(7.0, 90 / len(rows)))
    axes.set_ylabel("filter")
    _over_frequency(axes, rate, f"responses{_which(channel, after.gains.shape[1])}, dB: {_FAINTEST:g} dark, 0 bright".replace("-", MINUS))


def _over_frequency(axes: Axes, rate: int, title: str) -> None:
    axes.axvline(20, color=VERMILLION, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(1, rate / 2)
    axes.xaxis.set_major_formatter(lambda hertz, _: f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz:g}")
    axes.set_xlabel("frequency (Hz)")
    axes.set_title(title, loc="left")
    plain_axes(axes)

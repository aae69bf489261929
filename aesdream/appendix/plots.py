"""Pictures of one sound or one dream, each drawn from arrays on axes that the caller gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from aesdream.appendix.analysis import CEILING_DB, FLOOR_DB, Array, View, response, to_mel
from aesdream.appendix.style import BLUE, GREY, HEAT, ORANGE, VERMILLION, plain_axes

_CHANNELS = ("left", "right")


def waveform(axes: Axes, shown: View, *, start: View | None = None) -> None:
    """The envelope of a sound, a lane for each channel from -1 to 1; the envelope of ``start`` is laid over it in grey."""
    middles = lanes(len(shown.low))
    axes.hlines(middles, 0, shown.seconds, color=GREY, linewidth=0.3, zorder=0)
    outlines(axes, shown, middles, BLUE, 1.0)
    if start is not None:
        outlines(axes, start, middles, "#222222", 0.5)
    axes.set_xlim(0, shown.seconds)
    axes.set_ylim(min(middles) - 1.08, max(middles) + 1.08)
    ticks = [(middle + value, name) for middle in middles for value, name in ((-1, "−1"), (0, "0"), (1, "1"))]
    axes.set_yticks([at for at, _ in ticks], [name for _, name in ticks])
    plain_axes(axes)
    axes.set_ylabel("amplitude, right | left" if len(middles) == 2 else "amplitude")
    axes.set_xlabel("time (s)")


def lanes(channels: int, half: float = 1.2) -> list[float]:
    """The middle of each channel's lane, the first channel's uppermost; neighbours are twice ``half`` apart."""
    return [half * (channels - 1 - 2 * index) for index in range(channels)]


def outlines(
    axes: Axes, shown: View, middles: Sequence[float], colour: str, alpha: float, *, scale: float = 1.0, left: float = 0.0, width: float | None = None
) -> None:
    """Fill the envelope of every channel around its ``middle``; ``left`` and ``width`` place it along the axis, by default from 0 in seconds."""
    # A line's width at least, or digital silence would not be seen.
    thin = 0.006
    times = left + np.linspace(0.0, shown.seconds if width is None else width, shown.low.shape[1])
    shapes = []
    for middle, low, high in zip(middles, shown.low, shown.high, strict=True):
        upper, lower = middle + scale * np.maximum(high, low + thin), middle + scale * (low - thin)
        shapes.append(np.round(np.concatenate([np.stack([times, upper], 1), np.stack([times, lower], 1)[::-1]]), 4))
    axes.add_collection(PolyCollection(shapes, facecolors=colour, edgecolors="none", alpha=alpha), autolim=False)


def spectrogram(axes: Axes, shown: View) -> None:
    """A mel spectrogram from 0 Hz to Nyquist in the colours that every spectrogram of the appendix shares."""
    top = float(to_mel(shown.nyquist))
    heat(axes, shown, (0, shown.seconds, 0, top))
    marks = [hertz for hertz in (200, 500, 1000, 2000, 5000, 10000, 20000) if hertz < shown.nyquist * 0.95]
    names = [f"{hertz // 1000}k" if hertz >= 1000 else str(hertz) for hertz in marks]
    axes.set_yticks([0.0, *(float(to_mel(hertz)) for hertz in marks)], ["0", *names])
    axes.set_xlabel("time (s)")
    axes.set_ylabel("frequency (Hz)")


def heat(axes: Axes, shown: View, extent: tuple[float, float, float, float]) -> None:
    """The bare spectrogram at ``extent`` (left, right, bottom, top)."""
    axes.imshow(shown.heat, origin="lower", aspect="auto", extent=extent, cmap=HEAT, vmin=0, vmax=255, interpolation="none")


def colour_key(axes: Axes) -> None:
    """The colour range of every spectrogram, as a strip with decibels below it."""
    axes.imshow(np.arange(256)[None], aspect="auto", extent=(FLOOR_DB, CEILING_DB, 0, 1), cmap=HEAT)
    axes.set_yticks([])
    axes.set_xlabel("dB relative to a sine at full scale")


def activation(axes: Axes, trace: Sequence[float]) -> None:
    """A filter's mean activation before each step of a dream and after the last."""
    axes.plot(np.arange(len(trace)), trace, color=BLUE)
    axes.plot([0, len(trace) - 1], [trace[0], trace[-1]], "o", color=BLUE, markersize=2.5, clip_on=False)
    axes.set_xlim(0, max(len(trace) - 1, 1))
    axes.margins(y=0.08)
    axes.set_xlabel("step")
    axes.set_ylabel("mean activation")
    axes.set_title("activation", loc="left")
    plain_axes(axes)


def coefficients(axes: Axes, values: Sequence[float], hop_seconds: float) -> None:
    """How much of conv1's kernel the dream added at each of conv1's output frames."""
    times = np.arange(len(values)) * hop_seconds
    axes.axhline(0, color=GREY, linewidth=0.5)
    axes.step(times, values, where="post", color=BLUE, linewidth=0.6)
    axes.set_xlim(0, max(times[-1] + hop_seconds, hop_seconds) if len(times) else 1)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("coefficient")
    axes.set_title("kernel added, by frame", loc="left")
    plain_axes(axes)


def energy(axes: Axes, rms: Sequence[float]) -> None:
    """RMS of what the dream changed, every 100 ms."""
    times = np.arange(len(rms)) * 0.1
    axes.bar(times, rms, width=0.1, align="edge", color=BLUE, linewidth=0)
    axes.set_xlim(0, max(len(rms) * 0.1, 0.1))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("RMS of change")
    axes.set_title("change every 100 ms", loc="left")
    plain_axes(axes)


def modulation(axes: Axes, hertz: Sequence[float], share: Sequence[float]) -> None:
    """How the envelope of the change fluctuates: the share of each modulation frequency."""
    axes.plot(hertz, [100 * part for part in share], color=BLUE)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.02)
    axes.set_xlabel("modulation frequency (Hz)")
    axes.set_ylabel("share (%)")
    axes.set_title("modulation of the change", loc="left")
    plain_axes(axes)


def kernel(axes: Axes, before: Array, after: Array, rate: int, channel: int) -> None:
    """One channel of conv1's kernel [shape=(channels, taps)] before and after training, in milliseconds."""
    times = np.arange(before.shape[1]) * 1000.0 / rate
    axes.plot(times, after[channel], color=BLUE, linewidth=0.7, label="after training")
    axes.plot(times, before[channel], color=ORANGE, linewidth=1.2, linestyle="--", label="before training")
    axes.axhline(0, color=GREY, linewidth=0.4)
    axes.set_xlim(0, times[-1])
    axes.margins(y=0.12)
    axes.set_xlabel("time in the kernel (ms)")
    axes.set_ylabel("weight")
    axes.set_title(f"conv1's kernel, {_CHANNELS[channel]} channel", loc="left")
    plain_axes(axes)


def kernel_response(axes: Axes, before: Array, after: Array, rate: int, channel: int) -> None:
    """The same kernel's gain over frequency, with the 20 Hz below which nothing is heard."""
    hertz, gain_before = response(before[channel : channel + 1], rate)
    _, gain_after = response(after[channel : channel + 1], rate)
    axes.semilogx(hertz, gain_after[0], color=BLUE, linewidth=0.7, label="after training")
    axes.semilogx(hertz, gain_before[0], color=ORANGE, linewidth=0.9, linestyle="--", label="before training")
    top = float(max(gain_before.max(), gain_after.max()))
    axes.axvline(20, color=VERMILLION, linewidth=0.8)
    axes.text(21.5, top + 2, "20 Hz", color=VERMILLION, va="top", fontsize=7)
    axes.set_xlim(1, rate / 2)
    axes.set_ylim(top - 80, top + 5)
    axes.set_xlabel("frequency (Hz)")
    axes.set_ylabel("gain (dB)")
    axes.set_title(f"its response, {_CHANNELS[channel]} channel", loc="left")
    plain_axes(axes)

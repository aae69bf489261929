"""What the page's script reads of dreams: one short line of each in ``data/dreams.js``, and a file a dream that is fetched when it is looked at.

A page that is opened from disk may load scripts and nothing else, so the data are scripts that hand it over.
"""

from __future__ import annotations

import base64
import glob
import json
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesdream.appendix import words
from aesdream.appendix.analysis import View
from aesdream.appendix.curves import curves
from aesdream.appendix.likeness import nearest
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream
from aesdream.dreaming.settings import RELATIVE, Sweep

FIELDS = ("name", "figures", "activation", "gain", "rms", "inaudible", "fate", "dead", "verdict", "problem", "order", "copies")
Content = Mapping[str, Any]


def index(material: Material) -> bytes:
    """``data/dreams.js``: every dream of the run, what those that share a start began from, and how their sides are called."""
    content = material.content
    figures = _figure_numbers(content)
    alike = _alike(content)
    rows = [_row(entry, figures.get(name, []), alike.get(name, {})) for name, entry in material.entries.items()]
    told = {
        "study": content["study"]["study"],
        "made": words.made_by(content),
        "copies": words.COPIES,
        "sides": {"filter": words.SIDES, "class": words.CLASS_SIDES},
        "starts": {_start_key(dream): _start(material, dream) for dream in material.by_name.values() if dream.ready and not dream.has_own_start},
        "fields": FIELDS,
        "dreams": rows,
    }
    return _script("index", told)


def _figure_numbers(content: Content) -> dict[str, list[str]]:
    """Each dream's numbers in print: in the body, and in the appendix."""
    found: dict[str, list[str]] = {}
    for entry in content["figures"]:
        if entry["dream"]:
            found.setdefault(entry["dream"], []).append(entry["figure"])
    return found


def _alike(content: Content) -> dict[str, dict[str, Any]]:
    """By dream: its place among likes, and its near-copies."""
    found: dict[str, dict[str, Any]] = {}
    for layer in content.get("likeness", {}).get("layers", []):
        for target in layer["targets"]:
            name = _name(layer, target)
            copies = next(([other for other in group if other != target] for group in layer["groups"] if target in group), [])
            found[name] = {"order": layer["order"].index(target), "copies": copies}
    return found


def _name(layer: Content, target: str) -> str:
    return "/".join((layer["sweep"], layer["model"], layer["layer"], target, layer["side"], layer["start"]))


def _row(entry: Content, figures: list[str], alike: Content) -> list[Any]:
    activation = "" if entry["problem"] else f"{words.significant(entry['first'])} → {words.significant(entry['last'])}"
    raw = [_short(entry[key]) for key in ("gain", "rms_from_start", "share_under_20hz")]
    said = [entry["fate"], entry["dead"], words.verdict(entry, short=True), entry["problem"]]
    return [entry["dream"], figures, activation, *raw, *said, alike.get("order"), alike.get("copies", [])]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _start_key(dream: Dream) -> str:
    """Starts are cut to the length of dreams, which is the treatment's."""
    return f"{dream.start}/{dream.model.partition('/')[0]}"


def _start(material: Material, dream: Dream) -> dict[str, Any]:
    shown = material.views.start(dream)
    samples = material.views.of(dream).samples
    if shown is None:
        return {"name": dream.start, "heard": False}
    file = f"starts/{material.views.start_name(dream)}-{samples}"
    sound = f"../{dream.unit}-start" if dream.has_own_start else file
    there = {"heat": f"{file}.png", "wave": _wave(shown)}
    return {"name": dream.start, "heard": dream.start != "silence", "mp3": f"{sound}.mp3", "wav": f"{sound}.wav", **there}


def detail(material: Material, dream: Dream) -> bytes:
    """A dream's own file: its pictures as numbers, every fact in words, its likes, and how to make it again."""
    entry, shown = material.entries[dream.name], material.views.of(dream)
    told: dict[str, Any] = {
        "name": dream.name,
        "start": _start(material, dream) if dream.has_own_start else _start_key(dream),
        "seconds": round(shown.seconds, 4),
        "nyquist": shown.nyquist,
        "wave": _wave(shown),
        "verdict": words.verdict(entry),
        "facts": facts(entry),
        "levels": {name: entry[f"{name}_copy_db"] for name in ("start", "dream")},
        "curves": [curve.told() for curve in curves(dream)],
        "near": _near(material.content, entry),
        "again": again(entry),
        "elsewhere": elsewhere(entry, material.study.sweeps[dream.sweep]),
        "files": sorted(name.removeprefix(f"{dream.start}.") for name in dream.content.get("files", {}) if name.startswith(f"{dream.start}.")),
    }
    if shown.change is not None:
        peak = float(np.abs(shown.change).max())
        told |= {"peak": words.significant(entry["change_peak"]), "change": _packed(shown.change / (peak or 1.0))}
    return _script("detail", told)


def facts(entry: Content) -> list[tuple[str, str]]:
    """The numbers of a dream, each with its unit."""
    under = entry["share_under_20hz"]
    return [
        ("activation on the start", words.significant(entry["first"])),
        ("activation after the last step", words.significant(entry["last"])),
        ("activation gained", words.significant(entry["gain"])),
        ("steps", words.count(entry["steps"])),
        ("RMS from start (full scale is 1)", words.significant(entry["rms_from_start"])),
        ("peak (full scale is 1)", words.significant(entry["peak"])),
        ("samples at full scale", words.percent(entry["share_clipped"])),
        ("share of the change's energy under 20 Hz", words.percent(under)),
        ("highest peak of the change's spectrum, over its mean", words.decibels(entry["peakiness"])),
        ("highest peak of the start's spectrum, over its mean", words.decibels(entry["start_peakiness"])),
        ("RMS of the start's listening copy, re full scale", words.decibels(entry["start_copy_db"])),
        ("RMS of the dream's listening copy, re full scale", words.decibels(entry["dream_copy_db"])),
        ("digest of the dream", entry["digest"] or words.DASH),
        ("digest of its model", entry["checkpoint"] or words.DASH),
    ]


def again(entry: Content) -> str:
    """The command that makes a dream again, where the run folder lies."""
    model, dream = (shlex.quote(glob.escape(name)) for name in (f"models/{entry['model']}", f"dreams/{entry['dream']}"))
    return f"aesdream run study.yaml --out again --until dream --only {model} --only {dream}"


def elsewhere(entry: Content, sweep: Sweep) -> dict[str, str]:
    """The ``command`` that dreams the same target on another sound, or ``why`` there is none."""
    if entry["target"] in RELATIVE:
        return {"why": "what it was dreamed to follows from its held-out sound"}
    if sweep.domain == "spectrogram":
        return {"why": "a spectrogram was dreamed, aesdream dream changes the waveform"}
    for key, value in (("at", sweep.at), ("regularisers", sweep.regularisers), ("stop_confidence", sweep.stop_confidence)):
        if value:
            return {"why": f"its sweep says {key}, which aesdream dream does not know"}
    rule = f"--rule {sweep.rule} --step {sweep.step!r} --steps {sweep.steps}"
    rule += f" --stop-rms {sweep.stop_rms!r}" if sweep.stop_rms else ""
    rule += f" --momentum {sweep.momentum!r}" if sweep.momentum else ""
    target, model = shlex.quote(words.command(entry)), shlex.quote(entry["model"])
    return {"command": f"aesdream dream . my.wav --target {target} --side {entry['side']} --model {model} {rule}"}


def _near(content: Content, entry: Content) -> list[list[str]] | None:
    """The targets most like it with both measures; None where it was not compared."""
    for layer in content.get("likeness", {}).get("layers", []):
        if entry["target"] in layer["targets"] and _name(layer, entry["target"]) == entry["dream"]:
            return [
                [_name(layer, near["target"]), words.number(near["added"], 2), words.number(near["responses"], 2)]
                for near in nearest(layer, entry["target"])
            ]
    return None


def _wave(shown: View) -> list[str]:
    """A waveform's envelope, a text a channel."""
    return [_packed(np.stack(pair)) for pair in zip(shown.low, shown.high, strict=True)]


def _packed(pair: NDArray[np.float32]) -> str:
    """Lows then highs between -1 and 1 as bytes, base64."""
    return base64.b64encode(np.round(np.clip(pair, -1, 1) * 127).astype(np.int8).tobytes()).decode()


def _script(name: str, told: Mapping[str, Any]) -> bytes:
    return f"aesdream.{name}({json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(',', ':'))});\n".encode()

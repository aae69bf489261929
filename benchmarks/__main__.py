"""``make bench``: measure everything in one run, print the ratios, write ``latest.json`` and the growth plot, renew the documentation's table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks import dreams, preparing, training
from benchmarks.timing import Timing, surroundings

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
FIRST_CALL = """
from time import perf_counter
import torch
from benchmarks.dreams import network, source
from aesdream.dreaming import dream
torch.set_num_threads(1)
built, start = network(), source()
for _ in range(2):
    began = perf_counter()
    dream(built, "conv4", [0, 1], start, steps=2)
    print(perf_counter() - began)
"""


def first_calls(folder: Path) -> dict[str, float]:
    """Seconds that a process's first dream takes longer than its second, where nothing is compiled yet and where everything is."""
    found = {}
    for name in ("compiling", "loading"):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(HERE.parent)}
        told = subprocess.run([sys.executable, "-c", FIRST_CALL], env=environment, capture_output=True, text=True, check=True).stdout.split()
        found[name] = float(told[0]) - float(told[1])
    return found


def all_measured() -> dict[str, Any]:
    """Everything, as ``latest.json`` holds it; times in milliseconds."""
    about = surroundings()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder:
        timed = dreams.measured()
        torch.set_num_threads(1)  # as studies dream, train and prepare: a core a process
        growth = dreams.growth()
        trained, apart = training.measured(Path(folder))
        prepared = preparing.measured(Path(folder))
        first = first_calls(Path(folder) / "compiled")
    each = _a_filter({layer: timed[f"dream_{layer}"] for layer in dreams.LAYERS})
    in_eights = _a_filter({layer: timed.get(f"dream_{layer}_in_eights", timed[f"dream_{layer}"]) for layer in dreams.LAYERS})
    step = trained["train"].least
    sox = prepared["sox"].least if "sox" in prepared else None
    return {
        "machine": {**about, "load_average_after": surroundings()["load_average"]},
        "dream": {
            "ms_per_filter_step": each,
            "ms_per_filter_step_in_eights": in_eights,
            "lucent_ms_per_filter_step": timed["lucent"].least,
            "ratio": timed["lucent"].least / each,
            "autograd_ratio": timed["autograd"].least / each,
            "pass_ms": timed["pass"].least,
            "seconds_more_at_first": first,
        },
        "train": {
            "ratio": trained["loader"].least / step,
            "ratio_to_workers": trained["loader_with_workers"].least / step,
            "loss_apart": apart[0],
            "loss_apart_with_conv1d": apart[1],
        },
        "prepare": {"ratio": sox / prepared["prepare"].least if sox else None},
        "times": {name: vars(timing) for name, timing in {**timed, **trained, **prepared}.items()},
        "growth": {name: {size: vars(timing) for size, timing in sizes.items()} for name, sizes in growth.items()},
    }


def _a_filter(layers: dict[str, Timing]) -> float:
    """The mean over the filters of all layers."""
    return sum(layers[name].least * count for name, count in dreams.LAYERS.items()) / sum(dreams.LAYERS.values())


def table(found: dict[str, Any]) -> str:
    """What was measured as a page shows it."""
    times = {name: Timing(**value) for name, value in found["times"].items()}
    machine, dream, first = found["machine"], found["dream"], found["dream"]["seconds_more_at_first"]
    rows = [
        (f"dream, a filter and step, the thesis's 56 filters, {machine['cores']} threads", f"{dream['ms_per_filter_step']:.3g} ms", ""),
        *((f"- {layer}, its {count} filters, {dreams.STEPS} steps", times[f"dream_{layer}"], "") for layer, count in dreams.LAYERS.items()),
        ("- all 56, in batches of 8", f"{dream['ms_per_filter_step_in_eights']:.3g} ms", ""),
        ("- conv4 before its ReLU where every block is clipped at every step", times["worst"], ""),
        ("Lucent's loop, one filter of conv4", times["lucent"], f"{dream['ratio']:.1f}"),
        (f"`conv1d` and autograd to the waveform, batch of {dreams.BATCH}", times["autograd"], f"{dream['autograd_ratio']:.1f}"),
        ("one reading and writing of a sound in place", times["pass"], f"{dream['pass_ms'] / dream['ms_per_filter_step']:.2f}"),
        ("train, a step of 16 sounds, one thread", times["train"], ""),
        ("DataLoader over float32 in HDF5, no workers, `conv1d`", times["loader"], f"{times['loader'].least / times['train'].least:.1f}"),
        ("the same, two workers", times["loader_with_workers"], f"{times['loader_with_workers'].least / times['train'].least:.1f}"),
        ("prepare, a sound of 10 s, HDF5 included, one core", times["prepare"], ""),
        ("- its descriptors, which a study adds", times["describe"], ""),
        *([("one call of SoX", times["sox"], f"{found['prepare']['ratio']:.1f}")] if "sox" in times else []),
    ]
    before, after = machine["load_average"][0], machine["load_average_after"][0]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return "\n".join(
        [
            f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}, {versions}; load average {before} "
            f"before, {after} after. Least of all rounds, in brackets how far the median lies above it; ratios to ours.",
            "",
            "| what | time | times ours |",
            "| --- | --- | --- |",
            *(f"| {what} | {time} | {ratio} |" for what, time, ratio in rows),
            "",
            f"Losses of 100 steps by our feed and by the loader into one network: at most {found['train']['loss_apart']:.1g} apart; with `conv1d` "
            f"in the loader's: {found['train']['loss_apart_with_conv1d']:.1g}. "
            f"A process's first dream takes {first['loading']:.1f} s more than its second, the first on a machine {first['compiling']:.1f} s.",
        ]
    )


def draw(growth: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """Time a filter and step against batch, length, steps."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    for axes, (name, sizes) in zip(figure.subplots(1, len(growth)), growth.items(), strict=True):
        least = [timing["least"] for timing in sizes.values()]
        axes.plot(list(sizes), least, "o-", color="#20639b")
        axes.set(xscale="log", xlabel=name, ylim=(0, 1.15 * max(least)))
        axes.set_xticks(list(sizes), [f"{size:,}" for size in sizes], minor=False, fontsize=7)
        axes.minorticks_off()
    figure.axes[0].set_ylabel("ms a filter and step")
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}):
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, print, write."""
    found = all_measured()
    told = table(found)
    print(told)
    (HERE / "latest.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(found["growth"], HERE / "growth.svg")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{told}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What is inside the networks: their layers (figure 5.2), what training did to the first of them, and which filters are dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from aesdream.appendix import anatomy, figures, words
from aesdream.appendix.chapters import Block, Chapter, Listing, Picture
from aesdream.appendix.material import Material
from aesdream.appendix.words import count, percent, significant
from aesdream.appendix.words import number as decimals
from aesdream.training.statistics import number

TESTS = ("silent_on_start", "silent_on_corpus", "upstream", "slow_pre", "slow_post", "dead")
MOVED = ("start_rms", "rms_moved", "largest_moved", "share_barely_moved", "correlation_of_channels", "share_silent")
MANY_MODELS = 60  # more than these are not told one by one in a table


def numbers(material: Material) -> dict[str, Any]:
    """``conv1``: how far each model's first layer moved; ``census``: its dead filters, by layer and test; ``layers``: of how many."""
    census = {model.name: _census(model.census) for model in material.models if model.census}
    layers = [counted for found in census.values() for counted in found["layers"].values()]
    found = {
        "conv1": {name: anatomy.moved(kernel) for name, kernel in material.kernels.items()},
        "census": census,
        "layers": {"models": len(census), "counted": len(layers), "without_dead": sum(not counted["dead"] for counted in layers)},
    }
    return {**found, "pooled": pooled(found)}


def chapters(material: Material) -> list[Chapter]:
    """The dead filters, and conv1."""
    content = material.content
    blocks: list[Block] = [_conv1(content)]
    for model in (model for model in material.dreamed if model in material.kernels):
        draw = partial(figures.kernel, layer=material.kernels[model])
        alt = "conv1's kernel and its frequency response before and after training, for each channel."
        name = f"conv1-{words.slug(model)}"
        said = f"conv1 of {model}, before and after training." + (words.KERNELS if len(material.kernels[model].after) > 1 else "")
        blocks.append(Picture(name, said, figures.KERNEL_SIZE, draw, alt))
    made = [Chapter("census", "Dead filters", [_dead(content)], "Dead filters")]
    return made + ([Chapter("conv1", "conv1, through which everything passes", blocks, "conv1")] if content["conv1"] else [])


def networks(content: Mapping[str, Any]) -> list[Block]:
    """Figure 5.2, once for each length of input."""
    blocks: list[Block] = []
    for place, network in enumerate(content["network"]):
        said = f"the network of {', '.join(network['treatments'])}; {words.count(network['parameters'])} parameters."
        alt = "The network's layers from left to right, each with its shape and parameters."
        draw = partial(figures.network, layers=network["layers"])
        blocks.append(Picture(f"network-{place}", said, figures.NETWORK_SIZE, draw, alt, words.nth("5.2", place)))
    return blocks


def _census(census: Mapping[str, Any]) -> dict[str, Any]:
    """How many filters of each layer are dead, by each test; ``dead`` counts those that any of them finds."""
    layers = {}
    for layer, filters in census["layers"].items():
        if layer == "class":
            continue  # a logit may be negative on every sound and is no less alive
        found: Counter[str] = Counter()
        for entry in filters:
            slow = entry["slow"]
            flags = {"silent_on_start": entry["silent_on_start"], "silent_on_corpus": entry["silent_on_corpus"], "upstream": entry["upstream"]}
            flags |= {"slow_pre": slow["pre"], "slow_post": slow["post"]}
            found.update(flag for flag, raised in flags.items() if raised)
            found["dead"] += any(flags.values())
        layers[layer] = {"filters": len(filters), **{name: found[name] for name in TESTS}}
    return {"bottleneck": census["bottleneck"], "layers": layers}


def pooled(found: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of both tables, ``conv1`` means and ``census`` sums: each model has its own, but those of a treatment and protocol share one where
    there are many models.
    """
    conv1: dict[str, Any] = {}
    for whose, pool in _pools(found["conv1"]).items():
        told = [{**found["conv1"][name], "share_silent": found["census"][name]["bottleneck"]["share_silent"]} for name in pool]
        conv1[whose] = {"taps": list(dict.fromkeys(one["taps"] for one in told)), **{key: _mean([one[key] for one in told]) for key in MOVED}}
    census: dict[str, Any] = {}
    for whose, pool in _pools(found["census"]).items():
        layers = [found["census"][name]["layers"] for name in pool]
        census[whose] = {layer: {key: sum(one[layer][key] for one in layers) for key in ("filters", *TESTS)} for layer in layers[0]}
    return {"conv1": conv1, "census": census}


def _pools(models: Collection[str]) -> dict[str, list[str]]:
    """Which models share a row."""
    if len(models) <= MANY_MODELS:
        return {name: [name] for name in models}
    pools: dict[str, list[str]] = {}
    for name in models:
        pools.setdefault(name.rpartition("/")[0], []).append(name)
    return {f"{whose} ({len(pool)})": pool for whose, pool in pools.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return number(sum(there) / len(there)) if there else None


def _said(models: Collection[str], how: str) -> list[str]:
    """What must be said of rows that several models share."""
    many = len(models) > MANY_MODELS
    return [f"{how} over the models of a treatment and protocol, so many as are told in brackets; results.json has every one."] if many else []


def _conv1(content: Mapping[str, Any]) -> Listing:
    """How far conv1's weights moved, and on how many sounds it is silent: of every model, or means over many."""
    rows = [
        [
            whose,
            " / ".join(map(count, moved["taps"])),
            significant(moved["start_rms"]),
            *(f"{significant(moved[key])} ×" for key in ("rms_moved", "largest_moved")),
            percent(moved["share_barely_moved"]),
            decimals(moved["correlation_of_channels"], 2),
            percent(moved["share_silent"]),
        ]
        for whose, moved in content["pooled"]["conv1"].items()
    ]
    heads = ("model", "taps", "weight at start", "moved (RMS)", "moved most", "moved < 1 %", "left~right", "silent on")
    told = (
        "Moved: change in multiples of the weights' size at the start; the share that moved less than 1 % of it. left~right: correlation "
        "of the two channels' kernels after training. Silent on: share of the corpus's sounds on which conv1 gives only zeros."
    )
    notes = [told, *_said(content["conv1"], "Means")]
    return Listing("How far conv1's weights moved", heads, (0.33, 0.07, 0.11, 0.11, 0.1, 0.1, 0.09, 0.09), rows, notes)


def _dead(content: Mapping[str, Any]) -> Listing:
    """Dead filters by model, or by treatment of many, and by layer, each test apart; layers without one are only counted."""
    rows = [
        [whose, layer, *(count(counted[key]) for key in ("filters", *TESTS))]
        for whose, layers in content["pooled"]["census"].items()
        for layer, counted in layers.items()
        if counted["dead"]
    ]
    heads = ("model", "layer", "filters", "silent on start", "on corpus", "by conv1", "slow before", "slow after", "any test")
    alive = "{without_dead} of {counted} layers of {models} models have no dead filter.".format(**content["layers"])
    told = "Silent: the ReLU gives only zeros on the start, on every sound of the corpus, or because conv1 does. Slow: the gradient at the start "
    told += "is below a twentieth of its layer's median, before or after the ReLU. Layers without dead filters are left out."
    notes = [told, alive, *_said(content["census"], "Sums")]
    return Listing("Census of dead filters", heads, (0.34, 0.07, 0.07, 0.11, 0.09, 0.08, 0.09, 0.08, 0.07), rows, notes)

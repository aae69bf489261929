"""What is inside the networks: their layers (figure 5.2), what training did to the first of them, and which filters are dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from aesdream.appendix import anatomy, figures, words
from aesdream.appendix.chapters import Block, Chapter, Listing, Picture
from aesdream.appendix.material import Material
from aesdream.appendix.words import count, number, percent, significant

TESTS = ("silent_on_start", "silent_on_corpus", "upstream", "slow_pre", "slow_post", "dead")
MANY_MODELS = 60  # more than these are not told one by one in a table


def numbers(material: Material) -> dict[str, Any]:
    """``conv1``: how far each model's first layer moved; ``census``: its dead filters, by layer and test; ``layers``: of how many."""
    census = {model.name: _census(model.census) for model in material.models if model.census}
    layers = [counted for found in census.values() for counted in found["layers"].values()]
    return {
        "conv1": {name: anatomy.moved(kernel) for name, kernel in material.kernels.items()},
        "census": census,
        "layers": {"models": len(census), "counted": len(layers), "without_dead": sum(not counted["dead"] for counted in layers)},
    }


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


def _pooled(models: Iterable[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Which models share a row: each has its own, but those of a treatment and protocol share one where there are many; a note that says so."""
    names = list(models)
    if len(names) <= MANY_MODELS:
        return {name: [name] for name in names}, []
    pools: dict[str, list[str]] = {}
    for name in names:
        pools.setdefault(name.rpartition("/")[0], []).append(name)
    note = f"{len(names)} models, those of a treatment and protocol in one row; results.json has every one."
    return {f"{whose} ({len(pool)})": pool for whose, pool in pools.items()}, [note]


def _conv1(content: Mapping[str, Any]) -> Listing:
    """How far conv1's weights moved, and on how many sounds it is silent: of every model, or means over many."""
    pools, said = _pooled(content["conv1"])

    def mean(pool: Sequence[str], key: str) -> float | None:
        found = [content["conv1"][name][key] for name in pool if content["conv1"][name][key] is not None]
        return sum(found) / len(found) if found else None

    rows = [
        [
            whose,
            " / ".join(dict.fromkeys(count(content["conv1"][name]["taps"]) for name in pool)),
            significant(mean(pool, "start_rms")),
            *(f"{significant(mean(pool, key))} ×" for key in ("rms_moved", "largest_moved")),
            percent(mean(pool, "share_barely_moved")),
            number(mean(pool, "correlation_of_channels"), 2),
            percent(sum(content["census"][name]["bottleneck"]["share_silent"] for name in pool) / len(pool)),
        ]
        for whose, pool in pools.items()
    ]
    heads = ("model", "taps", "weight at start", "moved (RMS)", "moved most", "moved < 1 %", "left~right", "silent on")
    told = (
        "Moved: change in multiples of the weights' size at the start; the share that moved less than 1 % of it. left~right: correlation "
        "of the two channels' kernels after training. Silent on: share of the corpus's sounds on which conv1 gives only zeros."
    )
    means = [f"Means over models. {said[0]}"] if said else []
    return Listing("How far conv1's weights moved", heads, (0.33, 0.07, 0.11, 0.11, 0.1, 0.1, 0.09, 0.09), rows, [told, *means])


def _dead(content: Mapping[str, Any]) -> Listing:
    """Dead filters by model, or by treatment of many, and by layer, each test apart; layers without one are only counted."""
    keys = ("filters", *TESTS)
    pools, said = _pooled(content["census"])
    rows = []
    for whose, pool in pools.items():
        for layer in content["census"][pool[0]]["layers"]:
            counted = {key: sum(content["census"][name]["layers"][layer][key] for name in pool) for key in keys}
            if counted["dead"]:
                rows.append([whose, layer, *(count(counted[key]) for key in keys)])
    heads = ("model", "layer", "filters", "silent on start", "on corpus", "by conv1", "slow before", "slow after", "any test")
    alive = "{without_dead} of {counted} layers of {models} models have no dead filter.".format(**content["layers"])
    told = "Silent: the ReLU gives only zeros on the start, on every sound of the corpus, or because conv1 does. Slow: the gradient at the start "
    told += "is below a twentieth of its layer's median, before or after the ReLU. Layers without dead filters are left out."
    sums = [f"Sums over models. {said[0]}"] if said else []
    return Listing("Census of dead filters", heads, (0.34, 0.07, 0.07, 0.11, 0.09, 0.08, 0.09, 0.08, 0.07), rows, [told, alive, *sums])

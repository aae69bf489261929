"""What is inside the networks: their layers (figure 5.2), what training did to the first of them, and which filters are dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from aesdream.appendix import anatomy, figures, listing, words
from aesdream.appendix.chapters import Block, Chapter, Picture
from aesdream.appendix.material import Material

TESTS = ("silent_on_start", "silent_on_corpus", "upstream", "slow_pre", "slow_post", "dead")


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
    blocks: list[Block] = [listing.conv1(content)]
    for model in (model for model in material.dreamed if model in material.kernels):
        draw = partial(figures.kernel, layer=material.kernels[model])
        alt = "conv1's kernel and its frequency response before and after training, for each channel."
        name = f"conv1-{words.slug(model)}"
        said = f"conv1 of {model}, before and after training." + (words.KERNELS if len(material.kernels[model].after) > 1 else "")
        blocks.append(Picture(name, said, figures.KERNEL_SIZE, draw, alt))
    made = [Chapter("census", "Dead filters", [listing.census(content)], "Dead filters")]
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

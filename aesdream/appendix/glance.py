"""The first chapter: what was done, what was found, and what is made up, for a reader who knows nothing of it; then the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aesdream.appendix import headline, inside, listing, words
from aesdream.appendix.chapters import Block, Chapter, Heading, Terms, Text
from aesdream.appendix.material import Material

Content = Mapping[str, Any]
ROAD = (
    "The road is that of a 2019 master's thesis (S. D. Jenkins), which asked what makes a sound interesting to a composer: let a network learn the "
    "composer's judgement, then make audible what it listens for. Tables and figures have the numbers of the thesis's own."
)
BESIDE = ", beside judges without a network and controls that can have learned nothing of the labels."
LEAKY = " Under augment-first they were not kept apart from training: both sides share sounds."
MANY = 4  # starts that are not named one by one
SCALE = (
    "How well a judge ranks sounds is told by its ROC AUC: 0.5 is guessing, 1 is perfect; brackets hold 95 % intervals. Terms are explained at the "
    "end of these pages."
)


def chapters(material: Material) -> list[Chapter]:
    """The study at a glance, and the network."""
    content = material.content
    blocks: list[Block] = [Text(text) for text in done(content)]
    blocks += [Heading("What was found"), *(Text(text, "warning" if text.startswith("Warning") else "plain") for text in found(content))]
    blocks += [Heading("The study in figures"), Terms(listing.glance(content))]
    blocks += [Text(warning, "warning") for warning in content["sounds"].get("warnings", ())]
    if content["problems"]:
        blocks.append(listing.problems(content))
    return [Chapter("glance", "The study at a glance", blocks, "At a glance"), Chapter("network", "The network", inside.networks(content), "Network")]


def done(content: Content) -> list[str]:
    """What was done, in plain words."""
    sounds, study = content["sounds"], content["study"]
    classes = " and ".join(f"“{name}”" for name in sounds["classes"]) if len(sounds["classes"]) < 4 else f"{len(sounds['classes'])} classes"
    made = sounds.get("synthetic")
    who = (
        "by whoever gave the sounds"
        if not made
        else "by a written rule, not by a listener"
        if "composer" in made
        else "by what was made to play them"
    )
    hearing = [study["network"], *study["networks"].values()]
    heard = " or ".join(
        said for kind, said in (("jenkins", "raw sound"), ("han", "log-mel spectrograms")) if any(network.get(kind) for network in hearing)
    )
    first = (
        f"Small neural networks that hear {heard} learned to tell {classes} apart, from {words.count(sounds['count'])} sounds that were labelled "
        f"{who}. They were trained in {_several(len(study['training']['treatments']), 'way', 'treatment')}, and judged on sounds that were split off "
        f"in {_several(len(study['training']['protocols']), 'way', 'protocol')}{BESIDE if content.get('yardsticks') else '.'}"
    )
    if any("/augment-first/" in model["model"] for model in content["models"]):
        first += LEAKY
    road = [ROAD] if len(sounds["classes"]) == 2 else []
    steps = sorted({sweep["steps"] for sweep in content["sweeps"].values()})
    if not steps:
        return [first, *road]
    length = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    starts = sorted({dream["start"] for sweep in content["sweeps"].values() for dream in sweep["dreams"]})
    named = ", ".join(starts) if len(starts) < MANY else f"one of {len(starts)}"
    second = (
        f"Then they were made to dream. A dream starts from a sound ({named}) and changes it in {length} small steps, each along the gradient that "
        "makes one filter of one layer, or one class, respond more. What it listens for is what was added. Every dream can be heard on the page "
        "beside its start: hear, compare, search and cite them under “Every dream”."
    )
    return [first, second, *road]


def _several(count: int, what: str, term: str) -> str:
    return f"one {what} ({term})" if count == 1 else f"{count} {what}s ({term}s)"


def found(content: Content) -> list[str]:
    """What was found, in plain words; every number stands in results.json."""
    said = [SCALE, *headline.sentences(content["headline"])] if "headline" in content else []
    outcome = content["outcome"]
    if outcome["made"]:
        line = f"{outcome['rose']} of {outcome['made']} dreams raised their target's activation."
        if outcome["median_share_under_20hz"] is not None:
            share = words.percent(outcome["median_share_under_20hz"])
            line += f" Of what such a dream adds, {share} of the energy (median) lies under 20 Hz, where nobody hears it."
        said.append(line + _alike(content))
    return said + content.get("truth", {}).get("said", {}).get("matrix", [])[:1] + _claims(content)


def _claims(content: Content) -> list[str]:
    """What the paper claims of dreams of instruments, each with what became of it here."""
    sweeps = content.get("instruments", {}).get("sweeps", {})
    claims = [(model, claim) for models in sweeps.values() for model, told in models.items() for claim in told["claims"]]
    return [f"Claimed: {claim['claim']} {claim['verdict'].capitalize()} here, by {model}." for model, claim in claims]


def _alike(content: Content) -> str:
    layers = content.get("likeness", {}).get("layers", [])
    if not layers:
        return ""
    first = layers[0]
    same = [layer for layer in layers if all(layer[key] == first[key] for key in ("sweep", "model", "side", "start"))]
    parts = [f"{len(layer['targets'])} living filters of {words.layer_number(layer['layer'])} are of {layer['kinds']} kinds" for layer in same]
    return f" Filters that are near-copies of each other counted as one kind, in {first['model']} the {', the '.join(parts)}."

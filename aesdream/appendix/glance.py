"""The first chapter: what was done, what was found, and what is made up, for a reader who knows nothing of it; then the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aesdream.appendix import headline, inside, listing, words
from aesdream.appendix.chapters import Block, Chapter, Heading, Listing, Terms, Text
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Model
from aesdream.study import PHRASE
from aesdream.training.statistics import TRUSTED

Content = Mapping[str, Any]
ROAD = (
    "The road is that of a 2019 master's thesis (S. D. Jenkins, Revealing the Determinants of Acoustic Aesthetic Judgment Through Algorithmic "
    "“Dreaming”), which asked what makes a sound interesting to a composer: let a network learn the composer's judgement, then make audible what it "
    "listens for. Tables and figures are numbered as in the thesis, with a letter where several here repeat one of its own."
)
PROTOCOLS = {
    "augment-first": "copies and windows of sounds are made first and then split, as in the thesis",
    "split-first": "no sound is on both sides, but its relatives may be",
    "by-family": "neither a sound nor a relative of it is on both sides",
}
BESIDE = " Beside them stand judges without a network, and controls that can have learned nothing of the labels."
LEAKY = " Under augment-first they were not kept apart from training: both sides share sounds."
LEAKY_DREAMS = " The evaluation of a model under augment-first flatters it; its dreams need no validation."
BOTTLENECK = (
    " All of these networks hear through a first layer (conv1) of one filter. So a dream, whatever it is of, adds that filter's kernel in varying "
    "amounts along the sound, and nothing else (clipping apart): dreams differ in where and how strongly, not in what."
)
VERDICTS = ("confirmed", "not confirmed", "cannot be said")
MANY = 4  # starts that are not named one by one
SCALE = (
    "How well a judge ranks sounds is told by its ROC AUC, the chance that it ranks a sound of the class above one that is not: 0.5 is guessing, 1 "
    "is perfect; brackets hold 95 % intervals. Terms are explained at the end of these pages."
)
PAPER = (
    "The road is that of a short paper (Cochran and Kim), which dreamed a recogniser of instruments towards right and wrong classes and from noise, "
    "to see what it had learned. Each of its claims is tested here, by a rule that stands with it."
)
UNHEARD = "Nobody has listened to the dreams for these pages"
TEST = ": whether a dream is told from its start by ear is for the blind test to say."


def chapters(material: Material) -> list[Chapter]:
    """The study at a glance, and the network."""
    content = material.content
    blocks: list[Block] = [Text(text) for text in done(content)]
    blocks += [Heading("What was found"), *(Text(text, "warning" if text.startswith("Warning") else "plain") for text in found(content))]
    blocks += claims(content)
    blocks += [Heading("The study in figures"), Terms(listing.glance(content))]
    blocks += [Text(warning, "warning") for warning in content["sounds"].get("warnings", ())]
    blocks += [Text(warning, "warning") for warning in few_of_a_class(material.models)]
    if content["problems"]:
        blocks.append(listing.problems(content))
    return [Chapter("glance", "The study at a glance", blocks, "At a glance"), Chapter("network", "The network", inside.networks(content), "Network")]


def few_of_a_class(models: Iterable[Model]) -> list[str]:
    """A warning where a validation side has so few sounds of a class that its intervals are not to be trusted."""
    counts: dict[str, int] = {}
    for model in models:
        judged = (model.evaluation or {}).get("sets", {}).get("validation", {}).get("predictions", {})
        if "label" in judged and "probability" in judged:
            sides = [{name.partition("@")[0] for name, of in zip(judged["id"], judged["label"], strict=True) if of == label} for label in (0, 1)]
            counts[model.name] = min(map(len, sides))
    thin = {name: count for name, count in counts.items() if count < TRUSTED}
    if not thin:
        return []
    least = min(thin, key=lambda name: thin[name])
    return [
        f"Few validation sounds: {len(thin)} of {len(counts)} models were judged on fewer than {TRUSTED} sounds of a class, {least} on "
        f"{thin[least]}. Their intervals are narrower than what is known, and are not to be trusted."
    ]


def done(content: Content) -> list[str]:
    """What was done, in plain words; what is made up comes first."""
    road = [ROAD] if len(content["sounds"]["classes"]) == 2 else [PAPER] if "instruments" in content else []
    return [_material(content["sounds"]), _training(content), *_dreaming(content), *road]


def _material(sounds: Content) -> str:
    """Where sounds and labels come from."""
    made, sounds_made = sounds.get("synthetic"), f"{words.count(sounds['count'])} sounds"
    if not made:
        return f"The {sounds_made} and their labels are as they were given; neither is made up here."
    if "composer" in made:
        positive = words.count(sounds["labels"][sounds["positive"]])
        return (
            f"Everything here is synthetic. A program made the {sounds_made} out of one source sound ({sounds['source']['name']}), and a written "
            f"rule, no listener, called {positive} of them “{sounds['positive']}”. {made['rule']} So these pages show whether the method finds out a "
            "known rule, and nothing of what anybody likes to hear."
        )
    return f"The {sounds_made} are synthetic ({made['processor'].rstrip('.')}); their labels are known because of that."


def _training(content: Content) -> str:
    """What learned what, and how it was judged."""
    sounds, study = content["sounds"], content["study"]
    classes = (
        " and ".join(f"“{name}”" for name in sounds["classes"])
        if len(sounds["classes"]) < 4
        else f"{len(sounds['classes'])} classes ({', '.join(sounds['classes'])})"
    )
    kinds = {kind for network in (study["network"], *study["networks"].values()) for kind, given in network.items() if given is not None}
    heard = " or ".join(said for kind, said in (("jenkins", "raw sound"), ("han", "log-mel spectrograms")) if kind in kinds)
    protocols = study["training"]["protocols"]
    told = "; ".join(f"{name}, {PROTOCOLS[name]}" for name in protocols)
    said = (
        f"Small neural networks that hear {heard} learned to tell {classes} apart. They were trained in "
        f"{_several(len(study['training']['treatments']), 'way', 'treatment')}, and judged on sounds that were split off in "
        f"{_several(len(protocols), 'way', 'protocol')}: {told}."
    )
    said += BESIDE if content.get("yardsticks") else ""
    return said + (LEAKY if any("/augment-first/" in model["model"] for model in content["models"]) else "")


def _dreaming(content: Content) -> list[str]:
    """What a dream is; nothing where there is none."""
    steps = sorted({sweep["steps"] for sweep in content["sweeps"].values()})
    if not steps:
        return []
    length = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    starts = sorted({dream["start"] for sweep in content["sweeps"].values() for dream in sweep["dreams"]})
    named = ", ".join(_start(content, start) for start in starts) if len(starts) < MANY else f"one of {len(starts)}"
    return [
        "Then they were made to dream. A network is layers of filters, each of which responds to something in the sound; nobody told it to what. A "
        f"dream starts from a sound ({named}) and changes it in {length} small steps, each along the gradient that makes {_aims(content)} respond "
        f"more. What it listens for is what was added.{_bottleneck(content)} Every dream can be heard on the page beside its start: hear, compare, "
        "search and cite them under “Every dream”.",
        _dreamed(content),
    ]


def _aims(content: Content) -> str:
    """What this run's dreams were of."""
    layers = {dream["layer"] for sweep in content["sweeps"].values() for dream in sweep["dreams"]}
    return " or ".join([*(["one filter"] if layers - {"class"} else []), *(["one class"] if "class" in layers else [])]) or "its target"


def _bottleneck(content: Content) -> str:
    """What a first layer of one filter does to every dream; nothing where the networks have none."""
    first = [step["shape"] for network in content["network"] for step in network["layers"] if step["name"] == "conv1"]
    through = all("coefficients" in dream["curves"] for sweep in content["sweeps"].values() for dream in sweep["dreams"] if not dream["problem"])
    return BOTTLENECK if first and through and all(shape.startswith("1 ×") for shape in first) else ""


def _dreamed(content: Content) -> str:
    """Which models were dreamed, and how their names are read."""
    models = list(dict.fromkeys(model for sweep in content["sweeps"].values() for model in sweep["models"]))
    which = ", ".join(models) if len(models) < MANY else ", ".join(sorted({model.partition("/")[0] for model in models}))
    said = f"The study names whose dreams are kept to be heard: {len(models)} of its {len(content['models'])} models ({which}). "
    said += "A name is treatment, protocol, and which split and seed, counted from 0."
    return said + (LEAKY_DREAMS if any("/augment-first/" in model for model in models) else "")


def _start(content: Content, start: str) -> str:
    if start != "source":
        return start
    name = content["sounds"]["source"]["name"]
    own = content["sounds"].get("synthetic") is None
    return "the packaged trombone phrase, since the study names no sounds.start" if own and name == PHRASE else f"the source, a {name}"


def _several(count: int, what: str, term: str) -> str:
    return f"one {what} ({term})" if count == 1 else f"{count} {what}s ({term}s)"


def found(content: Content) -> list[str]:
    """What was found, in plain words; every number stands in results.json."""
    said = [*headline.answer(content["headline"]), SCALE, *headline.sentences(content["headline"])] if "headline" in content else []
    said += _told_apart(content)
    outcome = content["outcome"]
    if outcome["made"]:
        line = f"{outcome['rose']} of {outcome['made']} dreams raised their target's activation"
        line += ", however little"
        line += f"; {outcome['dead']} did not, all of filters that are dead: silent, or too slow to be moved." if outcome["dead"] else "."
        if outcome["rose_although_overshot"]:
            line += f" {outcome['rose_although_overshot']} of those that rose overshot, and ended below the highest that they had reached."
        if outcome["medians_under_20hz"]:
            share = words.shares(outcome["medians_under_20hz"])
            line += f" Of what a dream that rose adds, the share of energy under 20 Hz, where nobody hears it, is in the median of a model {share}."
        said.append(f"{line}{_alike(content)} {UNHEARD}{TEST if content['blind'] else '.'}")
    return said + content.get("truth", {}).get("said", {}).get("matrix", [])[:1]


def _told_apart(content: Content) -> list[str]:
    """How well models of many classes tell them apart on every set, beside one who says every class."""
    models = content.get("instruments", {}).get("sets", {})
    lines = [
        f"{model} reaches a micro F1 (S2; 1 is perfect) of "
        + ", ".join(
            f"{words.interval(found['S2']['micro']['f1'])} on its {name} sounds (saying every class: {words.number(found['always']['micro_f1'])})"
            for name, found in sets.items()
        )
        for model, sets in models.items()
    ]
    return [f"{'; '.join(lines)}. Brackets hold 95 % intervals."] if lines else []


def claims(content: Content) -> list[Listing]:
    """What the paper claims of dreams of instruments, each with what became of it here; nothing where nothing was tested."""
    found: dict[str, dict[str, list[str]]] = {}
    for sweep, models in content.get("instruments", {}).get("sweeps", {}).items():
        for model, told in models.items():
            for claim in told["claims"]:
                found.setdefault(claim["claim"], {}).setdefault(claim["verdict"], []).append(f"{sweep} ({model.partition('/')[0]})")
    rows = [[claim, *("; ".join(said.get(verdict, [])) or words.DASH for verdict in VERDICTS)] for claim, said in found.items()]
    notes = ("Sweeps, each with the treatment of the model that was dreamed; permuted labels make a control. Rules and intervals stand below.",)
    return [Listing("What is claimed, and what became of it", ("claim", *VERDICTS), (0.4, 0.2, 0.2, 0.2), rows, notes)] if rows else []


def _alike(content: Content) -> str:
    layers = content.get("likeness", {}).get("layers", [])
    if not layers:
        return ""
    first = layers[0]
    same = [layer for layer in layers if all(layer[key] == first[key] for key in ("sweep", "model", "side", "start"))]
    parts = [f"{len(layer['targets'])} living filters of {words.layer_number(layer['layer'])} are of {layer['kinds']} kinds" for layer in same]
    counted = f"in {first['model']} the {', the '.join(parts)}"
    return f" Filters repeat each other: where those whose dreams and responses are nearly the same count as one kind, {counted}."

"""How numbers and states read in page and PDF, so that both print the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

DASH = "–"
MINUS = "−"

MEASURES = {
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "npv": "negative predictive value",
    "f1": "F1",
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "precision_at_prevalence": "precision at the corpus's prevalence",
    "f1_at_prevalence": "F1 at the corpus's prevalence",
}

STATES = {
    "upstream": "silent because conv1 is silent",
    "silent_on_start": "silent on the start (its ReLU gives only zeros)",
    "silent_on_corpus": "silent on the whole corpus (its ReLU gives only zeros)",
    "slow": "slow (its gradient at the start is below a twentieth of its layer's median)",
    "overshot": "overshot (a step passed the edge of a ReLU, behind which the gradient is zero, and it stood still below what it had reached)",
}
STATES_SHORT = {
    "upstream": "conv1 silent",
    "silent_on_start": "silent on start",
    "silent_on_corpus": "silent on corpus",
    "slow": "slow",
    "overshot": "overshot",
}
STILL = {"sure": "sure from the start, no step needed", "unexplained": "no test explains it"}
"""Why a dream did not rise that no test stopped."""

JUDGES = {
    "majority": "majority rule",
    "level": "level alone (logistic)",
    "descriptors": "ten descriptors (logistic)",
    "ceiling": "the composer's own rule (ceiling)",
}
LEVELS = {"rms_db": "whole corpus: RMS level", "peak_db": "whole corpus: peak level"}
SIDES = {"pre": "before its ReLU", "post": "after its ReLU", "margin": "before its ReLU, less the others"}
CLASS_SIDES = {"pre": "logit", "post": "probability", "margin": "margin"}

NO_FIGURE = {"6.15": "no dream of a dead filter, after its ReLU, is there.", "6.16": "no living filter was dreamed both before and after its ReLU."}
KEY = (
    "Each waveform has its channels one above the other, of two the left on top, from −1 to 1: blue is the dream, dark grey the start that lies over "
    "it. The strip below shows in orange what the dream added, all channels in one, on a scale of its own. Every spectrogram is mel-spaced from 0 Hz "
    "to half the sample rate and spans −90 to 0 dB relative to a sine at full scale, so that any two can be compared."
)
KERNELS = (
    " Left: the filter with the largest weights. Right: every filter after training, each relative to its own largest gain in any channel, the "
    "higher up the higher the frequency at which that lies; dots: where it lay before training."
)
SHEET = (
    "Waveform, change (on a scale of its own) and spectrogram as before; below them the activation at the start and at the end, and why a filter "
    "is dead or did not rise."
)
CHOICE = (
    "Chosen by measure and not by eye: of each layer the living filters that are farthest from each other in when and how strongly their dreams add "
    "to the start, or in how they respond to the corpus (see how alike the filters are, below). Their pictures may look alike all the same: each "
    "shows the start with little added, and what is added is the orange strip."
)
COPIES = "nothing below 20 Hz, a dream's written as loud as its start's where its peaks allow, and the louder of the two turned down by what is left"
NUMBERS_ALONE = "There is no dream to hear: of what was dreamed numbers alone are kept. A sweep that says keep: sounds can be heard here."
BLIND = (
    "In each trial you may play A, B and X as often as you like. A is the start, B is the dream that grew from it, and X is one of the two, drawn at "
    "random; say which, once all three were played. Who hears no difference is right in half of the trials. Compared are listening copies: "
    f"{COPIES}."
)
FOREST = (
    "Area under the ROC curve: circles are models, squares controls, diamonds judges without a network; lines are 95 % intervals of the mean over "
    "models, by bootstrap over families."
)
CURVES = (
    "receiver operating characteristic (left) and precision over recall (right) on the validation sounds, a thin line for each model; windowed "
    "treatments by sound. Dashed: chance, which for precision is the share of positives in the set."
)


def synthetic(sounds: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is made up of a corpus, in two words and in a sentence; None where nothing is."""
    made = sounds.get("synthetic")
    if not made:
        return None
    if "composer" in made:
        return "Synthetic sounds and labels", "A program made these sounds, and nobody listened to them to judge them."
    return "Synthetic sounds", f"{made['processor'][:1].upper()}{made['processor'][1:].rstrip('.')} ({made['font']})."


def made_by(content: Mapping[str, Any]) -> str:
    """With what a run was made, and of which settings."""
    return "aesdream {aesdream}, from settings of digest {study}".format(**content["made_by"])


def judge(stick: Mapping[str, Any]) -> str:
    """A yardstick by what it knows; where several composers judge, of whose labels."""
    return JUDGES[stick["judge"]] + (f", {stick['composer']}" if stick.get("composer") else "")


def slug(name: str) -> str:
    """A unit's name as the name of a file."""
    return name.replace("/", "--")


def number(value: float | None, digits: int = 3) -> str:
    """Three digits after the point, no zero with a sign, a dash for what is undefined."""
    return DASH if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", MINUS)


def significant(value: float | None, digits: int = 3) -> str:
    """So many significant digits: for quantities without a natural scale."""
    if value is None:
        return DASH
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share as a percentage with one digit after the point."""
    return DASH if share is None else f"{100 * share:.1f} %".replace("-", MINUS)


def shares(by_model: Mapping[str, float | None]) -> str:
    """A share a model: each with its name, or from which to which where there are more than three."""
    found = sorted(share for share in by_model.values() if share is not None)
    if len(found) > 3:
        return f"{percent(found[0])} to {percent(found[-1])}"
    return ", ".join(f"{percent(share)} ({model})" for model, share in by_model.items()) or DASH


def decibels(value: float | None) -> str:
    """A level with one digit after the point."""
    return DASH if value is None else f"{value:.1f} dB".replace("-", MINUS)


def interval(estimate: Mapping[str, Any] | None) -> str:
    """``.741 [.612, .838]``-like: a value with its bounds, without them where there are none. Three digits after the point, or four, so that
    half a narrow interval has two which are not zero.
    """
    if estimate is None or estimate.get("value") is None:
        return DASH
    low, high = estimate.get("low"), estimate.get("high")
    if low is None or high is None:
        return number(estimate["value"])
    digits = 3 if high <= low or high - low >= 0.02 else 4
    value, low, high = (number(one, digits) for one in (estimate["value"], low, high))
    return f"{value} [{low}, {high}]"


def count(value: int | None) -> str:
    """A whole number with its thousands apart."""
    return DASH if value is None else f"{value:,}"


def states(state: Mapping[str, Any] | None, *, short: bool = False) -> str:
    """Why a filter counts as dead, or nothing."""
    named = STATES_SHORT if short else STATES
    return "; ".join(text for key, text in named.items() if state and state.get(key))


def layer_number(layer: str) -> str:
    """``conv3`` is the thesis's layer 3."""
    return f"layer {layer[4:]}" if layer.startswith("conv") and layer[4:].isdigit() else layer


def title(layer: str, target: str) -> str:
    """What a dream is of, in the thesis's words: ``layer 3, filter 1``."""
    return f"{layer_number(layer)}, filter {target}" if target.isdigit() else f"{layer_number(layer)}, {target}"


def command(dream: Mapping[str, Any]) -> str:
    """A dream's target as the command line names it: ``conv4:23``."""
    return f"{dream['layer']}:{unquote(dream['target'])}"


def nth(figure: str, place: int) -> str:
    """The number of one of several figures that the thesis, or the paper, has once: 5.2, 5.2b, 5.2c …"""
    return figure if place == 0 else f"{figure}{lettered(place)}"


def lettered(place: int) -> str:
    """a, b, … z, aa, ab …"""
    return ("" if place < 26 else lettered(place // 26 - 1)) + chr(ord("a") + place % 26)


def models_of(table: Mapping[str, Any]) -> str:
    """How many models a table stands on: ``4 models``, or ``3 of 4 models`` where some are missing."""
    made, expected = table["models"], table["expected"]
    noun = "model" if expected == 1 else "models"
    return f"{made} {noun}" if made == expected else f"{made} of {expected} {noun}"


def side(layer: str, name: str) -> str:
    """Where a target was read: before or after its ReLU, for a class its logit or its probability."""
    return (CLASS_SIDES if layer == "class" else SIDES)[name]


def caption(dream: Mapping[str, Any]) -> str:
    """One dream of results.json in a line: how far it rose, how far it is from its start, how much of it nobody hears, and whether it is dead."""
    return f"{titled(dream)}: {dream['problem'] or facts(dream)}"


def titled(dream: Mapping[str, Any]) -> str:
    """One dream of results.json by target, and by side where that is not after the ReLU."""
    return title(dream["layer"], dream["target"]) + ("" if dream["side"] == "post" else f", {side(dream['layer'], dream['side'])}")


def facts(dream: Mapping[str, Any]) -> str:
    """The numbers of a caption."""
    text = f"activation {significant(dream['first'])} → {significant(dream['last'])}, RMS from start {significant(dream['rms_from_start'])}"
    if dream["share_under_20hz"] is not None:
        text += f", {percent(dream['share_under_20hz'])} of the change under 20 Hz"
    return text + (f"; {verdict(dream)}" if verdict(dream) else "")


def verdict(dream: Mapping[str, Any], *, short: bool = False) -> str:
    """What is wrong with a dream: its target is dead, and by which tests; or why it did not rise; or what a test says of it all the same."""
    named = states(dream["state"], short=short)
    if dream.get("side") == "pre":
        named = named.replace("silent on", "after its ReLU silent on")
    if dream["dead"]:
        return f"dead: {named}" + (", yet it rose" if dream["fate"] == "rose" else "")
    if dream["fate"] == "overshot":
        return f"did not rise: {named}"
    if dream["fate"] in STILL:
        return f"did not rise: {STILL[dream['fate']]}" + (f" ({named})" if named else "")
    return f"rose; {named}" if named else ""

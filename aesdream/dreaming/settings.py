"""The ``sweeps`` section of a study: which dreams to make, of what, from where."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from aesdream import config
from aesdream.config import Section
from aesdream.dreaming.regularisers import in_order
from aesdream.dreaming.rules import RULES
from aesdream.errors import UserError

STARTS = ("source", "silence", "noise")
SPREAD = "spread"
DRAWN = {"held_out": "held-out", "noise": "noise", SPREAD: SPREAD}
"""Starts that are drawn, as many as a sweep asks for, by what asks for them: each is called by this and its number."""
RELATIVE = ("right", "wrong", "right-then-wrong")
"""Targets that follow from the class of the held-out sound that is dreamed: that class, one of the others drawn once for each sound, and that one
after the first."""
VALIDATION = "validation"


def _names(value: Any) -> Any:
    items = list(value) if isinstance(value, list | tuple) else [value]
    if wrong := [item for item in items if isinstance(item, bool) or not isinstance(item, str | int)]:
        raise ValueError(f"{wrong[0]!r} is no name; {config.QUOTE}")
    return tuple(dict.fromkeys(str(item) for item in items))


def _starts(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _names(value)
    if unknown := sorted(value.keys() - DRAWN.keys()):
        raise ValueError(f"{unknown[0]!r} cannot be drawn; valid: {', '.join(DRAWN)}, each with a number")
    if wrong := [name for name, count in value.items() if isinstance(count, bool) or not isinstance(count, int) or count < 1]:
        raise ValueError(f"{wrong[0]}: {value[wrong[0]]!r} starts cannot be drawn; give a whole number from 1")
    return tuple(f"{DRAWN[kind]}-{number}" for kind, count in value.items() for number in range(count))


def _regularisers(value: Any) -> Any:
    names = _names(value)
    try:
        return in_order(names)
    except UserError as error:
        raise ValueError(str(error)) from None


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class Sweep(Section):
    """A named set of dreams: models x layers x targets x sides x starts."""

    models: Names
    """Globs on model names, ``treatment/protocol/split0-seed0``."""
    layers: Names
    targets: Names = ("all",)
    """Filters (``17``), several summed (``3+5``), class names, ``all``, or those of ``RELATIVE``."""
    sides: tuple[Literal["post", "pre", "margin"], ...] = ("post",)
    """After a layer's activation, before it, or of classes the logit less the mean of the others': of two classes their difference, which the softmax
    sees alone, so that dreams toward either begin in opposite directions."""
    starts: Annotated[tuple[str, ...], BeforeValidator(_starts)] = ("source",)
    """``source``, ``silence``, ``noise``, or a sound file; ``{held_out: 22}`` are so many held-out sounds of one class, evenly over the classes,
    ``{noise: 3}`` so many different noises, ``{spread: 20}`` so many held-out sounds that are spread over all that synthetic composers measure."""
    excerpts: str = VALIDATION
    """Where held-out sounds come from: the validation side of the model's own split, or a test set."""
    windows: Literal["one", "all"] = "one"
    """Of a held-out sound, its middle as long as what the network hears, or every such piece: the class's mean logit then is what is dreamed."""
    domain: Literal["waveform", "spectrogram"] = "waveform"
    """What is changed: the waveform, or the log-mel spectrogram that the network's front end makes of it."""
    rule: str = "std"
    step: float = Field(0.002, gt=0)
    steps: int = Field(256, ge=1)
    stop_rms: float | None = Field(None, gt=0)
    """Stop where the root mean square distance from the start reaches this."""
    at: tuple[float, ...] = ()
    """Nearer distances, ascending, at which dreams from ``{spread: N}`` are measured on their way to ``stop_rms``: they come to each exactly.
    ``step`` is that of the last stretch; before it steps are as much smaller as the next distance is nearer. A dream whose gradient ends is measured
    as far as it came."""
    stop_confidence: float | None = Field(None, gt=0, le=1)
    """Stop where the class's output reaches this and is the largest."""
    regularisers: Annotated[tuple[str, ...], BeforeValidator(_regularisers)] = ()
    """What keeps dreams to what can be heard; they act in the order of the registry, whatever the order here."""
    momentum: float = Field(0.0, ge=0, lt=1)
    """How much a step follows the gradients before its own, each brought to one size: 0.9 climbs steadily what has kinks."""
    batch: int = Field(8, ge=2)
    """Dreams computed together; short batches are filled up, so that packing changes no bit."""
    direction: Literal["gradient", "random", "rule"] = "gradient"
    """Where a dream goes: up its gradient; or, beside that, ``random``: so far (``stop_rms``) along a noise, toward the last class, and against it
    toward others; or ``rule``: up the gradient of what the model's synthetic composer measures, as far as one gets who knows the rule."""
    keep: Literal["sounds", "numbers"] = "sounds"
    """What stays of a dream: everything, or only its JSON, for dreams in such numbers that nobody hears them all."""

    @model_validator(mode="after")
    def _known_rule(self) -> Sweep:
        if self.rule not in RULES:
            raise ValueError(f"rule {self.rule!r} is unknown; valid: {', '.join(RULES)}")
        return self

    @model_validator(mode="after")
    def _of_waveforms(self) -> Sweep:
        if self.regularisers and self.domain == "spectrogram":
            raise ValueError("regularisers: hearing is modelled for waveforms; domain must be waveform")
        if self.regularisers and self.direction != "gradient":
            raise ValueError("regularisers: shape a gradient; direction must be gradient")
        if self.momentum and self.direction == "random":
            raise ValueError("momentum: follows gradients, and direction random has none; say momentum: 0")
        return self

    @model_validator(mode="after")
    def _on_the_way(self) -> Sweep:
        ways = (0.0, *self.at, float("inf") if self.stop_rms is None else self.stop_rms)
        if any(near >= far for near, far in pairwise(ways)):
            raise ValueError("at: distances must be above zero, ascend, and be less than stop_rms")
        known = all(drawn(start)[0] == SPREAD for start in self.starts)
        if self.at and (self.stop_rms is None or self.layers != ("class",) or not known):
            raise ValueError("at needs a stop_rms to be on the way to, layers [class], and starts of which measures are known: {spread: N}")
        return self

    @model_validator(mode="after")
    def _as_far_as_dreams(self) -> Sweep:
        if self.direction != "gradient" and (self.layers != ("class",) or self.stop_rms is None or self.domain != "waveform"):
            raise ValueError(f"direction {self.direction} needs layers [class], a stop_rms, and the waveform as its domain")
        if self.direction == "rule" and (self.sides != ("margin",) or not all(drawn(start)[0] == SPREAD for start in self.starts)):
            raise ValueError("direction rule needs sides [margin], and starts of which measures are known: {spread: N}")
        if self.direction != "gradient" and (self.stop_confidence is not None or self.keep != "numbers"):
            raise ValueError(f"direction {self.direction} needs keep: numbers, and no stop_confidence: it asks no network how sure it is")
        return self

    @model_validator(mode="after")
    def _measured_as_it_is(self) -> Sweep:
        if self.domain == "spectrogram" and any(drawn(start)[0] == SPREAD for start in self.starts):
            raise ValueError("starts: {spread: N} compares measures of sounds; domain must be waveform")
        return self

    @model_validator(mode="after")
    def _classes_alone(self) -> Sweep:
        needs = {
            "stop_confidence": self.stop_confidence is not None,
            "windows: all": self.windows == "all",
            "targets right and wrong": any(target in RELATIVE for target in self.targets),
        }
        if "margin" in self.sides and self.layers != ("class",):
            raise ValueError("sides: a margin is between classes: layers must be [class]")
        asked = [name for name, given in needs.items() if given]
        if asked and self.layers != ("class",):
            raise ValueError(f"{asked[0]} is for classes: layers must be [class]")
        if asked and asked[-1] != "stop_confidence" and not all(drawn(start)[0] == "held-out" for start in self.starts):
            raise ValueError(f"{asked[-1]} needs sounds of a known class: starts must be {{held_out: N}}")
        return self


def drawn(start: str) -> tuple[str, int]:
    """What a drawn start is one of, and its number; an empty name for any other start."""
    found = re.fullmatch(rf"({'|'.join(DRAWN.values())})-(\d+)", start)
    return (found[1], int(found[2])) if found else ("", 0)


def is_file(start: str) -> bool:
    """Whether a start is a sound file."""
    return start not in STARTS and not drawn(start)[0]


def start_name(start: str) -> str:
    """What dreams from a start are called: its name, or its file's."""
    return Path(start).stem if is_file(start) else start


def filters_of(target: str, layer: str, filters: int, classes: Sequence[str]) -> tuple[int, ...]:
    """The filter numbers that a target names (``17``, ``3+5``, a class). Raises UserError for one that the layer lacks."""
    parts = [target] if layer == "class" and target in classes else target.split("+")
    found = [classes.index(part) if layer == "class" and part in classes else int(part) if part.isdecimal() else -1 for part in parts]
    if any(not 0 <= number < filters for number in found):
        valid = f"0 to {filters - 1}" + (f", or {', '.join(classes)}" if layer == "class" else "")
        raise UserError(f"target {layer}:{target}: {layer} has {filters} filters; valid: {valid}, several joined by +")
    return tuple(found)


def unmet(sweep: Sweep, sets: Collection[str], has_front_end: bool, has_measures: bool) -> Iterator[str]:
    """What a sweep asks for that a study with these test sets lacks, or one of its networks, or sounds that synthetic composers measured."""
    spread = any(drawn(start)[0] == SPREAD for start in sweep.starts)
    if spread and not has_measures:
        yield "starts: only the sounds of sounds.oracular are measured, over which starts can be spread; ask for {held_out: N}"
    elif spread and sweep.excerpts != VALIDATION:
        yield f"excerpts: starts are spread over the {VALIDATION} side of a split; leave it out"
    if sweep.excerpts != VALIDATION and sweep.excerpts not in sets:
        yield f"excerpts: {sweep.excerpts!r} is no set of this study; valid: {', '.join((VALIDATION, *sets))}"
    if sweep.domain == "spectrogram" and not has_front_end:
        yield "domain: the network hears the waveform itself; a spectrogram is dreamed where a front end makes one (network.han)"

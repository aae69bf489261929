"""What is wrong with a study before any data is looked at: keys that contradict each other, names of what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from aesdream.dreaming.settings import RELATIVE, STARTS, Sweep, filters_of, is_file, start_name, unmet
from aesdream.errors import UserError, one_of
from aesdream.sounds import composers, irmas
from aesdream.sounds.labelled import fewest

if TYPE_CHECKING:
    from aesdream.study import Study


def of(study: Study) -> list[str]:
    """A line for everything that is wrong with a study and needs no data to be seen."""
    lines = _too_few_sounds(study)
    for name in study.training.treatments:
        lines += _wrong_treatment(study, name)
    known = [model.name for model in study.models()]
    for name, sweep in study.sweeps.items():
        lines += _wrong_layers(study, name, sweep)
        lines += [
            f"sweeps.{name}.models: {pattern!r} names no model; the first of {len(known)}: {', '.join(known[:3])}"
            for pattern in sweep.models
            if not any(fnmatchcase(model, pattern) for model in known)
        ]
        lines += _wrong_starts(name, sweep)
        networks = [study.network_of(model.treatment) for model in study.swept(sweep)]
        has_front_end = all(network.han is not None for network in networks)
        lines += [f"sweeps.{name}.{line}" for line in unmet(sweep, study.sounds.sets(), has_front_end, study.sounds.oracular is not None)]
    return list(
        dict.fromkeys(
            lines + _shared_names(start for sweep in study.sweeps.values() for start in sweep.starts) + wrong_targets(study, known_classes(study))
        )
    )


def _wrong_treatment(study: Study, name: str) -> list[str]:
    treatment, network = study.training.treatments[name], study.network_of(name)
    lines = []
    try:
        network.settings.frames(study.input_samples(name))
    except UserError as error:
        said = [line if treatment.network is None else line.replace("network.", f"networks.{treatment.network}.", 1) for line in error.lines]
        lines += [line if treatment.window is None else f"training.treatments.{name}: {line}" for line in said]
    if treatment.dreams is not None and network.han is None:
        lines.append(f"training.treatments.{name}.dreams: learns from spectrograms, which network.han alone hears")
    if treatment.composer is not None and study.sounds.oracular is None:
        lines.append(f"training.treatments.{name}.composer: composers judge the sounds of sounds.oracular alone; leave it out")
    elif treatment.composer is not None and treatment.composer not in composers.COMPOSERS:
        lines.append(str(one_of(f"training.treatments.{name}.composer", treatment.composer, composers.COMPOSERS)))
    elif treatment.composer is not None and network.settings.output != "softmax":
        lines.append(f"training.treatments.{name}.composer: a composer's sounds have one class each; the network's output must be softmax")
    return lines


def _wrong_layers(study: Study, name: str, sweep: Sweep) -> list[str]:
    """A line for every layer that the network of a swept model lacks; without a model, that the study's own lacks."""
    networks = [study.network_of(model.treatment) for model in study.swept(sweep)] or [study.network]
    found = [network.settings.layer_filters(2) for network in networks]
    return [str(one_of(f"sweeps.{name}.layers", layer, layers)) for layers in found for layer in sweep.layers if layer not in layers]


def _too_few_sounds(study: Study) -> list[str]:
    made, wanted = study.sounds.oracular, fewest(study.training.validation)
    rendered = study.sounds.instruments
    if rendered is not None and rendered.recordings < wanted:
        few = f"{rendered.recordings} a class are too few to split {study.training.validation:g} off; give at least {wanted}"
        return [f"sounds.instruments.recordings: {few}"]
    if made is None:
        return []
    positives = composers.sizes(made.count, made.share, made.exchanged)[0]
    fewer = min(positives, made.count - positives)
    few = f"share {made.share:g} of {made.count} sounds leaves {fewer} of one class; at least {wanted} are needed to split it: raise count"
    return [f"sounds.oracular: {few}"] if fewer < wanted else []


def _wrong_starts(name: str, sweep: Sweep) -> list[str]:
    files = [start for start in sweep.starts if is_file(start)]
    lines = [f"{start}: no such file; give {', '.join(STARTS)} or sound files" for start in files if not Path(start).is_file()]
    return [f"sweeps.{name}.starts: {line}" for line in lines]


def _shared_names(starts: Iterable[str]) -> list[str]:
    """A line for every name that several starts of a study have: the appendix keeps a start once, by its name."""
    called: dict[str, set[str]] = {}
    for start in starts:
        name = start_name(start)
        called.setdefault(name, set() if is_file(name) else {name}).add(start)
    shared = [(name, sorted(members)) for name, members in called.items() if len(members) > 1]
    return [f"sweeps: the starts {' and '.join(members)} are called {name!r}, as their dreams would be; rename one" for name, members in shared]


def wrong_targets(study: Study, classes: Sequence[str]) -> list[str]:
    """A line for every target that its layer lacks; those of ``class`` wait until ``classes`` are known."""
    return [line for name, sweep in study.sweeps.items() for line in _lacking(study, name, sweep, classes)]


def _lacking(study: Study, name: str, sweep: Sweep, classes: Sequence[str]) -> list[str]:
    lines = []
    kinds = {network: None for model in study.swept(sweep) for network in [study.network_of(model.treatment)]}
    for layers in [network.settings.layer_filters(len(classes)) for network in kinds]:
        asked = [(layer, target) for layer in sweep.layers if layers.get(layer) for target in sweep.targets if target not in ("all", *RELATIVE)]
        for layer, target in asked:
            try:
                filters_of(target, layer, layers[layer], classes)
            except UserError as error:
                lines.append(f"sweeps.{name}.targets: {error}")
    return lines


def known_classes(study: Study) -> tuple[str, ...]:
    """The classes that the configuration alone tells; empty where only the folder does."""
    if study.sounds.folder is not None:
        return study.sounds.folder.classes or ()
    return composers.CLASSES if study.sounds.oracular is not None else irmas.CLASSES

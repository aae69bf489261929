"""Whether there are as many held-out sounds of each class as sweeps ask for: said with the plan, before hours of training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aesdream.dreaming.settings import VALIDATION, Sweep, drawn
from aesdream.sounds import splits
from aesdream.study import Model, Study
from aesdream.training.statistics import TRUSTED
from jobs.preprocess import Sources


def too_few(study: Study, sources: Sources) -> list[str]:
    """A line for every sweep that asks for more held-out sounds of one label than a class has. Sounds that are labelled once they are made are not
    looked at."""
    if study.sounds.oracular is not None:
        return []
    return [line for name, sweep in study.sweeps.items() for line in _of_sweep(study, sources, name, sweep)]


def few_of_a_class(study: Study, sources: Sources) -> list[str]:
    """A line about validation sides with too few sounds of a class to trust an interval; sounds that are labelled once they are made as above."""
    if study.sounds.oracular is not None:
        return []
    known, corpus = sources.corpus.known(()), sources.corpus
    families = known.families if known.families_known else None
    fewest = TRUSTED
    line = ""
    for model in study.models():
        held_out = known.labels[_validation(study, corpus.seconds, known.labels, families, known.twins, model)].sum(0)
        if held_out.min() < fewest:
            fewest, label = int(held_out.min()), corpus.classes[int(held_out.argmin())]
            line = (
                f"the validation side of {model.name} has {fewest} sounds of {label!r}: intervals from fewer than {TRUSTED} are not to be trusted; "
                "more sounds, or a larger training.validation, would help"
            )
    return [line] if line else []


def _of_sweep(study: Study, sources: Sources, name: str, sweep: Sweep) -> Iterator[str]:
    classes = sources.corpus.classes
    numbers = [number for kind, number in map(drawn, sweep.starts) if kind == "held-out"]
    asked = Counter(number % len(classes) for number in numbers)
    if not asked:
        return
    held_out = [sweep.excerpts] if sweep.excerpts != VALIDATION else study.swept(sweep)
    fewest, where = min((_fewest(study, sources, one), str(getattr(one, "name", one))) for one in held_out)
    if max(asked.values()) > fewest:
        yield (
            f"sweeps.{name}.starts: {len(numbers)} held-out sounds are {max(asked.values())} a class, of which {where} has {fewest} for one; "
            f"those beyond cannot be dreamed, ask for at most {fewest * len(classes)}"
        )


def _fewest(study: Study, sources: Sources, where: str | Model) -> int:
    """The sounds of one label that the class with fewest has in a test set, or on the validation side of a model's split."""
    corpus = sources.sets["" if isinstance(where, Model) else where]
    known = corpus.known(())
    single = known.labels.sum(1) == 1
    if isinstance(where, Model):
        single &= _validation(study, corpus.seconds, known.labels, known.families if known.families_known else None, known.twins, where)
    return int(known.labels[single].sum(0).min()) if single.any() else 0


def _validation(
    study: Study, seconds: float, labels: NDArray[np.integer], families: list[str] | None, twins: list[str] | None, model: Model
) -> NDArray[np.bool_]:
    """Which sounds a model's split holds out."""
    rate = study.sounds.sample_rate
    sounds = splits.Sounds(labels.argmax(1).astype(np.int64), families, round(seconds * rate), rate, twins or ())
    training = study.training
    treatment = training.treatments[model.treatment]
    split = splits.split(sounds, treatment, model.protocol, training.validation, study.seed, model.split, model.seed)
    return np.isin(np.arange(len(labels)), split.validation.sound)

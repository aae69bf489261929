"""By whom the sounds of a study are judged for one treatment, and what its splits follow from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aesdream.sounds import oracular
from aesdream.sounds.splits import Sounds
from aesdream.sounds.store import Corpus
from aesdream.study import Study


def labels_of(corpus: Corpus, study: Study, treatment: str) -> NDArray[np.int64]:
    """(N,) the label of every sound as models of a treatment are taught and validated: the corpus's, or what the treatment's own composer says."""
    made, composer = study.sounds.oracular, study.composer_of(treatment)
    if made is None or composer is None or composer == made.composer:
        return corpus.label
    return oracular.judged(made, composer, corpus.measures[composer], study.seed).labels


def sounds_of(corpus: Corpus, study: Study, treatment: str) -> Sounds:
    """What splits need to know of a corpus for a treatment.

    Splits of whole sounds are made for the corpus's own labels whoever judges, so that models of all composers are validated on the same sounds,
    their dreams start from the same, and controls serve all of them.
    """
    labels, known = labels_of(corpus, study, treatment), corpus.families if corpus.families_known else None
    strata = None if labels is corpus.label else corpus.label
    return Sounds(labels, known, corpus.samples, corpus.sample_rate, corpus.twins, strata)

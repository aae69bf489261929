"""What dreams start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesdream.dreaming.settings import drawn
from aesdream.dreaming.sonify import rms
from aesdream.errors import UserError
from aesdream.seeding import generator
from aesdream.sounds import audio
from aesdream.sounds.store import Corpus
from aesdream.study import Study


def start_of(corpus: Corpus, study: Study, name: str) -> NDArray[np.float32]:
    """A start that is a sound (channels, samples), prepared like the corpus: the study's source sound, silence, noise as loud as the source (one of
    many by its number), or a file.
    """
    source = audio.floating(corpus.start)
    if name == "source":
        return source
    if name == "silence":
        return np.zeros_like(source)
    kind, number = drawn(name)
    if name == "noise" or kind:
        path = ("noise", number) if kind else ("noise",)
        return (generator(study.seed, *path).standard_normal(source.shape) * rms(source)).clip(-1, 1).astype(np.float32)
    try:
        sound, rate = audio.read(Path(name))
    except audio.UnreadableSound as error:
        raise UserError(f"{name}: {error}") from None
    return audio.floating(audio.prepare(sound, rate, study.sounds.preparation))

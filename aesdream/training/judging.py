"""A trained network at work: the probability of each class for any sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from aesdream.models.layers import Dreamable
from aesdream.sounds import audio
from aesdream.training.checkpoints import Checkpoint


def segments(sound: audio.Samples, rate: int, how: audio.Preparation) -> Iterator[NDArray[np.int16]]:
    """A sound (1 or 2 channels, samples) as the study would prepare it; a longer one in segments of the study's length that overlap by half.

    A short sound is padded. The last segment ends with the sound.
    """
    whole = audio.resampled(audio.in_channels(sound, how.channels), rate, how.sample_rate)
    last = max(0, whole.shape[1] - how.samples)
    for first in dict.fromkeys([*range(0, last, max(1, how.samples // 2)), last]):
        yield audio.prepare(whole[:, first:], how.sample_rate, how)


def _windows(prepared: NDArray[np.int16], samples: int, hop: int) -> NDArray[np.int16]:
    """The windows (n, channels, samples) of a prepared sound, those in which the network's validation sounds were heard."""
    return np.stack([prepared[:, first : first + samples] for first in range(0, prepared.shape[1] - samples + 1, hop)])


@torch.no_grad()
def judge(checkpoint: Checkpoint, prepared: Sequence[NDArray[np.int16]]) -> NDArray[np.float64]:
    """Probability of every class (classes,), averaged over the segments of one sound and over their windows."""
    dtype = next(checkpoint.network.parameters()).dtype
    assert isinstance(checkpoint.network, Dreamable)
    probabilities = checkpoint.network.layers()["class"].activation
    found = []
    for segment in prepared:
        heard = torch.from_numpy(_windows(segment, checkpoint.description.samples, checkpoint.description.hop)).to(dtype) / audio.FULL_SCALE
        found.append(probabilities(checkpoint.network(heard).double()).numpy())
    return np.asarray(np.concatenate(found).mean(0))


@dataclass(frozen=True)
class Heard:
    """What several models make of one sound: ``probabilities`` (models, classes), from so many ``segments`` of it (as the first of them hears it)."""

    probabilities: NDArray[np.float64]
    segments: int


def disagreement(probabilities: NDArray[np.float64]) -> float | None:
    """How far models differ over one sound, (models,) or (models, classes): the standard deviation over them; root mean square over classes.

    None where one model judges alone.
    """
    return float(np.sqrt(probabilities.var(axis=0, ddof=1).mean())) if len(probabilities) > 1 else None


def hear(panel: Sequence[Checkpoint], sound: audio.Samples, rate: int) -> Heard:
    """Every model's judgement of a sound (1 or 2 channels, samples) of any length; one segment of it is in memory at a time."""
    found = np.zeros((len(panel), len(panel[0].description.classes)))
    counts = {}
    for how in dict.fromkeys(model.preparation for model in panel):
        listening = [place for place, model in enumerate(panel) if model.preparation == how]
        counts[how] = 0
        for segment in segments(sound, rate, how):
            found[listening] += [judge(panel[place], [segment]) for place in listening]
            counts[how] += 1
        found[listening] /= counts[how]
    return Heard(found, counts[panel[0].preparation])

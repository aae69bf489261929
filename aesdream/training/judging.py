"""A trained network at work: the probability of each class for any sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

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
    found = []
    for segment in prepared:
        heard = torch.from_numpy(_windows(segment, checkpoint.description.samples, checkpoint.description.hop)).to(dtype) / audio.FULL_SCALE
        found.append(torch.softmax(checkpoint.network(heard).double(), 1).numpy())
    return np.asarray(np.concatenate(found).mean(0))

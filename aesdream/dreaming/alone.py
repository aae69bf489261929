"""Dreaming one sound for its own sake: any length for filters, in windows of the network's length for classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aesdream.dreaming.ascent import dream
from aesdream.errors import UserError
from aesdream.sounds import audio
from aesdream.training.checkpoints import Checkpoint


def dream_alone(
    checkpoint: Checkpoint, sound: audio.Samples, rate: int, layer: str, filters: tuple[int, ...], **how: Any
) -> tuple[NDArray[np.float32], list[float]]:
    """The dream (2, samples) of a sound (1 or 2 channels, samples) at the checkpoint's sample rate, and its activation over the steps.

    ``how`` are keywords of ``dream``: side, rule, step, steps, stop_rms, momentum. A class hears windows of one length: they are dreamed one after
    another and laid end to end, the activation is their mean.
    Raises UserError for a sound shorter than the network's first kernel.
    """
    preparation = checkpoint.preparation
    heard = audio.resampled(audio.in_channels(sound, preparation.channels), rate, preparation.sample_rate).astype(np.float32).clip(-1, 1)
    if layer != "class":
        try:
            dreamed = dream(checkpoint.network, layer, [filters], torch.from_numpy(heard), **how)
        except (RuntimeError, ValueError) as error:
            raise UserError(f"the sound is too short for {layer} ({heard.shape[1]} samples): {error}") from None
        return dreamed.sounds[0].numpy(), dreamed.activation[0].tolist()
    length = checkpoint.description.samples
    windows = -(-heard.shape[1] // length)
    padded = np.pad(heard, ((0, 0), (0, windows * length - heard.shape[1])))
    parts = [dream(checkpoint.network, layer, [filters], torch.from_numpy(part), **how) for part in np.split(padded, windows, axis=1)]
    activation = torch.stack([part.activation[0] for part in parts]).mean(0)
    return np.concatenate([part.sounds[0].numpy() for part in parts], axis=1)[:, : heard.shape[1]], activation.tolist()

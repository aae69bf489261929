"""Dreamed spectrograms as sound, in two ways that are named wherever they are heard.

``phase`` carries the change of the mel bands over to the spectrum of the sound that was dreamed, as a gain on every bin, and keeps that sound's
phase. ``griffin-lim`` knows nothing but the log-mel spectrogram: librosa finds a spectrum for it and a phase for that. What both lose can be as large
as what a dream changed, so the network judges what came out (facts, section 2: dreams are heard as indistinguishable).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from aesdream.models.frontends import LogMel

ITERATIONS = 32
"""Of Griffin and Lim's algorithm (librosa's default)."""


@torch.no_grad()
def with_phase(front_end: LogMel, sound: NDArray[np.floating], dreamed: NDArray[np.floating]) -> NDArray[np.float32]:
    """The mean of the channels of ``sound`` (channels, samples) with the log-mel spectrogram ``dreamed`` (1, frames, bands) and its own phase:
    (1, samples). Where the sound has no energy it stays silent; unchanged bands leave it as it is.
    """
    window = front_end.window
    heard = torch.from_numpy(np.ascontiguousarray(sound)).to(window)[None]
    wanted = torch.from_numpy(np.ascontiguousarray(dreamed)).to(window)[0]
    # A bin follows the bands that it is part of. Correcting it by what they still lack makes it worse: overlapping frames undo what differs in them.
    weights = front_end.filters / front_end.filters.sum(0).clamp_min(torch.finfo(window.dtype).tiny)
    gain = (wanted - front_end(heard)[0, 0]) @ weights
    mono = heard.mean(1)
    whole = torch.stft(mono, front_end.fft, front_end.hop, window=window, center=True, pad_mode="reflect", return_complex=True)
    missing = whole.shape[-1] - len(gain)  # frames that the front end leaves out: they are changed as its last one is
    gains = torch.cat([gain, gain[-1:].expand(missing, -1)]).T
    changed = torch.istft(whole * gains.exp(), front_end.fft, front_end.hop, window=window, center=True, length=mono.shape[-1])
    return changed.float().cpu().numpy()


def by_griffin_lim(front_end: LogMel, spectrogram: NDArray[np.floating], samples: int, seed: int) -> NDArray[np.float32]:
    """A sound (1, samples) for a log-mel spectrogram (1, frames, bands) alone; its first phase is drawn from ``seed``."""
    import librosa  # its import takes a second, and most dreams are waveforms

    magnitude = (np.exp(spectrogram[0].astype(np.float64)) - front_end.floor).clip(0).T
    linear = librosa.feature.inverse.mel_to_stft(magnitude, sr=front_end.sample_rate, n_fft=front_end.fft, power=1.0)
    linear = np.concatenate([linear, linear[:, -1:]], axis=1)
    sound = librosa.griffinlim(
        linear, n_iter=ITERATIONS, hop_length=front_end.hop, n_fft=front_end.fft, pad_mode="reflect", length=samples, random_state=seed % 2**32
    )
    return np.asarray(sound, np.float32)[None]

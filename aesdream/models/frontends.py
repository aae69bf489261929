"""Front ends: what a spectrogram network hears of a waveform, in torch, so that gradients reach both.

Han, Kim and Lee 2016 (facts, section 3): the mean of the channels, a short-time Fourier transform, mel bands, the natural logarithm of magnitude.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class LogMel(nn.Module):
    """(batch, channels, samples) -> (batch, 1, frames, mels): natural log of the mel-weighted magnitude spectrum of the mean of the channels.

    Frame k is centred on sample k * ``hop``, the sound mirrored at its ends; there are samples // ``hop`` frames, so that a second is as many frames
    wherever it is cut from (43 at 22050 Hz and 512; the frame centred on a sound's last sample belongs to what follows). Otherwise librosa's
    ``melspectrogram(..., power=1)``, in double precision until it is cast. ``floor`` is added before the logarithm: silence has a value, and a
    gradient of zero.
    """

    filters: torch.Tensor
    window: torch.Tensor

    def __init__(self, sample_rate: int, fft: int, hop: int, mels: int, floor: float) -> None:
        from librosa.filters import mel  # its import takes a second, and most that builds no network needs it not

        super().__init__()
        self.sample_rate, self.fft, self.hop, self.floor = sample_rate, fft, hop, floor
        # They follow from the settings, so a checkpoint need not carry them.
        self.register_buffer("filters", torch.from_numpy(mel(sr=sample_rate, n_fft=fft, n_mels=mels, dtype=np.float64)), persistent=False)
        self.register_buffer("window", torch.hann_window(fft, dtype=torch.float64), persistent=False)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """The log-mel spectrogram of every sound."""
        return self.logarithm(self.spectrum(sound).abs())[:, None]

    def spectrum(self, sound: torch.Tensor) -> torch.Tensor:
        """The complex spectrogram of the mean of the channels: (batch, frames, fft // 2 + 1)."""
        found = torch.stft(sound.mean(1), self.fft, self.hop, window=self.window, center=True, pad_mode="reflect", return_complex=True)
        return found[..., : sound.shape[-1] // self.hop].transpose(1, 2)

    def logarithm(self, magnitude: torch.Tensor) -> torch.Tensor:
        """(..., fft // 2 + 1) magnitudes -> (..., mels) natural log of their mel bands."""
        return torch.log(magnitude @ self.filters.T + self.floor)

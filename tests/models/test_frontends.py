"""The log-mel front end against librosa and against finite differences."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from aesdream.models.frontends import LogMel

RATE = 22050


def front_end(rate: int = RATE, fft: int = 1024, hop: int = 512, mels: int = 128, floor: float = 1e-5) -> LogMel:
    return LogMel(rate, fft, hop, mels, floor)


def chirps(samples: int, channels: int = 2) -> torch.Tensor:
    seconds = np.arange(samples) / RATE
    rising = 0.3 * np.sin(2 * np.pi * (200 * seconds + 1500 * seconds**2))
    noisy = rising + 0.01 * np.random.default_rng(1).standard_normal((channels, samples))
    return torch.from_numpy(noisy)[None]


@pytest.mark.parametrize(("rate", "fft", "hop", "mels"), [(22050, 1024, 512, 128), (22050, 512, 200, 40), (48000, 2048, 512, 96)])
def test_it_is_librosas_mel_spectrogram_in_natural_logarithm(rate: int, fft: int, hop: int, mels: int) -> None:
    sound, floor = chirps(RATE), 1e-5
    heard = front_end(rate, fft, hop, mels, floor)(sound)[0, 0].numpy()
    mono = sound[0].mean(0).numpy()
    spectrogram = np.abs(librosa.stft(mono, n_fft=fft, hop_length=hop, center=True, pad_mode="reflect"))
    bank = librosa.filters.mel(sr=rate, n_fft=fft, n_mels=mels, dtype=np.float64)
    wanted = np.log(bank @ spectrogram + floor).T[: RATE // hop]
    assert heard.shape == wanted.shape
    np.testing.assert_allclose(heard, wanted, rtol=1e-5, atol=0)


def test_a_second_is_43_frames_and_three_are_129() -> None:
    assert front_end()(chirps(RATE)).shape == (1, 1, 43, 128)
    assert front_end()(chirps(3 * RATE)).shape == (1, 1, 129, 128)


def test_one_channel_is_heard_like_two_that_are_the_same() -> None:
    mono = chirps(4000, channels=1)
    torch.testing.assert_close(front_end()(mono), front_end()(mono.repeat(1, 2, 1)))


def test_its_gradient_is_that_of_finite_differences() -> None:
    heard = front_end(fft=64, hop=32, mels=8, floor=1e-3)
    sound = chirps(200).requires_grad_()
    assert torch.autograd.gradcheck(heard, (sound,), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_silence_has_a_value_and_a_finite_gradient(dtype: torch.dtype) -> None:
    silence = torch.zeros(1, 2, RATE, dtype=dtype, requires_grad=True)
    heard = front_end().to(dtype)(silence)
    assert torch.isfinite(heard).all()
    heard.sum().backward()
    assert silence.grad is not None
    assert torch.isfinite(silence.grad).all()


def test_a_sound_that_falls_silent_has_a_finite_gradient() -> None:
    sound = chirps(RATE)
    sound[..., 5000:] = 0
    sound.requires_grad_()
    front_end()(sound).sum().backward()
    assert sound.grad is not None
    assert torch.isfinite(sound.grad).all()
    assert sound.grad[..., :5000].abs().max() > 0

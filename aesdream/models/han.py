"""The network of Han, Kim and Lee 2016, which Cochran and Kim dream (facts, section 3): a log-mel CNN for instruments.

Blocks of two 3 x 3 convolutions, each block followed by a 3 x 3 max pool and dropout, the last by a global max pool; one hidden layer; a sigmoid for
every class. Leaky ReLU after every layer but the last, Glorot-uniform start, zero bias. The defaults have 1 446 123 parameters for 11 classes.
The source says neither how the ends of a sound are treated nor what is added before the logarithm: see ``frontends`` and ``floor``.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.models.frontends import LogMel
from aesdream.models.layers import Dropout, Layer, Output, probabilities

POOL = 3
SECONDS_A_BILLION = 0.07
"""A billion multiplications of the convolutions, forwards and backwards, on one core."""
SECONDS_A_MILLION_VALUES = 0.006
"""A million values between layers, which are written and read beside that: most of the work of few filters."""
SECONDS_A_MILLION_SAMPLES = 0.012
"""A million samples on their way to the log-mel spectrogram."""


class Han(Section):
    """Sizes of front end and network. Fewer blocks, filters and hidden units make a smaller CNN of the same kind, for two classes too."""

    fft: int = Field(1024, ge=16)
    hop: int = Field(512, ge=1)
    mels: int = Field(128, ge=8)
    floor: float = Field(1e-5, gt=0)
    """Added to a mel band's magnitude before the logarithm: about what the rounding to 16 bit leaves in a band."""
    centre: float = 0.0
    """Subtracted from the log-mel before the first convolution, whose padding with zeros then stands for a usual level and not for a loud one. The
    source says nothing of it, and at its size it makes no difference; very small networks learn nothing without (about -5)."""
    filters: tuple[int, ...] = Field((32, 64, 128, 256), min_length=1)
    """Of both convolutions of each block."""
    hidden: int = Field(1024, ge=1)
    slope: float = Field(0.33, ge=0, lt=1)
    """Of the leaky ReLU below zero."""
    dropout: float = Field(0.25, ge=0, lt=1)
    """After each pool but the last."""
    hidden_dropout: float = Field(0.5, ge=0, lt=1)
    output: Literal["sigmoid", "softmax"] = "sigmoid"
    """Classes that may sound together, or of which each sound has one."""

    @model_validator(mode="after")
    def _hears_everything(self) -> Han:
        if self.hop > self.fft:
            raise ValueError("hop must not exceed fft, or samples are never heard")
        return self

    def layer_filters(self, classes: int) -> dict[str, int]:
        """Filters of every dreamable layer, without building the network."""
        both = [filters for filters in self.filters for _ in range(2)]
        return {**{f"conv{i}": filters for i, filters in enumerate(both, start=1)}, "class": classes}

    def frames(self, samples: int) -> list[int]:
        """Frames of the log-mel spectrogram and after each pool but the global one. Raises UserError where the sound is shorter than a frame."""
        if samples <= max(self.fft // 2, self.hop):
            raise UserError(f"network.han.fft: {self.fft} is too long for a sound of {samples} samples; choose a shorter fft, or longer sounds")
        lengths = [samples // self.hop]
        for _ in self.filters[1:]:
            lengths.append((lengths[-1] + 4) // POOL)
        return lengths

    def seconds(self, samples: int, channels: int) -> float:
        """An estimate for plans: how long one core trains on one input, once; of many filters the convolutions are nearly all of the work."""
        frames, bands, before, products, values = samples // self.hop, self.mels, 1, 0, 0
        for filters in self.filters:
            for inputs in (before, filters):
                frames, bands = frames + 2, bands + 2
                values += frames * bands * filters
                products += frames * bands * filters * inputs * 9
            frames, bands, before = frames // POOL, bands // POOL, filters
        return SECONDS_A_BILLION * products / 1e9 + (SECONDS_A_MILLION_VALUES * values + SECONDS_A_MILLION_SAMPLES * samples) / 1e6

    def parameters(self, samples: int, classes: int, channels: int) -> int:
        """How many numbers it learns: nine and a bias for every pair of filters, and two whole layers."""
        widths = [1, *(filters for filters in self.filters for _ in range(2))]
        return sum((9 * n + 1) * m for n, m in pairwise(widths)) + (widths[-1] + 1) * self.hidden + (self.hidden + 1) * classes

    def build(self, samples: int, classes: int, generator: torch.Generator, *, channels: int, sample_rate: int) -> HanNetwork:
        """The network, its weights drawn from ``generator``; it takes sounds of any length and one or more channels."""
        self.frames(samples)
        front_end = LogMel(sample_rate, self.fft, self.hop, self.mels, self.floor).float()
        return HanNetwork(front_end, HanBody(self, classes, generator))


class HanNetwork(nn.Module):
    """(batch, channels, samples) in [-1, 1] -> logits (batch, classes): ``body`` after ``front_end``."""

    def __init__(self, front_end: LogMel, body: HanBody) -> None:
        super().__init__()
        self.front_end, self.body = front_end, body

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """Logits of every class."""
        return self.body(self.front_end(sound))

    def layers(self) -> dict[str, Layer]:
        """conv1 ... conv8 and ``class`` (before: logit, after: probability)."""
        return self.body.layers()


class HanBody(nn.Module):
    """Log-mel (batch, 1, frames, mels) -> logits (batch, classes)."""

    def __init__(self, settings: Han, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.output: Output = settings.output
        self.centre = settings.centre
        widths = [1, *(filters for filters in settings.filters for _ in range(2))]
        pairs = pairwise(widths)
        # Zeros on two sides of each edge, so that every convolution adds two frames and two bands.
        self.convolutions = nn.ModuleDict({f"conv{i}": nn.Conv2d(n, m, 3, padding=2) for i, (n, m) in enumerate(pairs, start=1)})
        self.pool, self.dropout = nn.MaxPool2d(POOL), Dropout(settings.dropout)
        self.fc, self.hidden_dropout = nn.Linear(widths[-1], settings.hidden), Dropout(settings.hidden_dropout)
        self.out = nn.Linear(settings.hidden, classes)
        self.activation = partial(nn.functional.leaky_relu, negative_slope=settings.slope)
        self._start(generator)

    @torch.no_grad()
    def _start(self, generator: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.xavier_uniform_(parameter, generator=generator)
            else:
                parameter.zero_()

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Logits of every class."""
        hidden = spectrogram - self.centre
        for number, convolution in enumerate(self.convolutions.values(), start=1):
            hidden = self.activation(convolution(hidden))
            if number % 2 == 0 and number < len(self.convolutions):
                hidden = self.dropout(self.pool(hidden))
        hidden = self.activation(self.fc(hidden.amax((2, 3))))
        return self.out(self.hidden_dropout(hidden))

    def layers(self) -> dict[str, Layer]:
        """conv1 ... conv8 and ``class`` (before: logit, after: probability)."""
        listed = {name: Layer(module, self.activation, len(module.get_parameter("weight"))) for name, module in self.convolutions.items()}
        return {**listed, "class": Layer(self.out, partial(probabilities, output=self.output), self.out.out_features)}

"""The thesis's network (Architecture): a raw-waveform CNN whose first layer is one long strided filter.

conv1 (1 filter, or several where a study asks for them; strided, trainable, started at ones) -> conv2 8 + pool -> conv3 16 + pool -> conv4 32 + pool
-> FC 32 -> 2, ReLU, overlapping max pools, Xavier-normal start elsewhere, no batch normalisation. Kernel sizes, strides and pool sizes are stated
nowhere in the thesis; ours are configuration, and the defaults satisfy every sentence that it has about them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import torch
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import nn

from aesdream.config import Section
from aesdream.errors import UserError
from aesdream.models.layers import Layer, Output, StridedConv1d, probabilities

SECONDS_A_MILLION = 0.0018
"""Training on a million input values once, on one core."""
SECONDS_A_FILTER = 0.0004
"""The same for every further filter of conv1."""


class Jenkins(Section):
    """Sizes in samples (first layer) or frames (deeper layers)."""

    kernel: int = Field(9600, ge=2)
    stride: int = Field(4800, ge=1)
    first: int = Field(1, ge=1)
    """Filters of conv1: one in the thesis, through which everything passes."""
    start: Literal["ones", "mean", "xavier"] = "ones"
    """conv1's first weights: 1 as in the thesis, 1/kernel, which learns far better, or drawn as the others are, so that several filters differ."""
    filters: tuple[int, ...] = Field((8, 16, 32), min_length=1)
    width: int = Field(3, ge=1)
    """Kernel of the deeper convolutions; they are padded to keep their length."""
    pool: int = Field(3, ge=1)
    pool_stride: int = Field(2, ge=1)
    hidden: int = Field(32, ge=1)

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A study that was written before conv1 could have several filters keeps its digests."""
        return {name: value for name, value in handler(self).items() if (name, value) != ("first", 1)}

    @model_validator(mode="after")
    def _pieces_fit(self) -> Jenkins:
        if self.width % 2 == 0:
            raise ValueError("width must be odd, so that padding keeps the length")
        if self.pool_stride > self.pool:
            raise ValueError("pool_stride must not exceed pool, or frames are lost")
        if self.stride > self.kernel:
            raise ValueError("stride must not exceed kernel, or samples are never heard")
        return self

    def layer_filters(self, classes: int) -> dict[str, int]:
        """Filters of every dreamable layer, without building the network."""
        return {"conv1": self.first, **{f"conv{i}": n for i, n in enumerate(self.filters, start=2)}, "class": classes}

    def frames(self, samples: int) -> list[int]:
        """Frames after conv1 and after each pool, for an input of ``samples``. Raises UserError where nothing is left."""
        if samples < self.kernel:
            raise UserError(f"network.jenkins.kernel: {self.kernel} samples is longer than the sound ({samples} samples); choose a shorter kernel")
        lengths = [(samples - self.kernel) // self.stride + 1]
        for _ in self.filters:
            lengths.append((lengths[-1] - self.pool) // self.pool_stride + 1)
            if lengths[-1] < 1:
                raise UserError(
                    f"network.jenkins.stride: {self.stride} leaves {lengths[0]} frames of {samples} samples, "
                    f"too few for {len(self.filters)} pools of {self.pool}; choose a shorter stride"
                )
        return lengths

    def seconds(self, samples: int, channels: int) -> float:
        """An estimate for plans: how long one core trains on one input, once; reading it is most of the work."""
        return (SECONDS_A_MILLION + SECONDS_A_FILTER * (self.first - 1)) * samples * channels / 1e6

    def parameters(self, samples: int, classes: int, channels: int) -> int:
        """How many numbers it learns."""
        convolved = sum((self.width * n + 1) * m for n, m in zip((1, *self.filters), self.filters, strict=False))
        hidden = (self.filters[-1] * self.frames(samples)[-1] + 1) * self.hidden
        return self.kernel * channels + 1 + convolved + hidden + (self.hidden + 1) * classes

    @property
    def output(self) -> Output:
        """Every sound has one class."""
        return "softmax"

    def build(self, samples: int, classes: int, generator: torch.Generator, *, channels: int = 2, sample_rate: int | None = None) -> JenkinsNetwork:
        """The network for inputs of ``samples`` at any rate, its weights drawn from ``generator``."""
        return JenkinsNetwork(self, samples, classes, generator, channels)


class JenkinsNetwork(nn.Module):
    """(batch, channels, samples) in [-1, 1] -> logits (batch, classes)."""

    def __init__(self, settings: Jenkins, samples: int, classes: int, generator: torch.Generator, channels: int = 2) -> None:
        super().__init__()
        frames = settings.frames(samples)
        self.conv1 = StridedConv1d(channels, settings.first, settings.kernel, settings.stride)
        widths = (settings.first, *settings.filters)
        deeper = zip(widths, settings.filters, strict=False)
        self.deeper = nn.ModuleDict(
            {f"conv{i}": nn.Conv1d(n, m, settings.width, padding=settings.width // 2) for i, (n, m) in enumerate(deeper, start=2)}
        )
        self.pool = nn.MaxPool1d(settings.pool, settings.pool_stride)
        self.fc = nn.Linear(settings.filters[-1] * frames[-1], settings.hidden)
        self.out = nn.Linear(settings.hidden, classes)
        self._start(settings, generator)

    @torch.no_grad()
    def _start(self, settings: Jenkins, generator: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if name == "conv1.weight" and settings.start != "xavier":
                parameter.fill_(1.0 if settings.start == "ones" else 1.0 / settings.kernel)
            elif name.endswith("weight"):
                nn.init.xavier_normal_(parameter, generator=generator)
            else:
                parameter.zero_()

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """Logits of every class."""
        hidden = torch.relu(self.conv1(sound))
        for convolution in self.deeper.values():
            hidden = self.pool(torch.relu(convolution(hidden)))
        return self.out(torch.relu(self.fc(hidden.flatten(1))))

    def layers(self) -> dict[str, Layer]:
        """conv1 ... conv4 and ``class`` (before: logit, after: probability)."""
        convolutions: dict[str, nn.Module] = {"conv1": self.conv1, **self.deeper}
        listed = {name: Layer(module, torch.relu, len(module.get_parameter("weight"))) for name, module in convolutions.items()}
        return {**listed, "class": Layer(self.out, partial(probabilities, output="softmax"), self.out.out_features)}

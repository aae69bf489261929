"""Small networks for the tests of dreaming."""

from __future__ import annotations

import torch
from torch import nn

from aesdream.models.jenkins import Jenkins, JenkinsNetwork
from aesdream.models.layers import Layer

SAMPLES = 500
SETTINGS = Jenkins(kernel=40, stride=16, start="mean", filters=(4, 5), pool=3, pool_stride=2, hidden=6)


def lively(seed: int = 0, dtype: torch.dtype = torch.float32, settings: Jenkins = SETTINGS) -> JenkinsNetwork:
    """A network of ours with random kernels in every layer; with its bias conv1 speaks nearly always."""
    drawn = torch.Generator().manual_seed(seed)
    network = settings.build(SAMPLES, 2, drawn)
    with torch.no_grad():
        network.conv1.weight.normal_(0, 0.1, generator=drawn)
        network.conv1.bias.fill_(1.0)
        for layer in network.deeper.values():
            layer.bias.fill_(0.3)
    return network.to(dtype)


def noise(seed: int = 1, shape: tuple[int, ...] = (2, SAMPLES), level: float = 0.2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * level).clamp(-0.9, 0.9).to(dtype)


class Pointwise(nn.Module):
    """(batch, 1, samples) -> conv1 as it is given, then one value of every filter of conv2 a sample: all is known in closed form."""

    def __init__(self, weights: list[float], biases: list[float], conv1_bias: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, 1, 1)
        self.conv2 = nn.Conv1d(1, len(weights), 1)
        with torch.no_grad():
            self.conv1.weight.fill_(1.0)
            self.conv1.bias.fill_(conv1_bias)
            self.conv2.weight.copy_(torch.tensor(weights)[:, None, None])
            self.conv2.bias.copy_(torch.tensor(biases))

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv2(torch.relu(self.conv1(sound))))

    def layers(self) -> dict[str, Layer]:
        return {"conv1": Layer(self.conv1, torch.relu, 1), "conv2": Layer(self.conv2, torch.relu, self.conv2.out_channels)}

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from aesdream.dreaming import dream

README = Path(__file__).parents[2] / "README.md"
MARKER = "<!-- example -->"


def example() -> str:
    """The first block of Python after the marker."""
    _, found, after = README.read_text(encoding="utf-8").partition(MARKER)
    assert found, f"README.md lacks {MARKER}"
    block = re.search(r"^```python\n(.*?)^```$", after, re.DOTALL | re.MULTILINE)
    assert block, f"README.md has no Python after {MARKER}"
    return block[1]


def test_the_ten_lines_of_the_readme_dream_a_module_that_is_not_ours():
    lines = [line for line in example().splitlines() if line.strip()]
    assert len(lines) <= 10
    names: dict[str, object] = {}
    exec(compile(example(), str(README), "exec"), names)
    network, dreams = names["network"], names["dreams"]
    assert isinstance(network, nn.Module)
    assert all(type(module).__module__.startswith("torch.") for module in network.modules())
    assert (dreams.activation[:, -1] > dreams.activation[:, 0]).all()


CASES = {
    "spectrogram": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU()), (1, 32, 40), "3", None),
    "waveform": (nn.Sequential(nn.Conv1d(2, 8, 64, stride=16), nn.ReLU(), nn.Conv1d(8, 6, 5), nn.ReLU()), (2, 4000), "2", (-1.0, 1.0)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("side", ["pre", "post"])
def test_any_torch_module_is_dreamed_by_the_name_of_its_part(case: str, side: str):
    network, shape, layer, bounds = CASES[case]
    drawn = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.2, generator=drawn)
        network.get_submodule(layer).bias.fill_(0.5)
    start = torch.randn(shape, generator=drawn) * 0.3
    dreams = dream(network, layer, [0, 1, 2, 3, 4, 5], start, side=side, steps=30, step=0.01, bounds=bounds)
    assert dreams.sounds.shape == (6, *shape)
    assert dreams.coefficients is None
    assert (dreams.activation[:, -1] > dreams.activation[:, 0]).all()
    outputs = network[: int(layer) + 1](dreams.sounds).detach()
    means = (outputs if side == "pre" else outputs.relu()).flatten(2).mean(2).diagonal()
    torch.testing.assert_close(dreams.activation[:, -1], means, rtol=1e-4, atol=1e-5)


def test_a_part_inside_a_part_is_found_by_its_dotted_name():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Sequential(nn.Conv1d(1, 3, 5), nn.ReLU()), nn.Sequential(nn.Flatten(), nn.Linear(3 * 96, 2)))
    for layer, filters in (("0.0", 3), ("1.1", 2)):
        dreams = dream(network, layer, list(range(filters)), torch.randn(1, 100), side="pre", bounds=None, steps=5)
        assert (dreams.activation[:, -1] > dreams.activation[:, 0]).all()

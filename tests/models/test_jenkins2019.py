"""The literal study against every sentence that the thesis has about its data and network (facts, section 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from aesdream import config
from aesdream.models.jenkins import Jenkins, JenkinsNetwork
from aesdream.sounds import splits
from aesdream.study import Study, load
from jobs import plan

CONFIGS = Path(__file__).parents[2] / "configs"
SOUNDS, INTERESTING = 998, 164
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@cache
def literal() -> Study:
    return load(CONFIGS / "jenkins2019.yaml")


@dataclass
class Facts:
    """The literal study with its network as built, and the shape that every module puts out for one sound."""

    study: Study
    network: JenkinsNetwork
    shapes: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Jenkins:
        return self.study.network.settings

    @property
    def conv1(self) -> nn.Conv1d:
        return self.network.conv1

    def parameters(self, prefix: str) -> int:
        return sum(value.numel() for name, value in self.network.named_parameters() if name.startswith(prefix))


@pytest.fixture(scope="module")
def facts() -> Facts:
    return built(literal())


def built(study: Study) -> Facts:
    found = Facts(study, study.network.settings.build(study.input_samples("plain"), 2, torch.Generator().manual_seed(1)))

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            found.shapes.setdefault(name, []).append(tuple(output.shape[1:]))
            found.order.append(name)

        return hook

    handles = [m.register_forward_hook(note(name)) for name, m in found.network.named_modules() if name and not list(m.children())]
    with torch.no_grad():
        found.network(torch.zeros(1, 2, study.input_samples("plain")))
    for handle in handles:
        handle.remove()
    return found


def sides(study: Study, treatment: str) -> splits.Split:
    """A split of a corpus with the thesis's counts, as published: copies and windows first."""
    labels = np.zeros(SOUNDS, np.int64)
    labels[:INTERESTING] = 1
    sounds = splits.Sounds(labels, None, study.sounds.preparation.samples, study.sounds.sample_rate)
    assert "augment-first" in study.training.protocols
    return splits.split(sounds, study.training.treatments[treatment], "augment-first", study.training.validation, study.seed, 0)


def sizes(facts: Facts, treatment: str) -> tuple[int, int]:
    both = sides(facts.study, treatment)
    return len(both.train), len(both.validation)


def elements(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def reductions(facts: Facts) -> dict[str, float]:
    """How many times fewer values every convolution, with the pool behind it, puts out than it takes in."""
    pooled = facts.shapes["pool"]
    outputs = [facts.shapes["conv1"][0], *pooled]
    inputs = [(2, facts.study.input_samples("plain")), *outputs]
    return {f"conv{i}": elements(before) / elements(after) for i, (before, after) in enumerate(zip(inputs, outputs, strict=False), start=1)}


def pools_overlap(facts: Facts) -> bool:
    pool = facts.network.pool
    stride = pool.stride if isinstance(pool.stride, int) else pool.stride[0]
    return isinstance(pool, nn.MaxPool1d) and pool.kernel_size > stride


def xavier_normal(facts: Facts) -> bool:
    """Over many drawings, every deeper weight has mean 0 and Glorot's deviation, and looks normal (kurtosis 3)."""
    drawn = [facts.settings.build(facts.study.input_samples("plain"), 2, torch.Generator().manual_seed(seed)) for seed in range(24)]
    for name, weight in drawn[0].named_parameters():
        if name.startswith("conv1") or name.endswith("bias"):
            continue
        values = torch.cat([network.get_parameter(name).detach().flatten() for network in drawn]).double()
        receptive = elements(weight.shape[2:])
        wanted = (2 / (receptive * (weight.shape[0] + weight.shape[1]))) ** 0.5
        error = values.numel() ** -0.5
        assert abs(float(values.std()) / wanted - 1) < 3 * error, name
        assert abs(float(values.mean()) / wanted) < 4 * error, name
        assert abs(float(((values / wanted) ** 4).mean()) - 3) < 4 * 96**0.5 * error, name
    return True


def rectified(facts: Facts) -> bool:
    """The network equals one written out here with a ReLU after every layer but the last."""
    sound = torch.randn(1, 2, facts.study.input_samples("plain"), generator=torch.Generator().manual_seed(2)) * 0.1
    network = facts.network
    relu, functional = torch.relu, nn.functional
    with torch.no_grad():
        hidden = relu(functional.conv1d(sound, network.conv1.weight, network.conv1.bias, network.conv1.stride))
        for layer in network.deeper.values():
            hidden = functional.max_pool1d(relu(functional.conv1d(hidden, layer.weight, layer.bias, padding=layer.padding)), 3, 2)
        wanted = network.out(relu(network.fc(hidden.flatten(1))))
        torch.testing.assert_close(network(sound), wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))
    return bool(wanted.abs().max() > 0)


def softmax_of_two(facts: Facts) -> bool:
    layer = facts.network.layers()["class"]
    probabilities = layer.activation(torch.tensor([[1.0, 3.0]]).log())
    return layer.module is facts.network.out and torch.allclose(probabilities, torch.tensor([[0.25, 0.75]]))


def modules(facts: Facts, kind: Any) -> list[nn.Module]:
    return [module for module in facts.network.modules() if isinstance(module, kind)]


def sweep(facts: Facts) -> Any:
    return next(iter(facts.study.sweeps.values()))


def convolutions_by_depth(facts: Facts) -> list[str]:
    return [name for name in facts.order if "conv" in name]


DATA: dict[str, Callable[[Facts], Any]] = {
    "sounds are at 48 kHz": lambda f: f.study.sounds.sample_rate == 48_000,
    "sounds are trimmed to exactly 10 s": lambda f: f.study.sounds.seconds == 10,
    "half a second fades out": lambda f: f.study.sounds.fade_out == 0.5,
    "a sound is two channels of 480 000 values": lambda f: f.study.input_samples("plain") == 480_000 and f.conv1.in_channels == 2,
    "values lie in -1 to 1 as they were recorded": lambda f: f.study.sounds.levels == "full_scale",
    "there are two classes and interesting is the positive one": lambda f: f.study.sounds.folder.classes == ("not interesting", "interesting"),
    "30 % are kept for validation by every method": lambda f: f.study.training.validation == 0.3,
    "plain: 698 train and 300 validate": lambda f: sizes(f, "plain") == (698, 300),
    "windows are 5 s with 4 s overlap": lambda f: (t := f.study.training.treatments["windowed"]) and (t.window, t.overlap) == (5, 4),
    "windowed: 4191 train and 1797 validate": lambda f: sizes(f, "windowed") == (4191, 1797),
    "oversampling is fivefold and makes 1654": lambda f: (
        f.study.training.treatments["oversampled"].oversampling == 5 and sum(sizes(f, "oversampled")) == 834 + 5 * INTERESTING == 1654
    ),
    "oversampled: 497 validate": lambda f: sizes(f, "oversampled")[1] == 497,
    "oversampled classes are about balanced": lambda f: abs(sides(f.study, "oversampled").train.labels.mean() - 0.5) < 0.01,
    "plain, windowed and oversampled are compared": lambda f: {"plain", "windowed", "oversampled"} <= f.study.training.treatments.keys(),
    "nothing else augments the sounds": lambda f: set(config.plain(f.study.training.treatments["plain"]).values()) <= {None, 0.0, 1, "given"},
}
NETWORK: dict[str, Callable[[Facts], Any]] = {
    "raw audio goes in, and there are four convolutional layers": lambda f: (
        convolutions_by_depth(f) == ["conv1", *(f"deeper.conv{i}" for i in (2, 3, 4))]
    ),
    "conv1 has one filter": lambda f: f.conv1.out_channels == 1,
    "conv1 is strided": lambda f: f.conv1.stride[0] > 1,
    "conv1 moves by less than its length": lambda f: f.conv1.stride[0] <= f.conv1.kernel_size[0],
    "conv1 starts at all ones": lambda f: bool((f.conv1.weight == 1).all()),
    "conv1 is trainable": lambda f: f.conv1.weight.requires_grad,
    "conv1 holds the majority of the parameters": lambda f: f.parameters("conv1") > f.parameters("") / 2,
    "conv1 does the majority of the reduction": lambda f: (
        max(reductions(f), key=reductions(f).get) == "conv1" and elements((2, 480_000)) - elements(f.shapes["conv1"][0]) > 480_000
    ),
    "only conv1 is strided": lambda f: all(m.stride == (1,) for m in modules(f, CONVOLUTIONS) if m is not f.conv1),
    "the deeper layers have 8, 16 and 32 filters": lambda f: [m.out_channels for m in modules(f, CONVOLUTIONS)] == [1, 8, 16, 32],
    "each of the deeper three is followed by a max pool, conv1 by none": lambda f: (
        f.order == ["conv1", "deeper.conv2", "pool", "deeper.conv3", "pool", "deeper.conv4", "pool", "fc", "out"]
    ),
    "the max pools overlap": pools_overlap,
    "a fully connected layer of 32 follows": lambda f: f.network.fc.out_features == 32 and f.network.fc.in_features == elements(f.shapes["pool"][-1]),
    "it ends in two nodes with a softmax": lambda f: f.network.out.out_features == 2 and softmax_of_two(f),
    "ReLU follows every layer but the last": rectified,
    "weights other than conv1's start Xavier-normal": xavier_normal,
    "there is no batch normalisation": lambda f: not modules(f, nn.modules.batchnorm._NormBase),
    "nothing else is in it": lambda f: (
        {type(m).__name__ for m in f.network.modules() if not list(m.children())} == {"StridedConv1d", "Conv1d", "MaxPool1d", "Linear"}
    ),
    "every weight is trained": lambda f: all(parameter.requires_grad for parameter in f.network.parameters()),
    "windows of 5 s fit the same network": lambda f: (
        f.settings.build(f.study.input_samples("windowed"), 2, torch.Generator()).conv1.out_channels == 1
    ),
}
DREAMING: dict[str, Callable[[Facts], Any]] = {
    "layers 2, 3 and 4 are dreamed, every filter": lambda f: sweep(f).layers == ("conv2", "conv3", "conv4") and sweep(f).targets == ("all",),
    "the appendix has 56 figures": lambda f: sum(len(f.study.targets(sweep(f), f.study.models()[0], layer, ())) for layer in sweep(f).layers) == 56,
    "filters are dreamed after and before the ReLU": lambda f: set(sweep(f).sides) == {"post", "pre"},
    "the gradient is added as it is": lambda f: sweep(f).rule == "plain",
    "dreams start from the source sound": lambda f: sweep(f).starts == ("source",),
    "nothing but clipping holds a dream back": lambda f: sweep(f).stop_rms is None,
    "the dreamed model is the one trained on copies, as published": lambda f: (
        [m.name for m in f.study.swept(sweep(f))] == ["oversampled/augment-first/split0-seed0"]
    ),
}


@pytest.mark.parametrize("sentence", [pytest.param(check, id=name) for name, check in {**DATA, **NETWORK, **DREAMING}.items()])
def test_the_literal_study_holds(sentence: Callable[[Facts], Any], facts: Facts):
    assert sentence(facts)


def test_its_sounds_lie_beside_the_file():
    assert literal().sounds.folder is not None
    assert Path(literal().sounds.folder.path) == CONFIGS / "my-sounds"


DEPARTURES = [
    ("sounds.sample_rate=44100", "sounds are at 48 kHz"),
    ("sounds.fade_out=0", "half a second fades out"),
    ("training.treatments.windowed.overlap=2.5", "windowed: 4191 train and 1797 validate"),
    ("network.jenkins={kernel: 2400, stride: 2400}", "conv1 holds the majority of the parameters"),
    ("network.jenkins.start=mean", "conv1 starts at all ones"),
    ("network.jenkins.filters=[8, 16, 16]", "the deeper layers have 8, 16 and 32 filters"),
    ("network.jenkins.pool_stride=3", "the max pools overlap"),
    ("network.jenkins.hidden=16", "a fully connected layer of 32 follows"),
    ("sweeps.appendix.targets=[0]", "the appendix has 56 figures"),
]


@pytest.mark.parametrize(("change", "sentence"), DEPARTURES)
def test_a_study_that_departs_from_a_sentence_fails_its_check(change: str, sentence: str):
    assert not {**DATA, **NETWORK, **DREAMING}[sentence](built(load(CONFIGS / "jenkins2019.yaml", [change])))


SYNTHETIC = CONFIGS / "jenkins2019-synthetic.yaml"


def test_the_synthetic_study_is_the_literal_one_on_sounds_made_here():
    made, written = config.plain(load(SYNTHETIC)), config.plain(literal())
    changed = {key for key in written if made[key] != written[key]}
    assert changed == {"study", "sounds", "training"}
    assert made["sounds"]["folder"] is None
    assert made["sounds"]["oracular"] | {"count": SOUNDS, "source": "trombone"} == made["sounds"]["oracular"]
    assert {key for key in made["sounds"] if made["sounds"][key] != written["sounds"][key]} == {"folder", "oracular"}
    assert {key for key in made["training"] if made["training"][key] != written["training"][key]} == {"treatments", "protocols", "splits", "seeds"}


def test_the_synthetic_study_has_the_thesis_size():
    study = load(SYNTHETIC)
    names = [model.name for model in study.models()]
    treatments = ("plain", "windowed", "oversampled")
    twins = [f"{treatment}/{protocol}/split0-seed0" for treatment in treatments for protocol in ("augment-first", "by-family")]
    assert sorted(names) == sorted([*twins, "untrained/by-family/split0-seed0", "shuffled/by-family/split0-seed0"])
    assert round(study.sounds.oracular.share * study.sounds.oracular.count) == INTERESTING
    (swept,) = study.sweeps.values()
    dreams = [
        (model.name, layer, target, side)
        for model in study.swept(swept)
        for layer in swept.layers
        for target in study.targets(swept, model, layer, ())
        for side in swept.sides
        for _ in swept.starts
    ]
    assert len(dreams) == 112
    assert study.training.treatments["shuffled"].oversampling == 5
    assert study.training.treatments["untrained"].epochs == 0


def test_the_synthetic_study_is_planned_without_being_run():
    assert plan.described(load(SYNTHETIC), None).startswith("study jenkins2019-synthetic: 998 sounds, 8 models, 112 dreams")

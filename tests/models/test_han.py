"""Han, Kim and Lee's network layer by layer (facts, section 3), and its smaller relatives."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from aesdream import config
from aesdream.errors import UserError
from aesdream.models import Network
from aesdream.models.han import SECONDS_A_BILLION, SECONDS_A_MILLION_SAMPLES, SECONDS_A_MILLION_VALUES, Han, HanNetwork
from aesdream.models.layers import Draws, draw_dropouts

SECOND, RATE = 22050, 22050
SMALL = Han(fft=256, hop=128, mels=16, filters=(4, 6), hidden=8, output="softmax")
# (filters, time, frequency) and parameters of every step, as the table of the source has them
TABLE = [
    ("front_end", (1, 43, 128), 0),
    ("conv1", (32, 45, 130), 320),
    ("conv2", (32, 47, 132), 9248),
    ("pool", (32, 15, 44), 0),
    ("dropout", (32, 15, 44), 0),
    ("conv3", (64, 17, 46), 18496),
    ("conv4", (64, 19, 48), 36928),
    ("pool", (64, 6, 16), 0),
    ("dropout", (64, 6, 16), 0),
    ("conv5", (128, 8, 18), 73856),
    ("conv6", (128, 10, 20), 147584),
    ("pool", (128, 3, 6), 0),
    ("dropout", (128, 3, 6), 0),
    ("conv7", (256, 5, 8), 295168),
    ("conv8", (256, 7, 10), 590080),
    ("fc", (1024,), 263168),
    ("hidden_dropout", (1024,), 0),
    ("out", (11,), 11275),
]


def built(settings: Han = SMALL, samples: int = SECOND, classes: int = 2, seed: int = 1) -> HanNetwork:
    return settings.build(samples, classes, torch.Generator().manual_seed(seed), channels=1, sample_rate=RATE)


@pytest.fixture(scope="module")
def whole() -> HanNetwork:
    return built(Han(), classes=11).eval()


def noise(samples: int = SECOND, channels: int = 1, batch: int = 1) -> torch.Tensor:
    return 0.1 * torch.randn(batch, channels, samples, generator=torch.Generator().manual_seed(5))


def test_every_layer_has_the_shape_and_the_parameters_of_the_table(whole: HanNetwork) -> None:
    seen = []

    def note(name: str, module: nn.Module) -> None:
        parameters = sum(parameter.numel() for parameter in module.parameters())
        module.register_forward_hook(lambda _m, _i, output: seen.append((name.rpartition(".")[2], tuple(output.shape[1:]), parameters)))

    for name, module in whole.named_modules():
        if not list(module.children()):
            note(name, module)
    with torch.no_grad():
        assert whole(noise()).shape == (1, 11)
    assert seen == TABLE


def test_it_has_1_446_123_parameters_for_11_classes(whole: HanNetwork) -> None:
    assert sum(parameter.numel() for parameter in whole.parameters()) == 1_446_123


def test_its_parameters_are_counted_without_building_it(whole: HanNetwork) -> None:
    assert Han().parameters(SECOND, 11, 1) == 1_446_123
    assert SMALL.parameters(SECOND, 2, 1) == sum(parameter.numel() for parameter in built().parameters())


def test_weights_start_glorot_uniform_and_biases_at_zero(whole: HanNetwork) -> None:
    for name, weights in whole.named_parameters():
        parameter = weights.detach()
        if name.endswith("bias"):
            assert not parameter.any()
            continue
        receptive = parameter[0, 0].numel()
        bound = (6 / (receptive * (parameter.shape[0] + parameter.shape[1]))) ** 0.5
        assert 0.98 * bound < float(parameter.abs().max()) <= bound
        assert abs(float(parameter.std()) / (bound / 3**0.5) - 1) < 6 * parameter.numel() ** -0.5


def test_it_equals_one_written_out_with_its_leaky_units(whole: HanNetwork) -> None:
    def leaky(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x > 0, x, 0.33 * x)

    functional, weights = nn.functional, whole.body.state_dict()
    with torch.no_grad():
        hidden = log_mel = whole.front_end(noise())
        for i in range(1, 9):
            padded = functional.pad(hidden, (2, 2, 2, 2))
            hidden = leaky(functional.conv2d(padded, weights[f"convolutions.conv{i}.weight"], weights[f"convolutions.conv{i}.bias"]))
            hidden = functional.max_pool2d(hidden, 3, 3) if i in (2, 4, 6) else hidden
        hidden = leaky(hidden.flatten(2).max(2).values @ weights["fc.weight"].T + weights["fc.bias"])
        wanted = hidden @ weights["out.weight"].T + weights["out.bias"]
        torch.testing.assert_close(whole(noise()), wanted)
        torch.testing.assert_close(whole.body(log_mel), wanted)


def test_it_may_hear_levels_beside_a_usual_one() -> None:
    log_mel = torch.randn(1, 1, 43, 16, generator=torch.Generator().manual_seed(3)) - 6
    centred = built(SMALL.model_copy(update={"centre": -6.0})).eval().body
    with torch.no_grad():
        torch.testing.assert_close(centred(log_mel), built().eval().body(log_mel + 6))


def test_its_layers_are_listed_with_what_follows_them(whole: HanNetwork) -> None:
    layers = whole.layers()
    assert {name: layer.filters for name, layer in layers.items()} == Han().layer_filters(11)
    assert list(layers) == [*(f"conv{i}" for i in range(1, 9)), "class"]
    values = torch.tensor([[-1.0, 2.0]])
    torch.testing.assert_close(layers["conv5"].activation(values), torch.tensor([[-0.33, 2.0]]))
    torch.testing.assert_close(layers["class"].activation(values), torch.sigmoid(values))
    assert layers["class"].module is whole.body.out


def test_softmax_may_be_asked_for_where_a_sound_has_one_class() -> None:
    probabilities = built().layers()["class"].activation(torch.tensor([[1.0, 3.0]]).log())
    torch.testing.assert_close(probabilities, torch.tensor([[0.25, 0.75]]))
    assert (Han().output, SMALL.output) == ("sigmoid", "softmax")


def test_one_channel_two_and_any_length_are_heard() -> None:
    network = built().eval()
    with torch.no_grad():
        torch.testing.assert_close(network(noise()), network(noise().repeat(1, 2, 1)))
        assert network(noise(3 * SECOND)).shape == (1, 2)


def test_frames_are_known_without_the_network(whole: HanNetwork) -> None:
    assert Han().frames(SECOND) == [43, 15, 6, 3]
    with pytest.raises(UserError, match="fft: 1024 is too long for a sound of 512 samples"):
        Han().frames(512)


def test_its_estimate_counts_the_multiplications_and_the_values_of_the_table() -> None:
    convolutions = [row for row in TABLE if row[0].startswith("conv")]
    products = sum(shape[1] * shape[2] * (parameters - shape[0]) for _, shape, parameters in convolutions)
    values = sum(math.prod(shape) for _, shape, _ in convolutions)
    beside = (SECONDS_A_MILLION_VALUES * values + SECONDS_A_MILLION_SAMPLES * SECOND) / 1e6
    assert Han().seconds(SECOND, 1) == pytest.approx(SECONDS_A_BILLION * products / 1e9 + beside)
    assert beside < Han().seconds(SECOND, 1) / 4, "the network of Han et al. is nearly all convolutions"


def test_gradients_reach_the_waveform() -> None:
    sound = noise().requires_grad_()
    built().eval()(sound)[0, 0].backward()
    assert sound.grad is not None
    assert sound.grad.abs().max() > 0


def test_a_sound_loses_the_same_units_whoever_hears_it() -> None:
    network = built(Han(fft=256, hop=128, mels=16, filters=(4, 6), hidden=8, dropout=0.5)).train()
    sounds = noise(4000, batch=5)

    def heard(part: slice) -> torch.Tensor:
        draw_dropouts(network, Draws(torch.Generator().manual_seed(7), 5, part))
        return network(sounds[part])

    whole = heard(slice(0, 5))
    torch.testing.assert_close(torch.cat([heard(slice(0, 2)), heard(slice(2, 5))]), whole)
    assert not torch.allclose(whole, network.eval()(sounds))


def test_a_dropout_without_draws_is_refused_in_training() -> None:
    with pytest.raises(RuntimeError, match="draws"):
        built().train()(noise())


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    one, same, other = built(), built(), built(seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.body.fc.weight, other.body.fc.weight)


def test_a_study_configures_it_by_name() -> None:
    network = config.validate(Network, {"han": {"filters": [8, 16]}}, "study")
    assert network.settings.layer_filters(3) == {"conv1": 8, "conv2": 8, "conv3": 16, "conv4": 16, "class": 3}
    with pytest.raises(UserError, match="exactly one of jenkins, han"):
        config.validate(Network, {"han": {}, "jenkins": {}}, "study")
    with pytest.raises(UserError, match="hop must not exceed fft"):
        config.validate(Network, {"han": {"hop": 2048}}, "study")

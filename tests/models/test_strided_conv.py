from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from aesdream.models.layers import StridedConv1d, channel_major

SHAPES = [
    # kernel, stride, samples: multiples and not, kernel equal to stride, shorter than it, one frame, unread samples at the end
    (12, 4, 60),
    (12, 4, 63),
    (13, 4, 60),
    (7, 5, 41),
    (5, 5, 37),
    (3, 5, 37),
    (9, 1, 20),
    (12, 4, 12),
    (11, 4, 14),
]


def convolutions(inputs: int, outputs: int, kernel: int, stride: int, bias: bool = True) -> tuple[StridedConv1d, nn.Conv1d]:
    torch.manual_seed(3)
    ours = StridedConv1d(inputs, outputs, kernel, stride, bias=bias).double()
    theirs = nn.Conv1d(inputs, outputs, kernel, stride, bias=bias).double()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def laid_out(values: torch.Tensor, layout: str) -> torch.Tensor:
    """The same values, in one of the memory layouts in which sounds come."""
    if layout == "sound by sound":
        return values.clone()
    batch, channels, samples = values.shape
    return channel_major(channels, batch, samples, values).copy_(values)


@pytest.mark.parametrize("layout", ["sound by sound", "channel by channel"])
@pytest.mark.parametrize(("inputs", "outputs", "batch"), [*itertools.product((1, 2), (1, 3), (1, 4))])
@pytest.mark.parametrize(("kernel", "stride", "samples"), SHAPES)
def test_outputs_and_all_gradients_equal_the_ordinary_convolution(kernel, stride, samples, inputs, outputs, batch, layout):
    ours, theirs = convolutions(inputs, outputs, kernel, stride)
    values = torch.randn(batch, inputs, samples, dtype=torch.float64)
    heard, reference = laid_out(values, layout).requires_grad_(), values.clone().requires_grad_()
    got, wanted = ours(heard), theirs(reference)
    torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)
    direction = torch.randn_like(wanted)
    gradients = torch.autograd.grad((got * direction).sum(), [heard, ours.weight, ours.bias])
    expected = torch.autograd.grad((wanted * direction).sum(), [reference, theirs.weight, theirs.bias])
    for gradient, right in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, right, rtol=1e-12, atol=1e-12)


def test_it_works_without_a_bias():
    ours, theirs = convolutions(2, 1, 6, 4, bias=False)
    values = torch.randn(2, 2, 30, dtype=torch.float64)
    torch.testing.assert_close(ours(values), theirs(values), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride"), [(6, 3), (7, 3)])
def test_its_gradients_are_those_of_finite_differences(kernel, stride):
    ours, _ = convolutions(2, 2, kernel, stride)
    sound = torch.randn(2, 2, 16, dtype=torch.float64, requires_grad=True)

    def outputs(sound: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(ours, {"weight": weight, "bias": bias}, sound)

    assert torch.autograd.gradcheck(outputs, (sound, ours.weight, ours.bias))


def test_frozen_weights_leave_only_the_gradient_at_the_sound():
    ours, theirs = convolutions(2, 1, 7, 3)
    ours.requires_grad_(False)
    sound = torch.randn(2, 2, 25, dtype=torch.float64)
    gradients = [torch.autograd.grad(layer(x).pow(2).sum(), x)[0] for layer in (ours, theirs) for x in [sound.clone().requires_grad_()]]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)
    assert ours.weight.grad is None


def test_a_sound_shorter_than_the_kernel_is_refused():
    ours, _ = convolutions(1, 1, 8, 4)
    with pytest.raises(ValueError, match="7 samples are fewer than the kernel's 8"):
        ours(torch.zeros(1, 1, 7, dtype=torch.float64))


def test_channel_major_lays_channels_one_after_another():
    batch = channel_major(2, 3, 5, torch.zeros(1))
    assert batch.shape == (3, 2, 5)
    assert batch.transpose(0, 1).is_contiguous()

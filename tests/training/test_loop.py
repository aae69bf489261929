from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from aesdream.models.jenkins import Jenkins
from aesdream.models.layers import Output
from aesdream.sounds.splits import Split
from aesdream.sounds.store import Corpus
from aesdream.training import loop
from aesdream.training.distributed import Place
from tests.training.lessons import NETWORK, everything, for_epochs, lesson, network_for, weights, write_corpus

HERE = Place(0, 1, torch.device("cpu"))
COUNT = 26
OUTPUTS = ("softmax", "sigmoid")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(write_corpus(tmp_path_factory.mktemp("corpus"), COUNT))


def trained(given: loop.Lesson) -> tuple[torch.nn.Module, loop.History]:
    network = network_for(given)
    return network, loop.train(network, given, HERE)


@pytest.mark.parametrize("output", OUTPUTS)
def test_training_learns_what_is_plain_to_hear(corpus: Corpus, tmp_path: Path, output: Output):
    _, history = trained(lesson(corpus, tmp_path / "state.pt", train=18, epochs=12, output=output))
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert history[-1]["validation_auc"] > 0.9


def test_the_history_has_a_record_an_epoch(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "state.pt", train=18, epochs=3)
    network, history = trained(given)
    assert [record["epoch"] for record in history] == [1, 2, 3]
    validation = given.split.validation
    picked = loop.predict(network, corpus, validation)[np.arange(len(validation)), validation.labels]
    assert history[-1]["validation_loss"] == pytest.approx(-np.log(picked).mean(), rel=1e-9)
    assert all(0 <= record["accuracy"] <= 1 for record in history)
    loop.write_history(tmp_path / "history.jsonl", history)
    assert [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()] == history


def test_conv1_change_is_how_far_its_weights_moved_relative_to_their_size(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "state.pt", train=18, epochs=2)
    network, history = trained(given)
    first = network_for(given).conv1.weight
    assert history[-1]["conv1_change"] == pytest.approx(float(((network.conv1.weight - first).abs().mean() / first.abs().mean()).detach()), rel=1e-6)


def test_the_first_loss_of_one_whole_batch_is_the_cross_entropy_of_the_untrained_network(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "state.pt", train=18, epochs=1, batch=18, precision="float64")
    untrained = network_for(given)
    train = given.split.train
    wanted = -np.log(loop.predict(untrained, corpus, train)[np.arange(18), train.labels]).mean()
    assert trained(given)[1][0]["loss"] == pytest.approx(wanted, rel=1e-9)


def test_a_last_batch_counts_by_its_sounds(corpus: Corpus, tmp_path: Path):
    """With a learning rate of nearly nothing the mean over an epoch is that of all sounds, however they were batched."""
    losses = []
    for batch in (18, 7):
        given = lesson(corpus, tmp_path / f"{batch}.pt", train=18, epochs=1, batch=batch, precision="float64")
        given = replace(given, settings=given.settings.model_copy(update={"learning_rate": 1e-15}))
        losses.append(trained(given)[1][0]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)


@pytest.mark.parametrize("output", OUTPUTS)
def test_training_again_gives_the_same_bytes(corpus: Corpus, tmp_path: Path, output: Output):
    for name in ("a", "b"):
        trained(lesson(corpus, tmp_path / f"{name}.pt", train=18, epochs=2, output=output))
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("stopped_after", [1, 2, 3])
def test_training_that_stopped_resumes_to_the_same_bytes(corpus: Corpus, tmp_path: Path, stopped_after: int, output: Output):
    whole = lesson(corpus, tmp_path / "whole.pt", train=18, epochs=3, output=output)
    network, history = trained(whole)
    part = lesson(corpus, tmp_path / "part.pt", train=18, epochs=stopped_after, output=output)
    trained(part)
    shutil.copy(part.state, tmp_path / "copy.pt")
    resumed = replace(for_epochs(part, 3), state=tmp_path / "copy.pt")
    again, history_again = trained(resumed)
    assert (tmp_path / "copy.pt").read_bytes() == whole.state.read_bytes()
    assert torch.equal(weights(network), weights(again))
    assert history == history_again


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [truncated, flipped, lambda data: b"", lambda data: b"not a checkpoint"])
def test_a_damaged_state_is_begun_again(corpus: Corpus, tmp_path: Path, damage):
    given = lesson(corpus, tmp_path / "state.pt", train=18, epochs=2)
    network, _ = trained(given)
    wanted = given.state.read_bytes()
    trained(replace(for_epochs(given, 1), state=tmp_path / "first.pt"))
    given.state.write_bytes(damage((tmp_path / "first.pt").read_bytes()))
    again, history = trained(given)
    assert len(history) == 2
    assert torch.equal(weights(network), weights(again))
    assert given.state.read_bytes() == wanted


def test_the_state_of_another_training_is_not_resumed(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "state.pt", train=18, epochs=1)
    trained(given)
    other = replace(given, digest="fedcba9876543210", seed=1)
    network, history = trained(other)
    clean, _ = trained(replace(other, state=tmp_path / "clean.pt"))
    assert len(history) == 1
    assert torch.equal(weights(network), weights(clean))


def test_training_stops_when_the_validation_loss_has_not_fallen_for_more_than_the_epochs_of_patience(corpus: Corpus, tmp_path: Path):
    """The sounds validated on are taught the wrong way round: what is learned only makes them worse."""
    given = lesson(corpus, tmp_path / "whole.pt", train=18, epochs=12)
    wrong = replace(given.split.validation, labels=1 - given.split.validation.labels)
    given = replace(given, split=Split(given.split.train, wrong))
    network, whole = trained(given)
    losses = [record["validation_loss"] for record in whole]
    patient = replace(given, settings=given.settings.model_copy(update={"patience": 2}), state=tmp_path / "patient.pt")
    _, history = trained(patient)
    waited = len(history) - 1 - int(np.argmin(losses[: len(history)]))
    assert len(history) < len(whole)
    assert history == whole[: len(history)]
    assert waited == 3
    again, resumed = trained(patient)
    assert resumed == history
    assert torch.equal(weights(again), weights(trained(replace(for_epochs(given, len(history)), state=tmp_path / "as-long.pt"))[0]))
    assert not torch.equal(weights(again), weights(network))


def test_no_epochs_leave_the_network_as_it_was_and_write_no_state(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "state.pt", train=18, epochs=0)
    network, history = trained(given)
    assert history == []
    assert torch.equal(weights(network), weights(network_for(given)))
    assert not given.state.exists()


class Noting(loop.Listener):
    """Keeps which sounds every batch heard."""

    heard: list[list[int]] = []  # noqa: RUF012 (the tests read it from the class)

    def batch(self, items):
        type(self).heard.append(items.sound.tolist())
        return super().batch(items)


def orders(corpus: Corpus, state: Path, monkeypatch: pytest.MonkeyPatch, seed: int, epochs: int) -> list[list[int]]:
    """The training sounds of every epoch in the order in which they were heard."""
    monkeypatch.setattr(Noting, "heard", [])
    monkeypatch.setattr(loop, "Listener", Noting)
    given = lesson(corpus, state, train=18, epochs=epochs, seed=seed)
    trained(given)
    training = [batch for batch in Noting.heard if max(batch) < 18]
    heard = [sound for batch in training for sound in batch]
    return [heard[at : at + 18] for at in range(0, len(heard), 18)]


def test_every_epoch_and_every_seed_has_an_order_of_its_own(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = [order for seed in (0, 1) for order in orders(corpus, tmp_path / f"{seed}.pt", monkeypatch, seed, 3)]
    assert len(found) == 6
    assert all(sorted(order) == list(range(18)) for order in found)
    assert len({tuple(order) for order in found}) == 6
    assert orders(corpus, tmp_path / "again.pt", monkeypatch, 0, 1) == found[:1]


def test_the_initialisation_depends_on_the_seed_alone_where_shapes_allow():
    def drawn(seed: int, samples: int = 600, settings: Jenkins = NETWORK, study_seed: int = 11) -> dict[str, torch.Tensor]:
        return loop.initial_network(partial(settings.build, samples, 2), study_seed, seed, "float32").state_dict()

    whole, window = drawn(0), drawn(0, samples=400)
    assert all(torch.equal(whole[name], value) for name, value in drawn(0).items())
    assert all(torch.equal(whole[name], window[name]) for name in whole if "conv" in name)
    name = "deeper.conv2.weight"
    assert not torch.equal(whole[name], drawn(1)[name])
    assert not torch.equal(whole[name], drawn(0, study_seed=12)[name])


def test_batches_are_the_pieces_of_the_corpus_in_order_as_the_network_hears_them(corpus: Corpus, tmp_path: Path):
    network = network_for(lesson(corpus, tmp_path / "s.pt", train=18, epochs=0))
    items = replace(everything(corpus), offset=np.arange(COUNT) * 2, samples=500)
    chosen = items[np.array([7, 3, 3])]
    batch = loop.Listener(corpus, network).batch(chosen)
    for row, sound in zip(batch, (7, 3, 3), strict=True):
        assert np.array_equal(row.numpy() * 32768, corpus.read(sound)[:, 2 * sound : 2 * sound + 500])


def test_predictions_do_not_depend_on_what_stands_beside_them(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "s.pt", train=18, epochs=0)
    network, items = network_for(given), everything(corpus)
    found = loop.predict(network, corpus, items)
    assert found.sum(1) == pytest.approx(np.ones(COUNT))
    order = np.random.default_rng(1).permutation(COUNT)
    np.testing.assert_allclose(loop.predict(network, corpus, items[order]), found[order], atol=1e-6)


@pytest.mark.parametrize(("count", "batch", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 8, [3])])
def test_steps_cover_an_epoch(count: int, batch: int, sizes: list[int]):
    order = np.random.default_rng(0).permutation(count)
    parts = list(loop.steps(count, batch, order))
    assert [len(part) for part in parts] == sizes
    assert np.array_equal(np.concatenate(parts), order)


def test_one_class_alone_in_validation_has_no_area_under_its_curve(corpus: Corpus, tmp_path: Path):
    given = lesson(corpus, tmp_path / "s.pt", train=18, epochs=1)
    validation = given.split.validation
    alone = validation[np.flatnonzero(validation.labels == 0)]
    _, history = trained(replace(given, split=Split(given.split.train, alone)))
    assert history[0]["validation_auc"] is None

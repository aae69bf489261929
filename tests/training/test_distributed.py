from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from aesdream.errors import DamagedFile
from aesdream.sounds.splits import Split
from aesdream.sounds.store import Corpus
from aesdream.training import distributed, loop
from tests.training.lessons import lesson, network_for, weights, write_corpus

COUNT = 26
CASES = {
    # name: sounds trained on, batch, epochs, precision, outputs, how near; on two processes the last batch is
    "uneven": (21, 8, 3, "float64", "softmax", 1e-9),  # of five: two and three
    "fewer": (17, 8, 3, "float64", "softmax", 1e-9),  # of one: none and one
    "single": (19, 4, 2, "float32", "softmax", 1e-5),  # ten steps in single precision
    "dropouts": (17, 8, 3, "float64", "sigmoid", 1e-9),  # of one, and every sound loses the same units
}


def lesson_of(folder: Path, name: str, processes: int) -> loop.Lesson:
    train, batch, epochs, precision, output, _ = CASES[name]
    state = folder / f"{name}-{processes}.pt"
    return lesson(Corpus(folder / "sounds.h5"), state, train=train, epochs=epochs, batch=batch, precision=precision, output=output)


def train_all(folder: Path, processes: int) -> None:
    with distributed.joined() as place:
        assert place.world == processes
        for name in CASES:
            given = lesson_of(folder, name, processes)
            network = network_for(given)
            history = loop.train(network, given, place)
            keep(folder, name, place, network, history)
        given = impatient(folder, processes)
        network = network_for(given)
        keep(folder, "impatient", place, network, loop.train(network, given, place))


def keep(folder: Path, name: str, place: distributed.Place, network: torch.nn.Module, history: loop.History) -> None:
    torch.save({"weights": weights(network), "history": json.dumps(history)}, folder / f"{name}-{place.world}-rank{place.rank}.pt")


def impatient(folder: Path, processes: int) -> loop.Lesson:
    """Validated on the wrong labels, so that what is learned makes it worse, and stopped at the second epoch that does."""
    state = folder / f"impatient-{processes}.pt"
    given = lesson(Corpus(folder / "sounds.h5"), state, train=18, epochs=12, precision="float64", patience=1)
    return replace(given, split=Split(given.split.train, replace(given.split.validation, labels=1 - given.split.validation.labels)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    write_corpus(folder, COUNT)
    for processes in (1, 2):
        distributed.launch(processes, 1, train_all, folder, processes)
    return folder


def result(folder: Path, name: str, processes: int, rank: int = 0) -> tuple[torch.Tensor, list[dict[str, float]]]:
    found = torch.load(folder / f"{name}-{processes}-rank{rank}.pt", weights_only=True)
    return found["weights"], json.loads(found["history"])


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_what_one_does_with_the_same_batches(trained: Path, name: str):
    near = CASES[name][-1]
    (alone, alone_history), (shared, shared_history) = result(trained, name, 1), result(trained, name, 2)
    assert alone.dtype == shared.dtype == getattr(torch, CASES[name][3])
    assert float((alone - shared).abs().max()) <= near
    assert len(alone_history) == len(shared_history) == CASES[name][2]
    for one, two in zip(alone_history, shared_history, strict=True):
        assert one == pytest.approx(two, abs=10 * near)


@pytest.mark.parametrize("name", CASES)
def test_training_moves_the_weights_far_more_than_sharing_does(trained: Path, name: str):
    given = lesson_of(trained, name, 1)
    assert float((weights(network_for(given)) - result(trained, name, 1)[0]).abs().max()) > 1e-2


@pytest.mark.parametrize("name", CASES)
def test_every_process_ends_with_the_same_bits(trained: Path, name: str):
    assert torch.equal(result(trained, name, 2, 0)[0], result(trained, name, 2, 1)[0])


def test_loss_and_accuracy_are_sums_over_the_processes_and_validation_is_the_leaders(trained: Path):
    leader, other = (result(trained, "uneven", 2, rank)[1] for rank in (0, 1))
    for mine, theirs in zip(leader, other, strict=True):
        assert (mine["loss"], mine["accuracy"]) == (theirs["loss"], theirs["accuracy"])
        assert "validation_auc" in mine
        assert "validation_auc" not in theirs


@pytest.mark.parametrize("world", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_shares_are_the_whole_batch_in_order_and_as_even_as_can_be(world: int, count: int):
    parts = [list(range(count))[distributed.Place(rank, world, torch.device("cpu")).share(count)] for rank in range(world)]
    assert [number for part in parts for number in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def fail_in_one(path: Path) -> None:
    with distributed.joined() as place:
        if place.rank == 1:
            raise DamagedFile(path, "made up")
        place.total(1.0)


def test_what_a_process_raises_is_raised_by_the_launch(tmp_path: Path):
    with pytest.raises(DamagedFile, match="made up") as caught:
        distributed.launch(2, 1, fail_in_one, tmp_path / "sounds.h5")
    assert caught.value.path == tmp_path / "sounds.h5"
    assert "WORLD_SIZE" not in os.environ


def test_without_an_environment_a_process_is_alone(monkeypatch: pytest.MonkeyPatch):
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with distributed.joined() as place:
        assert (place.rank, place.world, place.leads, place.total(2.5)) == (0, 1, True, 2.5)


def test_all_processes_stop_when_the_leader_has_waited_long_enough(trained: Path):
    alone = result(trained, "impatient", 1)
    histories = [alone[1], *(result(trained, "impatient", 2, rank)[1] for rank in (0, 1))]
    assert 2 < len(histories[0]) < 12
    assert {len(history) for history in histories} == {len(histories[0])}
    assert float((alone[0] - result(trained, "impatient", 2)[0]).abs().max()) <= 1e-9

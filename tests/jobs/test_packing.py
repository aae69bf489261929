"""Units into tasks: nothing is lost, order is kept, and the limits of a cluster are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesdream.errors import UserError
from aesdream.study import load
from jobs import looks
from jobs.graph import Graph
from jobs.packing import Tasks, packed
from jobs.slurm import Limits
from jobs.submitting import Submission
from jobs.units import Unit
from tests.runs import TINY

ENDLESS = Limits(1001, None)


def unit(number: int, seconds: float) -> Unit:
    return Unit(f"u{number}", "dream", f"u{number}.json", {}, seconds=seconds)


COSTS = st.lists(st.lists(st.floats(0, 1e4), min_size=1, max_size=5), max_size=30)


@given(COSTS, st.floats(0.01, 1e4))
def test_packing_loses_nothing_keeps_the_order_and_the_time(costs: list[list[float]], seconds: float) -> None:
    batches = [[unit(number, cost) for cost in batch] for number, batch in enumerate(costs)]
    tasks = packed(batches, seconds)
    assert [batch for task in tasks for batch in task] == batches
    time = [sum(sum(unit.seconds for unit in batch) for batch in task) for task in tasks]
    assert all(total <= seconds or len(task) == 1 for task, total in zip(tasks, time, strict=True))
    assert all(tasks)


@given(COSTS, st.floats(0.01, 1e4))
def test_two_neighbouring_tasks_would_never_fit_into_one(costs: list[list[float]], seconds: float) -> None:
    tasks = packed([[unit(number, cost) for cost in batch] for number, batch in enumerate(costs)], seconds)
    for task, following in pairwise(tasks):
        assert sum(sum(unit.seconds for unit in batch) for batch in [*task, following[0]]) > seconds


STEPS = st.lists(st.just((("u",),)), max_size=6)
TASKS = st.builds(
    Tasks,
    st.booleans(),
    STEPS,
    st.booleans(),
    STEPS,
    st.dictionaries(st.one_of(st.integers(0, 5), st.sampled_from(["12_0", None])), STEPS),
    st.booleans(),
)


def in_order(tasks: Tasks) -> list[object]:
    """The tasks before the last one, in the order in which they are handed in."""
    dreams = [(key, number) for key, group in tasks.dream.items() for number, _ in enumerate(group)]
    parts = [("preprocess", number) for number, _ in enumerate(tasks.preprocess)] + ["join"] * tasks.join
    return [*["check"] * tasks.check, *parts, *[("train", number) for number, _ in enumerate(tasks.train)], *dreams]


@given(TASKS, st.integers(2, 20))
def test_a_cut_leaves_no_more_than_was_asked_and_what_it_leaves_out_to_a_last_job(tasks: Tasks, most: int) -> None:
    whole, last = in_order(tasks), tasks.appendix
    tasks.cut(most)
    kept = in_order(tasks)
    assert sum(tasks.counts.values()) <= most
    assert [task for task in whole if task in kept] == kept
    if tasks.rest:
        assert not tasks.appendix
        assert len(kept) < len(whole) + last
    else:
        assert (kept, tasks.appendix) == (whole, last)


@given(TASKS, st.integers(2, 20))
def test_a_cut_keeps_nothing_whose_model_or_corpus_it_leaves_out(tasks: Tasks, most: int) -> None:
    models, joined = len(tasks.train), tasks.join
    tasks.cut(most)
    assert all(key < len(tasks.train) for key in tasks.dream if isinstance(key, int) and key < models)
    if joined and not tasks.join:
        assert not tasks.train
        assert not tasks.dream


def submission(folder: Path, site: str = "minutes_a_task: 0.0000001\n", changes: Sequence[str] = ()) -> tuple[Submission, Graph]:
    """The tiny study, and a site on which nearly every unit is a task of its own."""
    (folder / "site.yaml").write_text(site, encoding="utf-8")
    work = Submission(folder / "run", load(TINY, changes), folder / "site.yaml")
    sources = looks.remembered(work.study, work.run, unchanged=True)
    assert sources is not None  # its sounds are made, not looked at
    return work, Graph.of(work.study, sources)


def names(tasks: Tasks) -> list[str]:
    dreams = [task for group in tasks.dream.values() for task in group]
    return [name for task in [*tasks.preprocess, *tasks.train, *dreams] for batch in task for name in batch]


def test_every_unit_is_in_one_task_however_coarse(tmp_path: Path) -> None:
    for minutes in (0.0000001, 0.01, 20):
        work, graph = submission(tmp_path, f"minutes_a_task: {minutes}\n")
        tasks = work.packer(()).tasks(graph, True, {}, ENDLESS)
        assert sorted(names(tasks)) == sorted(unit.name for unit in [*graph.slices, *graph.models, *graph.dreams])
        assert tasks.join
        assert tasks.appendix


def test_tasks_grow_until_they_are_as_few_as_the_cluster_takes(tmp_path: Path) -> None:
    work, graph = submission(tmp_path)
    fine = work.packer(()).tasks(graph, True, {}, ENDLESS)
    assert sum(fine.counts.values()) > 20
    coarse = work.packer(()).tasks(graph, True, {}, Limits(1001, 20))
    assert sum(coarse.counts.values()) <= 20
    assert not coarse.rest
    assert sorted(names(coarse)) == sorted(names(fine))


def test_where_tasks_cannot_grow_further_the_rest_is_left_to_a_last_job(tmp_path: Path) -> None:
    work, graph = submission(tmp_path, changes=["training.processes=2"])  # a model of several processes is a task of its own
    tasks = work.packer(()).tasks(graph, True, {}, Limits(1001, 6))
    assert sum(tasks.counts.values()) == 6
    assert tasks.rest
    assert not tasks.appendix
    assert tasks.join
    assert len(tasks.train) < len(graph.models)
    with pytest.raises(UserError, match="takes 0 jobs more of yours at present"):
        work.packer(()).tasks(graph, True, {}, Limits(1001, 0))


def test_no_task_is_packed_beyond_its_time_limit(tmp_path: Path) -> None:
    work, graph = submission(tmp_path, "minutes_a_task: 1000\nminutes: 1\nfaster: 0.002\n")
    seconds = {unit.name: unit.seconds for unit in [*graph.slices, *graph.models, *graph.dreams]}
    tasks = work.packer(()).tasks(graph, True, {}, Limits(1001, 2))
    whole = [task for step in (tasks.preprocess, tasks.train, *tasks.dream.values()) for task in step]
    assert whole
    assert all(len(task) == 1 or sum(seconds[name] for batch in task for name in batch) <= 60 * 0.002 for task in whole)


def test_dreams_go_with_the_task_that_trains_their_model(tmp_path: Path) -> None:
    work, graph = submission(tmp_path, changes=["sweeps.appendix.models='*'"])
    tasks = work.packer(()).tasks(graph, True, {}, ENDLESS)
    model_of = {unit.name: f"models/{unit.inputs['model']}" for unit in graph.dreams}
    assert len(tasks.dream) == len(tasks.train)
    for key, group in tasks.dream.items():
        assert isinstance(key, int)
        trained = {name for batch in tasks.train[key] for name in batch}
        assert {model_of[name] for task in group for batch in task for name in batch} <= trained


def test_dreams_of_a_model_that_a_job_has_wait_for_that_job_and_of_one_that_is_there_for_nothing(tmp_path: Path) -> None:
    work, graph = submission(tmp_path)
    model = "models/oversampled/by-family/split0-seed0"
    tasks = work.packer(()).tasks(graph, True, {model: "77_3"}, ENDLESS)
    assert model not in names(tasks)
    assert {unit.inputs["model"] for unit in graph.dreams if any(unit.name in batch for task in tasks.dream["77_3"] for batch in task)} == {model[7:]}
    made = next(unit for unit in graph.models if unit.name == model)
    (work.run / made.marker).parent.mkdir(parents=True)
    (work.run / made.marker).touch()
    assert None in work.packer(()).tasks(graph, False, {}, ENDLESS).dream


def test_what_is_queued_is_in_no_task(tmp_path: Path) -> None:
    work, graph = submission(tmp_path)
    everything = [unit.name for unit in [graph.corpus, *graph.slices, *graph.models, *graph.dreams, graph.page(work.run)]]
    queued = dict.fromkeys(everything, "77")
    left = work.packer(()).tasks(graph, True, queued, ENDLESS)
    assert names(left) == []
    assert not left.train
    assert not any(left.counts.values())
    del queued[graph.dreams[3].name]
    assert names(work.packer(()).tasks(graph, True, queued, ENDLESS)) == [graph.dreams[3].name]


@pytest.mark.parametrize(("until", "steps"), [("preprocess", {"preprocess", "join"}), ("train", {"preprocess", "join", "train"})])
def test_until_ends_the_graph(tmp_path: Path, until: str, steps: set[str]) -> None:
    work, graph = submission(tmp_path)
    work.until = until
    assert {step for step, count in work.packer(()).tasks(graph, True, {}, ENDLESS).counts.items() if count} == steps

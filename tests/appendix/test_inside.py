"""What is told of the first layer and of dead filters: of every model, or of every treatment where there are many."""

from types import SimpleNamespace
from typing import Any

from aesdream.appendix import inside
from aesdream.appendix.chapters import Listing

TESTS = ("silent_on_start", "silent_on_corpus", "upstream", "slow_pre", "slow_post")


def _tables(models: dict[str, int]) -> dict[str, Listing]:
    """The tables of models of one layer of ten filters, so many of them dead, whose conv1 moved by as much."""
    census = {
        name: {"bottleneck": {"share_silent": 0.0}, "layers": {"conv1": {"filters": 10, **dict.fromkeys(TESTS, 0), "upstream": dead, "dead": dead}}}
        for name, dead in models.items()
    }
    moved: dict[str, Any] = {"taps": 8, "start_rms": 1.0, "largest_moved": 1.0, "share_barely_moved": 0.0, "correlation_of_channels": None}
    content: dict[str, Any] = {
        "census": census,
        "conv1": {name: {**moved, "rms_moved": float(dead)} for name, dead in models.items()},
        "layers": {"models": len(models), "counted": len(models), "without_dead": sum(not dead for dead in models.values())},
    }
    content["pooled"] = inside.pooled(content)
    made = inside.chapters(SimpleNamespace(content=content, dreamed=(), kernels={}))  # type: ignore[arg-type]
    return {block.title: block for chapter in made for block in chapter.blocks if isinstance(block, Listing)}


def test_of_few_models_each_has_its_row_and_those_without_dead_filters_are_only_counted() -> None:
    tables = _tables({"plain/by-family/split0-seed0": 3, "plain/by-family/split1-seed0": 0})
    assert [row[0] for row in tables["How far conv1's weights moved"].rows] == ["plain/by-family/split0-seed0", "plain/by-family/split1-seed0"]
    assert [(row[0], row[2], row[-1]) for row in tables["Census of dead filters"].rows] == [("plain/by-family/split0-seed0", "10", "3")]
    assert any("1 of 2 layers of 2 models" in note for note in tables["Census of dead filters"].notes)


def test_many_models_share_a_row_by_treatment_and_protocol_with_sums_and_means() -> None:
    models = {f"{treatment}/by-family/split{split}-seed0": dead for treatment, dead in (("one", 1), ("other", 4)) for split in range(40)}
    tables = _tables({**models, "other/by-family/split40-seed0": 45})
    assert [row[:3] for row in tables["Census of dead filters"].rows] == [
        ["one/by-family (40)", "conv1", "400"],
        ["other/by-family (41)", "conv1", "410"],
    ]
    assert [row[-1] for row in tables["Census of dead filters"].rows] == ["40", "205"]
    assert [row[3] for row in tables["How far conv1's weights moved"].rows] == ["1 ×", "5 ×"]
    for table in tables.values():
        assert any("over the models of a treatment and protocol" in note for note in table.notes)

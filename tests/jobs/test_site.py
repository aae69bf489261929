"""Site files: what they may say, what a stage asks in the end, and which line of one Slurm's refusal is about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aesdream.errors import UserError
from jobs import site, slurm
from tests.runs import ROOT

EXAMPLE = ROOT / "slurm" / "site.example.yaml"


def written(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaints(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(UserError) as refused:
        site.load(written(folder, text))
    return refused.value.lines


def uncommented(text: str) -> list[str]:
    """The keys of a commented YAML file by their indentation, commented out or not, with a dot."""
    found: list[str] = []
    above: dict[int, str] = {}
    for line in text.splitlines():
        key = re.match(r"(?P<space> *)(# ?)?(?P<key>[a-z_0-9]+):", line)
        if key is not None:
            depth = len(key["space"])
            above = {indent: name for indent, name in above.items() if indent < depth} | {depth: key["key"]}
            found.append(".".join(above[indent] for indent in sorted(above)))
    return found


@pytest.mark.parametrize("path", [EXAMPLE, ROOT / "slurm" / "testbed" / "site.yaml"], ids=lambda path: path.name)
def test_the_site_files_of_this_repository_load_and_every_stage_knows_what_to_ask(path: Path) -> None:
    loaded = site.load(path)
    for stage in site.Stages.model_fields:
        assert loaded.asked(stage).minutes >= 1


def test_every_key_stands_in_the_example() -> None:
    keys = uncommented(EXAMPLE.read_text(encoding="utf-8"))
    assert set(site.Site.model_fields) <= set(keys)
    assert {f"stages.{stage}" for stage in site.Stages.model_fields} <= set(keys)


def test_what_the_example_says_of_a_key_that_it_leaves_out_is_the_default() -> None:
    for key, value in re.findall(r"^# ([a-z_0-9]+): +(\S+)", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE):
        default = site.Site.model_fields[key].default
        assert value.lower() == {None: "null"}.get(default, str(default).lower()), key


def test_an_unknown_key_is_answered_with_the_valid_ones_and_the_nearest(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, "partitoin: gpu\n")
    assert "partitoin: unknown key (did you mean partition?)" in line
    assert all(key in line for key in site.Site.model_fields)


def test_an_unknown_stage_and_an_unknown_key_of_a_stage_are_answered_with_theirs(tmp_path: Path) -> None:
    training, key = complaints(tmp_path, "stages:\n  train: {gpu: 1}\n  training: {}\n")
    assert "stages.train.gpu: unknown key (did you mean gpus?)" in training
    assert "scratch" not in training
    assert "stages.training: unknown key (did you mean train?)" in key
    assert all(stage in key for stage in site.Stages.model_fields)


def test_a_stage_asks_for_its_own_keys_over_those_of_all(tmp_path: Path) -> None:
    loaded = site.load(
        written(
            tmp_path,
            "partition: cpu\nqos: long\nminutes: 30\nsbatch: {nice: 10, mail-type: FAIL}\n"
            "stages:\n  train: {partition: gpu, qos: null, gpus: 2, sbatch: {mail-type: END, exclusive: true}}\n",
        )
    )
    train, dream = loaded.asked("train"), loaded.asked("dream")
    assert (train.partition, train.qos, train.minutes, train.gpus) == ("gpu", None, 30, 2)
    assert train.sbatch == {"nice": 10, "mail-type": "END", "exclusive": True}
    assert (dream.partition, dream.qos, dream.minutes, dream.gpus) == ("cpu", "long", 30, 0)
    assert dream.sbatch == {"nice": 10, "mail-type": "FAIL"}


@pytest.mark.parametrize(
    ("option", "key"), [("time", "minutes"), ("mem", "memory"), ("cpus-per-task", "cpus"), ("gpus-per-node", "gpus"), ("qos", "qos")]
)
def test_an_option_of_sbatch_that_has_a_key_is_refused_with_that_key(tmp_path: Path, option: str, key: str) -> None:
    (line,) = complaints(tmp_path, f"stages:\n  dream:\n    sbatch: {{{option}: 5}}\n")
    assert "stages.dream.sbatch" in line
    assert f"{option} is written as the key {key}" in line


@pytest.mark.parametrize("option", ["array", "dependency", "output", "chdir", "signal"])
def test_an_option_of_sbatch_that_is_set_by_the_suite_is_refused(tmp_path: Path, option: str) -> None:
    assert f"{option} is set by aesdream itself; leave it out" in complaints(tmp_path, f"sbatch: {{{option}: x}}\n")[0]


def test_values_that_cannot_be_are_each_named(tmp_path: Path) -> None:
    lines = complaints(tmp_path, "minutes: 0\nmemory: lots\nfaster: 0\nretries: -1\nstages: {train: {nodes: 0}}\n")
    assert sorted(line.split(": ")[1] for line in lines) == ["faster", "memory", "minutes", "retries", "stages.train.nodes"]


SITE = """\
# a comment
partition: gpu
account: ours
constraint: icelake
memory: 900G
minutes: 60
stages:
  dream:
    qos: fast
    partition: spare
"""
REFUSALS = [
    # what sbatch --test-only of Slurm 22.05 prints, and the lines that it is about, for the stage dream
    ("sbatch: error: invalid partition specified: spare\nallocation failure: Invalid partition name specified", {"partition": 10}),
    ("allocation failure: Invalid account or account/partition combination specified", {"partition": 10, "account": 3}),
    ("allocation failure: Invalid qos specification", {"qos": 9}),
    ("allocation failure: Invalid feature specification", {"constraint": 4}),
    ("allocation failure: Requested node configuration is not available", {"memory": 5, "constraint": 4}),
]


@pytest.mark.parametrize(("printed", "expected"), REFUSALS, ids=[next(iter(lines)) for _, lines in REFUSALS])
def test_a_refusal_names_the_keys_that_it_speaks_of_with_their_lines_and_values(tmp_path: Path, printed: str, expected: dict[str, int]) -> None:
    path = written(tmp_path, SITE)
    cluster, words = site.load(path), slurm.words(printed)
    assert not words.startswith("sbatch")
    told = site.blamed(path, cluster, {"dream": words})
    asked = cluster.asked("dream")
    places = [f"line {line}: {key}: {getattr(asked, key)!r}" for key, line in expected.items()]
    assert sorted(told) == sorted(f"{path}: {place} is refused by Slurm: {words} (for dream)" for place in places)


def test_the_same_key_of_another_stage_is_blamed_for_that_stage_alone(tmp_path: Path) -> None:
    path = written(tmp_path, SITE)
    words = "invalid partition specified: gpu"
    told = site.blamed(path, site.load(path), {"train": words, "appendix": words})
    assert told == [f"{path}: line 2: partition: 'gpu' is refused by Slurm: {words} (for train, appendix)"]


def test_a_refusal_about_nothing_that_the_file_says_is_told_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, "minutes: 5\n")
    for words in ("Invalid account or account/partition combination specified", "the moon is in the wrong house"):
        assert site.blamed(path, site.load(path), {"train": words}) == [f"{path}: it is refused by Slurm: {words} (for train)"]

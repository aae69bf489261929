"""Study files: bases, overrides, and every mistake named with its key and what would be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from aesdream import config
from aesdream.config import Section
from aesdream.errors import UserError

LEAVES = st.integers(-5, 5) | st.booleans() | st.sampled_from(["", "a", "1"])
MAPPINGS = st.dictionaries(st.sampled_from("xyz"), LEAVES | st.dictionaries(st.sampled_from("xyz"), LEAVES), max_size=3)
few = settings(max_examples=40, deadline=None, derandomize=True)


class Inner(Section):
    size: int = 3
    names: tuple[str, ...] = ()


class Outer(Section):
    title: str
    inner: Inner = Inner()
    shelf: dict[str, Inner] = Field(default_factory=dict)
    rate: float = 1.0


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tree: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(UserError) as refused:
        config.validate(Outer, tree, "study.yaml")
    return refused.value.lines


def test_a_file_lies_over_its_base_which_is_found_beside_the_file_that_names_it(tmp_path: Path) -> None:
    written(tmp_path / "far" / "ground.yaml", "a: {x: 1, y: [1, 2]}\nb: 1\n")
    written(tmp_path / "far" / "middle.yaml", "base: ground.yaml\na: {x: 2}\n")
    top = written(tmp_path / "top.yaml", "base: far/middle.yaml\na: {y: [3]}\nc: 4\n")
    assert config.read_yaml(top) == {"a": {"x": 2, "y": [3]}, "b": 1, "c": 4}


def test_a_chain_of_bases_that_comes_back_to_itself_is_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "one.yaml", "base: two.yaml\n")
    written(tmp_path / "two.yaml", "base: one.yaml\n")
    with pytest.raises(UserError, match=r"one\.yaml: base: .*one\.yaml stands on itself; a chain of bases must end"):
        config.read_yaml(one)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must hold keys and values, holds NoneType"),
        ("- 1\n", "must hold keys and values, holds list"),
        ("a: [1\nb: 2\n", "not valid YAML at line 2"),
        ("a: 1\n\tb: 2\n", "not valid YAML at line 2"),
        ("base: 3\n", "base: must be the name of a file, is 3"),
        ("base: gone.yaml\n", "gone.yaml: no such file"),
    ],
)
def test_a_file_that_is_no_study_is_refused_with_its_name_and_the_line(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path / "study.yaml", text)
    with pytest.raises(UserError) as refused:
        config.read_yaml(path)
    (line,) = refused.value.lines
    assert line.startswith(str(tmp_path))
    assert says in line


def test_bytes_that_are_no_text_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"a: \xff\xfe\n")
    for wrong in (path, tmp_path):
        with pytest.raises(UserError, match=r"cannot be read .*; a study is a YAML text file"):
            config.read_yaml(wrong)


def test_overrides_are_read_as_yaml_and_the_later_one_wins() -> None:
    assignments = ["a.b=3", "a.c=[x, 2.5]", "d={e: null}", "a.b=4", "f=g=h"]
    assert config.override({"a": {"b": 1, "z": 0}}, assignments) == {"a": {"b": 4, "z": 0, "c": ["x", 2.5]}, "d": {"e": None}, "f": "g=h"}


@few
@given(tree=MAPPINGS, value=st.integers())
def test_an_override_changes_its_key_alone_and_not_the_tree_it_was_given(tree: dict[str, Any], value: int) -> None:
    before = json.dumps(tree)
    after = config.override(tree, [f"new.key={value}"])
    assert json.dumps(tree) == before
    assert after.pop("new") == {"key": value}
    assert after == tree


@pytest.mark.parametrize(
    ("assignment", "says"),
    [("epochs", "must read key=value"), ("=3", "must read key=value"), ("a=[1", "'[1' is not a YAML value")],
)
def test_an_override_that_is_none_is_refused(assignment: str, says: str) -> None:
    with pytest.raises(UserError) as refused:
        config.override({}, [assignment])
    assert str(refused.value).startswith(f"--set {assignment}: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"titel": 1}, "titel: unknown key (did you mean title?); valid here: inner, rate, shelf, title"),
        ({"inner": {"length": 1}}, "inner.length: unknown key; valid here: names, size"),
        ({"shelf": {"top": {"sise": 1}}}, "shelf.top.sise: unknown key (did you mean size?); valid here: names, size"),
        ({"inner": {"size": "many"}}, "inner.size: input should be a valid integer"),
        ({"inner": 3}, "inner: must hold keys and values, is 3"),
        ({"title": None}, "title: input should be a valid string, is None"),
        ({"rate": float("inf")}, "rate: input should be a finite number, is inf"),
        ({"inner": {"names": [False]}}, "inner.names.0: input should be a valid string, is False; write a name in quotes"),
    ],
)
def test_a_wrong_key_or_type_is_named_with_what_would_be_right(tree: dict[str, Any], line: str) -> None:
    (told,) = refusal({"title": "x", **tree})
    assert told.startswith(f"study.yaml: {line}")


def test_every_mistake_is_reported_at_once() -> None:
    lines = refusal({"inner": {"size": "many", "colour": 1}, "rate": []})
    assert len(lines) == 4
    assert "study.yaml: title: missing; it has no default" in lines


@few
@given(tree=MAPPINGS)
def test_a_digest_is_16_hexadecimal_digits_and_knows_no_order_of_keys(tree: dict[str, Any]) -> None:
    turned = dict(reversed(tree.items()))
    assert config.digest(tree) == config.digest(turned)
    assert len(config.digest(tree)) == 16
    int(config.digest(tree), 16)
    assert config.digest({**tree, "another": 1}) != config.digest(tree)


def test_a_digest_of_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        config.digest({"a": float("nan")})


@few
@given(tree=MAPPINGS, value=st.integers(10, 20))
def test_differences_are_none_for_equals_and_name_the_dotted_key_with_both_values(tree: dict[str, Any], value: int) -> None:
    old, new = ({**tree, "deep": {"key": number}} for number in (value, value + 1))
    assert config.differences(old, json.loads(json.dumps(old))) == []
    assert config.differences(old, new) == [f"deep.key: was {value}, now {value + 1}"]

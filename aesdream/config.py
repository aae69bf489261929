"""Configuration files: YAML with a base, checked by pydantic, every mistake reported with its key and the valid ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from aesdream.errors import UserError

QUOTE = "write a name in quotes: YAML reads a bare yes, no, on or off as true or false, and digits as a number"
SHAPES = {"model_type": "must hold keys and values", "dict_type": "must hold keys and values", "tuple_type": "must be a list, for instance [a, b]"}
"""pydantic's words for these speak of Python."""


class Section(BaseModel):
    """A part of a configuration file: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


S = TypeVar("S", bound=Section)
Tree = dict[str, Any]
Placed = Callable[[Tree, Path], Tree]
"""Given a tree and the folder that its paths are relative to, the tree with these paths made absolute."""


def as_it_is(tree: Tree, home: Path) -> Tree:
    """The tree itself: no value of it is a path."""
    return tree


def read_yaml(path: Path, placed: Placed = as_it_is) -> Tree:
    """The mapping in a YAML file, laid over the file that its ``base`` key names (relative to it), and so on; each ``placed`` where its file lies."""
    seen: list[Path] = []
    layers: list[dict[str, Any]] = []
    next_path: Path | None = path
    while next_path is not None:
        if next_path.resolve() in seen:
            raise UserError(f"{path}: base: {next_path} stands on itself; a chain of bases must end")
        seen.append(next_path.resolve())
        layer = _mapping(next_path)
        base = layer.pop("base", None)
        if base is not None and not isinstance(base, str):
            raise UserError(f"{next_path}: base: must be the name of a file, is {base!r}")
        layers.append(placed(layer, next_path.resolve().parent))
        below = next_path.parent / base if base is not None else None
        if below is not None and not below.exists():
            raise UserError(f"{next_path}: base: {below}: no such file; give the path of a file, relative to this one")
        next_path = below
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged = _laid_over(merged, layer)
    return merged


def _mapping(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give the path of a study (see configs/)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); a study is a YAML text file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}: not valid YAML{where} ({getattr(error, 'problem', error)})") from None
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: must hold keys and values, holds {type(loaded).__name__}")
    return loaded


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _laid_over(merged[key], value) if both else value
    return merged


def override(tree: Tree, assignments: Sequence[str], placed: Placed = as_it_is) -> Tree:
    """``tree`` with ``a.b=value`` assignments applied, each ``placed`` in the current directory; values are read as YAML."""
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals or not dotted:
            raise UserError(f"--set {assignment}: must read key=value, for instance --set training.epochs=3")
        try:
            value: Any = yaml.safe_load(text)
        except yaml.YAMLError:
            raise UserError(f"--set {assignment}: {text!r} is not a YAML value") from None
        for key in reversed(dotted.split(".")):
            value = {key: value}
        tree = _laid_over(tree, placed(value, Path.cwd()))
    return tree


def validate(kind: type[S], tree: Mapping[str, Any], source: str) -> S:
    """``tree`` as a ``kind``; raises UserError with a line for every wrong key."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise UserError(*(f"{source}: {line}" for line in _lines(kind, error))) from None


def _lines(kind: type[Section], error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        where = problem["loc"]
        dotted = ".".join(map(str, where))
        if problem["type"] == "extra_forbidden":
            valid = sorted(_fields_at(kind, where[:-1]))
            close = get_close_matches(str(where[-1]), valid, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            yield f"{dotted}: unknown key{hint}; valid here: {', '.join(valid)}"
        elif problem["type"] == "missing":
            yield f"{dotted}: missing; it has no default"
        else:
            message = SHAPES.get(problem["type"], problem["msg"].removeprefix("Value error, "))
            given = "" if problem["type"] == "value_error" else f", is {problem['input']!r}"
            given += f"; {QUOTE}" if problem["type"] == "string_type" and isinstance(problem["input"], bool | int | float) else ""
            yield f"{dotted}: {message[:1].lower()}{message[1:]}{given}" if dotted else message


def _at(kind: type[Section], where: tuple[int | str, ...]) -> list[type[Section]]:
    """The sections that may stand at a path of keys; the keys of a mapping and the numbers of a list lead on to what they hold."""
    found: list[type[Section]] = [kind]
    for part in where:
        fields = [section.model_fields.get(str(part)) for section in found]
        found = [inner for field in fields if field is not None for inner in _sections(field.annotation)] or found
    return found


def _sections(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [] if get_origin(annotation) is Literal else [section for inner in get_args(annotation) for section in _sections(inner)]


def _fields_at(kind: type[Section], where: tuple[int | str, ...]) -> set[str]:
    return {name for section in _at(kind, where) for name in section.model_fields}


def plain(section: Section) -> dict[str, Any]:
    """A section as JSON-able values, defaults filled in."""
    return section.model_dump(mode="json")


def to_yaml(section: Section) -> str:
    """A section as a file that reads back the same, keys in their order."""
    return yaml.safe_dump(plain(section), sort_keys=False, allow_unicode=True)


def digest(value: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a JSON-able value, keys in order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(old: Any, new: Any, at: str = "") -> list[str]:
    """The dotted keys at which two JSON-able values differ, each with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{at}.{key}" if at else key)]
    return [] if old == new else [f"{at}: was {_short(old)}, now {_short(new)}"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."

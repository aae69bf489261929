"""docs/results.md, made from the form of results.json: ``python -m aesdream.appendix.schema_page > docs/results.md``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from aesdream.appendix.schema import Results


def described() -> str:
    """docs/results.md."""
    lines = [
        "# results.json",
        "",
        "Every number that the page and the PDF print. Checked before it is written; this page is made by `python -m aesdream.appendix.schema_page`.",
        "",
    ]
    for model in _models(Results, []):
        title = "The file" if model is Results else f"`{model.__name__}`"
        lines += [f"## {title}", "", " ".join((model.__doc__ or "").split()), "", "| key | form | what |", "| --- | --- | --- |"]
        lines += [f"| `{field.alias or name}` | {_form(field.annotation)} | {field.description} |" for name, field in model.model_fields.items()]
        lines.append("")
    return "\n".join(lines)


def _models(model: type[BaseModel], seen: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """A model and all that it is made of, in the order in which a reader meets them."""
    if model not in seen:
        seen.append(model)
        for field in model.model_fields.values():
            for inner in _inner(field.annotation):
                _models(inner, seen)
    return seen


def _inner(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _inner(part)


NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "any"}


def _form(kind: Any) -> str:
    """A type in words."""
    parts = get_args(kind)
    if not parts:
        return NAMES.get(kind) or f"`{kind.__name__}`"
    if get_origin(kind) is list:
        return f"list of {_form(parts[0])}"
    if get_origin(kind) is dict:
        return f"mapping of {_form(parts[1])}"
    if get_origin(kind) is Annotated:
        return _form(parts[0])
    forms = [_form(part) for part in parts]
    return " or ".join(dict.fromkeys(form for form in forms if form != "whole number" or "number" not in forms))


if __name__ == "__main__":
    print(described(), end="")

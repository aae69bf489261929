"""The appendix as one page that opens from disk: everything by relative path, nothing from the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from aesdream import files
from aesdream.appendix import listing, words
from aesdream.appendix.analysis import COLUMNS, ROWS
from aesdream.appendix.glossary import WORDS
from aesdream.appendix.headline import sentences
from aesdream.appendix.thumbnails import height

Content = Mapping[str, Any]


def slug(name: str) -> str:
    """A unit's name as the name of a file."""
    return name.replace("/", "--")


def protocols(content: Content) -> list[str]:
    """Every protocol that the study has tables of."""
    return list(dict.fromkeys(table["protocol"] for table in content["tables"]))


def dreamed(content: Content) -> list[str]:
    """Every model that a sweep dreams."""
    return list(dict.fromkeys(model for sweep in content["sweeps"].values() for model in sweep["models"]))


def write(path: Path, content: Content) -> None:
    """Write the page of the content of results.json, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("aesdream.appendix"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["url"] = quote
    page = environment.get_template("index.html.j2").render(
        content=content,
        words=words,
        listing=listing,
        slug=slug,
        protocols=protocols(content),
        dreamed=dreamed(content),
        tables=[(table, listing.measures(table), listing.thesis_tables(table, content)) for table in content["tables"]],
        headline=sentences(content["headline"]),
        glossary=WORDS,
        body=_body(content),
        numbers={entry["dream"]: entry["figure"] for entry in content["figures"] if entry["figure"].startswith("A.")},
        sweeps={name: _groups(sweep) for name, sweep in content["sweeps"].items()},
        thumbnail=(COLUMNS // 2, height(2, ROWS)),
    )
    files.write_bytes(path, page.encode())


def _body(content: Content) -> list[tuple[str, Content | None]]:
    entries = {dream["dream"]: dream for sweep in content["sweeps"].values() for dream in sweep["dreams"]}
    return [(entry["figure"], entries.get(entry["dream"])) for entry in content["figures"] if entry["figure"].startswith("6.")]


def _groups(sweep: Content) -> list[tuple[str, list[tuple[str, list[Content]]]]]:
    """A sweep's dreams by model, and within one by layer, side and start."""
    models: dict[str, dict[str, list[Content]]] = {model: {} for model in sweep["models"]}
    for dream in sweep["dreams"]:
        where = f"{words.layer_number(dream['layer'])}, {words.side(dream['layer'], dream['side'])}, from {dream['start']}"
        models[dream["model"]].setdefault(where, []).append(dream)
    return [(model, list(groups.items())) for model, groups in models.items()]

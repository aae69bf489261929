"""How well two classes are told apart: treatments, controls and judges without a network, and the thesis's tables 6.1 to 6.5 for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aesdream.appendix import figures, headline, listing, tables, words
from aesdream.appendix.chapters import Block, Chapter, Listing, Picture, Text
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Model
from aesdream.study import Study

Content = Mapping[str, Any]


def numbers(material: Material) -> dict[str, Any]:
    """``tables``, ``comparisons``, ``yardsticks``, ``levels`` and the ``headline`` drawn from them, for a study of two classes."""
    if len(material.sounds["classes"]) != 2:
        return {}
    study, models, resampling = material.study, material.models, material.resampling
    found: dict[str, Any] = {
        "tables": tables.tables(study, models, resampling),
        "comparisons": tables.comparisons(study, models, resampling),
        "yardsticks": tables.yardsticks(study, models, material.corpus, resampling),
        "levels": tables.levels(study, material.corpus, resampling),
    }
    return {**found, "headline": headline.headline(found, _flat(study))}


def _flat(study: Study) -> list[str]:
    """The untrained treatments whose first layer averages: all weights alike."""
    networks = {name: study.network_of(name) for name, settings in study.training.treatments.items() if settings.epochs == 0}
    return [name for name, network in networks.items() if getattr(network.settings, "start", None) in ("ones", "mean")]


def chapters(material: Material) -> list[Chapter]:
    """What the judges reach, then every table."""
    content = material.content
    if "tables" not in content:
        return []
    measured = [block for place, table in enumerate(content["tables"]) for block in _table(table, content["tables"][:place])]
    return [
        Chapter("judges", "How well the classes are told apart", _judges(material), "Judges"),
        Chapter("tables", "Tables 6.1 to 6.5, for every treatment and protocol", measured, "Tables"),
    ]


def _judges(material: Material) -> list[Block]:
    content = material.content
    blocks: list[Block] = [Text(said, "warning" if said.startswith("Warning") else "plain") for said in headline.sentences(content["headline"])]
    rows = figures.estimates(content)
    height = figures.forest_height(rows)
    size = (figures.NETWORK_SIZE[0], height)
    blocks += [
        Picture(
            "forest", words.FOREST, size, partial(figures.draw_forest, rows=rows, height=height), "Forest plot; the table below has its numbers."
        ),
        listing.overview(content),
        listing.comparisons(content),
    ]
    for protocol in dict.fromkeys(table["protocol"] for table in content["tables"]):
        whose: dict[str, list[Model]] = {}
        for model in material.models:
            several = len(material.study.composers) > 1
            whose.setdefault(f", {material.study.composer_of(model.treatment)}" if several else "", []).append(model)
        for composer, models in whose.items():
            draw = partial(figures.evaluation_curves, models=models, protocol=protocol)
            alt = f"ROC and precision-recall curves under {protocol}{composer}."
            name = f"curves-{protocol}{composer.replace(', ', '-')}"
            blocks.append(Picture(name, f"{protocol}{composer}: {words.CURVES}", figures.curves_size(models, protocol), draw, alt))
    return blocks


def _table(table: Content, before: Sequence[Content]) -> list[Block]:
    """The confusion matrices of a named model and of all, as the thesis prints them, and every measure; where one ``before`` has them, a word."""
    shown = listing.measures(table)
    numbered = f"{'Tables' if ',' in table['number'] else 'Table'} {table['number']}"
    twin = next((one for one in before if one["number"] == table["number"]), None)
    if twin:
        said = "without copies and windows these are the same models, judged on the same sounds"
        return [Text(f"{shown.title}: see {numbered}, {listing.heading(twin)}; {said}.")]
    named = table["named"]
    pair = [("the named model", named and named["confusion"]), (f"sum over {words.models_of(table)}", table["summed"])]
    rows = [[*row, "", *other] for row, other in zip(*(listing.matrix(confusion) for _, confusion in pair), strict=True)]
    heads = (pair[0][0], "y = 1", "y = 0", "", pair[1][0], "y = 1", "y = 0")
    matrices = Listing(shown.title, heads, (0.2, 0.1, 0.1, 0.05, 0.2, 0.1, 0.1), rows, number=numbered)
    return [matrices, Listing("", shown.heads, shown.widths, shown.rows, shown.notes)]

"""The truth as a part of an appendix: its numbers in results.json, and its chapter on the page and in the PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aesdream.appendix.chapters import Block, Chapter, Heading, Picture, Text
from aesdream.appendix.material import Material
from aesdream.appendix.truth import figures, tables, verdicts
from aesdream.appendix.truth.asked import asks, control_of
from aesdream.appendix.truth.claims import SMALLEST
from aesdream.appendix.truth.gathered import MOST_MISSING, deviations, groups, rules
from aesdream.appendix.truth.heard import auc, heard
from aesdream.appendix.truth.matrix import networks, relations
from aesdream.appendix.truth.regularised import first_layers, regularised
from aesdream.appendix.truth.seeds import Responses, seeds
from aesdream.appendix.truth.sentences import sentences
from aesdream.appendix.truth.transferring import transfer
from aesdream.appendix.words import slug
from aesdream.training.statistics import number

Content = Mapping[str, Any]
QUESTION = (
    "The composers here are synthetic: each is a written rule that measures one thing in a sound, its determinant, and calls the sounds that "
    "measure highest interesting. Nobody's taste is in them. So it is known beforehand what a network was taught, and dreams can be asked whether "
    "they tell it."
)
METHOD = (
    "From the same held-out sound a network dreams toward “interesting” and toward “not”; both are compared where they passed the same distance (in "
    "RMS). The contrast is what the first changed of a determinant less what the second did, in standard deviations over the corpus: what both do "
    "alike, any dream of that size may do. Controls are networks that learned shuffled labels, untrained networks, and white noise added and taken "
    "away. A pair of which one dream did not get that far is left out, and counted. How far a determinant can be moved, at least, is told by dreams "
    "of the composer's rule itself, from the same starts to the same distance (its reach), and contrasts are compared as shares of that."
)
HOW_TO_READ = (
    "Composers are rows (what was learned), determinants columns (what dreams moved), numbers are contrasts with 95 % intervals over splits. The "
    "diagonal is outlined: dreams tell the truth where it stands out of its row and out of the controls below. A dot and bold type mark what lies "
    "beyond every control. The last row is what dreams of each determinant's own rule move, from the same starts to the same distance; colours are "
    "shares of that, in full from the share that counts. To the right the network's AUC for each composer (blue), that of models of shuffled "
    "labels for the same composer (circle), of ten plain descriptors (diamond) and of the composer's own rule (bar)."
)


def numbers(material: Material) -> dict[str, Any]:
    """``truth``, where a study of synthetic composers asks for dreams that can be compared (``asked.asks``)."""
    if not material.corpus.measures or not any(asks(sweep) for sweep in material.study.sweeps.values()):
        return {}
    gathered, responses, study = list(groups(material)), Responses(), material.study
    determinants = list(material.corpus.measures)
    learned = [name for name in {group.treatment: None for group in gathered} if not control_of(study.training.treatments[name])]
    told = {name: heard(material, name) for name in learned}
    found: dict[str, Any] = {
        "determinants": determinants,
        "composers": study.composers,
        "smallest": SMALLEST,
        "floor": verdicts.FLOOR,
        "most_missing": MOST_MISSING,
        "rules": [{"composer": name, "dreams": len(group.made), "arms": group.arms()} for name, group in rules(study, gathered).items()],
        "deviations": {name: number(value) for name, value in deviations(material).items()},
        "rank_correlations": [[number(round(float(value), 4)) for value in row] for row in relations(material.corpus.measures)],
        "networks": networks(material, gathered, lambda name: verdicts.is_heard(told[name])),
        "yardsticks": _yardsticks(material.content),
        "regularised": regularised(material, gathered),
        "first_layer": first_layers(material),
        "seeds": seeds(material, responses),
        "transfer": transfer(material, responses),
    }
    _judge([row for network in found["networks"] for row in network["rows"]], told)
    for row in (*(row for network in found["networks"] for row in network["controls"]), *found["regularised"]):
        row["roc_auc"] = auc(material.content, row["treatment"])
    found["chance"] = verdicts.chance(found["networks"])
    return {"truth": {**found, "said": sentences(found)}}


def _judge(rows: Sequence[dict[str, Any]], told: Mapping[str, Content]) -> None:
    """Add to every row what was heard, its verdict, and how sure that is beside all others."""
    for row in rows:
        row.update(told[row["treatment"]])
        for claim in row["claims"]:
            claim["verdict"] = verdicts.of_claim(claim)
        row["verdict"] = verdicts.verdict(row)
    for key in ("p", "p_faint"):
        for row, p in zip(rows, verdicts.corrected(rows, key), strict=True):
            row[f"{key}_corrected"] = p


def _yardsticks(content: Content) -> dict[str, Any]:
    """What judges without a network reach, by composer and judge."""
    own = content["sounds"].get("synthetic", {}).get("composer")
    found: dict[str, Any] = {}
    for stick in content["yardsticks"]:
        reached = {key: stick["mean"]["roc_auc"][key] for key in ("value", "low", "high")}
        found.setdefault(stick.get("composer") or own, {}).setdefault(stick["judge"], reached)
    return found


def chapters(material: Material) -> list[Chapter]:
    """One chapter: the answer, the matrices, what was heard, what comes again, regularisers."""
    found = material.content.get("truth")
    if found is None:
        return []
    blocks: list[Block] = [Text(QUESTION, "warning"), Text(METHOD), *(Text(said) for said in found["said"]["matrix"])]
    if found["networks"]:
        blocks += [tables.heard(found), Heading("What dreams moved"), Text(HOW_TO_READ), *_matrices(found), *_correlations(found)]
        blocks += [Heading("The diagonal, network by network")]
        blocks += [block for network in found["networks"] for block in tables.diagonal(network, found["determinants"])]
        blocks += [tables.elsewhere(found), Heading("How far the dreams came"), tables.arms(found), *tables.first_layers(found)]
    blocks += _section("What comes again from another seed", found["said"]["again"], [*tables.layers(found), *tables.transfers(found)])
    blocks += _section("Regularisers below the threshold of hearing", found["said"]["regularised"], tables.regularisers(found))
    return [Chapter("truth", "Do the dreams tell the truth?", blocks, "Truth")]


def _section(title: str, said: Sequence[str], shown: Sequence[Block]) -> list[Block]:
    """What is said of tables, and the tables, where there are any."""
    return [Heading(title), *(Text(text) for text in said), *shown] if shown else []


def _matrices(found: Content) -> list[Block]:
    made: list[Block] = []
    for network in found["networks"]:
        draw = partial(figures.matrix, network=network, determinants=found["determinants"], yardsticks=found["yardsticks"])
        size = (figures.WIDTH, figures.height(network))
        caption = f"{network['network']}: what dreams of each composer's models moved, and what the network heard of each composer."
        name = f"truth-{slug(network['network'].replace(' ', '-').replace('(', '').replace(')', '').replace(',', ''))}"
        made.append(Picture(name, caption, size, draw, "Matrix of contrasts; the tables below have its diagonal, results.json all numbers."))
    return made


def _correlations(found: Content) -> list[Block]:
    if len(found["determinants"]) < 2:
        return []
    draw = partial(figures.correlations, names=found["determinants"], ranks=found["rank_correlations"])
    caption = "Rank correlations between the determinants over the corpus: what goes together there may be learned, and dreamed, one for the other."
    return [Picture("truth-determinants", caption, (figures.WIDTH, 2.4), draw, "Triangle of rank correlations.")]

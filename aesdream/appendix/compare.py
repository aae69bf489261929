"""Runs side by side: a page of several runs' results.json, whose dreams are heard where they lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aesdream import files
from aesdream.appendix import pages, words
from aesdream.appendix.chapters import Block, Chapter, Dreams, Listing, Terms, Text
from aesdream.appendix.headline import sentences
from aesdream.appendix.truth.verdicts import VERDICTS
from aesdream.errors import UserError

Content = Mapping[str, Any]
FOLDER = "compare"
_MOST = 60  # letters of a setting's value


def compare(runs: Sequence[Path]) -> Path:
    """Write a page that puts runs side by side into the first of them, below ``compare/``; returns its path.

    Raises UserError for a folder without an appendix, DamagedFile for a results.json that is none of ours.
    """
    without = [run for run in runs if not (run / "results.json").is_file() or not (run / "appendix/data/dreams.js").is_file()]
    if without:
        raise UserError(*(f"{run}: has no appendix to compare; aesdream appendix {run} draws it" for run in without))
    if len({run.resolve() for run in runs}) < max(len(runs), 2):
        raise UserError("--compare: needs at least one other run, none of them twice")
    contents = dict(zip(labels(runs), (files.read_marker(run / "results.json") for run in runs), strict=True))
    folder = runs[0] / FOLDER / "+".join(label.replace("/", "-") for label in list(contents)[1:])
    sources = [
        pages.Source(f"{os.path.relpath((run / 'appendix').resolve(), folder.resolve())}/", label) for run, label in zip(runs, contents, strict=True)
    ]
    synthetic = next((made for content in contents.values() if (made := words.synthetic(content["sounds"]))), None)
    lede = "Runs side by side: what differs in their studies, what their judges reach, and their dreams, target by target."
    page = pages.rendered(" beside ".join(contents), lede, chapters(contents), sources, synthetic=synthetic, entries={})
    return pages.written(folder, page)[0]


def labels(runs: Sequence[Path]) -> list[str]:
    """What to call each run: its folder's name, with as many of the folders above it as tell it from the others."""
    parts = [run.resolve().parts[1:] for run in runs]
    longest = max(map(len, parts))
    for depth in range(1, longest + 1):
        found = ["/".join(part[-depth:]) for part in parts]
        if len({*found}) == len(found):
            return found
    return ["/".join(parts[0])]


def chapters(contents: Mapping[str, Content]) -> list[Chapter]:
    """What differs, the judges, the dreams."""
    said = Text("Each interval is its own run's; whether two runs differ was not tested here.", "note")
    found = [Chapter("glance", "What was compared", [Terms(list(_told(contents))), _settings(contents)], "What differs")]
    if all("tables" in content for content in contents.values()):
        found.append(Chapter("judges", "What the judges reach (ROC AUC)", [said, _judges(contents)], "Judges"))
    if any("truth" in content for content in contents.values()):
        found.append(Chapter("truth", "Whether dreams tell the truth", [said, _truth(contents)], "Truth"))
    outcome: list[Block] = [_outcomes(contents), _summaries(contents), Dreams()]
    return [*found, Chapter("dreams", "Every dream, the same target of each run side by side", outcome, "Dreams")]


def _told(contents: Mapping[str, Content]) -> Iterator[tuple[str, str]]:
    for label, content in contents.items():
        said = " ".join(sentences(content["headline"])) if "headline" in content else ""
        missing = f" {len(content['problems'])} units are missing." if content["problems"] else ""
        told = words.synthetic(content["sounds"])
        made = f" {told[0].upper()}. {told[1]}" if told else ""
        yield label, f"Study “{content['study']['study']}”.{made} {said}{missing}"


def _settings(contents: Mapping[str, Content]) -> Listing:
    known = all("sweeps" in content["study"] for content in contents.values())  # an appendix that was drawn earlier says nothing of them
    asked = [
        {"study": {key: value for key, value in content["study"].items() if known or key != "sweeps"}, "sounds": content["sounds"]}
        for content in contents.values()
    ]
    return _listing("What differs in study and sounds", "setting", contents, list(_differing("", asked)))


def _differing(at: str, values: Sequence[Any]) -> Iterator[list[str]]:
    """A row for every setting that is not the same in all; one for a whole group of them that some run lacks."""
    if all(isinstance(value, dict) for value in values):
        for key in dict.fromkeys(key for value in values for key in value):
            yield from _differing(f"{at}.{key}" if at else str(key), [value.get(key, words.DASH) for value in values])
    elif any(value != values[0] for value in values):
        yield [at, *map(_shown, values)]


def _shown(value: Any) -> str:
    text = ", ".join(f"{key} {inner}" for key, inner in value.items()) if isinstance(value, dict) else str(value)
    text = text or "none"
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def _listing(title: str, head: str, contents: Mapping[str, Content], rows: Sequence[Sequence[str]]) -> Listing:
    share = 0.7 / len(contents)
    return Listing(title, (head, *contents), (0.3, *[share] * len(contents)), rows)


def _side_by_side(contents: Mapping[str, Content], of: Callable[[Content], Mapping[str, str]]) -> list[list[str]]:
    """A row for every key that ``of`` finds in any run, with a dash where a run lacks it."""
    found = [of(content) for content in contents.values()]
    return [[key, *(each.get(key, words.DASH) for each in found)] for key in dict.fromkeys(key for each in found for key in each)]


def _judges(contents: Mapping[str, Content]) -> Listing:
    def of(content: Content) -> dict[str, str]:
        found = {
            f"{table['protocol']}, {table['treatment']}" + (", by sound" if table["set"] == "sounds" else ""): words.interval(
                table["mean"]["roc_auc"]
            )
            for table in content["tables"]
            if table["mean"]
        }
        sticks = {f"{stick['protocol']}, {words.judge(stick)}": words.interval(stick["mean"]["roc_auc"]) for stick in content["yardsticks"]}
        return dict(sorted({**found, **sticks}.items()))

    return _listing("ROC AUC, means over models with 95 % intervals", "judge", contents, _side_by_side(contents, of))


def _truth(contents: Mapping[str, Content]) -> Listing:
    def of(content: Content) -> dict[str, str]:
        return {
            f"{network['network']}: {row['composer']}": f"{VERDICTS[row['verdict']]}; {words.interval(row['share'])} at RMS {network['rms']:g}"
            for network in content.get("truth", {}).get("networks", [])
            for row in network["rows"]
        }

    title = "Verdicts on each network and composer, and what dreams moved of its determinant, as a share of what dreams of its rule do"
    return _listing(title, "network: composer", contents, _side_by_side(contents, of))


def _outcomes(contents: Mapping[str, Content]) -> Listing:
    names = {"asked": "asked for", "made": "made", "rose": "rose", "dead": "dead", "overshot": "overshot", **words.STILL}

    def of(content: Content) -> dict[str, str]:
        counted = {name: words.count(content["outcome"][key]) for key, name in names.items() if key in content["outcome"]}
        return {**counted, "of what a dream adds, under 20 Hz (medians by model)": words.shares(content["outcome"]["medians_under_20hz"])}

    return _listing("All dreams", "dreams", contents, _side_by_side(contents, of))


def _summaries(contents: Mapping[str, Content]) -> Listing:
    def of(content: Content) -> dict[str, str]:
        return {
            f"{sweep}: {line['model']}, {line['layer']} {line['side']}, {line['start']}": f"{line['rose']} of {line['made']}; "
            f"{words.significant(line['gain']['median'])}; {words.percent(line['share_under_20hz']['median'])}"
            for sweep, found in content["sweeps"].items()
            for line in found["summary"]
        }

    return _listing("Rose; median activation gained; median share under 20 Hz", "layer", contents, _side_by_side(contents, of))

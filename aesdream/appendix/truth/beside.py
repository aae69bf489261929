"""What is said beside the matrix: of filters that come again from another seed, of dreams heard by other models, of regularised dreams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.truth.regularised import PLAIN
from aesdream.appendix.truth.seeds import SEED, taught
from aesdream.training.statistics import LEVEL
from aesdream.truth.contrasts import above, below

Content = Mapping[str, Any]


def again(found: Content) -> list[str]:
    """Where filters are found again because of what a composer taught, and where only from the same first weights."""
    measured = [row for row in found["seeds"] if row["threshold"] is not None]
    if not measured:
        return []
    common, places, asked = list[str](), dict[str, list[str]](), 0
    for row in measured:
        place, sets = f"{row['network']}, {row['layer']}", row["sets"]
        own = {name: sets[name] for name in found["composers"] if name in sets}
        asked += len(own)
        sure = [f"“{name}” ({words.interval(one['less_other'])})" for name, one in own.items() if taught(one)]
        common += [f"{place}: {', '.join(sure)}"] if sure else []
        for name in (SEED, "untrained"):
            if name in sets and above(sets[name]["less_own"]):
                places.setdefault(name, []).append(f"{place} ({words.interval(sets[name]['less_own'])})")
    said = [
        "From another seed more pairs of filters are found again than between models of other composers, of shuffled labels and untrained ones "
        f"(share of pairs more than of other composers) in {'; '.join(common)}: these a composer taught. Asked were {asked} pairs of a composer and "
        f"a layer; {words.number((1 - LEVEL) / 2 * asked, 1)} would be named by chance, at most."
    ] if common else [
        f"In none of {len(measured)} layers are surely more filters found again from another seed with the same composer than between models of "
        "other composers, of shuffled labels and untrained ones: none can be said to be what a composer taught."
    ]  # fmt: skip
    if "untrained" in places:
        said.append(
            "More are found again between untrained networks than between those that learned from one composer (share of pairs more: "
            f"{'; '.join(places['untrained'])}): there the network's layout makes filters alike, and learning takes them apart."
        )
    if SEED in places:
        said.append(
            "More are found again where other composers' labels were learned from the same first weights than where the same labels were learned "
            f"from others (share of pairs more: {'; '.join(places[SEED])}): there a filter is what its first weights made of it more than what a "
            "composer taught it."
        )
    return said


def carried(found: Content) -> list[str]:
    """Whether dreams work for other models, and more than those of shuffled labels do."""
    filters = [one for one in found["transfer"] if one["beyond_others"] is not None and one["composer"] in found["composers"]]
    classes = [one for one in found["transfer"] if one["share_toward"] is not None and one["composer"] in found["composers"]]
    said = []
    if filters:
        sure = [f"{_whose(one)}, {one['layer']}" for one in filters if above(one["beyond_others"]) and _more(one)]
        said.append(
            "A dream of a filter excites its match in a model of another seed more than dreams of other filters do, and more so than between models "
            f"of shuffled labels, in {_counted(sure, filters, 'layers')}"
        )
    if classes:
        sure = [_whose(one) for one in classes if _more(one)]
        said.append(
            "Of two dreams of a start, a model of another seed finds the one toward “interesting” more interesting, and surely more often than among "
            f"models of shuffled labels, in {_counted(sure, classes, 'treatments')}"
        )
    return said


def _counted(sure: Sequence[str], asked: Sequence[Content], what: str) -> str:
    """In how many of what was looked at it is so, and of which nothing can be said for want of models of shuffled labels."""
    alone = [_whose(one) for one in asked if one["less_shuffled"] is None or one["less_shuffled"]["low"] is None]
    text = f"{len(sure) or 'none'} of {len(asked) - len(alone)} {what} looked at{': ' if sure else ''}{'; '.join(sure)}."
    return text + (f" Without models of shuffled labels to compare with: {'; '.join(dict.fromkeys(alone))}." if alone else "")


def _more(one: Content) -> bool:
    return one["less_shuffled"] is not None and above(one["less_shuffled"])


def _whose(one: Content) -> str:
    return f"“{one['composer']}” in {one['network']}"


def regularised(found: Content) -> list[str]:
    """Whether each way of dreaming tells more than its own controls do; only then how it differs from plain dreams."""
    rows = [row for row in found["regularised"] if row["way"] != PLAIN]
    smallest = words.significant(found["smallest"])
    heads = {
        "beyond": f"Dreams made so move the composer's determinant by more than {smallest} of its reach beyond their own controls",
        "less": f"Dreams made so surely do not move the composer's determinant by {smallest} of its reach beyond their own controls",
        "level": f"Whether dreams made so move it by more than {smallest} of its reach beyond their own controls is not sure",
        "unmoved": "Dreams of the rule do not surely move the determinant from these starts, so that there is no share to tell of",
        "short": f"Not comparable, as more than {words.percent(found['most_missing'])} of a direction's dreams fell short, theirs or a control's",
        "alone": "Without all controls of their own (shuffled labels and no training, dreamed alike) nothing can be said of",
    }
    sides: dict[str, list[str]] = {}
    for row in rows:
        lacking = "".join(f", no {name}" for name in ("shuffled", "untrained") if name not in row["less"])
        said = f"“{row['composer']}” in {row['network']}, {row['way']} ({words.interval(row['contrast'])}{lacking})"
        sides.setdefault(_side(row, found["smallest"], found["most_missing"]), []).append(said)
    return [f"{head}: {'; '.join(sides[how])}." for how, head in heads.items() if how in sides]


def _side(row: Content, smallest: float, most: float) -> str:
    """Whether such dreams moved the composer's determinant by as much as counts, beyond their own controls."""
    needed = [row["contrast"], *row["less"].values()]
    if any(share > most for share in row["short"].values()):
        return "short"
    if set(row["less"]) < {"shuffled", "untrained"}:
        return "alone"
    if row["contrast"]["value"] is None:
        return "unmoved"
    return "beyond" if all(above(one, smallest) for one in needed) else "less" if any(below(one, smallest) for one in needed) else "level"

"""The paragraphs that follow from the numbers: what holds, what does not, and how sure that is, by rules that stand here and in ``verdicts``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.truth.regularised import PLAIN
from aesdream.appendix.truth.seeds import SEED
from aesdream.appendix.truth.verdicts import BY_CHANCE, CHANCE, JUDGED, exceeds
from aesdream.training.statistics import LEVEL
from aesdream.truth.contrasts import above, below

Content = Mapping[str, Any]
CORRELATED = 0.4
"""Rank correlation from which two determinants are named as hard to tell apart."""
MOSTLY = 0.5
"""Share of a change's energy under 20 Hz from which a network's dreams are said to be mostly infrasound."""


def sentences(found: Content) -> dict[str, list[str]]:
    """Paragraphs by the section that they stand in."""
    rows = [(network["network"], row) for network in found["networks"] for row in network["rows"]]
    matrix = [*_outcome(rows), *_misses(rows), *_sure(found), *_unheard(found), *_networks(found), *_correlated(found)]
    return {"matrix": matrix, "again": [*_again(found), *_carried(found)], "regularised": _regularised(found)}


def _named(rows: Sequence[tuple[str, Content]], kind: str) -> str:
    """``bright in short and many; wide in short``."""
    by_composer: dict[str, list[str]] = {}
    for network, row in rows:
        if row["verdict"] == kind:
            by_composer.setdefault(row["composer"], []).append(network)
    return "; ".join(f"“{composer}” in {_listed(names)}" for composer, names in by_composer.items())


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count_of(rows: Sequence[tuple[str, Content]], *kinds: str) -> int:
    return sum(row["verdict"] in kinds for _, row in rows)


def _outcome(rows: Sequence[tuple[str, Content]]) -> list[str]:
    judged = _count_of(rows, *JUDGED)
    if not judged:
        return ["Whether dreams tell the truth cannot be said yet: no network that heard its composer has its dreams and all three controls."]
    tells = _count_of(rows, "tells")
    head = (
        f"Of {len(rows)} pairs of a composer and a network, {judged} can be judged: the network heard the composer, and all controls are there. "
        f"In {tells} of these {judged} the dreams tell the truth: toward “interesting” they move the composer's own determinant, more than controls "
        "do and more than any of its rivals."
    )
    lines = [head + (f" These are {_named(rows, 'tells')}." if tells else " None does.")]
    for kind, said in (
        ("hints", "The composer's own determinant moved as it should and beyond the controls, but not beyond every rival"),
        ("misleads", "It moved the wrong way, beyond the controls"),
        ("silent", "It was heard, and yet its dreams do not move its determinant beyond the controls"),
    ):
        named = _named(rows, kind)
        if named:
            lines.append(f"{said}: {named}.")
    return lines


def _misses(rows: Sequence[tuple[str, Content]]) -> list[str]:
    said = []
    unheard = _named(rows, "unheard")
    if unheard:
        said.append(f"Not heard, so that their dreams have nothing to tell: {unheard}. That is no failure of dreaming.")
    for kind, text in (("missing", "Not made yet"), ("uncontrolled", "Without all controls yet")):
        named = _named(rows, kind)
        if named:
            said.append(f"{text}: {named}.")
    return said


def _sure(found: Content) -> list[str]:
    learned, shuffled = found["chance"]["learned"], found["chance"]["shuffled"]
    if not learned["cells"]:
        return []
    splits = [row["splits"] for network in found["networks"] for row in network["rows"] if row["splits"]]
    models = [row["models"] for network in found["networks"] for row in network["rows"] if row["models"]]
    judged = _count_of([("", row) for network in found["networks"] for row in network["rows"]], *JUDGED)
    text = (
        f"How sure: all of it stands on {_range(models, 'model')} of {_range(splits, 'split')} of one corpus; intervals are Student's over splits. "
        f"Of {learned['cells']} cells {learned['excluding']} exclude zero, where {learned['expected']:g} would by chance"
    )
    if shuffled["cells"]:
        text += f"; of {shuffled['cells']} cells of shuffled labels {shuffled['excluding']} do, where {shuffled['expected']:g} would"
    if judged:
        text += f". Of {judged} pairs with nothing to tell, {judged * (1 - LEVEL) / 2:.2g} or fewer would be said to tell the truth"
    short = [f"{words.percent(1 - network['reached'])} in {network['network']}" for network in found["networks"] if (network["reached"] or 1) < 1]
    if short:
        text += f". Some dreams did not come as far from their start as others ({', '.join(short)}), which makes their contrast the smaller"
    return [text + "."]


def _range(values: Sequence[int], noun: str) -> str:
    if not values:
        return f"no {noun}s"
    if max(values) == 1:
        return f"one {noun}"
    return f"{values[0]} {noun}s" if min(values) == max(values) else f"{min(values)} to {max(values)} {noun}s"


def _networks(found: Content) -> list[str]:
    """For every network how alike the two directions are."""
    parts = []
    for network in found["networks"]:
        alike = network["directions"]["determinants"]
        if alike["value"] is not None:
            how = "alike" if above(alike) else "in opposite ways" if below(alike) else "neither alike nor in opposite ways for sure"
            parts.append(f"{how} in {network['network']} (cosine {words.interval(alike)})")
    if not parts:
        return []
    return [
        f"Dreams toward “interesting” and toward “not” move the determinants {'; '.join(parts)}. Where they move them alike, most of what is heard "
        "in a dream is what any dream of that network does, and only the contrast speaks of the composer."
    ]


def _unheard(found: Content) -> list[str]:
    """Networks whose dreams are mostly infrasound."""
    shares = [(network["network"], network["directions"]["share_under_20hz"]["value"]) for network in found["networks"]]
    mostly = [f"{name} {words.percent(share)}" for name, share in shares if share is not None and share > MOSTLY]
    if not mostly:
        return []
    return [
        f"Of what dreams add, most lies under 20 Hz, where nobody hears and no determinant measures it: {', '.join(mostly)} of the energy. As all "
        "dreams are stopped at the same RMS, little is left there for what can be heard; see the regularised dreams below."
    ]


def _correlated(found: Content) -> list[str]:
    names, ranks = found["determinants"], found["rank_correlations"]
    pairs = [
        f"{names[i]} with {names[j]} {words.number(ranks[i][j], 2)}"
        for i in range(len(names))
        for j in range(i)
        if ranks[i][j] is not None and abs(ranks[i][j]) >= CORRELATED
    ]
    if not pairs:
        return []
    return [
        f"Over the corpus some determinants go together (rank correlation: {', '.join(pairs)}). A network may learn one by the other, which is no "
        "lie, but a row's diagonal is then hard to tell from its neighbour: a table says what is left of it once what comes along with its closest "
        "rival is taken out. A mixture and its parts are no rivals of each other."
    ]


def _again(found: Content) -> list[str]:
    """Where filters are found again from another seed, and where only from the same first weights."""
    measured = [row for row in found["seeds"] if row["threshold"] is not None]
    if not measured:
        return []
    again, inherited = [], []
    for row in measured:
        place, sets = f"{row['network']}, {row['layer']}", row["sets"]
        own = {name: sets[name]["found_again"] for name in found["composers"] if name in sets}
        sure = [f"“{name}” ({words.interval(one)})" for name, one in own.items() if exceeds(one, BY_CHANCE)]
        if sure:
            again.append(f"{place}: {', '.join(sure)}")
        same = sets.get(SEED, {}).get("found_again")
        if same is not None and exceeds(same, max((one["value"] or 0.0 for one in own.values()), default=BY_CHANCE)):
            inherited.append(f"{place} {words.number(same['value'], 2)}")
    said = ["Found again from another seed are more pairs of filters than of shuffled labels in " + "; ".join(again) + "."] if again else []
    if not again:
        said = [f"In none of {len(measured)} layers are more filters found again from another seed than between models of shuffled labels."]
    if inherited:
        said.append(
            "More are found again where other composers' labels were learned from the same first weights than where the same labels were learned "
            f"from others (share of pairs: {'; '.join(inherited)}): there a filter is what its first weights made of it more than what a composer "
            "taught it."
        )
    return said


def _carried(found: Content) -> list[str]:
    """Whether dreams work for other models."""
    filters = [one for one in found["transfer"] if one["beyond_others"] is not None]
    classes = [one for one in found["transfer"] if one["share_toward"] is not None]
    said = []
    if filters:
        sure = [f"{_whose(one)}, {one['layer']}" for one in filters if above(one["beyond_others"])]
        said.append(
            "A dream of a filter excites its match in a model of another seed more than dreams of other filters do in "
            + (f"{len(sure)} of {len(filters)} layers looked at: {'; '.join(sure)}." if sure else f"none of {len(filters)} layers looked at.")
        )
    if classes:
        sure = [_whose(one) for one in classes if exceeds(one["share_toward"], CHANCE)]
        said.append(
            "A dream of a class moves the judgement of a model of another seed its way more often than not in "
            + (f"{len(sure)} of {len(classes)} treatments looked at: {'; '.join(sure)}." if sure else f"none of {len(classes)} treatments looked at.")
        )
    return said


def _whose(one: Content) -> str:
    return f"“{one['composer']}” in {one['network']}"


def _regularised(found: Content) -> list[str]:
    """What each way of dreaming does to the contrast, beside plain dreams of the same composer's models."""
    rows = [row for row in found["regularised"] if row["way"] != PLAIN and row["less_plain"]["value"] is not None]
    sides: dict[str, list[str]] = {}
    for row in rows:
        change = row["less_plain"]
        how = "more" if above(change) else "less" if below(change) else "neither more nor less for sure"
        sides.setdefault(how, []).append(f"“{row['composer']}” in {row['network']}, {row['way']} ({words.interval(change)})")
    heads = {how: f"Dreams move the composer's determinant {how} than plain ones do" for how in ("more", "less", "neither more nor less for sure")}
    return [f"{head}: {'; '.join(sides[how])}." for how, head in heads.items() if how in sides]

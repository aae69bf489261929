"""What is said beside the matrix: of filters that come again from another seed, of dreams heard by other models, of regularised dreams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.truth.regularised import PLAIN
from aesdream.appendix.truth.seeds import SEED
from aesdream.truth.contrasts import above

Content = Mapping[str, Any]


def again(found: Content) -> list[str]:
    """Where filters are found again because of what a composer taught, and where only from the same first weights."""
    measured = [row for row in found["seeds"] if row["threshold"] is not None]
    if not measured:
        return []
    common, inherited = [], []
    for row in measured:
        place, sets = f"{row['network']}, {row['layer']}", row["sets"]
        own = {name: sets[name] for name in found["composers"] if name in sets}
        taught = [
            f"“{name}” ({words.interval(one['less_other'])})" for name, one in own.items() if above(one["less_other"]) and above(one["less_shuffled"])
        ]
        if taught:
            common.append(f"{place}: {', '.join(taught)}")
        if SEED in sets and above(sets[SEED]["less_own"]):
            inherited.append(f"{place} ({words.interval(sets[SEED]['less_own'])})")
    said = [
        "From another seed more pairs of filters are found again than between models of other composers or of shuffled labels (share of pairs more "
        f"than of other composers) in {'; '.join(common)}: these a composer taught."
    ] if common else [
        f"In none of {len(measured)} layers are surely more filters found again from another seed with the same composer than between models of "
        "other composers and of shuffled labels: none can be said to be what a composer taught."
    ]  # fmt: skip
    if inherited:
        said.append(
            "More are found again where other composers' labels were learned from the same first weights than where the same labels were learned "
            f"from others (share of pairs more: {'; '.join(inherited)}): there a filter is what its first weights made of it more than what a "
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
            "of shuffled labels, in "
            + (f"{len(sure)} of {len(filters)} layers looked at: {'; '.join(sure)}." if sure else f"none of {len(filters)} layers looked at.")
        )
    if classes:
        sure = [_whose(one) for one in classes if _more(one)]
        said.append(
            "Of two dreams of a start, a model of another seed finds the one toward “interesting” more interesting, and surely more often than among "
            "models of shuffled labels, in "
            + (f"{len(sure)} of {len(classes)} treatments looked at: {'; '.join(sure)}." if sure else f"none of {len(classes)} treatments looked at.")
        )
    return said


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
        "level": f"Whether such dreams move it by so much ({smallest} of its reach) beyond their own controls is not sure",
        "alone": "They have no controls of their own (both shuffled labels and no training, dreamed alike), so that nothing can be said of",
    }
    sides: dict[str, list[str]] = {}
    for row in rows:
        if row["contrast"]["value"] is None:
            continue
        controls = row["less"]
        alone = set(controls) < {"shuffled", "untrained"}
        needed = [row["contrast"], *controls.values()]
        how = "alone" if alone else "beyond" if all(above(one, found["smallest"]) for one in needed) else "level"
        sides.setdefault(how, []).append(f"“{row['composer']}” in {row['network']}, {row['way']} ({words.interval(row['contrast'])})")
    return [f"{head}: {'; '.join(sides[how])}." for how, head in heads.items() if how in sides]

"""The paragraphs that follow from the numbers: what holds, what does not, and how sure that is, by rules that stand here and in ``verdicts``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.truth import beside
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.appendix.truth.verdicts import JUDGED, is_small
from aesdream.training.statistics import LEVEL
from aesdream.truth.contrasts import above, below

Content = Mapping[str, Any]
CORRELATED = 0.4
"""Rank correlation from which two determinants are named as hard to tell apart."""
MOSTLY = 0.5
"""Share of a change's energy under 20 Hz from which a network's dreams are said to be mostly infrasound."""

WHY_NOT = {
    "missing": "not made yet",
    "uncontrolled": "without all three controls and dreams of the rule",
    "unheard": "whose network did not hear its composer",
    "incomparable": "with too many dreams, its own or a control's, that did not come far enough",
    "unmoved": "whose determinant not even dreams of its rule surely move",
    "few": "of too few splits for an interval",
}
"""What keeps a row from being judged, by verdict."""


def sentences(found: Content) -> dict[str, list[str]]:
    """Paragraphs by the section that they stand in."""
    rows = [(network["network"], row) for network in found["networks"] for row in network["rows"]]
    matrix = [
        *_outcome(found, rows),
        *_misses(found, rows),
        *_sure(found, rows),
        *_far(found),
        *_unheard(found),
        *_networks(found),
        *_correlated(found),
    ]
    return {"matrix": matrix, "again": [*beside.again(found), *beside.carried(found)], "regularised": beside.regularised(found)}


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


def _why_not(rows: Sequence[tuple[str, Content]]) -> str:
    """Why no row can be judged: a clause for every reason there is."""
    counts = {kind: _count_of(rows, kind) for kind in WHY_NOT}
    if counts["unheard"] == len(rows):
        return "Whether dreams tell the truth cannot be said: no network heard its composer, so that its dreams have nothing to tell."
    reasons = [f"{count} {WHY_NOT[kind]}" for kind, count in counts.items() if count]
    none = f"Of {len(rows)} pairs of a composer and a network none can be judged"
    return f"Whether dreams tell the truth cannot be said yet. {none}: {', '.join(reasons)}."


def _outcome(found: Content, rows: Sequence[tuple[str, Content]]) -> list[str]:
    judged = _count_of(rows, *JUDGED)
    if not judged:
        return [_why_not(rows)]
    tells, smallest = _count_of(rows, "tells"), words.significant(found["smallest"])
    by_network = {
        network["network"]: (_count_of([("", row) for row in network["rows"]], *JUDGED), len(network["rows"])) for network in found["networks"]
    }
    each = ", ".join(f"{count} of {whole} in {name}" for name, (count, whole) in by_network.items())
    which = f"In {tells} of these {judged} the dreams" if tells else f"In none of these {judged} do the dreams"
    head = (
        f"Of {len(rows)} pairs of a composer and a network, {judged} can be judged ({each}): the network heard the composer, its dreams came far "
        f"enough, and all controls are there. {which} tell the truth: toward “interesting” they move the composer's "
        f"own determinant by more than {smallest} of what a dream of the composer's rule itself moves it, beyond every control by as much, and by a "
        "larger share than any of its rivals or the dreams of other composers' models do."
    )
    lines = [head + (f" These are {_named(rows, 'tells')}." if tells else ""), *_shares(rows)]
    for kind, said in (
        ("part", f"Of a mixture they tell some parts only ({_parts(rows)})"),
        ("faint", f"All of this holds but for the size, which is not surely {smallest} of the rule's: the right determinant, faintly"),
        (
            "trace",
            f"The composer's own determinant surely moved as it should and beyond every control, but not surely by {smallest} of the rule's, nor "
            "surely beyond every rival and other composer: a faint hint, and no more",
        ),
        ("hints", "The composer's own determinant moved as it should and beyond the controls, but not surely beyond every rival and other composer"),
        ("another", f"Something else moved more than what was learned ({_surpassed(rows)}) in dreams of"),
        ("misleads", "It moved the wrong way, beyond the controls"),
        ("nothing", f"It was heard, and yet what its dreams move of its determinant is what every control moves, to within {smallest} of the rule's"),
        ("undecided", f"Undecided, because intervals are too wide, or the parts of a mixture differ ({_shown(rows)})"),
    ):
        named = _named(rows, kind)
        if named:
            lines.append(f"{said}: {named}.")
    small = [(network, row) for network, row in rows if row["verdict"] in ("faint", "trace") and all(map(is_small, row["claims"]))]
    if small:
        where = "; ".join(_named(small, kind) for kind in ("faint", "trace") if _named(small, kind))
        lines.append(f"What is faint is surely so: beyond every control by less than {smallest} of the rule's in {where}.")
    return lines


def _shares(rows: Sequence[tuple[str, Content]]) -> list[str]:
    """How far the dreams that can be judged went, beside those of the rule, and which of them surely went the right way, however little."""
    judged = [(network, row) for network, row in rows if row["verdict"] in JUDGED and row["share"]["value"] is not None]
    if not judged:
        return []
    shares = "; ".join(f"“{row['composer']}” in {network} {words.interval(row['share'])}" for network, row in judged)
    right = [f"“{row['composer']}” in {network}" for network, row in judged if above(row["share"]) and all(map(above, row["share_less"].values()))]
    sure = (
        f"Surely in the right direction beyond every control, however little: {'; '.join(right)}."
        if right
        else "None surely lies beyond every control."
    )
    return [f"Of what dreams of the rule itself move, those of the networks move (share, with its interval): {shares}. {sure}"]


def _parts(rows: Sequence[tuple[str, Content]]) -> str:
    """Which parts of mixtures are told, and where."""
    partly = [(network, row) for network, row in rows if row["verdict"] == "part"]
    told = {network: [claim["determinant"] for claim in row["claims"] if claim["verdict"] == "tells"] for network, row in partly}
    return "; ".join(f"{_listed(names)} in {network}" for network, names in told.items())


def _surpassed(rows: Sequence[tuple[str, Content]]) -> str:
    """Which rival moved more, and where."""
    said = []
    for network, row in rows:
        rivals = dict.fromkeys(claim["surpassed"] for claim in row["claims"] if claim["verdict"] == "another")
        if row["verdict"] == "another" and rivals:
            said.append(f"{_listed(list(rivals))} than {row['composer']} in {network}")
    return "; ".join(said)


def _shown(rows: Sequence[tuple[str, Content]]) -> str:
    """The smallest contrasts that undecided rows would have shown."""
    shown = [
        max(sizes) for _, row in rows if row["verdict"] == "undecided" and (sizes := [claim["shown"] for claim in row["claims"] if claim["shown"]])
    ]
    if not shown:
        return "they have no bounds"
    low, high = (words.number(one, 2) for one in (min(shown), max(shown)))
    return (
        f"the smallest share that would have counted beyond the controls is {low}"
        if low == high
        else f"the smallest shares that would have counted beyond the controls are {low} to {high}"
    )


def _misses(found: Content, rows: Sequence[tuple[str, Content]]) -> list[str]:
    said = []
    unheard = "; ".join(
        f"“{row['composer']}” in {network} ({words.interval(row['roc_auc'])}, beyond shuffled {words.interval(row['heard'])})"
        for network, row in rows
        if row["verdict"] == "unheard"
    )
    if unheard:
        said.append(
            f"Not heard, so that their dreams have nothing to tell (AUC): {unheard}. That is no failure of dreaming. (Heard is what a network tells "
            f"apart at an AUC of {words.significant(found['floor'])} or more, surely better than guessing and than models of shuffled labels do.)"
        )
    texts = (
        ("unmoved", "Not to be judged, as not even dreams of its rule surely move the determinant at this distance"),
        ("few", "Of too few splits for an interval, so that nothing can be said"),
        ("missing", "Not made yet"),
    )
    incomparable = _short(rows, found["most_missing"])
    if incomparable:
        most = words.percent(found["most_missing"])
        said.append(f"Not comparable, as more than {most} of the dreams of one direction fell short, those named: {incomparable}.")
    for kind, text in texts:
        named = _named(rows, kind)
        if named:
            said.append(f"{text}: {named}.")
    lacking = "; ".join(f"“{row['composer']}” in {name} ({', '.join(_lacking(row))})" for name, row in rows if row["verdict"] == "uncontrolled")
    if lacking:
        said.append(f"Without all controls, and enough dreams of the rule (what lacks): {lacking}.")
    unknown = dict.fromkeys(
        name for network in found["networks"] for name, one in zip(found["determinants"], network["reach"], strict=True) if not above(one)
    )
    if unknown and _count_of(rows, *JUDGED):
        said.append(f"How far {_listed(list(unknown))} can be moved no dreams of a rule tell: where that is a rival, a row can do no more than hint.")
    alone = [(name, row) for name, row in rows if row["verdict"] in ("hints", "trace") and not any(claim["compared"] for claim in row["claims"])]
    if alone:
        where = "; ".join(f"“{row['composer']}” in {name}" for name, row in alone)
        said.append(f"No other composer was heard whose dreams these could be compared with, so that they cannot do more than hint: {where}.")
    return said


def _lacking(row: Content) -> list[str]:
    """What must be made, or asked for, before a row can be judged."""
    lacks = [called for name, called in CONTROLS.items() if name not in row["against"] or (name == "shuffled" and row["heard"]["value"] is None)]
    return lacks + [f"the rule of {claim['determinant']}" for claim in row["claims"] if claim["reach"]["low"] is None]


def _short(rows: Sequence[tuple[str, Content]], most: float) -> str:
    """Which rows cannot be compared, and whose dreams fell short."""
    return "; ".join(
        f"“{row['composer']}” in {network} ({', '.join(f'{name} {words.percent(share)}' for name, share in row['short'].items() if share > most)})"
        for network, row in rows
        if row["verdict"] == "incomparable"
    )


def _sure(found: Content, rows: Sequence[tuple[str, Content]]) -> list[str]:
    learned, shuffled = found["chance"]["learned"], found["chance"]["shuffled"]
    if not learned["cells"]:
        return []
    splits = [row["splits"] for _, row in rows if row["splits"]]
    models = [row["models"] for _, row in rows if row["models"]]
    text = (
        f"How sure: all of it stands on {_range(models, 'model')} of {_range(splits, 'split')} of one corpus; intervals are Student's over splits. "
        f"Of {learned['cells']} cells {learned['excluding']} exclude zero, where {learned['expected']:g} would by chance"
    )
    if shuffled["cells"]:
        text += f"; of {shuffled['cells']} cells of shuffled labels {shuffled['excluding']} do, where {shuffled['expected']:g} would"
    text += " (cells of a row go together, so these counts scatter more than independent ones would)"
    for kind, key, what in (("tells", "p_corrected", "tell"), ("faint", "p_faint_corrected", "tell faintly")):
        told = [(network, row) for network, row in rows if row["verdict"] == kind]
        if told:
            sure = [(network, row) for network, row in told if row[key] < (1 - LEVEL) / 2]
            text += f". Verdicts hold row by row; corrected for the number of judged rows (Holm), {len(sure)} of the {len(told)} that {what} do so"
            text += f" ({_named(sure, kind)})" if sure else ""
    return [text + "."]


def _far(found: Content) -> list[str]:
    """How many dreams of each network fell short of the distance at which all are compared, and how many ended less their class than they began."""
    every = {
        network["network"]: [*network["rows"], *(row for row in network["controls"] if row["control"] != "random")] for network in found["networks"]
    }
    every |= {"the rules": found["rules"]} if found["rules"] else {}
    short, sunk = [], []
    for name, rows in every.items():
        arms = [arm for row in rows for arm in row["arms"]]
        made, fell = (sum(arm[key] for arm in arms) for key in ("made", "short"))
        fallen = sum(round((1 - arm["rose"]) * arm["made"]) for arm in arms if arm["rose"] is not None)
        short += [f"{name} {words.count(fell)} of {words.count(made)}"] if fell else []
        sunk += [f"{name} {words.count(fallen)} of {words.count(made)}"] if fallen else []
    said = []
    if short:
        said.append(
            f"Dreams that did not get as far from their start as all are compared at, and whose pairs are left out: {', '.join(short)}; a table "
            "below counts them by composer, control and direction."
        )
    if sunk:
        said.append(f"Dreams that ended no more their class than they began, and are compared all the same: {', '.join(sunk)}.")
    return said


def _range(values: Sequence[int], noun: str) -> str:
    if not values:
        return f"no {noun}s"
    if max(values) == 1:
        return f"one {noun}"
    return f"{values[0]} {noun}s" if min(values) == max(values) else f"{min(values)} to {max(values)} {noun}s"


def _networks(found: Content) -> list[str]:
    """For every network how alike the two directions are, in what learned and in its controls."""
    parts = []
    for network in found["networks"]:
        alike = network["directions"]["determinants"]
        if alike["value"] is not None:
            how = "alike" if above(alike) else "in opposite ways" if below(alike) else "neither alike nor in opposite ways for sure"
            others = [(row["control"], row["directions"]["determinants"]) for row in network["controls"] if row["control"] != "random"]
            beside = "".join(f", {name} {words.interval(one)}" for name, one in others if one["value"] is not None)
            parts.append(f"{how} in {network['network']} (cosine {words.interval(alike)}{beside})")
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
        "lie, but a row's diagonal is then hard to tell from its neighbour: a table says what is left of it once what comes along with all its "
        "rivals is taken out. A mixture and its parts are no rivals of each other."
    ]

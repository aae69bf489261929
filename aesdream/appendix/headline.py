"""The study's answer in a few sentences: how well the best treatment tells the classes apart under the strictest protocol, and beside what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aesdream.appendix import words
from aesdream.training.statistics import number

Content = Mapping[str, Any]

STRICTEST = ("by-family", "split-first", "augment-first")
LEAKY = "augment-first"
CHANCE = 0.5
FLAT = (
    " Its conv1 is still a flat average, which passes low frequencies and stops high ones: so a network tells bright sounds from dark ones before it "
    "has learned anything."
)
NEARLY_ALWAYS = 0.2
"""A judge with a specificity below this says yes to nearly everything."""


def headline(content: Content, flat: Collection[str] = ()) -> dict[str, Any]:
    """The numbers of the sentences, each taken from the tables, comparisons and yardsticks of results.json.

    ``protocol`` is the strictest of which a treatment has an evaluation, None where nothing is evaluated. ``against`` tells of every control what
    the paired comparison with the best treatment says, ``verdict`` one of ``better``, ``worse``, ``undecided`` (its interval covers zero or has no
    bounds), ``never paired`` and ``below chance``: such a control knows something, and what it would reach ``turned`` round is said instead of a
    difference. ``flat`` are the untrained controls whose first layer is a flat average.
    """
    protocol = next((name for name in STRICTEST if _judged(content, name)), None)
    treatments = _judged(content, protocol)
    best = _best(treatments)
    loose = _best(_judged(content, LEAKY)) if protocol != LEAKY else None
    if loose:
        same = next((table for table in treatments if all(table[key] == loose[key] for key in ("treatment", "set"))), None)
        loose["kept_apart"] = same and same["mean"]["roc_auc"]
    composer = best.get("composer") if best else None
    compared = {entry["from"] for entry in content["comparisons"] if best and (entry["protocol"], entry["to"]) == (protocol, best["treatment"])}
    controls = [table for table in _judged(content, protocol, control=True) if table["treatment"] in compared]
    return {
        "protocol": protocol,
        "treatments": len(treatments),
        "best": best,
        "yardsticks": [
            {"judge": stick["judge"], "roc_auc": stick["mean"]["roc_auc"]}
            for stick in content["yardsticks"]
            if stick["protocol"] == protocol and stick.get("composer") == composer
        ],
        "against": [_against(content, table, best) | {"flat": table["treatment"] in flat} for table in controls] if best else [],
        "augment_first": loose,
        **_warnings(content["tables"]),
    }


def _judged(content: Content, protocol: str | None, *, control: bool = False) -> list[Content]:
    """The evaluated tables under a protocol, those of windows by sound where there is such a table."""
    found = [table for table in content["tables"] if table["protocol"] == protocol and table["control"] == control and table["mean"]]
    by_sound = {table["treatment"] for table in found if table["set"] == "sounds"}
    return [
        table for table in found if table["mean"]["roc_auc"]["value"] is not None and (table["set"] == "sounds") == (table["treatment"] in by_sound)
    ]


def _best(tables: Iterable[Content]) -> dict[str, Any] | None:
    found = max(tables, key=lambda table: float(table["mean"]["roc_auc"]["value"]), default=None)
    if found is None:
        return None
    return {key: found[key] for key in ("treatment", "set", "composer") if key in found} | {"roc_auc": found["mean"]["roc_auc"]}


def _against(content: Content, control: Content, best: Content) -> dict[str, Any]:
    paired = next(
        (
            entry["difference"]
            for entry in content["comparisons"]
            if (entry["protocol"], entry["from"], entry["to"], entry["measure"])
            == (control["protocol"], control["treatment"], best["treatment"], "roc_auc")
        ),
        None,
    )
    reached = control["mean"]["roc_auc"]
    turned = (
        {"value": number(1 - reached["value"]), "low": number(1 - reached["high"]), "high": number(1 - reached["low"])} if _below(reached) else None
    )
    verdict = "below chance" if turned else _verdict(paired)
    return {"control": control["treatment"], "roc_auc": reached, "difference": paired, "verdict": verdict, "turned": turned}


def _below(reached: Content) -> bool:
    """Whether a whole interval lies below chance."""
    return reached["low"] is not None and reached["high"] is not None and reached["high"] < CHANCE


def _verdict(paired: Content | None) -> str:
    if paired is None:
        return "never paired"
    if paired["low"] is None or paired["high"] is None or paired["low"] <= 0 <= paired["high"]:
        return "undecided"
    return "better" if paired["low"] > 0 else "worse"


def _warnings(tables: Iterable[Content]) -> dict[str, list[str]]:
    """The named models that never say yes, and those that nearly always do, controls aside."""
    found: dict[str, list[str]] = {"never_yes": [], "nearly_always_yes": []}
    for named in (table["named"] for table in tables if table["named"] and not table["control"]):
        recall, specificity = (named["measures"][key]["value"] for key in ("recall", "specificity"))
        if recall == 0:
            found["never_yes"].append(named["model"])
        elif specificity is not None and specificity < NEARLY_ALWAYS:
            found["nearly_always_yes"].append(named["model"])
    return {kind: list(dict.fromkeys(names)) for kind, names in found.items()}


def answer(found: Content) -> list[str]:
    """What the numbers come to, in a sentence each: whether anything was learned, and whether a network was needed for it; nothing without numbers.

    Judges without a network are never paired with the best treatment: theirs and its intervals may only lie apart.
    """
    best = found["best"]
    if best is None:
        return []
    verdicts = {entry["verdict"] for entry in found["against"]} - {"below chance"}
    learned = []
    if verdicts == {"better"}:
        learned = ["The networks learned to tell the classes apart: the best rank sounds better than controls that learned nothing of the labels."]
    elif verdicts & {"undecided", "worse"}:
        learned = [
            "That the networks learned to tell the classes apart is not shown: a control that learned nothing of the labels ranks sounds as well."
        ]
    sides: dict[str, list[str]] = {}
    for stick in found["yardsticks"]:
        if stick["judge"] not in ("majority", "ceiling"):
            sides.setdefault(_side(best["roc_auc"], stick["roc_auc"]), []).append(words.JUDGES[stick["judge"]])
    said = ", ".join(f"{how} {' and '.join(judges)}" for how, judges in sides.items())
    beside = [f"By the intervals below the best network is {said}."] if said else []
    return [" ".join([*learned, *beside])] if learned or beside else []


def _side(network: Content, stick: Content) -> str:
    """On which side of a judge without a network a network lies, where their intervals do not meet."""
    if None in (network["low"], network["high"], stick["low"], stick["high"]):
        return "not compared with"
    if network["low"] > stick["high"]:
        return "better than"
    return "worse than" if network["high"] < stick["low"] else "not told apart from"


def sentences(found: Content) -> list[str]:
    """The headline in plain sentences, by paragraph: networks beside judges without one, then controls and what leaks; warnings last."""
    best = found["best"]
    if best is None:
        return ["No treatment is evaluated yet."]
    whose = " of several composers" if best.get("composer") else ""
    chosen = f", the best of {found['treatments']} treatments{whose}, chosen after the fact," if found["treatments"] > 1 else ""
    said = (
        f"Under {found['protocol']}, the strictest protocol here, {best['treatment']}{chosen} reaches a ROC AUC of {words.interval(best['roc_auc'])}"
    )
    beside = [f"{words.JUDGES[stick['judge']]} {words.interval(stick['roc_auc'])}" for stick in found["yardsticks"] if stick["judge"] != "majority"]
    lines = [said + (f"; without a network: {', '.join(beside)}." if beside else ".")]
    second = [_controls(best["treatment"], found["against"])] if found["against"] else []
    if found["augment_first"]:
        loose = found["augment_first"]
        claimed = f"{loose['treatment']} would have claimed {words.interval(loose['roc_auc'])}"
        kept = (
            f"; kept apart, {found['protocol']}, the same treatment reaches {words.interval(loose['kept_apart'])}" if loose.get("kept_apart") else ""
        )
        second.append(f"Under {LEAKY}, where copies and windows are made before the split, {claimed}{kept}.")
    lines += [" ".join(second)] if second else []
    if found["never_yes"]:
        lines.append(f"Warning: never says yes (recall 0): {', '.join(found['never_yes'])}.")
    if found["nearly_always_yes"]:
        lines.append(f"Warning: says yes to nearly everything (specificity below {NEARLY_ALWAYS:g}): {', '.join(found['nearly_always_yes'])}.")
    return lines


def _controls(best: str, against: Iterable[Content]) -> str:
    said = {"never paired": "not compared with", "undecided": "not distinguishable from", "better": "better than", "worse": "worse than"}
    parts, below = [], []
    for entry in against:
        reached = f"{entry['control']} ({words.interval(entry['roc_auc'])}"
        if entry.get("turned"):
            below.append(
                f"{reached}), a control, lies below chance: it ranks sounds the wrong way round, and turned round would reach "
                f"{words.interval(entry['turned'])}, so a difference to it is not counted as a gain.{FLAT if entry['flat'] else ''}"
            )
            continue
        paired = f"paired difference {words.interval(entry['difference'])}" if entry["difference"] else "never validated on the same sounds"
        parts.append(f"{said[entry['verdict']]} {reached}; {paired})")
    return " ".join([*([f"By the paired comparison {best} is {', and '.join(parts)}."] if parts else []), *below])

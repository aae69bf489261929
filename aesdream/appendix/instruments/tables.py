"""The tables of the instrument study, as rows of text drawn from results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix.chapters import Block, Listing, Text
from aesdream.appendix.instruments.published import SYSTEMS
from aesdream.appendix.words import DASH, interval, number, percent

Content = Mapping[str, Any]
SOUND_BY = {None: "exact", "phase": "with the original's phase", "griffin-lim": "by Griffin-Lim from mel"}
KINDS = {"right": "to the right class", "wrong": "to a wrong class", "right-then-wrong": "right-dreamed to the wrong class", "original": "as it was"}
GROUPS = {
    "same_class": "same class, different starts",
    "same_start": "different classes, same start",
    "both_different": "both different",
    "excess": "same class less both different",
}


def sets(found: Mapping[str, Mapping[str, Content]], means: Mapping[str, Mapping[str, Content]]) -> Listing:
    """Micro and macro F1 of S1 and S2 and LRAP, by model and set, their means over models, and what one has who says every class."""
    rows = []
    for model, of_sets in found.items():
        for name, told in of_sets.items():
            averages = [interval(told[score][average]["f1"]) for score in ("S1", "S2") for average in ("micro", "macro")]
            rows.append([model, name, *averages, interval(told["lrap"])])
            swept = [interval(told["as_published"][score][average]["f1"]) for score in ("S1", "S2") for average in ("micro", "macro")]
            rows.append(["", f"{name}, as published*", *swept, DASH])
    for group, of_sets in means.items():
        for name, told in of_sets.items():
            averages = [interval(told[score][average]["f1"]) for score in ("S1", "S2") for average in ("micro", "macro")]
            rows.append([f"{group}, mean of {told['lrap']['n']}", name, *averages, interval(told["lrap"])])
    for name, told in next(iter(found.values())).items():
        rows.append(["every class, always", name, *[number(told["always"][f"{average}_f1"]) for average in ("micro", "macro")] * 2, DASH])
    heads = ("model", "set", "S1 micro F1", "S1 macro F1", "S2 micro F1", "S2 macro F1", "LRAP")
    notes = (
        "S1: mean over windows; S2: sum over windows divided by the largest class's. Thresholds from the validation sounds, which flatters their own "
        "rows. 95 % intervals by Bayesian bootstrap over recordings. * with the threshold that is best on this very set, which flatters.",
    )
    return Listing("How well classes are told", heads, (0.2, 0.14, 0.135, 0.135, 0.135, 0.135, 0.12), rows, notes)


def classes(model: str, of_sets: Mapping[str, Content]) -> Listing:
    """F1 of S2 of every class on every set."""
    names = list(of_sets)
    listed = list(next(iter(of_sets.values()))["S2"]["classes"])
    rows = [[one, *(interval(of_sets[name]["S2"]["classes"][one]["f1"]) for name in names)] for one in listed]
    return Listing(f"F1 of every class (S2), {model}", ("class", *names), (0.16, *[0.8 / len(names)] * len(names)), rows)


def published() -> Listing:
    """What others report on IRMAS's test set."""
    rows = [[one.name, number(one.micro_f1), number(one.macro_f1), one.source, "" if one.verified else "unverified"] for one in SYSTEMS]
    return Listing("Published systems on IRMAS's test set", ("system", "micro F1", "macro F1", "read in", ""), (0.3, 0.12, 0.12, 0.3, 0.14), rows)


def claims(found: Sequence[Content]) -> Listing:
    """The paper's claims, each with its verdict and the rule behind it."""
    rows = [[one["claim"], one["verdict"], interval(one["value"]), one["rule"]] for one in found]
    return Listing("The paper's claims", ("claim", "verdict", "measured", "rule"), (0.33, 0.12, 0.17, 0.38), rows)


def targeted(told: Content) -> list[Block]:
    """Success and distances, what sound makes of them, performance, and the geometry."""
    rows = [
        [
            KINDS[kind], str(one["n"]), interval(one["success"]), interval(one["confidence_start"]), interval(one["confidence_dream"]),
            interval(one["steps"]), interval(one["rmse_db"]), interval(one["mean_abs_db"]), interval(one["share_over_1db"]),
        ]
        for kind, one in told["kinds"].items()
    ]  # fmt: skip
    heads = ("dreamed", "n", "success", "output before", "after", "steps", "RMSE, dB", "mean |Δ|, dB", "bins > 1 dB")
    notes = ["Success: an output of at least .9 that is the largest. Means with 95 % intervals over recordings."]
    missed = [
        f"{KINDS[kind]}: {', '.join(f'{name} ({n})' for name, n in one['missed'].items())}" for kind, one in told["kinds"].items() if one["missed"]
    ]
    notes += [_moved(told)] if told["stop_confidence"] is not None else []
    notes += [f"Classes that were not reached, with how many dreams: {'; '.join(missed)}."] if missed else []
    blocks: list[Block] = [Listing("Where dreams arrive, and how far that is", heads, (0.15, 0.04, *[0.115] * 7), rows, notes)]
    blocks += [*_inversions(told), _performance(told["performance"])]
    return blocks + ([_geometry(told)] if "geometry" in told else [])


def _moved(told: Content) -> str:
    """How far the dreams went that tell how far it is."""
    each = []
    for kind, one in told["kinds"].items():
        arrived, already = one["arrived"], percent(one["already"]["value"])
        each.append(f"{KINDS[kind]} {arrived['n']} of {one['n']}, {interval(arrived['rmse_db'])} dB ({already} needed no step)")
    return f"RMSE of those alone that arrived and had to move for it, which is what it takes: {'; '.join(each)}."


def _inversions(told: Content) -> list[Block]:
    rows = [
        [
            KINDS[kind], SOUND_BY[way], interval(one["output_moved_start"]), interval(one["rmse_db_start"]), interval(one["output_moved_dream"]),
            interval(one["rmse_db_dream"]), interval(one["confidence_heard"]),
        ]
        for kind, of_kind in told["kinds"].items() for way, one in of_kind["inversion"].items()
    ]  # fmt: skip
    if not rows:
        return []
    heads = ("dreamed", "sound", "start: output moved", "dB lost", "dream: output moved", "dB lost", "goal's output heard")
    notes = (
        "What turning a spectrogram into sound does to what the network hears: the largest change of an output, the root mean square change of the "
        "spectrogram, and the output of the class that was dreamed when the dream's sound is heard again. Where this is as large as what the dream "
        "changed, the sound says little about the dream.",
    )
    return [Listing("What the sounds have lost", heads, (0.16, 0.2, *[0.128] * 5), rows, notes)]


def _performance(found: Content) -> Listing:
    rows = [
        [
            KINDS[kind],
            str(one["n"]),
            interval(one["top1"]),
            interval(one["S2"]["micro"]["f1"]),
            interval(one["S2"]["macro"]["f1"]),
            interval(one["lrap"]),
        ]
        for kind, one in found.items()
    ]
    heads = ("sounds", "n", "largest is the true class", "S2 micro F1", "S2 macro F1", "LRAP")
    return Listing("The sounds that were dreamed, judged by their true class", heads, (0.26, 0.06, 0.17, 0.17, 0.17, 0.17), rows)


def _geometry(told: Content) -> Listing:
    angle, errors = told["geometry"], told["mse_db2"]
    rows = [
        ["mean square error, original to right (dB²)", interval(errors["original_to_right"]), DASH],
        ["mean square error, original to wrong (dB²)", interval(errors["original_to_wrong"]), DASH],
        ["mean square error, right to wrong (dB²)", interval(errors["right_to_wrong"]), DASH],
        [f"share of {told['larger']['pairs']} class pairs where the last is the largest", interval(told["larger"]), "nearly 1"],
    ]
    random = angle["random"] or {}
    for key, name in (("over_sum", "right to wrong over the sum of both"), ("cosine", "cosine between both changes")):
        expected = random.get(key)
        rows.append([name, interval(angle[key]), interval({**expected, "value": expected["mean"]}) if expected else DASH])
    notes = (
        "Two orthogonal changes of equal size lie at exactly twice the mean square error: a quotient of 1, a cosine of 0, whatever was learned; "
        f"only a quotient beyond, or a cosine below, that of random changes speaks of separation. {angle['n']} sounds changed both ways.",
    )
    return Listing("Right against wrong", ("measure", "measured", "random changes of equal size"), (0.5, 0.26, 0.24), rows, notes)


ROLES = {
    "before": "before",
    "after": "after",
    "control": "control",
    "after_less_before": "after less before",
    "after_less_control": "after less control",
}


def learning(told: Content) -> list[Block]:
    """What learning on from dreams was worth: measures on every set, and how far dreams to wrong classes have to go."""
    control = f"; control: {told['control']}, as many further steps on the same pieces without dreams" if "control" in told else ""
    said = f"Before: {told['before']}; after: {told['after']}, which learned on from its dreams under their true label{control}."
    said += f" Models: {told['models']}."
    roles = [role for role in ROLES if role in next(iter(told["sets"].values()))]
    rows = [
        [name, ROLES[role], *(interval(found[role][score][average]["f1"]) for score in ("S1", "S2") for average in ("micro", "macro")),
         interval(found[role]["lrap"])]
        for name, found in told["sets"].items() for role in roles
    ]  # fmt: skip
    heads = ("set", "", "S1 micro F1", "S1 macro F1", "S2 micro F1", "S2 macro F1", "LRAP")
    notes = ("Differences are paired: the same recordings are drawn again for both. Thresholds are each model's own.",)
    blocks: list[Block] = [Text(said), Listing("Before and after", heads, (0.14, 0.18, *[0.136] * 5), rows, notes)]
    lines = [
        [f"{sweep}, {KINDS[kind]}", ROLES[role], interval(found["success"].get(role)) if role in found["success"] else DASH, interval(value)]
        for sweep, kinds in told["sweeps"].items() for kind, found in kinds.items() for role, value in found["rmse_db"].items()
    ]  # fmt: skip
    counts = "; ".join(
        f"{sweep}, {KINDS[kind]}: {found['arrived']} of {found['n']}" for sweep, kinds in told["sweeps"].items() for kind, found in kinds.items()
    )
    if lines:
        note = f"Distances (RMSE of the log-mel spectrogram) are of those sounds alone whose dreams arrive by every model: {counts}."
        blocks.append(Listing("What .9 takes", ("dreams", "", "success", "dB"), (0.4, 0.2, 0.2, 0.2), lines, (note,)))
    return blocks


def noises(told: Content) -> list[Block]:
    """How alike dreams from noise are, by what they share, and where they agree."""
    rows = [[name, interval(told["as_they_lie"][key]), interval(told["shifted"][key])] for key, name in GROUPS.items()]
    rows.append(["classes called by each other's names, p", number(told["as_they_lie"]["p"], 4), number(told["shifted"]["p"], 4)])
    notes = (
        f"Cosines between changes of {told['starts']} noises, the mean over classes of each start taken away, which alone puts different classes at "
        f"{number(told['below'])} of the same one. Intervals: Student's, for as many starts, by their spread when drawn again; "
        "permutations of classes within starts.",
    )
    alike = Listing("Patterns of a class", ("dreams that share", "as they lie", "at the best shift in time"), (0.4, 0.3, 0.3), rows, notes)
    shares = [[name, percent(one["share"]), percent(one["chance"])] for name, one in told["agreeing"].items()]
    regions = Listing(
        "Surroundings (5 by 5 bins) whose change has one sign from every start", ("class", "share", "by chance"), (0.4, 0.3, 0.3), shares
    )
    said = f"{percent(told['success'])} of these dreams reached their class; they changed their noise by {number(told['rmse_db'])} dB (RMS)."
    return [Text(said), alike, regions]

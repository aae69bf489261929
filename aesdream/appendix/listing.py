"""The tables that page and PDF print, as rows of text drawn from results.json: one making, two settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aesdream.appendix import words
from aesdream.appendix.chapters import Listing
from aesdream.appendix.words import DASH, count, interval, number, percent, significant

Content = Mapping[str, Any]


def glance(content: Content) -> list[tuple[str, str]]:
    """The study in a few lines, each with its heading; what is synthetic first."""
    sounds, training = content["sounds"], content["study"]["training"]
    lines = [("Labels", synthetic(sounds)), *_other_composers(content)]
    labels = ", ".join(f"{count(n)} {name}" for name, n in sounds["labels"].items())
    share = f" ({percent(sounds['shares'][sounds['positive']])} {sounds['positive']})" if len(sounds["labels"]) == 2 else ""
    family = f"{count(sounds['families'])} families" if sounds["families"] else "families unknown"
    channels = "mono" if sounds.get("channels") == 1 else "stereo"
    size = f"{count(sounds['count'])} {channels} sounds of {sounds['seconds']:g} s at {sounds['sample_rate']:,} Hz"
    lines.append(("Corpus", f"{size}: {labels}{share}; {family}."))
    if any(dream["start"] == "source" for sweep in content["sweeps"].values() for dream in sweep["dreams"]):
        lines.append(("Start of the dreams", f"{sounds['source']['name']}, {sounds['source']['seconds']:g} s before preparation."))
    lines.append(("Treatments", "; ".join(_treatments(training["treatments"])) + "."))
    made = sum(model["problem"] is None for model in content["models"])
    seeds = f"{training['splits']} splits with {training['seeds']} seeds each, unless a treatment says otherwise"
    lines.append(("Models", f"{made} of {len(content['models'])} trained ({seeds}), protocols {', '.join(training['protocols'])}."))
    lines.append(("Dreams", fates(content["outcome"])))
    measured = content["measured"]
    if measured["asked"]:
        said = f"{count(measured['made'])} of {count(measured['asked'])} made: dreams of which only numbers are kept, so that nobody can hear them."
        lines.append(("Besides", f"{said} They are not counted above."))
    return lines + ([("Notes", content["study"]["notes"])] if content["study"]["notes"] else [])


def _other_composers(content: Content) -> list[tuple[str, str]]:
    """The rules of composers other than the corpus's own, by whom treatments are judged."""
    made = content["sounds"].get("synthetic") or {}
    named = {settings.get("composer") for settings in content["study"]["training"]["treatments"].values()}
    others = [(name, told) for name, told in made.get("composers", {}).items() if name in named and name != made["composer"]]
    said = " ".join(f"“{name}”: {told['rule']}" for name, told in others)
    return [("Other composers", f"As many sounds, other labels of the same kind, for treatments that say so. {said}")] if others else []


def fates(outcome: Content) -> str:
    """How many dreams rose and how many did not, and why; the parts add up to the dreams made."""
    parts = f"{outcome['dead']} dead, {outcome['overshot']} that overshot, "
    parts += f"{outcome['sure']} that needed no step, " if outcome["sure"] else ""
    parts += f"{outcome['unexplained']} that no test explains"
    said = f"{outcome['made']} of {outcome['asked']} made. Of these {outcome['rose']} raised their target's activation and "
    said += f"{outcome['still']} did not ({parts})."
    slow, past = outcome["rose_although_dead"], outcome["rose_although_overshot"]
    said += f" Rose although a test calls the target dead: {slow}." if slow else ""
    return said + (f" Rose although they overshot, and ended below the highest that they had reached: {past}." if past else "")


def synthetic(sounds: Content) -> str:
    """Whether the labels are made up, and by which rule."""
    made = sounds["synthetic"]
    if made is None:
        return "Given with the sounds."
    if "composer" not in made:
        return f"Known, because the sounds are SYNTHETIC: {made['processor']} ({made['font']})."
    rule = f"a written rule (composer “{made['composer']}”) made them. {made['rule']} Share asked for: {percent(made['share'])}."
    exchanged = f"{made['exchanged']} positive labels were then exchanged with as many negative ones."
    return f"SYNTHETIC. Nobody listened: {rule} {exchanged} The sounds are synthetic too, by {made['processor'].rstrip('.')}."


def _treatments(given: Mapping[str, Content]) -> Iterator[str]:
    """What each treatment does; those that differ in nothing but composer and network, every one with every one, together."""
    kinds: dict[str, dict[str, Content]] = {}
    for name, settings in given.items():
        kinds.setdefault(str({**settings, "composer": None, "network": None}), {})[name] = settings
    for kind in kinds.values():
        choices = {what: list(dict.fromkeys(settings.get(what) for settings in kind.values())) for what in ("composer", "network")}
        names = [*kind]
        if len(kind) == 1 or len(kind) < len(choices["composer"]) * len(choices["network"]):
            yield from (f"{name}: {treatment(settings)}" for name, settings in kind.items())
            continue
        varied = [
            f"{what}s {', '.join(f'“{one}”' for one in found)}" if len(found) > 1 else f"{what} “{found[0]}”"
            for what, found in choices.items()
            if found != [None]
        ]
        same = treatment({**kind[names[0]], "composer": None, "network": None})
        yield f"{names[0]} to {names[-1]} ({len(names)}): {same}, {' and '.join(varied)}"


def treatment(settings: Content) -> str:
    """How a treatment makes its training set, in words."""
    parts = []
    if settings["window"] is not None:
        parts.append(f"windows of {settings['window']:g} s, {settings['overlap']:g} s overlap")
    if settings["oversampling"] > 1:
        parts.append(f"{settings['oversampling']} times the rarer class")
    if settings.get("dreams"):
        dreamed = "and their dreams to wrong classes" if settings["dreams"]["steps"] else "undreamed, each heard twice (control)"
        parts.append(f"then learned on from {count(settings['dreams']['sounds'])} of them {dreamed}")
    if settings.get("composer"):
        parts.append(f"judged by the composer “{settings['composer']}”")
    if settings.get("network"):
        parts.append(f"network “{settings['network']}”")
    if settings.get("augmentation"):
        parts.append(f"with {settings['augmentation']} noise added in training")
    if settings["labels"] == "shuffled":
        parts.append("training labels permuted (control)")
    if settings["epochs"] == 0:
        parts.append("not trained (control)")
    said = ", ".join(parts) or "the sounds as they are"
    return said + (f", {settings['seeds']} {'seed' if settings['seeds'] == 1 else 'seeds'}" if settings["seeds"] else "")


def heading(table: Content) -> str:
    """What an evaluation's table is of."""
    unit = {"validation": " by window", "sounds": " by sound"}[table["set"]] if table["windowed"] else ""
    return f"{table['treatment']}, {table['protocol']}{unit}"


def matrix(confusion: Content | None) -> list[list[str]]:
    """A confusion matrix as the thesis prints it: rows for the judgement, columns for the truth."""
    cells = [["tp", "fp"], ["fn", "tn"]]
    names = ("ŷ = 1", "ŷ = 0")
    return [[name, *(DASH if confusion is None else count(confusion[cell]) for cell in row)] for name, row in zip(names, cells, strict=True)]


def measures(table: Content) -> Listing:
    """Every measure of one treatment under one protocol: a named model's, and the mean over its models."""
    named, mean = table["named"], table["mean"]
    rows = [
        [
            name,
            interval(named["measures"][key]) if named else DASH,
            interval(mean[key]) if mean else DASH,
            number(mean[key]["sd_splits"]) if mean else DASH,
            number(mean[key]["sd_seeds"]) if mean else DASH,
        ]
        for key, name in words.MEASURES.items()
    ]
    heads = ("measure", "named model [95 %]", "mean over models [95 %]", "s.d. splits", "s.d. seeds")
    return Listing(heading(table), heads, (0.32, 0.24, 0.24, 0.1, 0.1), rows, notes(table))


def notes(table: Content) -> list[str]:
    """What must be said beside an evaluation: sizes, leaks, deaths, and models that are missing."""
    said = []
    if table["named"]:
        sizes, named = table["named"]["sizes"], table["named"]
        pieces = f" from {count(sizes['validation_sounds'])} sounds" if sizes["validation_sounds"] != sizes["validation"] else ""
        said.append(
            f"Named model {named['model']}: {count(sizes['train'])} to train, {count(sizes['validation'])} to validate{pieces}; "
            f"positive in this set {percent(named['prevalence'])}, in the corpus {percent(named['corpus_prevalence'])}. "
            f"Means over {words.models_of(table)}."
        )
    if table["leaky"]:
        said.append(
            "LEAKY: copies or windows of validation sounds were trained on, so these numbers flatter, precision at the corpus's prevalence too."
        )
    said += [f"{entry['unit']}: {entry['why']}." for entry in table["died"]]
    return said + [f"Missing: {entry['unit']} ({entry['why']})." for entry in table["problems"]]


def overview(content: Content) -> Listing:
    """Every treatment, control and yardstick by protocol, one a row."""
    keys = ("roc_auc", "average_precision", "recall", "precision_at_prevalence")
    rows = []
    for protocol in dict.fromkeys(table["protocol"] for table in content["tables"]):
        for table in (table for table in content["tables"] if table["protocol"] == protocol):
            name = heading(table).replace(f", {protocol}", "") + (" (leaky)" if table["leaky"] else "") + (" (control)" if table["control"] else "")
            found = [interval(table["mean"][key]) if table["mean"] else DASH for key in keys]
            rows.append([protocol, f"{name}, {words.models_of(table)}", *found])
        for stick in (stick for stick in content["yardsticks"] if stick["protocol"] == protocol):
            rows.append([protocol, words.judge(stick), *(interval(stick["mean"][key]) for key in keys)])
    rows += [
        [
            DASH,
            words.LEVELS[level["descriptor"]] + (f", {level['composer']}" if level.get("composer") else ""),
            interval(level["roc_auc"]),
            *[DASH] * (len(keys) - 1),
        ]
        for level in content["levels"]
    ]
    heads = ("protocol", "judge", "ROC AUC", "average precision", "recall", "precision*")
    said = ["Means over models with 95 % intervals by bootstrap over families. * at the corpus's prevalence.", *_overview_notes(content)]
    if not content["yardsticks"]:
        said.append("No yardsticks: no model of a treatment without windows is there to give its split.")
    return Listing("All judges", heads, (0.11, 0.27, 0.155, 0.155, 0.155, 0.155), rows, said)


def _overview_notes(content: Content) -> list[str]:
    """What keeps a reader from misreading two of the rows."""
    said = [
        "Whole corpus: all sounds ranked by their level itself, nothing fitted; below 0.5 the positive ones are the softer. “Level alone” is fitted "
        "to training sounds and held out; where level tells nothing it tends to a little below 0.5."
    ]
    ceilings = [stick["mean"]["roc_auc"]["value"] for stick in content["yardsticks"] if stick["judge"] == "ceiling"]
    if len({table["protocol"] for table in content["tables"]}) > 1:
        rule = f": the composer's own rule reaches from {number(min(ceilings))} to {number(max(ceilings))}" if ceilings else ""
        said.append(f"Compare within a protocol, not across: each splits off other sounds, with other exchanged labels{rule}.")
    if (content["sounds"].get("synthetic") or {}).get("composer") == "bright":
        said.append("The ten descriptors hold the spectral centroid, which is nearly the composer's rule.")
    settings = content["study"]["training"]["treatments"]
    protocols: dict[str, set[str]] = {}
    for table in content["tables"]:
        if settings[table["treatment"]]["window"] is None and settings[table["treatment"]]["oversampling"] == 1:
            protocols.setdefault(table["treatment"], set()).add(table["protocol"])
    same = [name for name, found in protocols.items() if {"augment-first", "split-first"} <= found]
    if same:
        said.append(f"Without copies and windows augment-first and split-first give the same model by construction: {', '.join(same)}.")
    return said


def comparisons(content: Content) -> Listing:
    """Treatments against each other on the same validation sounds, a pair a row."""
    pairs: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in content["comparisons"]:
        if entry["difference"]:
            pairs.setdefault((entry["protocol"], f"{entry['to']} less {entry['from']}"), {})[entry["measure"]] = entry["difference"]
    measured = list(dict.fromkeys(entry["measure"] for entry in content["comparisons"]))
    rows = [
        [*pair, *(interval(found.get(key)) for key in measured), " / ".join(dict.fromkeys(str(each["n"]) for each in found.values()))]
        for pair, found in pairs.items()
    ]
    note = "Paired bootstrap: each draw weighs the same families on both sides. An interval across 0 decides nothing. Windowed treatments by sound."
    if any(entry["difference"] is None for entry in content["comparisons"]):
        note += " Treatments that were never validated on the same sounds are left out."
    below = [entry["control"] for entry in content["headline"]["against"] if entry["turned"]]
    if below:
        note += f" Differences to {', '.join(below)} are no gain: it lies below chance."
    heads = ("protocol", "difference", *(words.MEASURES[key] for key in measured), "pairs")
    return Listing("Treatments compared", heads, (0.12, 0.3, *[0.52 / max(len(measured), 1)] * len(measured), 0.06), rows, [note])


def summaries(content: Content) -> list[Listing]:
    """What each sweep's dreams came to, a layer a row."""
    return [summary(name, sweep) for name, sweep in content["sweeps"].items()]


def summary(name: str, sweep: Content) -> Listing:
    """One sweep's dreams, a model, layer, side and start a row; what did not rise, and why, below."""
    rows, still = [], []
    for line in sweep["summary"]:
        where = f"{line['model']}, {line['layer']} {line['side']}, {line['start']}"
        made = str(line["made"]) if line["made"] == line["dreams"] else f"{line['made']} of {line['dreams']}"
        rows.append(
            [
                line["model"],
                f"{line['layer']} {line['side']}",
                line["start"],
                made,
                str(line["rose"]),
                str(line["still_dead"]),
                str(line["still_other"]),
                str(line["states"]["overshot"]),
                _range(line["gain"], significant),
            ]
        )
        rows[-1] += [_range(line["rms_from_start"], significant), _range(line["share_under_20hz"], percent)]
        if line["not_rose"]:
            still.append(
                f"Did not rise, {where}: "
                + "; ".join(f"{each['target']} ({words.states(each['state'], short=True) or words.STILL[each['fate']]})" for each in line["not_rose"])
            )
    heads = (
        "model",
        "layer",
        "start",
        "made",
        "rose",
        "not: dead",
        "not: other",
        "overshot",
        "activation gained",
        "RMS from start",
        "share under 20 Hz",
    )
    rule = f"Rule {sweep['rule']}, step {sweep['step']:g}, {sweep['steps']} steps. Median (smallest to largest); RMS and share of those that rose."
    counted = "Made = rose + not: dead + not: other (overshot, sure from the start, or no test explains it). "
    counted += "Overshot: every dream that did, those that rose all the same too."
    return Listing(f"Sweep “{name}”", heads, (0.17, 0.07, 0.08, 0.05, 0.045, 0.045, 0.05, 0.07, 0.15, 0.14, 0.13), rows, [rule, counted, *still])


def _range(found: Content, form: Any) -> str:
    if found["median"] is None:
        return DASH
    low, high = (form(found[key]).removesuffix(" %") for key in ("smallest", "largest"))
    return f"{form(found['median']).removesuffix(' %')} ({low} to {high})" + (" %" if form is percent else "")


def problems(content: Content) -> Listing:
    """Every unit that is missing, with the reason."""
    rows = [[entry["unit"], entry["why"]] for entry in content["problems"]]
    return Listing("Units that are missing", ("unit", "why"), (0.65, 0.35), rows)

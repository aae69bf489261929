"""The chapter's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix.chapters import Block, Listing
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.appendix.truth.seeds import OTHER, SEED, taught
from aesdream.appendix.truth.verdicts import VERDICTS
from aesdream.appendix.words import DASH, decibels, interval, number, percent, significant

Content = Mapping[str, Any]


def heard(found: Content) -> Listing:
    """What each network hears of each composer, beside judges without a network."""
    networks = found["networks"]
    rows = []
    for composer in found["composers"]:
        cells = [next((row for row in network["rows"] if row["composer"] == composer), None) for network in networks]
        sticks = found["yardsticks"].get(composer, {})
        rows.append([composer, *(_auc(row) for row in cells), *(interval(sticks.get(judge)) for judge in ("descriptors", "ceiling"))])
    heads = ("composer", *(network["network"] for network in networks), "ten descriptors", "its own rule")
    notes = (
        "ROC AUC on held-out families: the mean over models with its 95 % interval over families; one half is guessing. Ten plain descriptors "
        "(logistic) and the composer's own rule, which does not know the exchanged labels, are judged on the same sounds.",
    )
    return Listing("What each network hears", heads, (0.1, *[0.9 / (len(heads) - 1)] * (len(heads) - 1)), rows, notes)


def _auc(row: Content | None) -> str:
    if row is None:
        return DASH
    judged = 0 if row["roc_auc"] is None else row["roc_auc"]["n"]
    return interval(row["roc_auc"]) + ("" if judged in (None, row["expected"]) else f" ({judged} of {row['expected']})")


def diagonal(network: Content, determinants: Sequence[str]) -> list[Block]:
    """What a network's dreams did to the determinant of each composer: both ways, beside controls and rivals."""
    columns = list(determinants)
    rows = []
    for row in network["rows"]:
        own = row["cells"][columns.index(row["composer"])]
        both = [interval(one) for one in row["toward"]]
        models = str(row["models"]) if row["models"] == row["expected"] else f"{row['models']} of {row['expected']}"
        line = [
            row["composer"],
            f"{models} × {row['starts']}",
            str(row["pairs"]),
            *both,
            interval(own),
            interval(row["reach"]),
            interval(row["share"]),
        ]
        rows.append([*line, VERDICTS[row["verdict"]]])
    heads = ("composer", "models × starts", "pairs", "Δ toward “interesting”", "Δ toward “not”", "contrast", "reach", "share", "verdict")
    notes = (
        "In standard deviations of the corpus. Reach: the contrast of dreams of the composer's rule itself, from the same starts to the same "
        "distance: so far, at least, it can be moved. Share: of that, split by split.",
    )
    title = f"{network['network']}: the composer's own determinant, at RMS {significant(network['rms'])}"
    first = Listing(title, heads, (0.08, 0.08, 0.05, 0.15, 0.15, 0.14, 0.12, 0.14, 0.09), rows, notes)
    return [first, *_against(network)]


def _against(network: Content) -> list[Block]:
    claims = [(_of(row, claim), row, claim) for row in network["rows"] for claim in row["claims"]]
    rows = [
        [name, *(interval(claim["less"].get(control)) for control in CONTROLS), _named(claim["margin"]), _named(claim["column"])]
        for name, _, claim in claims
    ]
    heads = ("contrast of", *(f"less {name}" for name in CONTROLS.values()), "less closest rival", "less other composers'")
    notes = (
        "As shares of what dreams of each determinant's own rule move, at the starts that both have. A rival is what else the same dreams moved, in "
        "either direction: the one that the contrast lies least surely above; without numbers where no dreams of its rule tell how far it can be "
        "moved. The last column compares so with the dreams of the other composers' models that were heard. Of a mixture every part is told.",
    )
    sure = [
        [
            name,
            interval(claim["median"]),
            interval(claim["apart"]),
            number(claim["within"], 2),
            number(claim["shown"], 2),
            *(number(told) for told in (claim["p"], row["p_corrected"], claim["p_faint"], row["p_faint_corrected"])),
        ]
        for name, row, claim in claims
    ]
    more = (
        "Median: over starts, in place of their mean. Apart, in standard deviations: what is left once what comes along with all rivals in the "
        "corpus is taken out. Within: the contrast less each control surely lies within so much of zero (90 % intervals). Would have shown: the "
        "smallest contrast that, at this width, counts beyond every control. p: of all that “tells” needs, and corrected for the number of judged "
        "rows (Holm), then of all that “tells, faintly” does; a dash where a rival or another composer is not known.",
    )
    second = ("contrast of", "median", "apart from rivals", "within ±", "would have shown", "p", "corrected", "p, faintly", "corrected")
    return [
        Listing("", heads, (0.14, 0.16, 0.16, 0.16, 0.19, 0.19), rows, notes),
        Listing("", second, (0.14, 0.18, 0.18, 0.08, 0.1, 0.08, 0.08, 0.08, 0.08), sure, more),
    ]


def _of(row: Content, claim: Content) -> str:
    return str(row["composer"]) if claim["determinant"] == row["composer"] else f"{claim['determinant']} ({row['composer']})"


def elsewhere(found: Content) -> Listing:
    """The diagonal at the distances at which no verdict is taken."""
    rows = [
        [
            f"{row['composer']}, {network['network']}",
            significant(one["rms"]),
            str(one["pairs"]),
            interval(one["contrast"]),
            interval(one["reach"]),
            _less(one),
        ]
        for network in found["networks"]
        for row in network["rows"]
        for one in row["elsewhere"]
    ]
    heads = ("composer, network", "RMS", "pairs", "contrast", "reach", f"less {', '.join(CONTROLS.values())}")
    notes = (
        "In standard deviations. No verdict is taken here. Dreams farther than the verdict's distance lie outside all that a network has heard.",
    )
    return Listing("At other distances", heads, (0.16, 0.06, 0.06, 0.16, 0.16, 0.4), rows, notes)


def _less(one: Content) -> str:
    return "; ".join(interval(one["less"].get(name)) for name in CONTROLS)


def arms(found: Content) -> Listing:
    """How many dreams of each direction did not come as far as all are compared at, and how many ended more their class than they began."""
    every = [
        (f"{row.get('composer') or CONTROLS[row['control']]}, {network['network']}", row["arms"])
        for network in found["networks"]
        for row in (*network["rows"], *network["controls"])
    ]
    every += [(f"the rule of {rule['composer']} itself", rule["arms"]) for rule in found["rules"]]
    rows = [[name, *(text for arm in both for text in (f"{arm['short']} of {arm['made']}", percent(arm["rose"])))] for name, both in every]
    heads = ("", "“interesting”: fell short", "rose", "“not”: fell short", "rose")
    notes = (
        f"Pairs of which one dream fell short are left out; where more than {percent(found['most_missing'])} of a direction did, a row gets no "
        "verdict, a control allows none, and a rule does not tell how far its determinant can be moved. Rose: the share that ended more their class "
        "than they began.",
    )
    return Listing("How far dreams came, and whether they rose", heads, (0.32, 0.2, 0.14, 0.2, 0.14), rows, notes)


def _named(found: Content | None) -> str:
    return DASH if found is None else f"{found['rival']}: {interval(found)}"


def layers(found: Content) -> list[Block]:
    """What comes again from another seed, layer by layer."""
    rows = found["seeds"]
    if not rows:
        return []
    columns = [name for name in (*found["composers"], OTHER, SEED, "shuffled", "untrained") if any(name in row["sets"] for row in rows)]
    heads = ("network, layer", "limit", *(CONTROLS.get(name, name) for name in columns))
    widths = (0.15, 0.07, *[0.78 / len(columns)] * len(columns))
    again = [
        [_place(row), number(row["threshold"], 2), *(_again(row["sets"].get(name), starred=name in found["composers"]) for name in columns)]
        for row in rows
    ]
    notes = (
        "Share of the pairs of filters, matched between two seeds of a split by their responses to held-out sounds, whose correlation is above the "
        "limit: what 95 % of the pairs between models of shuffled labels of the other splits stay below (its mean is shown). The first principal "
        "component of each layer is taken out before. * surely more (intervals over splits) than between models of other composers and other seeds, "
        "than between those of shuffled labels, and than between untrained ones: only this a composer taught. “Other composer, same seed” began with "
        "the same weights and learned other labels. A dash: fewer than three living filters.",
    )
    alike = [[_place(row), *(_cka(row["sets"].get(name)) for name in columns)] for row in rows]
    more = ("Linear centred kernel alignment of whole layers, 1 for layers that are turned and scaled copies of each other.",)
    widths_alike = (0.15, *[0.85 / len(columns)] * len(columns))
    return [
        Listing("Filters found again from another seed", heads, widths, again, notes),
        Listing("How alike layers are from another seed", (heads[0], *heads[2:]), widths_alike, alike, more),
    ]


def _place(row: Content) -> str:
    return f"{row['network']}, {row['layer']}"


def _again(one: Content | None, *, starred: bool) -> str:
    if one is None or one["found_again"]["value"] is None:
        return DASH
    return number(one["found_again"]["value"], 2) + (" *" if starred and taught(one) else "")


def _cka(one: Content | None) -> str:
    return DASH if one is None else number(one["cka"]["value"], 2)


def transfers(found: Content) -> list[Block]:
    """Dreams heard by other models."""
    filters = [one for one in found["transfer"] if one["excited"] is not None]
    classes = [one for one in found["transfer"] if one["share_toward"] is not None]
    blocks: list[Block] = []
    if filters:
        rows = [
            [
                one["network"],
                one["composer"],
                one["layer"],
                _looked(one),
                *(interval(one[key]) for key in ("excited", "beyond_others", "less_shuffled")),
            ]
            for one in filters
        ]
        notes = (
            "A dream of a filter is heard by a model of the same treatment and split with another seed. Share of that layer's other filters that "
            "rise less than the filter's match, in standard deviations over held-out sounds: one half by chance. Beyond others: how much higher the "
            "match stands than it does in the same model's dreams of other filters; less shuffled: how much more so than between models of shuffled "
            "labels.",
        )
        heads = ("network", "composer", "layer", "dreams heard", "match stands above", "beyond others", "less shuffled")
        blocks.append(
            Listing("Does a dream of a filter excite its match in another model?", heads, (0.12, 0.12, 0.08, 0.1, 0.19, 0.19, 0.2), rows, notes)
        )
    if classes:
        rows = [
            [one["network"], one["composer"], _looked(one), *(interval(one[key]) for key in ("share_toward", "less_shuffled", "carried"))]
            for one in classes
        ]
        notes = (
            "Both dreams of a start are heard. Share of pairs of which the other model finds the one toward “interesting” more interesting (one "
            "half by chance), how much larger that is than among models of shuffled labels, and how far apart it finds them, out of how far they "
            "are for their own model (median).",
        )
        columns = ("network", "composer", "dreams heard", "told apart", "less shuffled", "of its own margin")
        blocks.append(Listing("Does a dream of a class move another model's judgement?", columns, (0.14, 0.13, 0.13, 0.2, 0.2, 0.2), rows, notes))
    return blocks


def _looked(one: Content) -> str:
    return f"{one['looked_at']} of {one['dreams']}"


def regularisers(found: Content) -> list[Block]:
    """Regularised dreams, and those of augmented models, beside plain ones."""
    if not found["regularised"]:
        return []
    rows = [
        [
            f"{one['composer']}, {one['network']}", one["way"], f"{one['models']} × {one['starts']}", str(one["pairs"]),
            number(one["roc_auc"] and one["roc_auc"]["value"], 2),
            *(percent(one[key]["value"]) for key in ("share_under_20hz", "share_audible")), decibels(one["above_db"]["value"]),
            significant(one["gain"]["value"]),
        ]
        for one in found["regularised"]
    ]  # fmt: skip
    heads = ("composer, network", "dreamed", "models × starts", "pairs", "AUC", "under 20 Hz", "audible", "above threshold", "activation gained")
    notes = (
        "All ways of a composer and network from the same starts. Pairs: of which both passed the verdict's distance. Means over dreams where they "
        "ended: at the farthest distance that is asked for, or where their gradient or their steps did. Under 20 Hz: share of the change's energy. "
        "Audible: share of its energy above the threshold in quiet and above what the start masks; above threshold: how far, on average.",
    )
    own = ("shuffled", "untrained")
    told = [
        [
            f"{one['composer']}, {one['network']}", one["way"], interval(one["contrast"]), *(interval(one["less"].get(name)) for name in own),
            _named(one["margin"]), interval(one["less_plain"]),
        ]
        for one in found["regularised"]
    ]  # fmt: skip
    columns = ("composer, network", "dreamed", "contrast", "less own shuffled", "less own untrained", "less closest rival", "less plain")
    more = (
        "The contrast of the composer's own determinant at the verdict's distance, as a share of what dreams of its rule move (plain ones, without "
        "a regulariser), with its 95 % interval over splits; less that of controls that "
        "were dreamed in the same way (untrained networks know no augmentation). Beyond plain dreams says nothing of what was learned by itself: a "
        "regulariser that moves all dreams into hearing moves every determinant more. Random directions have no gradient to regularise.",
    )
    return [
        Listing("Regularised below the threshold of hearing", heads, (0.17, 0.17, 0.09, 0.06, 0.06, 0.11, 0.1, 0.12, 0.12), rows, notes),
        Listing("What regularised dreams tell", columns, (0.13, 0.12, 0.15, 0.15, 0.15, 0.15, 0.15), told, more),
    ]


def first_layers(found: Content) -> list[Block]:
    """What of all dreams is one kernel, and how alike both directions are."""
    shares = {one["network"]: one for one in found["first_layer"]}
    rows = []
    for network in found["networks"]:
        own = {"control": "", "directions": network["directions"]}
        for beside in (own, *(row for row in network["controls"] if row["control"] != "random")):
            one, alike = None if beside["control"] else shares.get(network["network"]), beside["directions"]
            share = DASH if one is None else f"{percent(one['share']['value'])} of {one['kernels']}"
            heard = [percent(alike[key]["value"]) for key in ("share_under_20hz", "share_audible")]
            name = network["network"] + (f", {CONTROLS[beside['control']]}" if beside["control"] else "")
            rows.append([name, interval(alike["determinants"]), interval(alike["added"]), share, *heard])
    heads = ("network", "determinants moved", "sound added", "in conv1's strongest kernel", "under 20 Hz", "audible")
    notes = (
        "Cosine between the changes toward “interesting” and toward “not” from one start: in all determinants, and as sounds, where these were kept. "
        "Then: what share of the energy that dreams of filters and classes add through conv1 lies in the strongest of its kernels, where that is "
        "told; and what share of the change's energy lies under 20 Hz, or can be heard at all.",
    )
    return [Listing("How alike dreams of both directions are, and what of them is heard", heads, (0.14, 0.23, 0.23, 0.18, 0.11, 0.11), rows, notes)]

"""The chapter's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix.chapters import Block, Listing
from aesdream.appendix.truth.gathered import CONTROLS
from aesdream.appendix.truth.seeds import SEED
from aesdream.appendix.truth.verdicts import BY_CHANCE, VERDICTS, exceeds
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
    models = "" if row["models"] == row["expected"] else f" ({row['models']} of {row['expected']})"
    return interval(row["roc_auc"]) + models


def diagonal(network: Content, determinants: Sequence[str]) -> list[Block]:
    """What a network's dreams did to the determinant of each composer: both ways, beside controls and rivals."""
    columns = list(determinants)
    rows = []
    for row in network["rows"]:
        own = row["cells"][columns.index(row["composer"])]
        both = [interval(one) for one in row["toward"]]
        rows.append([row["composer"], f"{row['models']} × {row['starts']}", *both, interval(own), VERDICTS[row["verdict"]]])
    heads = ("composer", "models × starts", "Δ toward “interesting”", "Δ toward “not”", "contrast", "verdict")
    title = f"{network['network']}: the composer's own determinant"
    first = Listing(title, heads, (0.12, 0.14, 0.22, 0.22, 0.2, 0.1), rows)
    return [first, _against(network, columns)]


def _against(network: Content, columns: Sequence[str]) -> Listing:
    rows = []
    for row in network["rows"]:
        place = columns.index(row["composer"])
        controls = [interval(row["against"][name][place]) if name in row["against"] else DASH for name in CONTROLS]
        rows.append([row["composer"], *controls, _named(row["margin"]), interval(row["apart"]), _named(row["column"])])
    heads = ("contrast of", *(f"less {name}" for name in CONTROLS.values()), "less closest rival", "apart from it", "less other composers'")
    notes = (
        "In standard deviations of the corpus. A rival is what else the same dreams moved, in either direction; apart from it: what is left of the "
        "contrast once what comes along with the rival in the corpus is taken out. The last column compares with the dreams of other composers' "
        "models: the one that moves this determinant most.",
    )
    return Listing("", heads, (0.1, 0.14, 0.14, 0.14, 0.17, 0.14, 0.17), rows, notes)


def _named(found: Content | None) -> str:
    return DASH if found is None else f"{found['rival']}: {interval(found)}"


def layers(found: Content) -> list[Block]:
    """What comes again from another seed, layer by layer."""
    rows = found["seeds"]
    if not rows:
        return []
    columns = [name for name in (*found["composers"], SEED, "shuffled", "untrained") if any(name in row["sets"] for row in rows)]
    heads = ("network, layer", "limit", *(CONTROLS.get(name, name) for name in columns))
    widths = (0.15, 0.07, *[0.78 / len(columns)] * len(columns))
    again = [[_place(row), number(row["threshold"], 2), *(_again(row["sets"].get(name)) for name in columns)] for row in rows]
    notes = (
        "Share of the pairs of filters, matched between two seeds of a split by their responses to held-out sounds, whose correlation is above the "
        "limit: what 95 % of the pairs between models of shuffled labels stay below, so that one in twenty is found again there. The first principal "
        "component of each layer is taken out before. * the interval over splits lies above one in twenty. “Other composer, same seed” began with "
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


def _again(one: Content | None) -> str:
    if one is None or one["found_again"]["value"] is None:
        return DASH
    share = one["found_again"]
    return number(share["value"], 2) + (" *" if exceeds(share, BY_CHANCE) else "")


def _cka(one: Content | None) -> str:
    return DASH if one is None else number(one["cka"]["value"], 2)


def transfers(found: Content) -> list[Block]:
    """Dreams heard by other models."""
    filters = [one for one in found["transfer"] if one["excited"] is not None]
    classes = [one for one in found["transfer"] if one["share_toward"] is not None]
    blocks: list[Block] = []
    if filters:
        rows = [
            [one["network"], one["composer"], one["layer"], _looked(one), interval(one["excited"]), interval(one["beyond_others"])] for one in filters
        ]
        notes = (
            "A dream of a filter is heard by a model of the same treatment and split with another seed. Share of that layer's other filters that "
            "rise less than the filter's match, in standard deviations over held-out sounds: one half by chance. Beyond others: how much higher the "
            "match stands than it does in the same model's dreams of other filters.",
        )
        heads = ("network", "composer", "layer", "dreams heard", "match stands above", "beyond others")
        blocks.append(Listing("Does a dream of a filter excite its match in another model?", heads, (0.17, 0.13, 0.1, 0.14, 0.23, 0.23), rows, notes))
    if classes:
        rows = [[one["network"], one["composer"], _looked(one), *(interval(one[key]) for key in ("share_toward", "carried"))] for one in classes]
        notes = (
            "Share of dreams of a class that move the other model's margin between the classes their way (one half by chance, as both classes are "
            "dreamed), and how far they move it, out of how far they move their own model's.",
        )
        columns = ("network", "composer", "dreams heard", "moved its way", "of its own margin")
        blocks.append(Listing("Does a dream of a class move another model's judgement?", columns, (0.2, 0.15, 0.17, 0.24, 0.24), rows, notes))
    return blocks


def _looked(one: Content) -> str:
    return f"{one['looked_at']} of {one['dreams']}"


def regularisers(found: Content) -> list[Block]:
    """Regularised dreams, and those of augmented models, beside plain ones."""
    if not found["regularised"]:
        return []
    rows = [
        [
            f"{one['composer']}, {one['network']}", one["way"], str(one["models"]), number(one["roc_auc"] and one["roc_auc"]["value"], 2),
            *(percent(one[key]["value"]) for key in ("share_under_20hz", "share_audible")), decibels(one["above_db"]["value"]),
            significant(one["gain"]["value"]), interval(one["contrast"]), interval(one["less_plain"]),
        ]
        for one in found["regularised"]
    ]  # fmt: skip
    measured = ("AUC", "under 20 Hz", "audible", "above threshold", "activation gained", "contrast", "less plain")
    heads = ("composer, network", "dreamed", "models", *measured)
    notes = (
        "Means over dreams, all stopped at the same RMS from their starts. Under 20 Hz: share of the change's energy. Audible: share of its energy "
        "above the threshold in quiet and above what the start masks; above threshold: how far, on average. The contrast is that of the composer's "
        "own determinant, with its 95 % interval over splits.",
    )
    widths = (0.12, 0.12, 0.06, 0.05, 0.08, 0.07, 0.08, 0.08, 0.17, 0.17)
    return [Listing("Regularised below the threshold of hearing", heads, widths, rows, notes)]


def first_layers(found: Content) -> list[Block]:
    """What of all dreams is one kernel, and how alike both directions are."""
    shares = {one["network"]: one for one in found["first_layer"]}
    rows = []
    for network in found["networks"]:
        one, alike = shares.get(network["network"]), network["directions"]
        share = DASH if one is None else f"{percent(one['share']['value'])} of {one['kernels']}"
        heard = [percent(alike[key]["value"]) for key in ("share_under_20hz", "share_audible")]
        rows.append([network["network"], interval(alike["determinants"]), interval(alike["added"]), share, *heard])
    heads = ("network", "determinants moved", "sound added", "in conv1's strongest kernel", "under 20 Hz", "audible")
    notes = (
        "Cosine between the changes toward “interesting” and toward “not” from one start: in all determinants, and as sounds, where these were kept. "
        "Then: what share of the energy that dreams of filters and classes add through conv1 lies in the strongest of its kernels, where that is "
        "told; and what share of the change's energy lies under 20 Hz, or can be heard at all.",
    )
    return [Listing("How alike dreams of both directions are, and what of them is heard", heads, (0.14, 0.23, 0.23, 0.18, 0.11, 0.11), rows, notes)]

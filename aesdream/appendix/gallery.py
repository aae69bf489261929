"""The dreams: the source and the body's choice (figures 6.1 to 6.16), one model's whole appendix (A.1 on), and every other dream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from aesdream.appendix import figures, listing, selection, words
from aesdream.appendix.chapters import BlindTest, Block, Chapter, Dreams, Picture, Text
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream
from aesdream.training.statistics import number

Content = Mapping[str, Any]
LEAST_BLIND = 2
"""A blind test needs some dreams to choose from."""


def numbers(material: Material) -> dict[str, Any]:
    """``figures``: the thesis's numbers and the dreams that bear them; ``blind``: those of the blind test; ``outcome``: what all dreams came to."""
    thesis = [name for name, members in material.dreams.items() if not any(dream.has_own_start for dream in members)]
    name = "appendix" if "appendix" in thesis else next(iter(thesis), None)
    members = _first_pair(material.dreams[name]) if name else []
    found: dict[str, Any] = {"figures": [], "blind": []}
    if members:
        layers = [layer for layer in material.content.get("likeness", {}).get("layers", []) if _same_pair(layer, members[0])]
        chosen = selection.select(members, layers)
        found["figures"] = _figures(chosen, members)
        found["blind"] = [dream.name for dream in chosen["living"] if dream.start != "silence" and material.views.start(dream) is not None]
    return {**found, "outcome": _outcome(list(material.by_name.values()))}


def _first_pair(members: Sequence[Dream]) -> list[Dream]:
    """The dreams of the sweep's first model from its first start: the thesis had one of each."""
    return [dream for dream in members if (dream.model, dream.start) == (members[0].model, members[0].start)]


def _same_pair(layer: Content, dream: Dream) -> bool:
    return all(layer[key] == getattr(dream, key) for key in ("sweep", "model", "start"))


def _figures(chosen: Mapping[str, Sequence[Dream]], members: Sequence[Dream]) -> list[dict[str, str | None]]:
    """The thesis's figures of dreams by number, of the sweep named ``appendix`` or the first: 6.2 to 6.16 and A.1 on (A.56 in the thesis).

    The thesis's appendix has one side alone, after the ReLU; 6.15 and 6.16 name no dream where there is no dead filter, or no second side. 6.16a is
    a filter's dream before its ReLU, 6.16b the same filter's after it.
    """
    listed: list[dict[str, str | None]] = [{"figure": f"6.{2 + place}", "dream": dream.name} for place, dream in enumerate(chosen["living"])]
    listed.append({"figure": "6.15", "dream": next((dream.name for dream in chosen["dead"]), None)})
    listed += [{"figure": f"6.16{part}", "dream": dream.name} for part, dream in zip("ab", chosen["pair"], strict=False)] or [
        {"figure": "6.16", "dream": None}
    ]
    same = [dream for dream in members if dream.side == members[0].side]
    return listed + [{"figure": f"A.{1 + place}", "dream": dream.name} for place, dream in enumerate(same)]


def _outcome(dreams: Sequence[Dream]) -> dict[str, Any]:
    fates = [dream.fate for dream in dreams]
    shares: dict[str, list[float]] = {}
    for dream in dreams:
        if dream.fate == "rose" and (share := dream.number("share_under_20hz")) is not None:
            shares.setdefault(dream.model, []).append(share)
    return {
        "asked": len(dreams),
        "made": sum(fate is not None for fate in fates),
        **{fate: fates.count(fate) for fate in ("rose", "dead", "overshot", "sure", "unexplained")},
        "still": sum(fate not in (None, "rose") for fate in fates),
        "rose_although_dead": sum(dream.dead and dream.fate == "rose" for dream in dreams),
        "rose_although_overshot": sum(dream.overshot and dream.fate == "rose" for dream in dreams),
        "medians_under_20hz": {model: number(median(each)) for model, each in shares.items()},
    }


def chapters(material: Material) -> list[Chapter]:
    """The chosen dreams, the blind test, the appendix, and all dreams."""
    content = material.content
    chosen = ("The source, and dreams chosen for diversity", "Chosen dreams") if content["figures"] else ("How sounds are drawn", "Pictures")
    made = [Chapter("chosen", chosen[0], _chosen(material), chosen[1])]
    if len(content["blind"]) >= LEAST_BLIND:
        test: list[Block] = [Text(words.BLIND), BlindTest(content["blind"])]
        made.append(Chapter("blind", "Do you hear it?", test, "Blind test", medium="page"))
    lettered = [entry for entry in content["figures"] if entry["figure"].startswith("A.")]
    if lettered:
        first = material.entries[lettered[0]["dream"]]
        pictures = [_dream(material, entry["figure"], entry["dream"], figures.APPENDIX_SIZE) for entry in lettered]
        title = f"Figures A.1 to A.{len(lettered)}: every dream of {first['model']}, {words.side(first['layer'], first['side'])}"
        made.append(Chapter("appendix", title, pictures, medium="pdf"))
    printed = {entry["dream"] for entry in lettered}
    every = Dreams([name for name in material.entries if name not in printed])
    sweeps = listing.summaries(content)
    made.append(Chapter("dreams", "Every dream", [every] if material.entries else [Text(words.NUMBERS_ALONE), every], "All dreams"))
    return [*made, Chapter("sweeps", "What the dreams came to", sweeps, "Sweeps")] if sweeps else made


def _chosen(material: Material) -> list[Block]:
    content = material.content
    name = content["sounds"]["source"]["name"]
    shown = material.views.source()
    sound = f"appendix/starts/source-{shown.samples}"
    source = Picture(
        "source",
        f"the source ({name}) as the networks hear it, from which dreams start.",
        figures.SOURCE_SIZE,
        partial(figures.sound, shown=shown),
        "Waveform and spectrogram of the source.",
        "6.1",
        sound=(f"{sound}.mp3", f"{sound}.wav"),
    )
    key = Picture("colours", "Colours of every spectrogram.", figures.KEY_SIZE, figures.colour_key, "From dark to bright: −90 to 0 dB.")
    blocks: list[Block] = [Text(words.KEY, "note"), key]
    if not material.by_name or any(dream.start == "source" for dream in material.by_name.values()):
        blocks.append(source)
    blocks += [Text(words.CHOICE), Text(_whose(material))] if content["figures"] else []
    for entry in (entry for entry in content["figures"] if entry["figure"].startswith("6.")):
        if entry["dream"] is None:
            blocks.append(Text(f"Figure {entry['figure']}: {words.NO_FIGURE[entry['figure']]}"))
        else:
            blocks.append(_dream(material, entry["figure"], entry["dream"], figures.BODY_SIZE))
    return blocks


def _whose(material: Material) -> str:
    """Which model the figures are of, in words."""
    name = next(entry["dream"] for entry in material.content["figures"] if entry["dream"])
    model = material.entries[name]["model"]
    treatment, protocol, _ = model.split("/")
    leaky = ", whose validation shares sounds with its training" if protocol == "augment-first" else ""
    return f"All are dreams of one model, {model}: trained on the {treatment} sounds, split {protocol}{leaky}. The sweep dreams it first."


def _dream(material: Material, figure: str, name: str, size: tuple[float, float]) -> Picture:
    """A dream's figure: large as in the body, or flat as in the appendix; one that is missing has a caption alone."""
    entry, dream = material.entries[name], material.by_name[name]
    draw = None
    if dream.ready:
        shown, start = material.views.of(dream), material.views.start(dream)
        pictured: Any = partial(figures.body, dream=dream) if size == figures.BODY_SIZE else figures.sound
        draw = partial(pictured, shown=shown, start=start)
    caption = f"{words.caption(entry)} ({words.command(entry)})."
    return Picture(f"figure-{figure}", caption, size, draw, number=figure, title=words.titled(entry), dream=name)

"""The instrument study as a part of an appendix: its numbers in results.json, and its chapters on the page and in the PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aesdream.appendix.chapters import Audio, Block, Chapter, Heading, Picture
from aesdream.appendix.instruments import figures, tables
from aesdream.appendix.instruments.dreamt import Dreamt, dreamt
from aesdream.appendix.instruments.learning import learning
from aesdream.appendix.instruments.patterns import agreeing, changes_of, whole_grid
from aesdream.appendix.instruments.summary import evaluated, gathered, over_models, performances, summary
from aesdream.appendix.material import Material
from aesdream.appendix.reading import Dream
from aesdream.appendix.words import nth, slug
from aesdream.dreaming.settings import RELATIVE, drawn

Content = Mapping[str, Any]
WIDTH = 7.3
ORIGINALS, NOISES = 2, 3
"""Rows of figures 2 and 3, as in the paper."""


def numbers(material: Material) -> dict[str, Any]:
    """``instruments``: what models of many classes are worth on every set, and their means; what is said of dreams of classes; what learning from
    dreams was worth; and figure 1's rows, by model."""
    study, evaluations, means = material.study, evaluated(material.models), over_models(material.study, material.models)
    dreams = gathered(material.models, material.dreams)
    sweeps = summary(study, material.models, dreams, material.sounds["classes"])
    if not evaluations and not sweeps:
        return {}
    rows = {name: performances(sets, means.get(name.rpartition("/")[0]), sweeps, name) for name, sets in evaluations.items()}
    whole = {model.name: model.evaluation for model in material.models if model.name in evaluations and model.evaluation}
    learned = learning(study, whole, dreams)
    return {"instruments": {"sets": evaluations, "means": means, "sweeps": sweeps, "learning": learned, "performance": rows}}


def chapters(material: Material) -> list[Chapter]:
    """How well classes are told, targeted dreams, dreams from noise; each where there is something to say."""
    found = material.content.get("instruments")
    if found is None:
        return []
    made = []
    if found["sets"]:
        made.append(Chapter("performance", "How well the instruments are told", _performance(found), "Performance"))
    targeted = _of_sweeps(found, "targeted", tables.targeted) + _originals(material)
    if targeted:
        made.append(Chapter("targeted", "Dreams to the right class and to a wrong one", targeted, "Targeted dreams"))
    noises = _of_sweeps(found, "noises", tables.noises) + _noise_grids(material)
    if noises:
        made.append(Chapter("noise", "Dreams from noise", noises, "Noise dreams"))
    if found["learning"]:
        blocks = [block for one in found["learning"] for block in tables.learning(one)]
        made.append(Chapter("learning", "Learning on from dreams", blocks, "Learning from dreams"))
    return made


def _performance(found: Content) -> list[Block]:
    blocks: list[Block] = [tables.sets(found["sets"], found["means"]), *(tables.classes(name, sets) for name, sets in found["sets"].items())]
    name, rows = next(iter(found["performance"].items()))
    size = (WIDTH, figures.performance_height(rows))
    caption = (
        f"F1 of {name} or, where there are several, the mean over such models, on its sets and on the sounds that were dreamed, beside what one has "
        "who says every class, and systems published for IRMAS. S2, its own threshold from the validation sounds, which flatters it on those; lines "
        "are 95 % intervals over recordings. Ours heard other sounds where the study is not on IRMAS. Hollow: unverified."
    )
    draw = partial(figures.performance, rows=rows)
    return [Picture("performance", caption, size, draw, "The table above has our numbers.", "1"), *blocks, tables.published()]


def _of_sweeps(found: Content, kind: str, tell: Any) -> list[Block]:
    """What is said of every sweep and model that has dreams of a kind, the paper's claims first."""
    blocks: list[Block] = []
    for sweep, of_models in found["sweeps"].items():
        for model, told in of_models.items():
            if kind in told:
                blocks += [Heading(f"Sweep “{sweep}”: {model}"), tables.claims(told["claims"]), *tell(told[kind])]
                if "matrix" in told[kind]:
                    blocks.append(_matrix(f"{sweep}-{slug(model)}", told[kind], list(told[kind]["classes"])))
    return blocks


def _matrix(name: str, told: Content, classes: Sequence[str]) -> Picture:
    title = "right-dreamed to wrong-dreamed, dB²"
    draw = partial(figures.pair_matrix, values=told["matrix"]["right_to_wrong"], classes=classes, title=title)
    caption = "Mean square error between the right-dreamed and the wrong-dreamed spectrogram of the same sounds, by right and wrong class."
    return Picture(f"pairs-{name}", caption, (4.2, 3.9), draw, "Matrix of class pairs; results.json has its numbers.")


def _originals(material: Material) -> list[Block]:
    """Figure 2 of every sweep that dreams held-out sounds to several named classes."""
    blocks: list[Block] = []
    for sweep, members in material.dreams.items():
        chosen = [dream for dream in members if drawn(dream.start)[0] == "held-out" and dream.target not in RELATIVE]
        for model in dict.fromkeys(dream.model for dream in chosen):
            rows = _rows(dreamt(dream for dream in chosen if dream.model == model))[:ORIGINALS]
            if not rows:
                continue
            shown = partial(figures.originals, rows=rows, classes=material.sounds["classes"])
            caption = (
                f"Held-out sounds as they were and dreamed to {_goals(rows)} by {model}: log-mel spectrograms over time, 80 dB from dark to bright, "
                "and the network's outputs below each (red: what it was dreamed to)."
            )
            size = (WIDTH, 0.4 + 1.9 * len(rows))
            blocks.append(
                Picture(
                    f"originals-{sweep}-{slug(model)}", caption, size, shown, "Spectrograms that look alike, outputs that do not.", _next("2", blocks)
                )
            )
            blocks += [_heard(row, {dream.name: dream for dream in chosen}) for row in rows]
    return blocks


def _next(figure: str, blocks: Sequence[Block]) -> str:
    """The number of a figure of which others are in a chapter already."""
    return nth(figure, sum(isinstance(block, Picture) and bool(block.number) for block in blocks))


def _goals(rows: Sequence[Sequence[Dreamt]]) -> str:
    """The classes that dreams were dreamed to."""
    return ", ".join(dict.fromkeys(one.kind for row in rows for one in row))


def _rows(dreams: Sequence[Dreamt]) -> list[list[Dreamt]]:
    """Dreams by their start, those that have as many as any."""
    starts: dict[str, list[Dreamt]] = {}
    for one in dreams:
        starts.setdefault(str(one.content["start"]), []).append(one)
    longest = max(map(len, starts.values()), default=0)
    return [row for row in starts.values() if len(row) == longest]


def _noise_grids(material: Material) -> list[Block]:
    """Figure 3 of every model that dreams from noises to every class."""
    blocks: list[Block] = []
    classes = material.sounds["classes"]
    for sweep, members in material.dreams.items():
        for model in dict.fromkeys(dream.model for dream in members):
            mine = [dream for dream in members if dream.model == model]
            grid = whole_grid(dreamt(dream for dream in mine if drawn(dream.start)[0] == "noise"), classes)
            told = material.content["instruments"]["sweeps"].get(sweep, {}).get(model)
            if grid is None or told is None:
                continue
            marked = agreeing(changes_of(grid))[0]
            shown = partial(figures.noise_grid, grid=grid[:NOISES], classes=classes, outputs=told["noises"]["mean_output"], marked=marked)
            caption = (
                f"Noises (left) dreamed to every class by {model}. Outlined: regions whose change, the mean over classes taken away, has one sign "
                f"from every one of {len(grid)} starts and is among the largest tenth. Bottom: mean outputs over the starts."
            )
            blocks.append(
                Picture(
                    f"noise-{sweep}-{slug(model)}", caption, (WIDTH, 4.6), shown, "Spectrograms of noise; the table has numbers.", _next("3", blocks)
                )
            )
            blocks.append(_heard(grid[0], {dream.name: dream for dream in mine}))
    return blocks


def _heard(row: Sequence[Dreamt], dreams: Mapping[str, Dream]) -> Audio:
    """A start and its dreams to listen to, each named by how it was made a sound."""
    first = row[0]
    unit = dreams[first.name].unit
    sounds = [("start", f"{unit}-start.mp3", f"{unit}-start.wav")]
    for one in row:
        mine, goal = dreams[one.name], one.content["goal"][0]
        sounds.append((f"to {goal}, {tables.SOUND_BY[one.content.get('sound_by')]}", mine.companion("mp3"), mine.companion("wav")))
        if one.content.get("sound_by") == "phase":
            sounds.append((f"to {goal}, {tables.SOUND_BY['griffin-lim']}", f"{mine.unit}-griffin-lim.mp3", ""))
    return Audio(f"From {first.content['start']}", sounds)

"""The appendix as a PDF: tables 6.1 to 6.5, figures 5.2, 6.1 to 6.16 and A.1 on, in the thesis's order, and what it never showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages

from aesdream import files
from aesdream.appendix import figures, headline, listing, sheets, words
from aesdream.appendix.analysis import View
from aesdream.appendix.layout import WIDTH, Book
from aesdream.appendix.reading import Dream
from aesdream.appendix.results import Material

_PANEL = 1.95


class Gallery:
    """The pictures' material by name: each dream's entry in results.json, its unit, its view, and the view of its start."""

    def __init__(self, material: Material, views: Mapping[str, View], starts: Mapping[str, View]) -> None:
        self.entries: dict[str, Any] = {dream["dream"]: dream for sweep in material.content["sweeps"].values() for dream in sweep["dreams"]}
        self.dreams: dict[str, Dream] = {dream.name: dream for members in material.dreams.values() for dream in members}
        self.views, self.starts = views, starts


def write(path: Path, material: Material, gallery: Gallery, source: View) -> None:
    """Write appendix.pdf, whole or not at all; the same bytes each time."""
    content = material.content
    facts = {"CreationDate": None, "Title": f"{content['study']['study']}: appendix of visualisations", "Creator": "aesdream", "Producer": None}
    with files.writing(path) as aside, PdfPages(aside, metadata=facts) as pages:
        book = Book(pages, f"aesdream – {content['study']['study']}" + (" – synthetic labels" if content["sounds"]["synthetic"] else ""))
        _title(book, content)
        _tables(book, content)
        _network(book, content)
        _body(book, content, gallery, source)
        _appendix(book, content, gallery)
        _others(book, content, gallery)
        _first_layer(book, material)
        _evaluation(book, material)
        book.close()


def _title(book: Book, content: Mapping[str, Any]) -> None:
    book.new_page()
    book.space(0.5)
    book.text(content["study"]["study"], 22, fontweight="bold")
    book.text("Appendix: what the networks learned, and every dream of their filters", 12)
    book.space(0.3)
    for name, text in listing.glance(content):
        book.text(name, 9.5, fontweight="bold")
        book.text(text, 9, indent=0.15)
        book.space(0.08)
    if content["problems"]:
        book.listing(listing.problems(content))
    for table in listing.summaries(content):
        book.listing(table, 6.3)


def _tables(book: Book, content: Mapping[str, Any]) -> None:
    book.new_page()
    book.heading("Tables 6.1 to 6.5, for every treatment and protocol", 13)
    for table in content["tables"]:
        _table(book, table, content)


def _table(book: Book, table: Mapping[str, Any], content: Mapping[str, Any]) -> None:
    shown = listing.measures(table)
    number = listing.thesis_tables(table, content)
    book.room(3.1)
    name = f"Tables {number}: " if "," in number else f"Table {number}: " if number else "Control: "
    named = table["named"]
    pair = [("the named model", named and named["confusion"]), (f"sum over {words.models_of(table)}", table["summed"])]
    rows = [[*row, "", *other] for row, other in zip(*(listing.matrix(confusion) for _, confusion in pair), strict=True)]
    matrices = listing.Listing(
        f"{name}{shown.title}", (pair[0][0], "y = 1", "y = 0", "", pair[1][0], "y = 1", "y = 0"), (0.2, 0.1, 0.1, 0.05, 0.2, 0.1, 0.1), rows
    )
    book.listing(matrices)
    book.space(-0.15)
    book.listing(listing.Listing("", shown.heads, shown.widths, shown.rows, shown.notes))


def _network(book: Book, content: Mapping[str, Any]) -> None:
    height = figures.NETWORK_SIZE[1] * WIDTH / figures.NETWORK_SIZE[0]
    for place, network in enumerate(content["network"]):
        book.room(height + 0.6)
        figures.network(book.block(height), network["layers"])
        name = "Figure 5.2" if place == 0 else "Figure 5.2, for other lengths"
        book.text(f"{name}: the network of {', '.join(network['treatments'])}; {words.count(network['parameters'])} parameters.")
        book.space(0.2)


def _body(book: Book, content: Mapping[str, Any], gallery: Gallery, source: View) -> None:
    book.new_page()
    book.heading("Figures 6.1 to 6.16: the source, and dreams chosen for diversity", 13)
    book.text(words.KEY)
    book.space(0.1)
    figures.colour_key(book.block(0.55))
    figures.sound(book.block(_PANEL), source)
    name = content["sounds"]["source"]["name"]
    book.text(f"Figure 6.1: the source ({name}) as the networks hear it, from which dreams start.")
    height = figures.BODY_SIZE[1] * WIDTH / figures.BODY_SIZE[0]
    for figure in (entry for entry in content["figures"] if entry["figure"].startswith("6.")):
        if figure["dream"] is None:
            book.text(f"Figure {figure['figure']}: {words.NO_FIGURE[figure['figure']]}")
            continue
        book.room(height + 0.4)
        dream = gallery.dreams[figure["dream"]]
        figures.body(book.block(height), dream, gallery.views[dream.name], gallery.starts.get(dream.name))
        book.text(f"Figure {figure['figure']}: {words.caption(gallery.entries[dream.name])} ({words.command(gallery.entries[dream.name])}).")
        book.space(0.2)


def _appendix(book: Book, content: Mapping[str, Any], gallery: Gallery) -> None:
    shown = [entry for entry in content["figures"] if entry["figure"].startswith("A.")]
    if not shown:
        return
    book.new_page()
    first = gallery.dreams[shown[0]["dream"]]
    book.heading(f"Figures A.1 to A.{len(shown)}: every filter of {first.model}", 13)
    for entry in shown:
        dream = gallery.dreams[entry["dream"]]
        caption = f"Figure {entry['figure']}: {words.caption(gallery.entries[dream.name])} ({words.command(gallery.entries[dream.name])})."
        book.room(_PANEL + 0.45)
        if dream.ready:
            figures.sound(book.block(_PANEL), gallery.views[dream.name], start=gallery.starts.get(dream.name))
        book.text(caption)
        book.space(0.12)


def _others(book: Book, content: Mapping[str, Any], gallery: Gallery) -> None:
    printed = {entry["dream"] for entry in content["figures"] if entry["figure"].startswith("A.")}
    for name, sweep in content["sweeps"].items():
        groups: dict[tuple[str, str, str], list[Any]] = {}
        for dream in sweep["dreams"]:
            if dream["dream"] not in printed:
                groups.setdefault((dream["model"], dream["start"], dream["side"]), []).append(dream)
        for (model, start, side), members in groups.items():
            book.new_page()
            book.heading(f"Sweep “{name}”: {model}, {words.side(members[0]['layer'], side)}, from {start}", 11)
            book.text(words.SHEET, 7.5)
            _sheets(book, members, gallery)


def _sheets(book: Book, members: Sequence[Any], gallery: Gallery) -> None:
    for first in range(0, len(members), sheets.COLUMNS):
        sheets.row(book.block(sheets.HEIGHT), members[first : first + sheets.COLUMNS], gallery.views, gallery.starts)


def _first_layer(book: Book, material: Material) -> None:
    content = material.content
    book.new_page()
    book.heading("conv1, through which everything passes", 13)
    book.listing(listing.conv1(content))
    height = figures.KERNEL_SIZE[1] * WIDTH / figures.KERNEL_SIZE[0]
    shown = [model for sweep in content["sweeps"].values() for model in sweep["models"] if model in material.kernels]
    for model in dict.fromkeys(shown):
        book.room(height + 0.4)
        figures.kernel(book.block(height), material.kernels[model])
        book.text(f"conv1 of {model}, before and after training.")
        book.space(0.2)
    book.listing(listing.census(content))


def _evaluation(book: Book, material: Material) -> None:
    content = material.content
    book.new_page()
    book.heading("How well the classes are told apart", 13)
    for sentence in headline.sentences(content["headline"]):
        book.text(sentence)
    book.space(0.1)
    rows = figures.estimates(content)
    height = figures.forest_height(rows)
    figures.draw_forest(book.block(height), rows, height)
    book.text(words.FOREST)
    book.listing(listing.overview(content), 6.2)
    book.listing(listing.comparisons(content))
    height = figures.CURVES_SIZE[1] * WIDTH / figures.CURVES_SIZE[0]
    for protocol in dict.fromkeys(model.protocol for model in material.models):
        book.room(height + 0.4)
        figures.evaluation_curves(book.block(height), material.models, protocol)
        book.text(f"{protocol}: {words.CURVES}")

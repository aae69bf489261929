"""The form of ``truth`` in results.json (see ``appendix.schema``)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from aesdream.appendix.forms import Estimate, Estimates, Number, Part


class TruthClaim(Part):
    """What is claimed of one determinant; contrasts as shares of what dreams of its own rule move."""

    determinant: str = Field(description="its name")
    reach: Estimate = Field(description="what those move from these dreams' starts, in standard deviations; null where some split has none")
    contrast: Estimate = Field(description="mean over starts")
    median: Estimate = Field(description="median over starts")
    less: Estimates = Field(description="contrast less that of each control, at the starts that both have")
    margin: dict[str, Any] | None = Field(
        description="contrast less the size of its closest rival, which is named; without bounds where that is not known"
    )
    surpassed: str | None = Field(description="a rival that surely moved more, of those beyond every control")
    column: dict[str, Any] | None = Field(description="contrast less the same determinant's for the closest other composer that was heard")
    compared: list[str] = Field(description="the composers that it was so compared with")
    apart: Estimate | None = Field(description="contrast without what comes along with all rivals in the corpus, in standard deviations of the rest")
    within: Number = Field(description="the contrast less each control surely lies within so much of zero (90 % intervals)")
    shown: Number = Field(description="the smallest contrast that, at this width, would count beyond every control; rivals apart")
    p: Number = Field(description="of all that “tells” needs together; null where a rival or another composer is not known")
    p_faint: Number = Field(description="the same of “tells, faintly”")
    verdict: str = Field(description="of this determinant alone")


class TruthRow(Part):
    """What the dreams of one composer's models moved, in one network; every contrast in standard deviations of the corpus."""

    composer: str = Field(description="whom the models learned from; its own determinant is the row's diagonal")
    treatment: str = Field(description="the models' treatment")
    sweep: str = Field(description="the dreams")
    models: int = Field(description="models that have dreams")
    expected: int = Field(description="models that should")
    splits: int = Field(description="splits that intervals stand on")
    starts: int = Field(description="starts of each model")
    dreams: int = Field(description="dreams that are there")
    asked: int = Field(description="for by the study")
    pairs: int = Field(description="pairs of dreams of which both passed the verdict's distance")
    arms: list[dict[str, Any]] = Field(description="toward the positive class, and the other: dreams made, that fell short, that rose")
    toward: list[Estimate] = Field(description="change of its own determinant in dreams toward the positive class, and toward the other")
    cells: list[Estimate] = Field(description="contrast of every determinant")
    short: dict[str, Number] = Field(description="of it, every control and its rule: share of a direction's dreams that fell short, the larger one")
    reach: Estimate = Field(description="contrast of dreams of the rule itself, at the row's starts")
    share: Estimate = Field(description="contrast of its own determinant as a share of that, split by split")
    share_less: Estimates = Field(description="the same less every control's")
    against: dict[str, list[Estimate]] = Field(description="the same less that of each control, paired by split")
    beyond: list[bool] = Field(description="whether a cell lies on one side of zero and of every control")
    parts: list[str] = Field(description="determinants that it is the sum of, which are no rivals")
    claims: list[TruthClaim] = Field(description="what its verdict follows from: of a mixture one of every part, else one")
    elsewhere: list[dict[str, Any]] = Field(description="the diagonal, and the same less every control, at the distances of no verdict")
    roc_auc: Estimate | None = Field(description="how well its models tell the sounds apart")
    shuffled_auc: Estimate = Field(description="how well models of shuffled labels tell them apart by this composer's labels, over splits")
    heard: Estimate = Field(description="the models' AUC less that, paired by split")
    p_corrected: Number = Field(description="p of all that “tells” needs, corrected for the judged rows (Holm); null where it is not judged")
    p_faint_corrected: Number = Field(description="the same of “tells, faintly”")
    verdict: str = Field(
        description="tells, part, faint, hints, trace, another, misleads, nothing, undecided, unheard, incomparable, unmoved, few, uncontrolled "
        "or missing: docs/truth.md"
    )


class TruthControl(Part):
    """What the dreams of a control moved."""

    control: str = Field(description="shuffled, untrained or random")
    treatment: str | None = Field(description="its models' treatment; null for random directions")
    models: int = Field(description="models that have dreams")
    expected: int = Field(description="models that should")
    splits: int = Field(description="splits that intervals stand on")
    cells: list[Estimate] = Field(description="contrast of every determinant")
    excluding: int = Field(description="cells whose interval excludes zero")
    pairs: int = Field(description="pairs of dreams of which both passed the verdict's distance")
    arms: list[dict[str, Any]] = Field(description="toward the positive class, and the other: dreams made, that fell short, that rose")
    directions: Estimates = Field(description="as of the network")
    roc_auc: Estimate | None = Field(description="how well its models tell the sounds apart")


class TruthNetwork(Part):
    """The matrix of one network."""

    network: str = Field(description="its name in print")
    rms: float = Field(description="distance from their start at which dreams are compared for the verdict")
    reach: list[Estimate] = Field(description="of every determinant, the contrast of dreams of its own rule at that distance")
    rows: list[TruthRow] = Field(description="composers")
    controls: list[TruthControl] = Field(description="controls")
    directions: Estimates = Field(
        description="cosine between dreams toward both classes, of determinants and of what is added; shares under 20 Hz and audible"
    )


class Truth(Part):
    """Whether dreams tell the truth that synthetic composers planted."""

    determinants: list[str] = Field(description="the columns of every matrix")
    composers: list[str] = Field(description="those of the study")
    smallest: float = Field(description="contrast that counts, as a share of what a dream of the composer's own rule moves")
    floor: float = Field(description="ROC AUC under which a composer counts as not heard")
    most_missing: float = Field(description="share of a direction's dreams that may fall short of the distance, wherever dreams are compared")
    rules: list[dict[str, Any]] = Field(description="dreams of each composer's rule: how many, and toward both classes how many fell short, rose")
    deviations: dict[str, Number] = Field(description="standard deviation of every determinant over the corpus")
    rank_correlations: list[list[Number]] = Field(description="between the determinants over the corpus")
    networks: list[TruthNetwork] = Field(description="a matrix each")
    yardsticks: dict[str, Estimates] = Field(description="AUC of judges without a network, by composer")
    regularised: list[dict[str, Any]] = Field(description="plain, regularised and augmented dreams: means, and the contrast of the own determinant")
    first_layer: list[dict[str, Any]] = Field(description="share of what dreams add that lies in one kernel of conv1")
    seeds: list[dict[str, Any]] = Field(description="by network and layer: filters found again from another seed, and alignment of layers")
    transfer: list[dict[str, Any]] = Field(description="by treatment and layer: dreams heard by another model")
    chance: dict[str, dict[str, float]] = Field(description="cells whose interval excludes zero, and how many would by chance")
    said: dict[str, list[str]] = Field(description="the paragraphs that follow from all this, by section")

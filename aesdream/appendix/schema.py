"""The form of results.json: what is checked before it is written, and what docs/results.md says of it (see ``schema_page``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aesdream.appendix.forms import Estimate, Estimates, Number, Part
from aesdream.appendix.truth.form import Truth


class Problem(Part):
    """A unit that is missing, or a model that died."""

    unit: str = Field(description="its path in the run folder, without suffix")
    why: str = Field(description="“not made yet”, or “failed: ” and the reason")


class Step(Part):
    """One step of a network."""

    name: str = Field(description="as in its code")
    kind: str = Field(description="input, conv, pool or dense")
    lines: list[str] = Field(description="what it does")
    shape: str = Field(description="what it hands on")
    parameters: int | None = Field(description="how many it has")


class Network(Part):
    """A network for one length of input (figure 5.2)."""

    samples: int = Field(description="samples a channel that it hears")
    treatments: list[str] = Field(description="the treatments that have it")
    layers: list[Step] = Field(description="its steps in their order")
    parameters: int = Field(description="of all steps together")


class Model(Part):
    """One model."""

    model: str = Field(description="treatment/protocol/split<j>-seed<k>")
    sizes: dict[str, int] | None = Field(description="items to train and to validate, and the sounds that these are of")
    died: str | None = Field(description="from which epoch on conv1 gave only zeros")
    roc_auc: Estimate | None = Field(description="on its validation items")
    problem: str | None = Field(description="why it is missing")


class Named(Part):
    """The model that stands for a table, as the thesis's one model did."""

    model: str = Field(description="its name")
    sizes: dict[str, int] = Field(description="as above")
    confusion: dict[str, int] = Field(description="tp, fp, fn, tn")
    prevalence: Number = Field(description="share of positives in the set")
    corpus_prevalence: Number = Field(description="and in the corpus")
    measures: Estimates = Field(description="every measure by name")


class Table(Part):
    """A treatment under a protocol: the thesis's tables 6.1 to 6.5."""

    treatment: str = Field(description="how the training set is made")
    number: str = Field(description="in print; two protocols that give the same models share it")
    composer: str | None = Field(None, description="whose labels, where several synthetic composers judge the sounds")
    protocol: str = Field(description="when it is split")
    set: str = Field(description="validation: items as trained on; sounds: windows averaged by sound")
    windowed: bool = Field(description="whether items are windows")
    control: bool = Field(description="whether it can have learned nothing of the labels")
    leaky: bool = Field(description="whether copies or windows of validation sounds were trained on")
    models: int = Field(description="models that are there")
    expected: int = Field(description="models that should be")
    problems: list[Problem] = Field(description="those that are missing")
    died: list[Problem] = Field(description="those whose conv1 died")
    named: Named | None = Field(description="its first model")
    summed: dict[str, int] | None = Field(description="the confusion matrices of all models added up")
    mean: Estimates | None = Field(description="every measure as the mean over models")


class Comparison(Part):
    """Two treatments on the same validation sounds."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)
    protocol: str = Field(description="the protocol of both")
    from_: str = Field(alias="from", description="the treatment that is taken away")
    to: str = Field(description="the treatment it is taken from")
    measure: str = Field(description="of what")
    difference: Estimate | None = Field(description="paired bootstrap; null where they share no validation sounds")


class Yardstick(Part):
    """A judge without a network."""

    protocol: str = Field(description="on whose validation sounds")
    judge: str = Field(description="majority, level, descriptors or ceiling")
    composer: str | None = Field(None, description="whose labels, where several synthetic composers judge the sounds")
    trained_as: str | None = Field(description="the treatment whose training sounds it had")
    splits: int = Field(description="splits that it stands on")
    mean: Estimates = Field(description="every measure as the mean over splits")


class Level(Part):
    """A measure of level against the labels of the whole corpus."""

    descriptor: str = Field(description="rms_db or peak_db")
    composer: str | None = Field(None, description="whose labels, where several synthetic composers judge the sounds")
    roc_auc: Estimate = Field(description="below .5 where positive sounds are the softer ones")


class Spread(Part):
    """Over the dreams of a layer."""

    median: Number = Field(description="half of them lie below")
    smallest: Number = Field(description="the least")
    largest: Number = Field(description="the most")


class Summary(Part):
    """The dreams of one model, start, side and layer."""

    model: str = Field(description="whose")
    start: str = Field(description="from what")
    side: str = Field(description="post or pre the activation, or margin: pre, less the mean of the other classes")
    layer: str = Field(description="of which layer")
    dreams: int = Field(description="asked for")
    made: int = Field(description="made = rose + still_dead + still_other")
    rose: int = Field(description="that raised their target's activation")
    still_dead: int = Field(description="that did not, and a test calls the target dead")
    still_other: int = Field(description="that did not, for another reason or none known")
    not_rose: list[dict[str, Any]] = Field(description="which these are, with their fate and state")
    states: dict[str, int] = Field(description="how many each test names")
    dead: int = Field(description="that any test of death names")
    gain: Spread = Field(description="activation gained")
    rms_from_start: Spread = Field(description="of those that rose")
    share_under_20hz: Spread = Field(description="of the change's energy, of those that rose")


class Curve(Part):
    """What is printed of a plot in a dream's view."""

    first: Number = Field(description="its first value")
    last: Number = Field(description="its last")
    smallest: Number = Field(description="the least of all")
    largest: Number = Field(description="the most")
    until: Number = Field(description="where its axis ends, which begins at 0: steps, s, or Hz")


class Dream(Part):
    """One dream."""

    dream: str = Field(description="its path below dreams/, without suffix")
    digest: str | None = Field(description="of the unit: the keys and inputs that its bytes depend on")
    checkpoint: str | None = Field(description="digest of its model")
    model: str = Field(description="whose")
    layer: str = Field(description="conv1 …, class")
    target: str = Field(description="a filter, several (3+5), or a class, written as a file's name")
    side: str = Field(description="post or pre the activation, or margin: pre, less the mean of the other classes")
    start: str = Field(description="what it starts from")
    first: Number = Field(description="activation on the start")
    last: Number = Field(description="after the last step")
    gain: Number = Field(description="last less first")
    steps: int | None = Field(description="taken")
    rms_from_start: Number = Field(description="root mean square of the change; full scale is 1")
    peak: Number = Field(description="largest magnitude of the dream")
    share_clipped: Number = Field(description="of its samples at full scale")
    share_under_20hz: Number = Field(description="of the energy that it added, which nobody hears")
    peakiness: Number = Field(description="highest peak of the change's spectrum over its mean, dB")
    start_peakiness: Number = Field(description="the same of the start")
    seconds: Number = Field(description="how long it is")
    nyquist: Number = Field(description="half its sample rate in Hz: the upper edge of its spectrogram")
    change_peak: Number = Field(description="largest magnitude of the change; null where the start is not there")
    start_copy_db: Number = Field(
        description="RMS of the start's listening copy as decoded, dB relative to full scale; null where it is silent or not there"
    )
    dream_copy_db: Number = Field(description="the same of the dream's, which is as loud where its peaks allow")
    curves: dict[str, Curve] = Field(
        description="activation (over steps), coefficients (of conv1's kernel, over time), energy (RMS of the change every 100 ms) and modulation "
        "(share by frequency), where it has them"
    )
    state: dict[str, bool] = Field(description="what each test says of the target")
    dead: bool = Field(description="whether a test of death names it on this side")
    fate: str | None = Field(description="rose, dead, overshot, sure or unexplained; null where it is missing")
    problem: str | None = Field(description="why it is missing")


class Sweep(Part):
    """A named set of dreams."""

    rule: str = Field(description="how a gradient becomes a step")
    step: float = Field(description="how far")
    steps: int = Field(description="how often")
    models: list[str] = Field(description="the models dreamed")
    summary: list[Summary] = Field(description="a line for each model, start, side and layer")
    dreams: list[Dream] = Field(description="every dream asked for, in the order of the thesis's appendix")


class Kernel(Part):
    """How far conv1's weights moved in training."""

    taps: int = Field(description="a channel")
    start_rms: Number = Field(description="size of the weights before training")
    rms_moved: Number = Field(description="root mean square change, relative to that")
    largest_moved: Number = Field(description="the largest change, relative to that")
    share_barely_moved: Number = Field(description="of the weights that moved by less than 1 % of it")
    smallest_weight: Number = Field(description="after training")
    largest_weight: Number = Field(description="after training")
    correlation_of_channels: Number = Field(description="of the left kernel with the right; null for one channel")


class Census(Part):
    """Which filters of one model are dead."""

    bottleneck: dict[str, Any] = Field(description="the first layer: silent_on_start, silent_on_corpus, share_silent")
    layers: dict[str, dict[str, int]] = Field(description="a layer's filters, and how many of them each test names")


class Layers(Part):
    """All layers of the census together."""

    models: int = Field(description="whose filters were counted")
    counted: int = Field(description="layers of these, the classes apart")
    without_dead: int = Field(description="that have no dead filter by any test")


class Likes(Part):
    """How alike the living filters of one layer are."""

    sweep: str = Field(description="of which dreams")
    model: str = Field(description="whose")
    start: str = Field(description="from what")
    side: str = Field(description="post or pre the activation, or margin: pre, less the mean of the other classes")
    layer: str = Field(description="of which layer")
    targets: list[str] = Field(description="the living filters")
    order: list[str] = Field(description="the same with likes side by side")
    groups: list[list[str]] = Field(description="near-copies")
    kinds: int = Field(description="groups, and each filter that is like no other")
    added: list[list[Number]] = Field(description="cosine of what two dreams add: above the matrix's diagonal, a row each; null without coefficients")
    responses: list[list[Number]] = Field(description="correlation of two filters' mean responses to the corpus, likewise")


class Likeness(Part):
    """Likeness of filters."""

    sounds: int = Field(description="sounds of the corpus whose responses were compared")
    near: float = Field(description="near-copies are at least this alike, in both senses")
    like: float = Field(description="what is less alike than this, in one sense or both, is not called most like")
    layers: list[Likes] = Field(description="a layer each")


class Figure(Part):
    """A numbered figure of a dream."""

    figure: str = Field(description="6.2 to 6.16 and A.1 on, as in the thesis")
    dream: str | None = Field(description="which dream; null where there is none to show")


class Outcome(Part):
    """What all dreams came to."""

    asked: int = Field(description="for by the study")
    made: int = Field(description="rose + dead + overshot + sure + unexplained")
    rose: int = Field(description="raised their target's activation")
    still: int = Field(description="did not: made less rose")
    dead: int = Field(description="did not, and a test calls the target dead")
    overshot: int = Field(description="did not: a step passed the edge of a ReLU")
    sure: int = Field(description="did not: the network was as sure of the start as the dream was to make it")
    unexplained: int = Field(description="did not, and no test says why")
    rose_although_dead: int = Field(description="rose although a test calls the target dead")
    rose_although_overshot: int = Field(description="though they had reached more before they stood still")
    medians_under_20hz: dict[str, Number] = Field(description="by model: median share of the energy added, over its dreams that rose")


class Results(BaseModel):
    """The whole file. Beside these it has the keys of every unit's JSON: schema, unit, digest, recipe, files (the SHA-256 of all that it drew)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    study: dict[str, Any] = Field(description="the study's settings, those of its sounds apart")
    sounds: dict[str, Any] = Field(description="the corpus: counts, labels and their shares, rate, families, what is synthetic, warnings")
    network: list[Network] = Field(description="every network, once for each length of input")
    models: list[Model] = Field(description="every model that the study asks for")
    sweeps: dict[str, Sweep] = Field(description="every sweep and its dreams")
    measured: dict[str, int] = Field(description="dreams of sweeps that keep numbers alone, which outcome does not count: asked for, and made")
    made_by: dict[str, str] = Field(description="the version of aesdream, and the digest of the study's settings")
    problems: list[Problem] = Field(description="every unit that is missing; of sweeps that keep numbers how many are")
    tables: list[Table] | None = Field(None, description="tables 6.1 to 6.5, of a study of two classes")
    comparisons: list[Comparison] | None = Field(None, description="treatments against each other, of two classes")
    yardsticks: list[Yardstick] | None = Field(None, description="judges without a network, of two classes")
    levels: list[Level] | None = Field(None, description="level alone, of two classes")
    headline: dict[str, Any] | None = Field(None, description="what of the above is said in sentences: the best treatment, and beside what")
    conv1: dict[str, Kernel] = Field(description="by model")
    census: dict[str, Census] = Field(description="by model")
    layers: Layers = Field(description="of the census")
    pooled: dict[str, dict[str, Any]] = Field(description="conv1 (means) and census (sums) by row of their tables: a model, or a treatment of many")
    likeness: Likeness | None = Field(None, description="where a layer has two living filters")
    figures: list[Figure] = Field(description="the numbered figures of dreams")
    blind: list[str] = Field(description="the dreams of the page's blind test")
    outcome: Outcome = Field(description="of all dreams")
    truth: Truth | None = Field(None, description="of synthetic composers: whether dreams tell what was planted")
    instruments: dict[str, Any] | None = Field(
        None,
        description="of many classes: sets by model, their means, sweeps with claims by model, what learning from dreams was worth, rows of figure 1",
    )


def check(content: Mapping[str, Any]) -> None:
    """Raise ValueError, naming the place, where ``content`` is not of this form: a mistake of ours."""
    try:
        Results.model_validate(content)
    except ValidationError as error:
        places = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()[:5]]
        raise ValueError("results.json is not as docs/results.md says: " + "; ".join(places)) from None

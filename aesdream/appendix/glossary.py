"""The words of the appendix, defined for readers who did not build it."""

from __future__ import annotations

from aesdream.appendix.chapters import Chapter, Terms
from aesdream.appendix.material import Material

DESCRIPTORS = {
    "crest_db": "peak over RMS level, in dB.",
    "zero_crossings_hz": "changes of sign a second, mean of the channels.",
    "centroid_hz": "mean frequency, weighted by power.",
    "bandwidth_hz": "standard deviation of frequency around the centroid, weighted by power.",
    "rolloff_hz": "the frequency below which 85 % of the power lies.",
    "flatness_db": "geometric over arithmetic mean of the power spectrum, in dB: near 0 for noise, far below for tones.",
    "flux": "how much the normalised spectrum changes from one block of about 40 ms to the next, 0 to 1.",
    "low_share": "share of the power below 200 Hz.",
    "modulation_2_8": "share of the loudness's fluctuation that lies at 2 to 8 Hz.",
    "side_share": "power of the difference between the channels, out of that of their sum and difference.",
}

WORDS = {
    "did not rise": "after its last step the dream's target was no more active than on the start.",
    "dead": "a test of the census finds the target silent or slow on the side that was dreamed.",
    "slow": "the gradient at the start is below a twentieth of the median of its layer's living filters, yet not zero.",
    "silent": "the filter's ReLU gives only zeros: on the start, on every sound of the corpus, or because conv1 gives only zeros.",
    "overshot": "a step passed the edge of a ReLU, behind which the gradient is zero; the dream stood still from there, below what it had reached.",
    "kernel added (coefficients)": "a dream changes its start only by conv1's kernel, added in varying amounts along the sound; the "
    "coefficients are these amounts over time.",
    "modulation of the change": "spectrum of the loudness of what the dream added, up to 20 Hz: a peak is a pulse, which one might hear as metre.",
    "RMS from start": "root mean square of the difference between dream and start; full scale is 1.",
    "F1": "harmonic mean of precision and recall; micro: over the judgements of all classes together, macro: its mean over classes.",
    "average precision": "mean of the precision at the rank of each positive sound, the most certain judgement first.",
    "LRAP": "label ranking average precision: for each true class of a sound the share of true ones among all classes ranked as high, averaged.",
    "S1, S2": "two ways to a sound's score for a class from its windows: S1 is their mean, S2 their sum divided by the largest class's.",
    "precision at the corpus's prevalence": "the precision that this recall and this specificity would give if positives were as rare in "
    "the set as in the corpus; copies change their share.",
    "ROC AUC": "the probability that a positive sound is ranked above a negative one; 0.5 is chance.",
    "level alone, ten descriptors": "logistic regressions on the RMS and peak level, and on the ten descriptors below, which gain does not change.",
    **{f"descriptor {name}": text for name, text in DESCRIPTORS.items()},
    "sweep": "a named set of dreams: of which models, layers, targets and sides, and from which starts.",
    "split": "one drawing of the sounds that a model is validated on; the others it trains on.",
    "seed": "the number from which a model's weights and the order of its training are drawn.",
    "treatment": "how a training set is made from the training sounds: as they are, cut into windows, or with the rarer class copied.",
    "control": "a model that can have learned nothing of the labels: untrained (0 epochs), or trained on shuffled (permuted) labels.",
    "augment-first": "copies and windows are made before the split, so both sides share sounds; its numbers flatter.",
    "split-first": "sounds are split first, so no sound is on both sides, though its relatives may be.",
    "by-family": "whole families of related sounds are split, so neither a sound nor a relative is on both sides.",
}


def chapters(_material: Material) -> list[Chapter]:
    """All of them."""
    return [Chapter("words", "Words", [Terms([*WORDS.items()])], "Words")]

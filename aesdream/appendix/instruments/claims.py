"""Each claim of the paper, held against what a run measured: confirmed or not, by a rule that is told with it; of an interval without spread, or of
fewer than three starts, it cannot be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aesdream.appendix.instruments.patterns import FEWEST, beyond_controls
from aesdream.training.statistics import LEVEL, Estimate

CLOSE = 2.0
"""dB: how far the paper's modified spectrograms are from their originals on average."""
Verdict = bool | None
Numbers = Mapping[str, Any]


def of_targeted(found: Numbers) -> list[dict[str, Any]]:
    """What is claimed of dreams to right and wrong classes, against ``targeted.targeted``: where they stop at a confidence, whether they arrive and
    how far that is; where all go equally far, how their changes lie to each other. A sweep cannot speak of what it was not asked for.
    """
    claims = _of_arriving(found) if found["stop_confidence"] is not None else _of_geometry(found) if "geometry" in found else []
    if found["domain"] == "waveform":
        return [{**claim, "claim": f"In the waveform (the paper dreams spectrograms): {claim['claim']}"} for claim in claims]
    return claims


def _of_arriving(found: Numbers) -> list[dict[str, Any]]:
    claims = []
    for kind, told in found["kinds"].items():
        claims.append(
            _claim(
                f"Every dream {_to(kind)} is judged to be what it was dreamed to, with an output of at least .9.",
                told["success"]["value"] == 1,
                told["success"],
                f"confirmed where all {told['n']} succeed, which is the largest output and at least .9",
                told["n"],
            )
        )
        arrived = told["arrived"]
        claims.append(
            _claim(
                f"Dreams {_to(kind)} differ from their start by about 2 dB.",
                _below(arrived["rmse_db"], CLOSE),
                arrived["rmse_db"],
                "confirmed where the whole interval of the mean root mean square difference is at most 2 dB, "
                f"over the {arrived['n']} that arrive and had to move for it; the paper gives a mean square in dB",
                arrived["n"],
            )
        )
    return claims


def _of_geometry(found: Numbers) -> list[dict[str, Any]]:
    larger, angle = found["larger"], found["geometry"]
    random = angle["random"]["cosine"] if angle["random"] else None
    beyond = "" if random is None else f"; random changes of equal sizes have {random['mean']:.4f} [{random['low']:.4f}, {random['high']:.4f}]"
    return [
        _claim(
            "For most class pairs the right and the wrong dream differ more from each other than either does from the original.",
            _above(larger, 0.5),
            larger,
            f"confirmed where the whole interval of the share of the {larger['pairs']} pairs is above one half; "
            "orthogonal changes fulfil it whatever the network has learned",
            found["sounds"],
        ),
        _claim(
            "That shows that the network separates its classes.",
            angle["separated"],
            angle["cosine"],
            f"confirmed only where the cosine between right and wrong change lies below that of random changes{beyond}",
            angle["n"],
        ),
    ]


def of_noises(found: Numbers, controls: Sequence[Numbers]) -> list[dict[str, Any]]:
    """What is claimed of dreams from noise, against ``patterns.noises`` of a model and of its controls with permuted labels, as many as there are."""
    lies = found["as_they_lie"]
    above = _above(lies["excess"], 0.0)
    alike = above and lies["p"] < 1 - LEVEL
    claims = [
        _claim(
            "Dreams from different noises to one class resemble each other.",
            alike,
            lies["excess"],
            f"what the cosine of the same class has beyond that of different classes from different noises; permuted classes p = {lies['p']:.4f}; "
            "confirmed where p is below .05 and the whole interval above 0",
            found["starts"],
        )
    ]
    if controls:
        highest = max((control["as_they_lie"]["excess"] for control in controls), key=lambda excess: excess["value"])
        claims.append(
            _claim(
                "The patterns come from what was learned of instruments.",
                beyond_controls(found, controls),
                highest,
                f"confirmed where the interval of the same number, for each of {len(controls)} networks that learned permuted labels (the largest is "
                "given here), lies below the model's; intervals are over starts, another training could differ",
                min(one["starts"] for one in (found, *controls)),
            )
        )
    return claims


def _to(kind: str) -> str:
    return {"right": "to the right class", "wrong": "to a wrong class", "right-then-wrong": "from the right-dreamed to the wrong class"}[kind]


def _claim(claim: str, verdict: Verdict, value: Estimate, rule: str, starts: int) -> dict[str, Any]:
    """``value`` is measured over so many ``starts``."""
    unknown = verdict is None or starts < FEWEST or value["low"] is None or value["low"] == value["high"]
    said = "cannot be said" if unknown else "confirmed" if verdict else "not confirmed"
    return {"claim": claim, "verdict": said, "value": {name: value[name] for name in ("value", "low", "high")}, "rule": rule}


def _below(value: Estimate, limit: float) -> Verdict:
    return None if value["high"] is None else value["high"] <= limit


def _above(value: Estimate, limit: float) -> Verdict:
    return None if value["low"] is None else value["low"] > limit

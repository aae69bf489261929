"""Each claim of the paper, held against what a run measured: confirmed or not, by a rule that is told with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aesdream.appendix.instruments.patterns import beyond_control
from aesdream.training.statistics import LEVEL, Estimate

CLOSE = 2.0
"""dB: how far the paper's modified spectrograms are from their originals on average."""
Verdict = bool | None
Numbers = Mapping[str, Any]


def of_targeted(found: Numbers) -> list[dict[str, Any]]:
    """What is claimed of dreams to right and wrong classes, against ``targeted.targeted``."""
    claims = []
    for kind, told in found["kinds"].items():
        claims.append(
            _claim(
                f"Every dream {_to(kind)} is judged to be what it was dreamed to, with an output of at least .9.",
                told["success"]["value"] == 1,
                told["success"],
                f"confirmed where all {told['n']} succeed, which is the largest output and at least .9",
            )
        )
        if found["stop_confidence"] is not None:  # else how far they go was asked for
            claims.append(
                _claim(
                    f"Dreams {_to(kind)} differ from their start by about 2 dB.",
                    _below(told["rmse_db"], CLOSE),
                    told["rmse_db"],
                    "confirmed where the whole interval of the mean root mean square difference is at most 2 dB; the paper gives a mean square in dB",
                )
            )
    if "geometry" in found:
        larger, angle = found["larger"], found["geometry"]
        claims.append(
            _claim(
                "For most class pairs the right and the wrong dream differ more from each other than either does from the original.",
                _above(larger, 0.5),
                larger,
                f"confirmed where the whole interval of the share of the {larger['pairs']} pairs is above one half; "
                "orthogonal changes fulfil it whatever the network has learned",
            )
        )
        random = angle["random"]["cosine"] if angle["random"] else None
        beyond = "" if random is None else f"; random changes of equal sizes have {random['mean']:.4f} [{random['low']:.4f}, {random['high']:.4f}]"
        claims.append(
            _claim(
                "That shows that the network separates its classes.",
                angle["separated"],
                angle["cosine"],
                f"confirmed only where the cosine between right and wrong change lies below that of random changes{beyond}",
            )
        )
    return claims


def of_noises(found: Numbers, control: Numbers | None) -> list[dict[str, Any]]:
    """What is claimed of dreams from noise, against ``patterns.noises`` of a model and, where there is one, of a control with permuted labels."""
    lies = found["as_they_lie"]
    alike = lies["p"] < 1 - LEVEL and _above(lies["excess"], 0.0)
    claims = [
        _claim(
            "Dreams from different noises to one class resemble each other.",
            alike,
            lies["excess"],
            f"what the cosine of the same class has beyond that of different classes from different noises; permuted classes p = {lies['p']:.4f}; "
            "confirmed where p is below .05 and the whole interval above 0",
        )
    ]
    if control is not None:
        claims.append(
            _claim(
                "The patterns come from what was learned of instruments.",
                beyond_control(found, control),
                control["as_they_lie"]["excess"],
                "confirmed where the interval of the same number, for a network that learned permuted labels (given here), lies below the model's",
            )
        )
    return claims


def _to(kind: str) -> str:
    return {"right": "to the right class", "wrong": "to a wrong class", "right-then-wrong": "from the right-dreamed to the wrong class"}[kind]


def _claim(claim: str, verdict: Verdict, value: Estimate, rule: str) -> dict[str, Any]:
    said = "cannot be said" if verdict is None else "confirmed" if verdict else "not confirmed"
    return {"claim": claim, "verdict": said, "value": {name: value[name] for name in ("value", "low", "high")}, "rule": rule}


def _below(value: Estimate, limit: float) -> Verdict:
    return None if value["high"] is None else value["high"] <= limit


def _above(value: Estimate, limit: float) -> Verdict:
    return None if value["low"] is None else value["low"] > limit

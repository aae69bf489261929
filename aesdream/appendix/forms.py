"""What every form of results.json is made of: mappings of known keys, numbers that may be missing, values with their intervals."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A mapping with these keys and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


Number = Annotated[float | int | None, Field(description="a number, null where it is undefined or missing")]


class Estimate(Part):
    """A value with its 95 % interval."""

    value: Number = Field(description="the estimate; of several models their mean")
    low: Number = Field(description="lower bound, null where there is none")
    high: Number = Field(description="upper bound")
    mean: Number = Field(None, description="plain mean over all models, where these are several")
    n: int | None = Field(None, description="models, or pairs of models, that define it")
    sd_splits: Number = Field(None, description="standard deviation over splits")
    sd_seeds: Number = Field(None, description="standard deviation over seeds within a split")


Estimates = dict[str, Estimate]

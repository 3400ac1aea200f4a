"""What a flow tolerates when two records are declared the same (spec 40, "File")."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class MatchPolicy(BaseModel):
    """Demands on the answers; the thresholds follow from them and from the data.

    ``min_precision``: share of matched rows that must be right, 0 to 1. ``max_false_match_rate``:
    tolerated share of all rows of the list that are matched wrongly; None leaves it to the
    precision. ``min_found``: of registered people whose given fields agree,
    the share that must be found before a row with those fields may be called not found.
    ``margin``: nats by which the best row must beat the runner-up. ``one_to_one``: a registry row
    may answer at most one row of the list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_precision: Annotated[float, Field(gt=0, lt=1)] = 0.999
    max_false_match_rate: Annotated[float, Field(gt=0, lt=1)] | None = None
    min_found: Annotated[float, Field(gt=0, lt=1)] = 0.99
    margin: Annotated[float, Field(ge=0)] = 3.0
    one_to_one: bool = False

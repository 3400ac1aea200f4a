"""What a flow tolerates when two records are declared the same (spec 40, "File")."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class MatchPolicy(BaseModel):
    """Demands on the answers; what follows from them is an edition's (spec 36).

    ``max_false_match_rate``: tolerated wrong answers per asked stranger, 0 to 1: at 5e-4 about .99
    of the codes are right where one row in twenty is registered, .9995 where half are.
    ``min_precision``: share of a list's codes that ought to be right; where fewer are expected it
    is said, and nothing is moved. ``min_found``: of registered people whose given fields agree, the
    share that must be noticed before a row with those fields may be called not found. ``margin``:
    nats by which the best row must beat the runner-up. ``one_to_one``: a registry row may answer at
    most one row of the list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_precision: Annotated[float, Field(gt=0, lt=1)] = 0.999
    max_false_match_rate: Annotated[float, Field(gt=0, lt=1)] = 5e-4
    min_found: Annotated[float, Field(gt=0, lt=1)] = 0.99
    margin: Annotated[float, Field(ge=0)] = 3.0
    one_to_one: bool = False

"""How far a job is, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a job is doing."""

    PREPARE = "prepare"
    ENCODE = "encode"
    BUILD = "build"
    DOWNLOAD = "download"
    EVALUATE = "evaluate"
    UPLOAD = "upload"
    MATCH = "match"
    RESULTS = "results"
    OPEN = "open"


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` rows, passes or per mille of a stage; the pass where there is one.

    ``seconds_left`` is how long the stage will still take, where somebody can tell.
    """

    stage: Stage
    done: int
    total: int
    pass_id: str = ""
    seconds_left: int | None = None


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Reports to nobody."""

"""What the unit asks of the matching code; ``app.py`` binds it to ``padan_linkage.matching``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching import Calibration, Directory, Journal
from padan_linkage.outcomes import MATCHED
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable
from padan_server.store.files import ORIGINS


class Estimate(Protocol):
    """Blind estimates of one pass; None where they could not be made."""

    @property
    def precision(self) -> float | None:
        """Share of the matched rows that are right."""
        ...

    @property
    def recall(self) -> float | None:
        """Share of the findable matches that were found."""
        ...

    @property
    def calibration(self) -> Calibration | None:
        """What the pass learned of the registry; None in an exact pass."""
        ...


class PassResult(Protocol):
    """Answers for ``n`` requester rows. ``row`` and scores never leave the unit."""

    @property
    def outcome(self) -> NDArray[np.uint8]:
        """``uint8[n]``: 1 not matched, 2 matched, 3 ambiguous."""
        ...

    @property
    def band(self) -> NDArray[np.uint8]:
        """``uint8[n]``: 0 or the coarse band 1 to 3."""
        ...

    @property
    def row(self) -> NDArray[np.int64]:
        """``int64[n]``: provider row, or -1."""
        ...

    @property
    def confirmations(self) -> NDArray[np.uint8]:
        """``uint8[n, ceil(fields / 8)]``: bits of equal tags."""
        ...

    @property
    def estimate(self) -> Estimate:
        """Blind estimates."""
        ...

    @property
    def unanswered(self) -> float | None:
        """Matches that the pass sees and does not answer; None where it cannot tell."""
        ...

    def band_errors(self) -> tuple[float, ...] | None:
        """Estimated share of wrong answers by band, 1 to 3; None where it cannot tell."""
        ...


class Index(Protocol):
    """A registry's table, ready to answer a few rows at a time."""

    @property
    def calibration(self) -> Calibration | None:
        """What it scores by; None in an exact pass."""
        ...

    def match(self, requester: PassTable) -> PassResult:
        """Answers for the rows of ``requester``."""
        ...


class Engine(Protocol):
    """Matches pass tables. Deterministic; tables may be read-only memory maps."""

    def match_pass(
        self,
        schema: Schema,
        p: Pass,
        provider: PassTable,
        requester: PassTable,
        policy: MatchPolicy,
        *,
        progress: Callable[[float], None],
        cancelled: Callable[[], bool],
        threads: int,
        directory: Directory | None,
        journal: Journal,
    ) -> PassResult:
        """Match a whole list; may end early with any exception once ``cancelled()`` is true.

        Work that ``journal`` has of an earlier attempt is not done again.
        """
        ...

    def work(self, p: Pass, provider: PassTable, requester: PassTable) -> float:
        """How much work a pass is, in a unit of its own: what time estimates are made of."""
        ...

    def directory(self, p: Pass, provider: PassTable, seed: int) -> Directory:
        """What makes a registry's table answer at once; ``seed`` is 64 secret bits."""
        ...

    def index(
        self,
        schema: Schema,
        p: Pass,
        provider: PassTable,
        policy: MatchPolicy,
        directory: Directory,
        calibration: Calibration | None,
    ) -> Index:
        """A registry's table for single questions; without a calibration it makes one."""
        ...


def answer_columns(
    result: PassResult, provider: PassTable, origins: NDArray[np.uint16] | None, origin: int
) -> dict[str, NDArray[np.uint8] | NDArray[np.uint16]]:
    """What the requester may learn of ``result``: no row, no handle, no score.

    ``outcomes``, ``bands``: uint8[n]; and for the matched rows alone, in row order,
    ``sealed_codes``: uint8[k, 44], ``origins``: uint16[k], ``confirmations``: uint8[k, c].
    ``origin`` opens every row where ``origins`` is None.
    """
    matched = result.outcome == MATCHED
    rows = result.row[matched]
    opened_by = np.full(len(rows), origin, np.uint16) if origins is None else origins[rows]
    return {
        "outcomes": result.outcome,
        "bands": np.where(matched, result.band, 0).astype(np.uint8),
        "sealed_codes": provider.columns["sealed_codes"][rows],
        ORIGINS: opened_by.astype("<u2"),
        "confirmations": result.confirmations[matched],
    }

"""What the unit asks of the matching code; ``app.py`` binds it to ``padan_linkage.matching``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import Calibration, Directory, Journal, PassResult
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable


class Index(Protocol):
    """A registry's table, ready to answer a few rows at a time."""

    def match(self, requester: PassTable, between: Callable[[], object]) -> PassResult:
        """Answers for the rows of ``requester``; calls ``between`` after every few milliseconds."""
        ...

    @property
    def gains(self) -> bool:
        """Whether questions that are asked together cost less than one by one."""
        ...

    def match_some(self, requesters: Sequence[PassTable]) -> list[PassResult]:
        """The answers that :meth:`match` gives to the first of these questions, of a row each.

        As many as are a few milliseconds' work, and one at least.
        """
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
        calibration: Calibration | None,
        *,
        progress: Callable[[float], None],
        cancelled: Callable[[], bool],
        threads: int,
        directory: Directory | None,
        journal: Journal,
    ) -> PassResult:
        """Match a whole list; may end early with any exception once ``cancelled()`` is true.

        ``calibration`` is None in an exact pass. Work that ``journal`` has of an earlier attempt is
        not done again.
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
        """A registry's table for single questions; ``calibration`` is None in an exact pass."""
        ...

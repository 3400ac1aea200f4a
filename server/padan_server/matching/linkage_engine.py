"""``padan_linkage.matching`` as the unit's engine."""

from __future__ import annotations

from collections.abc import Callable

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import (
    Calibration,
    Directory,
    Journal,
    KeptRanges,
    PassIndex,
    PassResult,
    match_pass,
    pass_work,
)
from padan_linkage.matching.streaming import RANGE
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable


class LinkageEngine:
    """:class:`.engine.Engine`; a range is kept after ``range_pairs`` comparisons."""

    def __init__(self, range_pairs: int = RANGE) -> None:
        self._range_pairs = range_pairs

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
        """Match a whole list."""
        return match_pass(
            schema,
            p,
            provider,
            requester,
            policy,
            calibration,
            progress=progress,
            cancelled=cancelled,
            threads=threads,
            directory=directory,
            kept=KeptRanges(journal, self._range_pairs),
        )

    def work(self, p: Pass, provider: PassTable, requester: PassTable) -> float:
        """How much work a pass is."""
        return pass_work(p, provider, requester)

    def directory(self, p: Pass, provider: PassTable, seed: int) -> Directory:
        """What makes a registry's table answer at once."""
        return Directory.of(p, provider, seed)

    def index(
        self,
        schema: Schema,
        p: Pass,
        provider: PassTable,
        policy: MatchPolicy,
        directory: Directory,
        calibration: Calibration | None,
    ) -> PassIndex:
        """A registry's table for single questions."""
        return PassIndex(schema, p, provider, policy, calibration, directory=directory)

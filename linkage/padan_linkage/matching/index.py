"""A committed registry, ready to answer a few rows of a pass in well under a millisecond."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching.directory import Directory
from padan_linkage.matching.exact import answer_exact, seed_of, token_words
from padan_linkage.matching.result import PassResult, check_layout, check_table
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.sides import SweepRunner
from padan_linkage.matching.similar import SortedRegistry, answer_similar, answer_some, in_one_go
from padan_linkage.schema import Layout, Pass, Schema
from padan_linkage.tables import PassTable


class PassIndex:
    """Made from a provider's table of one pass, which may be memory-mapped, and its directory.

    Without a ``directory`` one is made, which looks at every row. ``calibration`` is the edition's,
    None in an exact pass. Safe to use from several threads. Raises ValueError where a pass with a
    filter has no calibration.
    """

    def __init__(
        self,
        schema: Schema,
        p: Pass,
        provider: PassTable,
        policy: MatchPolicy,
        calibration: Calibration | None,
        *,
        directory: Directory | None = None,
    ) -> None:
        check_table(schema, p, provider, as_provider=True)
        self._pass, self._provider = p, provider
        self._asked = Layout.of(schema, p, provider=False)
        self._policy = policy
        self.directory = directory or Directory.of(p, provider, _seed(provider))
        self._registry: SortedRegistry | None = None
        self._calibration = calibration
        self._runner = SweepRunner()
        if p.similar:
            if calibration is None:
                raise ValueError(f"pass {p.id}: a pass with a filter needs a calibration")
            self._registry = SortedRegistry.of(p, provider, self.directory)
            self._scores = calibration.distance_scores(self._registry.plan)
        else:
            self._tokens = token_words(provider)

    def match(self, requester: PassTable, between: Callable[[], object] = in_one_go) -> PassResult:
        """Answer the rows of a requester's table of this pass. Raises ValueError for another.

        ``between`` is called after every piece but the last of at most ``similar.FEW`` rows: what
        it raises ends the work.
        """
        check_layout(self._pass, requester, self._asked, "requester")
        if self._registry is None or self._calibration is None:
            found = self.directory.find(self._tokens, token_words(requester))
            return answer_exact(self._provider, requester, found, self.directory.shared)
        return answer_similar(
            self._registry,
            requester,
            self._calibration,
            self._policy,
            self._runner,
            scores=self._scores,
            between=between,
        )

    @property
    def gains(self) -> bool:
        """Whether questions that are asked together cost less than one by one: by filters."""
        return self._registry is not None

    def match_some(self, requesters: Sequence[PassTable]) -> list[PassResult]:
        """What :meth:`match` gives for the first of these tables of one row, as many as a piece.

        At least one, to the bit the same. Raises ValueError for another pass's table.
        """
        if self._registry is None or self._calibration is None:
            return [self.match(requesters[0])]
        for requester in requesters:
            check_layout(self._pass, requester, self._asked, "requester")
        return answer_some(
            self._registry,
            requesters,
            self._calibration,
            self._policy,
            self._runner,
            self._scores,
        )


def _seed(provider: PassTable) -> int:
    """A seed from the handles, which no requester knows; a server that has randomness gives one."""
    handles = np.ascontiguousarray(provider.columns["handles"][:256])
    return seed_of(handles.view("=u8").reshape(-1, 2))

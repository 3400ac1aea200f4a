"""A committed registry, ready to answer a few rows of a pass in well under a millisecond."""

from __future__ import annotations

import numpy as np

from padan_linkage.matching.directory import Directory
from padan_linkage.matching.exact import answer_exact, seed_of, token_words
from padan_linkage.matching.result import PassResult, check_table
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.sides import SweepRunner
from padan_linkage.matching.similar import SortedRegistry, answer_similar, calibrate
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable


class PassIndex:
    """Made from a provider's table of one pass, which may be memory-mapped, and its directory.

    Without a ``directory`` one is made, which looks at every row. Without a ``calibration`` one is
    made from the registry's own pairs and the shipped priors (spec 35, "Real time"); one learned by
    a run of the same registry is better. ``calibration`` is None in an exact pass. Safe to use from
    several threads.
    """

    def __init__(
        self,
        schema: Schema,
        p: Pass,
        provider: PassTable,
        policy: MatchPolicy,
        *,
        directory: Directory | None = None,
        calibration: Calibration | None = None,
        threads: int = 1,
    ) -> None:
        check_table(schema, p, provider, as_provider=True)
        self._schema, self._pass, self._provider = schema, p, provider
        self._policy = policy
        self.directory = directory or Directory.of(p, provider, _seed(provider))
        self._registry: SortedRegistry | None = None
        self.calibration: Calibration | None = None
        self._runner = SweepRunner()
        if p.similar:
            self._registry = SortedRegistry.of(p, provider, self.directory)
            self.calibration = (
                calibration
                or calibrate(self._registry, None, self._policy, SweepRunner(threads=threads))[0]
            )
            self._scores = self.calibration.distance_scores(self._registry.plan)
        else:
            self._tokens = token_words(provider)

    def match(self, requester: PassTable) -> PassResult:
        """Answer the rows of a requester's table of this pass. Raises ValueError for another."""
        check_table(self._schema, self._pass, requester, as_provider=False)
        if self._registry is None or self.calibration is None:
            found = self.directory.find(self._tokens, token_words(requester))
            return answer_exact(self._provider, requester, found, self.directory.shared)
        return answer_similar(
            self._registry,
            requester,
            self.calibration,
            self._policy,
            self._runner,
            scores=self._scores,
        )


def _seed(provider: PassTable) -> int:
    """A seed from the handles, which no requester knows; a server that has randomness gives one."""
    handles = np.ascontiguousarray(provider.columns["handles"][:256])
    return seed_of(handles.view("=u8").reshape(-1, 2))

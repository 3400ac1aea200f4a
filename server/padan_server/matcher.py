"""``padan_linkage.matching`` as the unit's engine."""

from __future__ import annotations

from collections.abc import Callable

from padan_linkage.matching import PassIndex, PassResult, match_pass
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable


class LinkageEngine:
    """:class:`padan_server.engine.Engine`."""

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
    ) -> PassResult:
        """Match a whole list."""
        return match_pass(
            schema,
            p,
            provider,
            requester,
            policy,
            progress=progress,
            cancelled=cancelled,
            threads=threads,
        )

    def index(self, schema: Schema, p: Pass, provider: PassTable, policy: MatchPolicy) -> PassIndex:
        """Prepare a registry's table for single questions."""
        return PassIndex(schema, p, provider, policy)

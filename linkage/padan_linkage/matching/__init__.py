"""The linkage unit's matcher: pass tables in, outcomes out, no key and no value.

Start at :func:`match_pass`. Spec: ``proto/spec/35-matching.md``. May import ``tables``,
``schema``, ``answering`` and ``compiled``.
"""

from __future__ import annotations

from collections.abc import Callable

from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching.directory import Directory
from padan_linkage.matching.exact import TokenIndex, answer_exact, seed_of, token_words
from padan_linkage.matching.index import PassIndex
from padan_linkage.matching.learning import learn_from_list
from padan_linkage.matching.meetings import MetPairs, in_excess, is_crowded
from padan_linkage.matching.one_file.linking import WithinResult, link_within
from padan_linkage.matching.one_file.own_file import OwnFile, OwnTable
from padan_linkage.matching.result import PassResult, check_table, errors_of
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.scoring.threshold import ChosenThreshold
from padan_linkage.matching.sides import CancelledError, SweepRunner
from padan_linkage.matching.similar import SortedRegistry, answer_similar
from padan_linkage.matching.streaming import Journal, KeptRanges, pass_work
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable

__all__ = [
    "AMBIGUOUS",
    "MATCHED",
    "NOT_MATCHED",
    "Calibration",
    "CancelledError",
    "Directory",
    "Journal",
    "KeptRanges",
    "MetPairs",
    "OwnFile",
    "OwnTable",
    "PassIndex",
    "PassResult",
    "WithinResult",
    "errors_of",
    "in_excess",
    "is_crowded",
    "link_within",
    "match_and_learn",
    "match_pass",
    "pass_work",
]


def match_pass(
    schema: Schema,
    p: Pass,
    provider: PassTable,
    requester: PassTable,
    policy: MatchPolicy,
    calibration: Calibration | None,
    *,
    line: ChosenThreshold | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    threads: int = 1,
    directory: Directory | None = None,
    kept: KeptRanges | None = None,
) -> PassResult:
    """Match the requester's rows of one pass against the provider's, by an edition's calibration.

    ``calibration``: None in an exact pass; ``line``: what a rehearsal estimated with it. A row's
    outcome depends on the row, the provider's table and the calibration alone, but under
    ``one_to_one``. Columns may be read-only memory maps. The number of ``threads`` changes nothing.
    ``progress`` hears shares from 0 to 1; ``cancelled`` is asked between pieces of
    work, from any thread. A provider's ``directory`` saves sorting; with ``kept``, work done for
    the same tables before is taken up. Raises CancelledError, and ValueError where a table is not
    of this pass or a pass with a filter has no calibration.
    """
    check_table(schema, p, provider, as_provider=True)
    check_table(schema, p, requester, as_provider=False)
    runner = SweepRunner(threads=threads, progress=progress, cancelled=cancelled)
    if cancelled is not None and cancelled():
        raise CancelledError
    if not p.similar:
        listed = token_words(requester)
        # Spec 35, step 1.
        index = TokenIndex.of(token_words(provider), seed_of(listed))
        result = answer_exact(provider, requester, index.find(listed), index.shared)
    else:
        registry = SortedRegistry.of(p, provider, directory)
        if calibration is None:
            raise ValueError(f"pass {p.id}: a pass with a filter needs a calibration")
        result = answer_similar(registry, requester, calibration, policy, runner, line, kept)
    if progress is not None:
        progress(1.0)
    return result


def match_and_learn(
    schema: Schema,
    p: Pass,
    provider: PassTable,
    requester: PassTable,
    policy: MatchPolicy,
    *,
    threads: int = 1,
    others: PassTable | None = None,
) -> PassResult:
    """As :func:`match_pass`, by a calibration that is learned from these two tables.

    For rehearsals: what a row is answered then depends on the rest of the list. ``others``: rows to
    learn strangers from beside the provider's, no two of which are one person.
    """
    calibration = line = None
    if p.similar:
        registry = SortedRegistry.of(p, provider)
        runner = SweepRunner(threads=threads)
        calibration, line = learn_from_list(registry, requester, policy, runner, others)
    return match_pass(
        schema, p, provider, requester, policy, calibration, line=line, threads=threads
    )

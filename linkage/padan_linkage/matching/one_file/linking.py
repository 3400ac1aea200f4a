"""One table against itself: which of its rows are the same record.

Here one party holds everything: all passes, and which exact keys its own records share. So all
passes are judged together, pair by pair, by what their encodings show. There are no known strangers
in such a file; their owner makes some. Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.one_file.closure import Likely, closed
from padan_linkage.matching.one_file.comparison import fields_of
from padan_linkage.matching.one_file.latent_classes import matches_among
from padan_linkage.matching.one_file.own_file import Float, Meetings, OwnFile, Rows
from padan_linkage.schema import Schema

#: Fewer pairs of records in a file than this say nothing about strangers.
LEAST_PAIRS = 1_000


@dataclass(frozen=True, repr=False)
class WithinResult:
    """Pairs of records of one file.

    ``a``, ``b``: int64[k], a < b; ``error``: float64[k], the chance that they are not the same;
    ``met``: bool[k, passes], the passes in which they share all exact fields (none for pairs that
    others stand for); ``unanswered``: matches expected among the pairs that were not kept;
    ``seen``: int64[passes], pairs that met; ``estimated``: whether there were enough pairs to
    estimate anything.
    """

    a: Rows
    b: Rows
    error: Float
    met: NDArray[np.bool_]
    unanswered: float
    seen: Rows
    estimated: bool

    def __repr__(self) -> str:
        return f"WithinResult(pairs={len(self.a)})"


def link_within(
    schema: Schema, own: OwnFile, rule: Callable[[Float], NDArray[np.bool_]]
) -> WithinResult:
    """All pairs of records of ``own`` that are taken for the same.

    ``rule`` says which are kept, from the chances of error (as those of
    :mod:`padan_linkage.merging.union`); none is kept that is likelier wrong than right.
    Deterministic.
    """
    met = Meetings.of(own)
    right = matches_among(fields_of(schema, own, met), met)
    pairs = closed(Likely(met.code, right), own.records)
    likely = np.flatnonzero(pairs.right > 0.5)
    kept = likely[rule(1 - pairs.right[likely])]
    code, chance = pairs.code[kept], pairs.right[kept]
    a, b = code // max(1, own.records), code % max(1, own.records)
    at = met.find(a, b)
    return WithinResult(
        a=a,
        b=b,
        error=1 - chance,
        met=met.met[at] & (at >= 0)[:, None],
        unanswered=float(pairs.right.sum() - chance.sum()),
        seen=met.met.sum(axis=0),
        estimated=own.records * (own.records - 1) / 2 >= LEAST_PAIRS,
    )

"""One table: who is the same as the same one is the same.

Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from padan_linkage.matching.one_file.own_file import Float, Rows, inside

#: Only pairs likelier right than not lead on, and not through a record with more than so many.
LEADING, MOST_MATES = 0.5, 20
#: So many of the matches that follow from others must show by themselves, or none is believed.
BORNE_OUT = 0.9


@dataclass(frozen=True, repr=False)
class Likely:
    """Pairs, as numbers int64[n] ascending (lower record · records + higher), and ``right``.

    ``right``: float64[n], the chance that a pair is a match.
    """

    code: Rows
    right: Float


def closed(pairs: Likely, records: int) -> Likely:
    """The same, where a-b and b-c speak for a-c.

    If both are matches, so is a-c: its chance should be the product of theirs. Where the file's own
    pairs a-c bear that out, those that do not show it by themselves are believed so far; where they
    do not, one of the two is wrong and nothing follows. One step: no chain is built on a chain.
    """
    leading = np.flatnonzero(pairs.right > LEADING)
    a, b = pairs.code[leading] // records, pairs.code[leading] % records
    through, end = np.concatenate([a, b]), np.concatenate([b, a])
    chance = np.concatenate([pairs.right[leading]] * 2)
    found = [
        (np.minimum(end[i], end[j]) * records + np.maximum(end[i], end[j]), chance[i] * chance[j])
        for i, j in inside(through, MOST_MATES)
    ]
    if not found:
        return pairs
    inferred = _best(*(np.concatenate([f[part] for f in found]) for part in (0, 1)))
    borne_out = _borne_out(inferred, pairs)
    if borne_out < BORNE_OUT:
        return pairs
    return _best(
        np.concatenate([pairs.code, inferred.code]),
        np.concatenate([pairs.right, inferred.right * borne_out]),
    )


def _best(code: Rows, right: Float) -> Likely:
    """Every pair once, with its highest chance."""
    distinct, place = np.unique(code, return_inverse=True)
    best = np.zeros(len(distinct))
    np.maximum.at(best, place.reshape(-1), right)
    return Likely(distinct, best)


def _borne_out(inferred: Likely, pairs: Likely) -> float:
    """How many of the matches that follow from others show it by themselves, 0 to 1."""
    at = np.minimum(np.searchsorted(pairs.code, inferred.code), len(pairs.code) - 1)
    own = np.where(pairs.code[at] == inferred.code, pairs.right[at], 0.0)
    return min(1.0, float(own.sum() / inferred.right.sum()))

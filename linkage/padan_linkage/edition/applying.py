"""The requester's side of an edition: by what rule the passes' answers to its records are merged.

The unit cannot see which fields a record has; its owner can. Spec: ``proto/spec/36-editions.md``,
"Use".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.outcomes import FIELDS_MISSING, NO_REASON, SELDOM_FOUND
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.edition.asking import Records, fields_of, filled_of, telling_of
from padan_linkage.edition.document import ANY, Edition, GivenFields
from padan_linkage.merging.rule import MergeRule
from padan_linkage.normalise import OF_DAMAGED
from padan_linkage.schema import Schema


def rule_of(
    edition: Edition, schema: Schema, policy: MatchPolicy, records: Records, passes: Sequence[str]
) -> MergeRule:
    """The rule for ``records``, whose ``passes`` are merged in this order.

    A number that is damaged is not given; a pass that takes its sound front sees as much in it as
    in a whole one, and answers as it would for that.
    """
    names, given = fields_of(schema), edition.given
    telling = telling_of(schema, records, edition.common)
    sound = kind_of(given, schema, filled_of(records, names), telling)
    begun = kind_of(given, schema, filled_of(records, names, _begun(schema)), telling)
    pairs, kind = np.unique(np.stack([sound, begun], axis=1), axis=0, return_inverse=True)
    fronts = [_of_fronts(schema, p) for p in passes]
    # Behind the last, for records that nothing is known of: no pass.
    answering = _table([*(g.answering for g in given), ()], passes)
    silent = _table([*(g.silent for g in given), ()], passes)
    reasons = np.array([*(_reason(g, policy) for g in given), FIELDS_MISSING], np.uint8)
    wrong = np.array([*(g.wrong for g in given), 0.0])
    return MergeRule(
        kind=kind.reshape(-1),
        answering=np.where(fronts, answering[pairs[:, 1]], answering[pairs[:, 0]]),
        silent=np.where(fronts, silent[pairs[:, 1]], silent[pairs[:, 0]]),
        unvouched=reasons[pairs[:, 0]],
        wrong=wrong[pairs[:, 0]],
    )


def _begun(schema: Schema) -> tuple[str, ...]:
    """Fields of which a pass takes the front, so that a damaged value does as well as a sound."""
    keys = [key.partition(":") for p in schema.passes for key in p.exact]
    taken = {name for name, _, part in keys if (schema.kind(name), part) in OF_DAMAGED}
    return tuple(sorted(taken))


def _of_fronts(schema: Schema, pass_id: str) -> bool:
    """Whether the pass takes the front of a number that may be damaged behind."""
    keys = [key.partition(":") for key in schema.get_pass(pass_id).exact]
    return any((schema.kind(name), part) in OF_DAMAGED for name, _, part in keys)


def kind_of(
    given: Sequence[GivenFields],
    schema: Schema,
    filled: NDArray[np.bool_],
    telling: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Which of ``given`` tells about each record, int64[n]; -1: none.

    ``filled``: bool[n, fields], which of the fields that passes use a record has; ``telling``:
    int64[n]. Of the entries whose fields a record all has, the one with most fields, for names that
    tell as much where there is one: a field that no registered person has adds nothing, unless a
    pass that finds such people is for records without it.
    """
    names = fields_of(schema)
    weights = 1 << np.arange(len(names), dtype=np.int64)
    pairs, where = np.unique(
        np.stack([filled @ weights, telling], axis=1), axis=0, return_inverse=True
    )
    bit = dict(zip(names, weights.tolist(), strict=True))
    fields = [sum(bit[f] for f in g.fields) for g in given]
    barred = [sum(bit[f] for f in _shut_out(g, schema)) for g in given]
    best = [_entry(given, fields, barred, int(code), int(number)) for code, number in pairs]
    return np.array(best, np.int64)[where.reshape(-1)]


def _table(named: Sequence[Sequence[str]], passes: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the ``passes`` each names, bool[named, passes]."""
    listed = [[p in names for p in passes] for names in named]
    return np.array(listed, np.bool_).reshape(-1, len(passes))


def _shut_out(given: GivenFields, schema: Schema) -> set[str]:
    """Fields that a record must not have for the passes that take those of this entry."""
    return {name for p in given.usable for name in schema.get_pass(p).without}


def _entry(
    given: Sequence[GivenFields],
    fields: Sequence[int],
    barred: Sequence[int],
    code: int,
    telling: int,
) -> int:
    """The number of the entry for records of these fields (as bits) and names, or -1."""
    fitting = [
        (len(g.fields), g.telling == telling, g.asked, -number)
        for number, g in enumerate(given)
        if fields[number] & ~code == 0
        and barred[number] & code == 0
        and g.telling in {telling, ANY}
    ]
    return -max(fitting)[-1] if fitting else -1


def _reason(given: GivenFields, policy: MatchPolicy) -> int:
    """Why «not found» cannot be said of records with these fields, if it cannot."""
    if not given.usable:
        return FIELDS_MISSING
    return NO_REASON if given.noticed >= policy.min_found else SELDOM_FOUND

"""What a requester can be told at most by labels, whatever it asks for. Spec 60, "Made-up rows"."""

from __future__ import annotations

import math
from collections.abc import Mapping

from padan_linkage.direct.half_decades import NAMES, PLACES
from padan_linkage.direct.schema import DirectSchema, alternatives, most_values
from padan_linkage.schema import Schema


def told_at_most(
    direct: DirectSchema,
    fields: Schema,
    codes: int,
    asked: Mapping[str, int],
    *,
    rarity: bool = True,
) -> float:
    """Bits about one registered person by so many elements of each key, whatever they hold.

    ``codes``: of the flow. Of Q elements of a key at most w are the person's inputs, w the most
    values; as many names and places among them are its, of which a rarity may show that one more
    has them.
    """
    bits = math.log2(2 + codes)
    for key in direct.keys:
        most, count = most_values(fields, key), asked.get(key.id, 0)
        kinds = {fields.kind(alternatives(part)[0][0]) for part in key.exact}
        seen = 1 + rarity * (bool(kinds & NAMES) + bool(kinds & PLACES))
        bits += seen * math.log2(sum(math.comb(count, i) for i in range(most + 1)))
    return bits


def told_by_records(direct: DirectSchema, fields: Schema, codes: int, records: int) -> float:
    """The same by ``records`` that are all spent on one person, how rare words are aside."""
    widths = zip(direct.keys, direct.widths(fields), strict=True)
    asked = {key.id: records * width for key, width in widths}
    return told_at_most(direct, fields, codes, asked, rarity=False)

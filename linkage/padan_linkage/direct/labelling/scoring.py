"""How sure it is that a record is the person whom it met: quarter bits, by what agrees.

Keys share fields, so what counts is the fields: of each the strongest part that agrees, how rare
its words are, and the keys that were asked and did not meet. Spec 60, "Score".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.labelling.rarity import NONE
from padan_linkage.direct.schema import DirectSchema, DirectScore, alternatives

Numbers = NDArray[np.int64]


def scores(
    schema: DirectSchema, score: DirectScore, met: Numbers, asked: Numbers, rarity: Numbers
) -> Numbers:
    """Quarter bits for each of ``p`` pairs of a record and a person, int64[p].

    ``met``, ``asked``: int64[p], bit i set where key number i met, and was asked; ``rarity``:
    int64[p, 2], half decades of the rarest words of a name, and of the rarest place, that agree.
    """
    kinds, kind = np.unique(np.stack([met, asked], axis=1), axis=0, return_inverse=True)
    of_kinds = [_agreed(schema, score, *both) for both in kinds.tolist()]
    rare = rarity @ np.array([score.names, score.places], np.int64)
    return np.array(of_kinds, np.int64)[kind.reshape(-1)] + rare


def rarest(pairs: int, pair: Numbers, rarity: NDArray[np.uint8]) -> Numbers:
    """Of each pair the rarest words and the rarest place that its meetings show, int64[pairs, 2].

    ``pair``: int64[m], whose each meeting is; ``rarity``: uint8[m], as labels say it.
    """
    found = np.zeros((pairs, 2), np.int64)
    for column, nibble in enumerate((rarity & 15, rarity >> np.uint8(4))):
        np.maximum.at(found[:, column], pair, np.where(nibble == NONE, 0, nibble).astype(np.int64))
    return found


def _agreed(schema: DirectSchema, score: DirectScore, met: int, asked: int) -> int:
    """What the keys that met say, and those that were asked and did not."""
    best: dict[str, int] = {}
    missed = 0
    for number, key in enumerate(schema.keys):
        if met >> number & 1:
            for part in key.exact:
                field, weight = alternatives(part)[0][0], score.parts.get(part, 0)
                best[field] = max(best.get(field, weight), weight)
        elif asked >> number & 1:
            missed += score.missed.get(key.id, 0)
    return sum(best.values()) + missed

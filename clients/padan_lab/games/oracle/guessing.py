"""What a requester reads of somebody by exact passes: guesses at keyed tokens, likeliest first.

A wrong guess tells that it was wrong. An honest row guesses one candidate in every pass; a crafted
one another in each, for nothing ties the rows of two passes. Start at :func:`guess`. Spec:
``proto/spec/15-hardening.md``, "The requester's oracle".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.oracle.asking import (
    SURPRISE,
    Float,
    Numbers,
    Reading,
    Sought,
    chances_of,
)
from padan_lab.games.oracle.metered import MeteredUnit, listed_rows
from padan_linkage.answering.outcomes import NOT_MATCHED
from padan_linkage.encoding import PassEncoder
from padan_linkage.schema import Pass

Bools = NDArray[np.bool_]
#: Lists over which a charge is spent, each by what came of those before.
LISTS = 8


@dataclass(frozen=True, repr=False)
class _Guesses:
    """What candidates are in one pass: ``kind``: int64[n], equal where their token is.

    ``tokens``: uint8[kinds, 16]; ``there``: bool[kinds], what the unit says of each; ``chance``:
    that somebody else has a token, as the attacker knows of a registry of her own.
    """

    p: Pass
    kind: Numbers
    tokens: NDArray[np.uint8]
    there: Bools
    chance: float

    @classmethod
    def of(cls, unit: MeteredUnit, p: Pass, who: Sought) -> Self:
        """The unit is asked once about every token; who guesses looks at no other answer."""
        registry = unit.registry
        open_ = p.model_copy(
            update={"without": ()}
        )  # whoever makes tokens fills what rows it likes
        made = PassEncoder(registry.schema, open_, registry.key).encode(
            who.records(registry), drbg=registry.drbg
        )
        ordered = made.table.columns["keys"][np.argsort(made.record_of_row)]
        tokens, kind = np.unique(ordered, axis=0, return_inverse=True)
        given = unit.answer(p, listed_rows(registry, p, {"keys": np.ascontiguousarray(tokens)}))
        assert given is not None  # without a filter no list is closed
        there = given.outcome != NOT_MATCHED
        others = np.delete(there, kind[who.truth])
        chance = float(np.clip(others.mean() if len(others) else 0.0, SURPRISE, 0.5))
        return cls(p, kind.reshape(-1), tokens, there, chance)

    def told(self, guessed: int) -> Float:
        """Log-likelihoods of the candidates by the answer to a guess, float64[n]."""
        mine = self.kind == guessed
        if self.there[guessed]:
            return np.where(mine, 0.0, math.log(self.chance))
        return np.where(mine, math.log(SURPRISE), math.log1p(-self.chance))


def guess(
    unit: MeteredUnit, passes: tuple[Pass, ...], who: Sought, rows: int, *, honest: bool
) -> Reading:
    """Spend ``rows`` on guesses at one person, in every pass that has the unknown field."""
    made = [_Guesses.of(unit, p, who) for p in passes]
    weight, asked = np.log(who.prior), 0
    while made and asked < rows and chances_of(weight).max() < 1 - SURPRISE:
        some = min(max(1, rows // LISTS), rows - asked)
        told = _one_list(made, chances_of(weight), some, honest=honest)
        weight = weight + told
        asked += some
    return Reading.of(weight, who.truth, max(1, asked), who.prior)


def _one_list(made: list[_Guesses], chance: Float, rows: int, *, honest: bool) -> Float:
    """What a list tells: each row's guesses as if those before had been wrong."""
    left, told = chance.copy(), np.zeros(len(chance))
    asked: dict[str, set[int]] = {one.p.id: set() for one in made}
    for _ in range(rows):
        candidate = int(left.argmax())
        for one in made:
            kinds = np.bincount(one.kind, left, len(one.tokens))
            guessed = int(one.kind[candidate] if honest else kinds.argmax())
            if guessed in asked[one.p.id]:
                continue
            asked[one.p.id].add(guessed)
            told += one.told(guessed)
            left[one.kind == guessed] *= SURPRISE
    return told


def holding(passes: tuple[Pass, ...], field: str) -> tuple[Pass, ...]:
    """The exact passes that a field takes part in."""
    return tuple(p for p in passes if not p.similar and field in p.named)

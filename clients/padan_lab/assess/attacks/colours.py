"""FREQ and colour refinement: who is known by what is equal, and how often.

Rows and the classes of equal values that they lie in make a graph; refinement gives rows the same
colour while nothing in it tells them apart (Weisfeiler & Leman 1968). Here colours are vectors, so
that a decoy more or less in a class moves them a little instead of turning them into others.
FREQ refines over a pass's bucket and the equality of each of its segments (frequency analysis of
tokens and segments is its first round; Kroll & Steinmetzer 2015, Niedermeyer et al. 2014). Over
aligned passes the columns are the passes' exact values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import Prints, assign
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen

_WIDTH, _ROUNDS = 24, 4
#: Of the random maps between rounds: fixed, for both sides must use the same.
_MAP_SEED = 20


def refined(columns: Numbers, own: NDArray[np.float32] | None = None) -> Reals:
    """Colours of rows, float32[n, d], from classes int64[n, c]; -1 is no class.

    ``own``: float32[n, e], what a row shows by itself.
    """
    rng = np.random.default_rng(_MAP_SEED)
    sizes = np.stack([_sizes(column) for column in columns.T], axis=1)
    first = np.log1p(sizes) if own is None else np.concatenate([np.log1p(sizes), own], axis=1)
    colours, state = [first.astype(np.float32)], first
    for _ in range(_ROUNDS):
        projected = np.sin(2 * state @ rng.normal(size=(state.shape[1], _WIDTH)))
        state = np.concatenate([_mates(column, projected) for column in columns.T], axis=1)
        colours.append(state.astype(np.float32))
    return np.concatenate(colours, axis=1)


def _sizes(column: Numbers) -> NDArray[np.float64]:
    _, which, counts = np.unique(column, return_inverse=True, return_counts=True)
    return np.where(column >= 0, counts[which], 0).astype(np.float64)


def _mates(column: Numbers, state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean state of the other rows of each row's class; 0 where it is alone."""
    _, which, counts = np.unique(column, return_inverse=True, return_counts=True)
    total = np.zeros((len(counts), state.shape[1]))
    np.add.at(total, which, state)
    others = np.maximum(counts - 1, 1)[which, None]
    mean: NDArray[np.float64] = (total[which] - state) / others
    mean[column < 0] = 0
    return mean


def attack_equality(attacker: Attacker, seen: Seen, rng: np.random.Generator) -> Numbers:
    """Claims for every row from what is equal to what in one table."""
    samples = [_colours(table.seen)[attacker.places(table)] for table in attacker.tables]
    cost = Prints.learn(samples).distances(_colours(seen))
    claims = assign(cost, rng)
    return np.where(claims >= 0, attacker.candidates[claims], -1)


def _colours(seen: Seen) -> Reals:
    return refined(seen.equalities(), seen.present.astype(np.float32))


def attack_aligned(mine: Numbers, seen: Numbers, rng: np.random.Generator) -> Numbers:
    """Claims for every record from the equality of its passes' exact values.

    ``mine``: int64[persons, passes], the classes as the attacker knows them; ``seen``:
    int64[records, passes], as the unit would see them if rows of the passes were aligned.
    """
    known, found = refined(mine), refined(seen)
    scale = known.std(axis=0)
    scale[scale == 0] = 1
    prints = Prints(known / scale, np.diag(1 / scale).astype(np.float32))
    return assign(prints.distances(found), rng)


def align(first: Seen, second: Seen, rng: np.random.Generator) -> Numbers:
    """For every row of one pass the row of another that lies most alike in its table, or -1.

    All that a row shows of itself: how full its bucket is, what it shares with the rows there.
    """
    a, b = (_standing(seen) for seen in (first, second))
    width = min(a.shape[1], b.shape[1])
    squares = (a[:, None, 0] - b[None, :, 0]) ** 2
    for i in range(1, width):
        squares = squares + (a[:, None, i] - b[None, :, i]) ** 2
    return assign(squares, rng)


def _standing(seen: Seen) -> Reals:
    """Ranks of a row's features among all rows, float32[n, 1 + channels]."""
    features = [_sizes(seen.blocks), *(c.max(axis=1) for c in seen.likenesses())]
    ranks = [np.argsort(np.argsort(f, kind="stable")) / len(f) for f in features]
    return np.stack(ranks, axis=1).astype(np.float32)

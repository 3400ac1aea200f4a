"""SEED: matching that starts from rows which somebody knows, as a partner knows its own people.

Seeded graph matching (Yartseva & Grossglauser 2013; Fishkind et al. 2019): the known rows stay
where they are, all others are assigned by how alike they are to the known ones, and again by how
alike they are to everything assigned so far.
"""

from __future__ import annotations

import numpy as np

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import Prints, assign, implied
from padan_lab.assess.attacks.rows import sorted_rows
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen

#: Rows that are known: hundreds, and never more than a fifth of all.
_KNOWN, _SHARE, _ROUNDS = 300, 0.2, 6
#: What a row's own look counts beside its likeness to known ones.
_LOOK = np.float32(0.1)


def known_rows(attacker: Attacker, person: Numbers, rng: np.random.Generator) -> Numbers:
    """Place among the candidates of each row that is known, int64[rows], -1 for the others.

    ``person``: the truth, int64[rows], -1 for a decoy.
    """
    real = np.flatnonzero(np.isin(person, attacker.candidates))
    count = min(_KNOWN, int(_SHARE * len(real)))
    chosen = rng.permutation(real)[:count]
    known = np.full(len(person), -1, np.int64)
    known[chosen] = np.searchsorted(attacker.candidates, person[chosen])
    return known


def guess_beside(attacker: Attacker, known: Numbers) -> float:
    """What guessing finds of the others: a known row tells the bucket of all who share its salt."""
    group = attacker.groups[attacker.candidates]
    told = np.zeros(len(group), np.bool_)
    told[known[known >= 0]] = True
    if told.all():
        return 1.0
    left = np.bincount(group[~told], minlength=int(group.max()) + 1)
    shown = np.isin(group, group[told])
    chance = np.where(shown, 1 / np.maximum(left[group], 1), 1 / len(group))
    return float(chance[~told].mean())


def attack_seeded(
    attacker: Attacker, seen: Seen, known: Numbers, rng: np.random.Generator
) -> Numbers:
    """Claims for every row, int64[rows]; the known rows' are as :func:`known_rows` told."""
    channels = list(seen.likenesses())
    samples = [sorted_rows(table.seen)[attacker.places(table)] for table in attacker.tables]
    look = Prints.learn(samples).distances(sorted_rows(seen)) * (_LOOK / 2)
    claims = known
    for _ in range(_ROUNDS):
        cost = look - implied(channels, attacker.means, claims)
        improved = _around(known, cost, rng)
        if np.array_equal(improved, claims):
            break
        claims = improved
    return np.where(claims >= 0, attacker.candidates[claims], -1)


def _around(known: Numbers, cost: Reals, rng: np.random.Generator) -> Numbers:
    """The cheapest assignment of the rows and candidates that are left."""
    rows = np.flatnonzero(known < 0)
    left = np.setdiff1d(np.arange(cost.shape[1]), known)
    claims = known.copy()
    if not len(left):
        return claims
    place = assign(np.ascontiguousarray(cost[np.ix_(rows, left)]), rng)
    claims[rows] = np.where(place >= 0, left[place], -1)
    return claims

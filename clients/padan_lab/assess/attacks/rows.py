"""SIG: every row by its sorted likenesses to all others, then by what the first matches imply.

A row's likenesses in descending order do not depend on the order of the table and hardly on the
key. After the idea of similarity-graph attacks (Vidanage, Christen, Ranbaduge & Schnell, CIKM 2020;
Heng, Armknecht, Chen & Schnell, 2022), with assignment and quadratic refinement for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import Prints, assign, refine
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen

#: Ranks that count from the top, and shares of the row.
_TOP = np.unique(np.geomspace(1, 200, 24).astype(np.int64)) - 1
_SHARES = np.linspace(0.05, 1, 12)


def sorted_rows(seen: Seen) -> Reals:
    """Features of each row, float32[n, d]: its likenesses in descending order, thinned out."""
    return profiles(list(seen.likenesses()))


def profiles(channels: Sequence[Reals]) -> Reals:
    """Sorted likenesses by channel and over all channels, at ranks that lie denser at the top."""
    n = len(channels[0])
    ranks = np.minimum(np.concatenate([_TOP, (_SHARES * (n - 1)).astype(np.int64)]), n - 1)
    views = [-np.sort(-c, axis=1)[:, ranks] for c in (*channels, _together(channels))]
    return np.concatenate(views, axis=1)


def _together(channels: Sequence[Reals]) -> Reals:
    """Evidence of all channels that two rows are alike."""
    total = np.zeros_like(channels[0])
    for likeness in channels:
        total += np.maximum(likeness, 0) ** 2
    return np.sqrt(total)


def attack_rows(attacker: Attacker, seen: Seen, rng: np.random.Generator) -> Iterator[Numbers]:
    """Claims for every row, before and after refinement."""
    samples = [sorted_rows(table.seen)[attacker.places(table)] for table in attacker.tables]
    cost = Prints.learn(samples).distances(sorted_rows(seen))
    first = assign(cost, rng)
    yield _persons(attacker, first)
    refined = refine(list(seen.likenesses()), attacker.means, first, rng)
    yield _persons(attacker, refined)


def _persons(attacker: Attacker, claims: Numbers) -> Numbers:
    """From positions among the candidates to persons."""
    return np.where(claims >= 0, attacker.candidates[claims], -1)

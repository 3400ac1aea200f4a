"""A year of a requester's lists about people who are not on them, at a unit that meters.

Start at :func:`read`, for a pass with a filter; exact passes are guessed at in :mod:`.guessing`.
Spec: ``proto/spec/15-hardening.md``, "The requester's oracle".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.oracle.asking import AskedTarget, OracleTarget, Reading, Sought
from padan_lab.games.oracle.metered import MeteredUnit, listed_rows
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable

Column = NDArray[np.uint8]


def read(
    unit: MeteredUnit, p: Pass, sought: Sequence[Sought], rows: int, rng: np.random.Generator,
    *, honest: bool = False,
) -> Iterator[list[Reading]]:  # fmt: skip
    """What is read of each of the ``sought`` after every list of so many rows, for a year.

    Each list asks about all of them, as often as the unit lets it; what is left of its rows asks
    about nobody here. ``honest``: only records that might be, each a candidate's own filter.
    """
    asked = [AskedTarget.of(OracleTarget.of(unit.registry, p, who), who) for who in sought]
    epoch = unit.epoch
    while unit.turn():
        if unit.epoch != epoch:
            epoch = unit.epoch
            for one, who in zip(asked, sought, strict=True):
                one.target = OracleTarget.of(unit.registry, p, who)
        _ask(unit, p, asked, rows, rng, honest=honest)
        yield [one.reading for one in asked]
        if all(one.known for one in asked):
            return


def _ask(
    unit: MeteredUnit, p: Pass, asked: Sequence[AskedTarget], rows: int, rng: np.random.Generator,
    *, honest: bool,
) -> None:  # fmt: skip
    """One list about all of them."""
    share = min(unit.allowed(p, rows), rows // len(asked))
    made = [one.crafted(share, rng, honest=honest) for one in asked]
    parts = [one.target.rows(vectors) for one, vectors in zip(asked, made, strict=True)]
    given = unit.answer(p, _listed(unit, p, parts, rows, rng))
    answers = None if given is None else given.outcome.astype(np.int64)
    first = 0
    for one, vectors in zip(asked, made, strict=True):
        mine = None if answers is None else answers[first : first + len(vectors)]
        one.told(vectors, mine)
        first += len(vectors)


def _listed(
    unit: MeteredUnit, p: Pass, parts: Sequence[dict[str, Column]], rows: int,
    rng: np.random.Generator,
) -> PassTable:  # fmt: skip
    """The list's table: the rows of ``parts``, and random ones in other buckets."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    left = max(0, rows - len(columns["keys"]))
    free = np.setdiff1d(np.arange(1 << p.bucket_bits), columns["keys"].view("<u2"))
    buckets = rng.choice(free, left).astype("<u2").view(np.uint8).reshape(left, 2)
    filters = rng.integers(0, 256, (left, columns["filters"].shape[1]), np.uint8)
    filled = {"keys": buckets, "filters": filters}
    return listed_rows(
        unit.registry, p, {name: np.concatenate([columns[name], filled[name]]) for name in filled}
    )

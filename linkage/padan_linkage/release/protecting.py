"""Which counts of an aggregate must stay unpublished so that no small one can be worked out.

Counts stand in *cuboids*: a cuboid has the counts by some of the dimensions, and the published
tables are the largest of them, each with all its margins. A count below the minimum is withheld,
and so are others beside it (complementary suppression), until every withheld small count could, by
all that is published, as well be larger by the minimum, or zero. What has changed by less than the
minimum since the release before is withheld too, until it could be as it was, or larger.

The proof of that is a *witness* for each: other counts that agree with everything published.
Witnesses are sums of boxes: in the cuboid of the count, 2^k cells with alternating signs, which
leave every margin as it is, lifted into the larger cuboids at one place of their further
dimensions. Where the cells beside are too small for that, a box of fewer dimensions is taken, or
things are carried from one place to another: that moves margins as well, which are then withheld.
So no linear system is solved here; the tests solve it, to check. Spec 70, "Protection".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Dimensions of a cuboid, by number, ascending; and a place in it.
Dims: TypeAlias = tuple[int, ...]
Place: TypeAlias = tuple[int, ...]
Counts: TypeAlias = Mapping[Dims, NDArray[np.int64]]
#: Cell of a published table and by how much the witness differs from the truth there.
Step: TypeAlias = tuple[Dims, Place, int]

_FAR = np.int64(1) << np.int64(60)


class ProtectionError(Exception):
    """No set of withheld counts would do. ``dims`` are the dimensions where it fails."""

    def __init__(self, dims: Dims, message: str) -> None:
        super().__init__(message)
        self.dims = dims


@dataclass(frozen=True, repr=False)
class Previous:
    """What the last release said of a cuboid's cells: ``known`` cells, ``published`` among them.

    All arrays have the cuboid's shape; ``counts`` counts where published.
    """

    known: NDArray[np.bool_]
    published: NDArray[np.bool_]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Witness:
    """Other counts for one sensitive cell: the steps from the true ones, ``gain`` at the cell."""

    dims: Dims
    place: Place
    gain: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, repr=False)
class Protected:
    """What may be published: ``withheld`` by cuboid, ``bool`` in its shape.

    ``sensitive`` is how many withheld counts had to be, the others are complementary.
    """

    withheld: Mapping[Dims, NDArray[np.bool_]]
    sensitive: int
    witnesses: tuple[Witness, ...]


def cuboids(tables: Iterable[Dims]) -> list[Dims]:
    """Every table and every margin of one, small ones first."""
    found = {d for table in tables for k in range(len(table) + 1) for d in combinations(table, k)}
    return sorted(found, key=lambda d: (len(d), d))


def protect(
    tables: Sequence[Dims],
    counts: Counts,
    minimum: int,
    previous: Mapping[Dims, Previous] | None = None,
) -> Protected:
    """Choose what to withhold; ``counts`` has every cuboid of ``tables``.

    With ``previous``, also so that what changed by less than ``minimum`` since then stays unknown.
    Raises ProtectionError where nothing helps: too few categories, or too little has changed.
    """
    state = _Suppression(tables, counts, minimum, previous or {})
    total = state.cuboid[()]
    if total.sensitive[()]:
        raise ProtectionError((), "the grand total itself is small, or has changed by little")
    witnesses = [
        w
        for dims in cuboids(tables)[1:]
        for place in zip(*np.nonzero(state.cuboid[dims].sensitive), strict=True)
        for w in state.settle(dims, tuple(int(i) for i in place))
    ]
    withheld = {dims: c.withheld for dims, c in state.cuboid.items()}
    sensitive = sum(int(c.sensitive.sum()) for c in state.cuboid.values())
    return Protected(withheld, sensitive, tuple(witnesses))


def verify(tables: Sequence[Dims], counts: Counts, protected: Protected) -> None:
    """Add every witness up anew; AssertionError if one moves what is published, or below zero.

    By sums over the published tables, not by boxes: that the search was right is not assumed.
    """
    for witness in protected.witnesses:
        moved = _sums(tables, witness.steps)
        assert moved.get((witness.dims, witness.place)) == witness.gain
        for (dims, place), change in moved.items():
            if change:
                assert protected.withheld[dims][place]
                assert counts[dims][place] + change >= 0


def _sums(tables: Sequence[Dims], steps: Iterable[Step]) -> dict[tuple[Dims, Place], int]:
    """Change of every cell of every cuboid; each table alone must say the same of a shared one."""
    by_table: dict[Dims, dict[tuple[Dims, Place], int]] = {table: {} for table in tables}
    for table, place, change in steps:
        moved = by_table[table]
        for kept in (k for n in range(len(table) + 1) for k in combinations(range(len(table)), n)):
            cell = tuple(table[i] for i in kept), tuple(place[i] for i in kept)
            moved[cell] = moved.get(cell, 0) + change
    together: dict[tuple[Dims, Place], int] = {}
    for moved in by_table.values():
        together |= moved
    for table, moved in by_table.items():
        for cell, change in together.items():
            if set(cell[0]) <= set(table):
                assert moved.get(cell, 0) == change
    return together


class _Cuboid:
    """Counts of one cuboid: which are withheld, which must be, which may be for others' sake."""

    def __init__(self, counts: NDArray[np.int64], minimum: int, previous: Previous | None) -> None:
        self.counts = counts
        # Spec 70, "Protection", step 1.
        self.sensitive = np.array(counts < minimum)
        self.free = np.ones(counts.shape, np.bool_)
        self.withheld = self.sensitive.copy()
        #: How far down a sensitive count must be able to go: to nothing, or to what it was.
        self.secret = np.where(self.sensitive, counts, 0)
        #: Changes by the witness under way.
        self.moved = np.zeros(counts.shape, np.int64)
        if previous is not None:
            self._compare(previous, minimum)

    def _compare(self, previous: Previous, minimum: int) -> None:
        # Spec 70, "Protection", step 2.
        change = np.where(previous.published, self.counts - previous.counts, 0)
        little = previous.published & (change != 0) & (np.abs(change) < minimum)
        self.secret = np.where(self.sensitive, self.secret, np.where(little, change.clip(0), 0))
        self.sensitive |= little
        # Readers take what was published for still true: withholding an unchanged count hides
        # nothing, and publishing one that was withheld would tell what it was.
        self.free &= ~(previous.published & (change == 0))
        self.withheld = self.sensitive | (previous.known & ~previous.published)

    def room(self, sign: int) -> NDArray[np.int64]:
        """By how much each count could still move in that direction; -1 where it may not."""
        room = self.counts + self.moved if sign < 0 else _FAR
        return np.where(self.withheld | self.free, room, -1)

    def price(self) -> NDArray[np.int64]:
        """What withholding each costs: its count, nothing where it is withheld already."""
        return np.where(self.withheld, 0, self.counts + 1)


class _Suppression:
    """All cuboids on the way to being protected."""

    def __init__(
        self,
        tables: Sequence[Dims],
        counts: Counts,
        minimum: int,
        previous: Mapping[Dims, Previous],
    ) -> None:
        self._tables = tables
        self._minimum = minimum
        self.cuboid = {
            dims: _Cuboid(counts[dims], minimum, previous.get(dims)) for dims in cuboids(tables)
        }

    def settle(self, dims: Dims, place: Place) -> Iterator[Witness]:
        """Withhold what the cell needs beside it; the witnesses that it can be more, and less."""
        # Spec 70, "Protection", step 3.
        for sign, wanted in ((1, self._minimum), (-1, int(self.cuboid[dims].secret[place]))):
            if wanted:
                yield self._witness(dims, place, sign, wanted)

    def _witness(self, dims: Dims, place: Place, sign: int, wanted: int) -> Witness:
        here = dict(zip(dims, place, strict=True))
        steps: list[Step] = []
        left = wanted
        try:
            while left:
                move, box, amount = self._first_box(here, sign, left)
                steps += self._take(move, here, box, sign * amount)
                left -= amount
        finally:
            for cuboid in self.cuboid.values():
                cuboid.moved[...] = 0
        return Witness(dims, place, sign * wanted, tuple(steps))

    def _first_box(
        self, here: Mapping[int, int], sign: int, wanted: int
    ) -> tuple[_Move, dict[int, int], int]:
        """A box with any room at all, in as many dimensions as possible: fewest margins move.

        If no box has, things are taken from one place to another, whatever margins that moves.
        """
        dims = tuple(here)
        for size in range(len(dims), 0, -1):
            moves = [_Move(flipped) for flipped in combinations(dims, size)]
            found = [(move, *self._best_box(move, here, sign, wanted)) for move in moves]
            best = max(found, key=lambda box: box[2])
            if best[2] > 0:
                return best
        carried = _Move(dims, carries=True)
        box, amount = self._fill({}, carried, here, sign, wanted)
        if amount <= 0:
            raise ProtectionError(dims, "no counts beside it can hide a small one")
        return carried, box, amount

    def _best_box(
        self, move: _Move, here: Mapping[int, int], sign: int, wanted: int
    ) -> tuple[dict[int, int], int]:
        """Opposite corner and place in further dimensions, and how much the box can move.

        The corner is chosen for all tables together.
        """
        kept = {d: i for d, i in here.items() if d not in move.flipped}
        tables = [t for t in self._tables if move.touches(t)]
        sides = [self._side(t, move, here, sign, wanted, kept) for t in tables]
        room = np.minimum.reduce([side[0] for side in sides])
        corner = _cheapest(room, sum((side[1] for side in sides), start=np.zeros_like(room)))
        return self._fill(
            kept | dict(zip(move.flipped, corner, strict=True)), move, here, sign, wanted
        )

    def _fill(
        self, box: dict[int, int], move: _Move, here: Mapping[int, int], sign: int, wanted: int
    ) -> tuple[dict[int, int], int]:
        """The rest of a box, table by table, and how much it can move.

        Tables that share dimensions must be lifted to the same place of them, so each table fixes
        what later ones may not choose any more.
        """
        amount = wanted
        for table in (t for t in self._tables if move.touches(t)):
            room, price = self._survey(table, move, here, sign, box)
            where = _cheapest(np.minimum(room, amount), price)
            amount = min(amount, int(room[where]))
            box |= zip(table, where, strict=True)
        return box, amount

    def _side(
        self,
        table: Dims,
        move: _Move,
        here: Mapping[int, int],
        sign: int,
        wanted: int,
        box: Mapping[int, int],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Room and price of every opposite corner, at the best place of the further dimensions."""
        room, price = self._survey(table, move, here, sign, box)
        further = tuple(axis for axis, d in enumerate(table) if d not in move.flipped)
        room = np.minimum(room, wanted)
        best = room.max(axis=further, keepdims=True)
        cheapest = np.where(room == best, price, _FAR).min(axis=further)
        return best.squeeze(further), cheapest

    def _survey(
        self,
        table: Dims,
        move: _Move,
        here: Mapping[int, int],
        sign: int,
        box: Mapping[int, int],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Room and price of the move at every place of ``table``, seen as its opposite corner."""
        shape = self.cuboid[table].counts.shape
        room, price = np.full(shape, _FAR), np.zeros(shape, np.int64)
        for dims in (d for d in cuboids([table]) if move.touches(d)):
            cuboid = self.cuboid[dims]
            rooms = {s: cuboid.room(s) for s in (1, -1)}
            prices = cuboid.price()
            for corner, parity in move.corners(dims):
                fixed = {d: here[d] for d in dims if d in move.flipped and d not in corner}
                room = np.minimum(room, _spread(rooms[sign * parity], table, dims, fixed))
                price = price + _spread(prices, table, dims, fixed)
        allowed = np.ones(shape, np.bool_)
        for axis, d in enumerate(table):
            numbers = np.arange(shape[axis]).reshape([-1 if t == d else 1 for t in table])
            if d in move.flipped:
                allowed &= numbers != here[d]
            if d in box:
                allowed &= numbers == box[d]
        return np.where(allowed, room, -1), price

    def _take(
        self, move: _Move, here: Mapping[int, int], box: Mapping[int, int], amount: int
    ) -> Iterator[Step]:
        """Withhold the moved cells in every cuboid and move their counts; the tables' steps."""
        for dims, cuboid in self.cuboid.items():
            for corner, parity in move.corners(dims) if move.touches(dims) else ():
                at = tuple(
                    here[d] if d in move.flipped and d not in corner else box[d] for d in dims
                )
                # Spec 70, "Protection", step 4.
                cuboid.withheld[at] = True
                cuboid.moved[at] += parity * amount
                if dims in self._tables:
                    yield dims, at, parity * amount


@dataclass(frozen=True)
class _Move:
    """Which dimensions change between the place of a cell and the opposite corner.

    A box alternates over all corners, so only cuboids with all its dimensions change; what
    ``carries`` has the two ends alone, and changes every cuboid with any of them.
    """

    flipped: Dims
    carries: bool = False

    def touches(self, dims: Dims) -> bool:
        """Whether counts of the cuboid change."""
        shared = set(self.flipped) & set(dims)
        return bool(shared) if self.carries else len(shared) == len(self.flipped)

    def corners(self, dims: Dims) -> Iterator[tuple[frozenset[int], int]]:
        """The changed cells of a cuboid: in which dimensions they lie opposite, and the sign."""
        if self.carries:
            yield frozenset(), 1
            yield frozenset(self.flipped) & frozenset(dims), -1
            return
        for k in range(len(self.flipped) + 1):
            for corner in combinations(self.flipped, k):
                yield frozenset(corner), (-1) ** k


def _spread(
    values: NDArray[np.int64], table: Dims, dims: Dims, fixed: Mapping[int, int]
) -> NDArray[np.int64]:
    """Values of the cuboid ``dims``, some of them fixed, as they meet every place of ``table``."""
    taken = values[tuple(fixed.get(d, slice(None)) for d in dims)]
    sizes = iter(taken.shape)
    return taken.reshape([next(sizes) if d in dims and d not in fixed else 1 for d in table])


def _cheapest(room: NDArray[np.int64], price: NDArray[np.int64]) -> Place:
    """The place with the most room, and of those the lowest price."""
    best = int(np.lexsort((price.ravel(), -room.ravel()))[0])
    return tuple(int(i) for i in np.unravel_index(best, room.shape))

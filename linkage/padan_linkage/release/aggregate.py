"""An aggregate as a release carries it: one CSV of all published tables and their margins.

Columns: the dimensions, ``jumlah`` (the count; empty where it is withheld) and ``ditutup`` (``ya``
where it is). A dimension that a line does not break down says ALL. Every cell of every cuboid has
its line, so that a line's absence says nothing. Spec 70, "Aggregates".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from padan_linkage.release.counting import ALL, OTHER, Tabulation, table_dims
from padan_linkage.release.protecting import Dims, Previous, Protected, cuboids

COUNT, WITHHELD, YES = "jumlah", "ditutup", "ya"


class AggregateError(Exception):
    """A CSV is not an aggregate as agreed; the message says in what."""


@dataclass(frozen=True, repr=False)
class Published:
    """What a reader has: ``counts`` by cuboid, ``int64``, -1 where withheld."""

    dimensions: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    tables: tuple[Dims, ...]
    counts: Mapping[Dims, NDArray[np.int64]]

    @property
    def cells(self) -> int:
        """Cells in all."""
        return sum(c.size for c in self.counts.values())

    @property
    def withheld(self) -> int:
        """Cells without a count."""
        return sum(int((c < 0).sum()) for c in self.counts.values())

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """Categories by dimension."""
        return dict(zip(self.dimensions, self.categories, strict=True))


def publishable(tabulation: Tabulation, protected: Protected) -> Published:
    """The counts without what is withheld."""
    return Published(
        tabulation.dimensions,
        tabulation.categories,
        tabulation.tables,
        {
            dims: np.where(protected.withheld[dims], -1, counts)
            for dims, counts in tabulation.counts.items()
        },
    )


def write_aggregate(published: Published) -> bytes:
    """The CSV: UTF-8, line feeds, cuboids from small to large, categories in order."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*published.dimensions, COUNT, WITHHELD])
    for dims in cuboids(published.tables):
        counts = published.counts[dims]
        names = [published.categories[d] for d in dims]
        for place, values in zip(np.ndindex(counts.shape), product(*names), strict=True):
            count = int(counts[place])
            line = dict(zip(dims, values, strict=True))
            head = [line.get(d, ALL) for d in range(len(published.dimensions))]
            writer.writerow([*head, "" if count < 0 else count, YES if count < 0 else ""])
    return out.getvalue().encode()


def read_aggregate(
    content: bytes, dimensions: Sequence[str], tables: Sequence[Sequence[str]], minimum: int
) -> Published:
    """Parse and check a CSV: the agreed tables, whole, and no count below ``minimum``.

    Raises AggregateError.
    """
    chosen = table_dims(dimensions, tables)
    cells = dict(_lines(content, tuple(dimensions), minimum))
    categories = _categories(cells, len(dimensions))
    counts = {}
    for dims in cuboids(chosen):
        values = [_count(cells, dims, place, len(dimensions)) for place in
                  product(*(categories[d] for d in dims))]  # fmt: skip
        shape = tuple(len(categories[d]) for d in dims)
        counts[dims] = np.array(values, np.int64).reshape(shape)
    if sum(c.size for c in counts.values()) != len(cells):
        raise AggregateError("a cell is of no agreed table")
    return Published(tuple(dimensions), categories, chosen, counts)


def previous_counts(before: Published, now: Tabulation) -> dict[Dims, Previous]:
    """What the release before said of each cell that is counted now."""
    return {
        dims: _previous(before, now, dims)
        for dims in now.counts
        if dims in before.counts and before.dimensions == now.dimensions
    }


def _previous(before: Published, now: Tabulation, dims: Dims) -> Previous:
    """Its cells in the order of today's categories; new categories are unknown."""
    known = np.ones(now.shape(dims), np.bool_)
    counts = before.counts[dims]
    for axis, d in enumerate(dims):
        places = np.array([_at(before.categories[d], name) for name in now.categories[d]])
        counts = counts.take(places, axis)
        known &= (places >= 0).reshape([-1 if a == axis else 1 for a in range(len(dims))])
    return Previous(known, known & (counts >= 0), counts)


def _at(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


def _lines(
    content: bytes, dimensions: tuple[str, ...], minimum: int
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Places and counts, -1 for withheld ones."""
    try:
        rows = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
        head = next(rows, [])
        if head != [*dimensions, COUNT, WITHHELD]:
            raise AggregateError("not the agreed columns")
        seen = set()
        for row in rows:
            if len(row) != len(head) or tuple(row[:-2]) in seen:
                raise AggregateError("a line is too long, too short, or there twice")
            seen.add(tuple(row[:-2]))
            yield tuple(row[:-2]), _value(row[-2], row[-1], minimum)
    except (UnicodeDecodeError, csv.Error) as error:
        raise AggregateError("no CSV in UTF-8") from error


def _value(count: str, withheld: str, minimum: int) -> int:
    if (count, withheld) == ("", YES):
        return -1
    if withheld or not count.isascii() or not count.isdecimal() or len(count) > 15:
        raise AggregateError("a count is no number")
    if int(count) < minimum:
        raise AggregateError("a count is below the agreed minimum")
    return int(count)


def _categories(
    cells: Mapping[tuple[str, ...], int], dimensions: int
) -> tuple[tuple[str, ...], ...]:
    found: list[set[str]] = [set() for _ in range(dimensions)]
    for place in cells:
        for d, value in enumerate(place):
            found[d].add(value)
    # OTHER comes last, as it was written.
    return tuple(tuple(sorted(f - {ALL}, key=lambda v: (v == OTHER, v))) for f in found)


def _count(
    cells: Mapping[tuple[str, ...], int], dims: Dims, values: tuple[str, ...], dimensions: int
) -> int:
    line = dict(zip(dims, values, strict=True))
    try:
        return cells[tuple(line.get(d, ALL) for d in range(dimensions))]
    except KeyError:
        raise AggregateError("a cell is missing") from None

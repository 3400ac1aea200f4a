"""From one row for each counted thing to counts by agreed dimensions, rare categories together.

Spec 70, "Counting".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.release.protecting import Dims, cuboids

#: What stands for all categories of a dimension, for those too rare to be named, and for no value.
ALL, OTHER, EMPTY = "(semua)", "(lainnya)", "(kosong)"
#: Cells of all cuboids together; more make a release that nobody reads and that hides everything.
MAX_CELLS = 300_000


class CountingError(Exception):
    """The rows cannot be counted as agreed; ``dimension`` names the column, if it is one."""

    def __init__(self, reason: str, dimension: str = "") -> None:
        super().__init__(f"{dimension}: {reason}" if dimension else reason)
        self.reason = reason
        self.dimension = dimension


@dataclass(frozen=True, repr=False)
class Tabulation:
    """Counts of ``rows`` things. ``categories`` by dimension; ``counts`` by cuboid of ``tables``.

    ``folded`` says how many categories of a dimension went into OTHER.
    """

    rows: int
    dimensions: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    tables: tuple[Dims, ...]
    counts: Mapping[Dims, NDArray[np.int64]]
    folded: Mapping[str, int]

    def shape(self, dims: Dims) -> tuple[int, ...]:
        """Number of categories in each of these dimensions."""
        return tuple(len(self.categories[d]) for d in dims)


def table_dims(dimensions: Sequence[str], tables: Sequence[Sequence[str]]) -> tuple[Dims, ...]:
    """Tables as ascending numbers of dimensions; the table of all where none is named."""
    if not tables:
        return (tuple(range(len(dimensions))),)
    return tuple(tuple(sorted(dimensions.index(name) for name in table)) for table in tables)


def tabulate(
    columns: Mapping[str, pa.StringArray],
    dimensions: Sequence[str],
    tables: Sequence[Sequence[str]],
    minimum: int,
    named: Mapping[str, Sequence[str]] | None = None,
) -> Tabulation:
    """Count the rows of ``columns`` (one string column a dimension) in every cuboid of ``tables``.

    A category with fewer than ``minimum`` rows goes into OTHER, unless it was ``named`` in the
    release before. Raises CountingError for a category that looks like one of ours, and for more
    than MAX_CELLS cells.
    """
    coded = [
        _coded(name, columns[name], minimum, (named or {}).get(name, ())) for name in dimensions
    ]
    categories = tuple(names for names, _, _ in coded)
    chosen = table_dims(dimensions, tables)
    wanted = cuboids(chosen)
    shapes = {dims: tuple(len(categories[d]) for d in dims) for dims in wanted}
    if sum(prod(shape) for shape in shapes.values()) > MAX_CELLS:
        raise CountingError(f"more than {MAX_CELLS} cells")
    rows = len(columns[dimensions[0]])
    counts = {dims: _count(rows, [coded[d][1] for d in dims], shapes[dims]) for dims in wanted}
    folded = {name: n for name, (_, _, n) in zip(dimensions, coded, strict=True) if n}
    return Tabulation(rows, tuple(dimensions), categories, chosen, counts, folded)


def _coded(
    dimension: str, column: pa.StringArray, minimum: int, named: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.int64], int]:
    """Categories, each row's number among them, and how many were folded."""
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
    encoded = trimmed.dictionary_encode()
    values = [value or EMPTY for value in encoded.dictionary.to_pylist()]
    if {ALL, OTHER} & set(values):
        raise CountingError("a category is called like one of Padan's own", dimension)
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    often = np.bincount(codes, minlength=len(values)) >= minimum
    kept = {value for value, enough in zip(values, often, strict=True) if enough}
    kept |= {value for value in named if value != OTHER}
    rare = [value for value in values if value not in kept]
    names = sorted(kept) + ([OTHER] if rare or OTHER in named else [])
    number = {name: i for i, name in enumerate(names)}
    renumbered = np.array([number.get(value, len(names) - 1) for value in values], np.int64)
    return tuple(names), renumbered[codes], len(rare)


def _count(
    rows: int, codes: Sequence[NDArray[np.int64]], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    if not shape:
        return np.array(rows, np.int64)
    places = np.ravel_multi_index(tuple(codes), shape)
    return np.bincount(places, minlength=prod(shape)).reshape(shape).astype(np.int64)

"""Two files about one population: which row is whom, and what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Draws, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.population.identifiers import digits
from padan_lab.generate.population.places import joined
from padan_lab.generate.rates import Level, Rates, Style

#: Name of the column of row ids, in both files.
ID_COLUMN = "id"


@dataclass(frozen=True)
class AgencyFile:
    """One side's file: ``columns`` by name, as their writers; ``letter`` starts its ids."""

    name: str
    letter: str
    columns: Mapping[str, Callable[[Any, Pen], Cells]]
    rates: Rates
    style: Style


@dataclass(frozen=True, repr=False)
class Rows:
    """Whom the rows are about: int64 numbers of people.

    ``copied``: rows (ascending) that stand for somebody another row of the file is about, too.
    """

    people: Ints
    copied: Ints


@dataclass(frozen=True, repr=False)
class Seating:
    """Both files' rows, and the pairs: int64[k, 2] of registry and list rows."""

    registry: Rows
    list: Rows
    pairs: Ints


def seat(
    registry: int, listed: int, inside: int, draws: Draws, *, twice: tuple[float, float]
) -> Seating:
    """Seat ``registry + listed - inside`` people: ``inside`` of the list are in the registry.

    ``twice``: shares of the registry's and the list's rows that repeat another row of theirs. As
    many rows of the list are in the registry as without.
    """
    size = registry + listed - inside
    order = np.argsort(draws.bits("people", np.arange(size)), kind="stable")
    registered = order[:registry]
    row_of = np.full(listed, -1)
    row_of[:inside] = np.argsort(draws.bits("inside", np.arange(registry)), kind="stable")[:inside]
    row_of = row_of[np.argsort(draws.bits("list", np.arange(listed)), kind="stable")]
    on_list = np.empty(listed, dtype=np.int64)
    on_list[row_of >= 0] = registered[row_of[row_of >= 0]]
    on_list[row_of < 0] = order[registry:]

    held = row_of >= 0
    spare = np.setdiff1d(np.arange(registry), row_of[held], assume_unique=True)
    copied, source = _repeats(spare, np.arange(registry), twice[0], draws.of("registry"))
    # In the list, those who are in the registry repeat each other, and so do the rest.
    both = [
        _repeats(rows, rows, twice[1], draws.of("list"))
        for rows in (np.flatnonzero(held), np.flatnonzero(~held))
    ]
    again, whose = (np.concatenate(parts) for parts in zip(*both, strict=True))
    row_of[again] = row_of[whose]
    pairs = _pairs(row_of, copied, source)
    registered[copied], on_list[again] = registered[source], on_list[whose]
    return Seating(Rows(registered, copied), Rows(on_list, np.sort(again)), pairs)


def _repeats(spare: Ints, rows: Ints, share: float, draws: Draws) -> tuple[Ints, Ints]:
    """``spare`` rows given up to repeat others of ``rows``, ascending, and which they repeat."""
    wanted = min(round(share * len(rows)), len(spare) // 2)
    if not wanted:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    chosen = spare[np.argsort(draws.bits("repeated", spare), kind="stable")[:wanted]]
    chosen.sort()
    others = np.setdiff1d(rows, chosen, assume_unique=True)
    return chosen, others[draws.below("whom", chosen, len(others))]


def _pairs(row_of: Ints, copied: Ints, source: Ints) -> Ints:
    """All pairs of rows about one person, ordered by list row, then registry row."""
    listed = np.flatnonzero(row_of >= 0)
    pairs = np.column_stack((row_of[listed], listed))
    # Whoever a registry row is about that is repeated has a pair with the repetition, too.
    order = np.argsort(source, kind="stable")
    low = np.searchsorted(source[order], pairs[:, 0], side="left")
    count = np.searchsorted(source[order], pairs[:, 0], side="right") - low
    inner = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    more = copied[order[np.repeat(low, count) + inner]]
    pairs = np.concatenate((pairs, np.column_stack((more, np.repeat(pairs[:, 1], count)))))
    return pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]


class World(Protocol):
    """A population; ``of`` tells all about the people of some numbers (int64[n])."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def of(self, numbers: Ints) -> Any:
        """What the side's writers need to know."""
        ...


@dataclass(frozen=True, repr=False)
class Batch:
    """Some rows of a side as written, and what is wrong with them.

    ``table``: ids and columns, all strings. ``errors``: row, side, column, error, ordered by row;
    rows are counted from 0 over the whole file, column ``*`` is the whole row.
    """

    table: pa.Table
    errors: pa.Table


def batches(
    side: AgencyFile, rows: Rows, world: World, seed: int, level: Level, size: int
) -> Iterator[Batch]:
    """A side's file in batches of at most ``size`` rows."""
    rates, style = side.rates.at(level), side.style.at(level)
    draws = Draws(seed, side.name)
    for low in range(0, len(rows.people), size):
        keys = np.arange(low, min(low + size, len(rows.people)))
        block = world.of(rows.people[keys])
        cells = {
            name: write(block, Pen(keys, rates, style, draws.of(name)))
            for name, write in side.columns.items()
        }
        repeated = rows.copied[(rows.copied >= low) & (rows.copied < low + size)]
        columns = {ID_COLUMN: row_ids(side.letter, keys)}
        columns |= {name: column.values for name, column in cells.items()}
        yield Batch(pa.table(columns), _errors(side.name, low, cells, repeated))


def row_ids(letter: str, rows: Ints) -> pa.StringArray:
    """Ids of rows: a letter and the row's number, counted from 1."""
    return joined((pa.repeat(pa.scalar(letter), len(rows)), digits(rows + 1, 8)))


def _errors(side: str, low: int, cells: Mapping[str, Cells], repeated: Ints) -> pa.Table:
    found = [
        (rows + low, name, label)
        for name, column in cells.items()
        for label, rows in column.settle()
    ]
    found.append((repeated, "*", "row.repeated"))
    rows = np.concatenate([rows for rows, _, _ in found])
    lengths = np.array([len(rows) for rows, _, _ in found])
    which = pa.array(np.repeat(np.arange(len(found)), lengths))
    order = pa.array(np.argsort(rows, kind="stable"))
    names = pa.array([name for _, name, _ in found]).take(which)
    labels = pa.array([label for *_, label in found]).take(which)
    table = pa.table(
        {
            "row": pa.array(rows),
            "side": pa.repeat(pa.scalar(side), len(rows)),
            "column": names,
            "error": labels,
        }
    )
    return table.take(order)

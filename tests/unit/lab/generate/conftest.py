"""Generated files in memory: both tables, the pairs, and the labels of every cell."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pytest

from padan_lab.generate import Level, Making, PopulationProfile, profile


@dataclass
class MadeFiles:
    """Columns by name, pairs of list and registry rows, labels by side, row and column."""

    registry: dict[str, list[str]]
    listed: dict[str, list[str]]
    pairs: list[tuple[int, int]]
    labels: dict[tuple[str, int, str], set[str]]

    def side(self, name: str) -> dict[str, list[str]]:
        """The table of the registry or the list."""
        return self.registry if name == "registry" else self.listed

    def repeated(self, side: str) -> set[int]:
        """Rows that stand for somebody another row is about, too."""
        return {row for found, row, column in self.labels if (found, column) == (side, "*")}

    def of_pair(self, pair: tuple[int, int], column: str) -> set[str]:
        """What is wrong with a column in the list or the registry."""
        sides = (("list", pair[0], column), ("registry", pair[1], column))
        return {label for cell in sides for label in self.labels.get(cell, ())}

    def share(self, happens: Callable[[tuple[int, int]], bool]) -> float:
        """Share of the pairs."""
        return sum(map(happens, self.pairs)) / len(self.pairs)

    def differ(self, column: str) -> float:
        """Share of the pairs that differ, capitals aside."""
        return self.share(
            lambda p: self.listed[column][p[0]].lower() != self.registry[column][p[1]].lower()
        )

    def labelled(self, side: str, column: str, *labels: str) -> float:
        """Share of a side's cells with one of the labels, or one that starts so (``nik.``)."""
        found = [
            cell
            for cell, errors in self.labels.items()
            if cell[0] == side and cell[2] == column and any(e.startswith(labels) for e in errors)
        ]
        return len(found) / len(self.side(side)["id"])


def made(
    name: PopulationProfile, level: Level, rows: int, listed: int | None = None, *,
    seed: int = 7, inside: float = 0.9, batch: int = 1 << 16,
) -> MadeFiles:  # fmt: skip
    """Both files of a profile, read."""
    listed = listed or rows
    making = Making(profile(name), rows, listed, round(listed * inside), seed=seed, level=level)
    labels: dict[tuple[str, int, str], set[str]] = {}
    sides = []
    for batches in (making.registry(batch), making.list(batch)):
        found = list(batches)
        table = pa.concat_tables(b.table for b in found)
        sides.append({column: table[column].to_pylist() for column in table.column_names})
        for b in found:
            for error in b.errors.to_pylist():
                cell = (error["side"], error["row"], error["column"])
                labels.setdefault(cell, set()).add(error["error"])
    pairs = [(a, b) for b, a in making.seating.pairs.tolist()]
    return MadeFiles(*sides, pairs, labels)


@pytest.fixture(scope="session")
def make():
    """:func:`made`."""
    return made

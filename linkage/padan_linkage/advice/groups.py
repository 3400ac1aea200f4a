"""How many registry rows share an exact key: measured on the columns at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.advice.columns import chance_equal
from padan_linkage.advice.fields import FieldChoice
from padan_linkage.normalise import derive, normalise, sound_values

#: So many rows are normalised to measure keys.
SAMPLE_ROWS = 50_000
_APART = "\x1f"


@dataclass(repr=False)
class SampledKeys:
    """Exact keys of a sample of one file, and how common their values are.

    ``rows``: rows that the list really has, or is expected to have.
    """

    rows: int
    columns: dict[str, pa.StringArray]
    kinds: dict[str, FieldChoice]
    _derived: dict[str, pa.StringArray] = field(default_factory=dict)
    _chances: dict[tuple[str, ...], float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, table: pa.Table, fields: tuple[FieldChoice, ...], rows: int, side: str
    ) -> SampledKeys:
        """Normalise every field of every k-th row of ``table``."""
        step = max(1, table.num_rows // SAMPLE_ROWS)
        picked = table.take(pa.array(np.arange(0, table.num_rows, step)))
        columns = {}
        for f in fields:
            names = f.columns_a if side == "A" else f.columns_b
            columns[f.name] = sound_values(normalise(f.kind, joined_columns(picked, names)).values)
        return cls(rows, columns, {f.name: f for f in fields})

    def filled(self, exact: tuple[str, ...]) -> float:
        """Share of rows that have every key of ``exact``."""
        values = self.values(exact)
        return float(pc.mean(pc.not_equal(values, "").cast(pa.int8())).as_py() or 0.0)

    def group(self, exact: tuple[str, ...]) -> float:
        """Mean number of rows, of all, that share a row's values of ``exact``; itself included.

        Counted, but at least what independent keys would give: in a sample much smaller than the
        registry rare combinations meet too seldom to be counted.
        """
        alone = prod(self._chance((key,)) for key in exact)
        return 1 + (self.rows - 1) * max(self._chance(exact), alone)

    def _chance(self, exact: tuple[str, ...]) -> float:
        if exact not in self._chances:
            values = self.values(exact)
            self._chances[exact] = chance_equal(values.filter(pc.not_equal(values, "")))
        return self._chances[exact]

    def variety(self, name: str) -> float:
        """Effective number of values of a field; as many as rows if none returns."""
        return self.rows / max(self.group((name,)) - 1, 1)

    def values(self, exact: tuple[str, ...]) -> pa.StringArray:
        """Every row's values of ``exact`` as one, "" where one of them is missing."""
        columns = [self._one(key) for key in exact]
        whole = pc.binary_join_element_wise(*columns, _APART)
        for column in columns:
            whole = pc.if_else(pc.equal(column, ""), "", whole)
        return whole

    def _one(self, key: str) -> pa.StringArray:
        if key not in self._derived:
            name, _, derivation = key.partition(":")
            values = self.columns[name]
            if derivation:
                values = derive(self.kinds[name].kind, derivation, values)
            self._derived[key] = values
        return self._derived[key]


def joined_columns(table: pa.Table, names: tuple[str, ...]) -> pa.StringArray:
    """Several columns as one, joined by blanks, empty ones left out."""
    columns = [pc.fill_null(table.column(n).cast(pa.string()), "").combine_chunks() for n in names]
    if len(columns) == 1:
        return columns[0]
    return pc.utf8_trim_whitespace(
        pc.replace_substring_regex(pc.binary_join_element_wise(*columns, " "), r"\s+", " ")
    )

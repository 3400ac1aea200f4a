"""What a column looks like: filled, distinct, made of what. Nothing but counts leaves here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.normalise import normalise
from padan_linkage.schema import Kind

#: So many rows of a column are looked at, spread over the whole file.
SAMPLE_ROWS = 20_000
#: So many filled values are tried against a kind's rules.
_TRIED = 2_000

_LETTERS = r"^[\p{L}\s.,'`’/()\-]+$"
_DIGITS = r"^[0-9]+$"


@dataclass(frozen=True, repr=False)
class SampledColumn:
    """A column of one file: its name and, for counting, a sample of its values.

    ``values``: string[n] without nulls, outer blanks removed; "" is missing.
    """

    name: str
    values: pa.StringArray

    @classmethod
    def of(cls, table: pa.Table, name: str) -> SampledColumn:
        """The column ``name`` of ``table``, thinned to about :data:`SAMPLE_ROWS` rows."""
        step = max(1, table.num_rows // SAMPLE_ROWS)
        rows = pa.array(np.arange(0, table.num_rows, step))
        values = table.column(name).take(rows).combine_chunks().cast(pa.string())
        return cls(name, pc.utf8_trim_whitespace(pc.fill_null(values, "")))

    def __repr__(self) -> str:
        return f"Column({self.name!r}, rows={len(self.values)})"

    @cached_property
    def filled(self) -> pa.StringArray:
        """The values that are there."""
        return self.values.filter(pc.not_equal(self.values, ""))

    @cached_property
    def share_filled(self) -> float:
        """Share of rows with a value."""
        return len(self.filled) / max(1, len(self.values))

    @cached_property
    def distinct(self) -> int:
        """Number of distinct values in the sample."""
        return len(self.filled.unique())

    @cached_property
    def share_distinct(self) -> float:
        """Distinct values for each filled row: 1 for a key."""
        return self.distinct / max(1, len(self.filled))

    @cached_property
    def chance_equal(self) -> float:
        """Chance that two rows of the sample have the same value, without bias."""
        return chance_equal(self.filled)

    def share(self, pattern: str) -> float:
        """Share of filled values that match a regular expression (RE2)."""
        if not len(self.filled):
            return 0.0
        hits = pc.sum(pc.match_substring_regex(self.filled, pattern)).as_py()
        return float(hits) / len(self.filled)

    @cached_property
    def letters(self) -> float:
        """Share of filled values made of letters and what stands between names."""
        return self.share(_LETTERS)

    @cached_property
    def digits(self) -> float:
        """Share of filled values made of digits alone."""
        return self.share(_DIGITS)

    @cached_property
    def words(self) -> float:
        """Mean number of words of a filled value."""
        spaces = pc.mean(pc.count_substring_regex(self.filled, r"\S+")).as_py()
        return float(spaces or 0.0)

    @cached_property
    def length(self) -> float:
        """Mean number of characters of a filled value."""
        return float(pc.mean(pc.utf8_length(self.filled)).as_py() or 0.0)

    def fits(self, kind: Kind) -> float:
        """Share of a few filled values that the rules of ``kind`` accept as they are."""
        return self._fit(kind, lambda _: True)

    def fits_where(self, kind: Kind, accept: Callable[[str], bool]) -> float:
        """As :meth:`fits`, counting only normal forms that ``accept`` takes."""
        return self._fit(kind, accept)

    def _fit(self, kind: Kind, accept: Callable[[str], bool]) -> float:
        tried = self.filled[:: max(1, len(self.filled) // _TRIED)]
        if not len(tried):
            return 0.0
        result = normalise(kind, tried)
        bad = {p.row for p in result.problems}
        good = sum(
            1
            for row, value in enumerate(result.values.to_pylist())
            if value and row not in bad and accept(value)
        )
        return good / len(tried)


def chance_equal(values: pa.StringArray) -> float:
    """Chance that two different rows have the same value: Σ c(c-1) / (n(n-1)); 0 below two rows."""
    n = len(values)
    if n < 2:
        return 0.0
    counts = pc.value_counts(values).field("counts").to_numpy().astype(np.float64)
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))


def folded(name: str) -> str:
    """A column name in lower case with one underscore between words: ``TglLahir`` → tgl_lahir."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")

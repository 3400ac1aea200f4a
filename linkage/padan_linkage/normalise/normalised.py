"""What normalising a column gives, and the one way to run a parser over it.

Values repeat (dates, places, sexes, whole names), so a parser written in Python sees every distinct
value once and the column is put together again by index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

#: Longest value that is looked at, in characters; longer ones are no name, number or address.
MAX_CHARACTERS = 1000


class Fault(StrEnum):
    """Why a value cannot be used. Stable words: they go into quarantine files."""

    OVERSIZED = "oversized"
    CONTROL_CHARACTERS = "control_characters"
    NOT_DIGITS = "not_digits"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    SPREADSHEET = "spreadsheet"
    FILLER = "filler"
    UNKNOWN_PROVINCE = "unknown_province"
    IMPOSSIBLE_DATE = "impossible_date"
    INCOMPLETE_DATE = "incomplete_date"
    CHECK_DIGIT = "check_digit"
    STRUCTURE = "structure"
    UNREADABLE = "unreadable"
    UNKNOWN_VALUE = "unknown_value"
    PARTLY_READ = "partly_read"
    TWO_READINGS = "two_readings"
    SEVERAL_VALUES = "several_values"


#: Reasons of values that are of their kind and not certain; most are kept as doubtful ones.
DOUBTS = frozenset({Fault.PARTLY_READ, Fault.TWO_READINGS, Fault.SEVERAL_VALUES})
#: Stands before a doubtful value, and in no normal form.
DOUBT = "?"


@dataclass(frozen=True, repr=False)
class Doubtful:
    """What was read of a value that was not read whole, or could be read in another way."""

    value: str
    reason: Fault


#: A parser takes a value without control characters and gives its normal form ("" = missing), the
#: reason why there is none, or both.
Parser = Callable[[str], str | Doubtful]


@dataclass(frozen=True)
class Problem:
    """A value that is unusable or doubtful: ``row`` counts from 0 within the normalised array."""

    row: int
    reason: Fault


@dataclass(frozen=True, repr=False)
class Normalised:
    """A normalised column: ``values`` without nulls ("" = missing), ``problems`` in row order.

    A doubtful value has a problem and begins with DOUBT: it counts for similarity
    (:func:`similar_values`) and never for equality (:func:`sound_values`).
    """

    values: pa.StringArray
    problems: list[Problem]

    def __repr__(self) -> str:
        return f"Normalised(rows={len(self.values)}, problems={len(self.problems)})"


def as_strings(values: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """One string array without nulls (null becomes ""). Raises TypeError for non-string input."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        raise TypeError(f"strings expected, got {values.type}")
    return pc.fill_null(values.cast(pa.string()), "")


def screen(values: pa.StringArray) -> tuple[pa.StringArray, list[Problem]]:
    """Empty the values that no parser should meet: oversized ones and those with control bytes."""
    oversized = _flags(pc.greater(pc.utf8_length(values), MAX_CHARACTERS))
    control = _flags(pc.match_substring_regex(values, r"[\x00-\x08\x0e-\x1f\x7f]"))
    bad = oversized | control
    if not bad.any():
        return values, []
    problems = [
        Problem(int(row), Fault.OVERSIZED if oversized[row] else Fault.CONTROL_CHARACTERS)
        for row in np.flatnonzero(bad)
    ]
    return pc.if_else(pa.array(~bad), values, ""), problems


def sound_values(values: pa.StringArray) -> pa.StringArray:
    """Normalised values with "" for the doubtful ones: nothing may equal them."""
    doubtful = pc.starts_with(values, DOUBT)
    if not pc.any(doubtful, min_count=0).as_py():
        return values
    return pc.if_else(doubtful, "", values)


def similar_values(values: pa.StringArray) -> pa.StringArray:
    """Normalised values, the doubtful ones as what was read of them."""
    if not pc.any(pc.starts_with(values, DOUBT), min_count=0).as_py():
        return values
    return pc.utf8_ltrim(values, DOUBT)


def parse_distinct(values: pa.StringArray, parse: Parser) -> Normalised:
    """Run ``parse`` once over every distinct value."""
    encoded = values.dictionary_encode()
    results = [parse(value) for value in encoded.dictionary.to_pylist()]
    reasons = [_reason(r) for r in results]
    indices = encoded.indices
    table = pa.array([_kept(r) for r in results], pa.string())
    bad = np.array([r is not None for r in reasons], dtype=bool)
    problems: list[Problem] = []
    if bad.any():
        codes = indices.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(bad[codes]):
            reason = reasons[codes[row]]
            if reason is not None:
                problems.append(Problem(int(row), reason))
    return Normalised(table.take(indices), problems)


def _reason(result: str | Doubtful) -> Fault | None:
    if isinstance(result, Doubtful):
        return result.reason
    return result if isinstance(result, Fault) else None


def _kept(result: str | Doubtful) -> str:
    if isinstance(result, Doubtful):
        return DOUBT + result.value
    return "" if isinstance(result, Fault) else result


def map_distinct(values: pa.StringArray, change: Callable[[str], str]) -> pa.StringArray:
    """Apply ``change`` once to every distinct value; "" stays ""."""
    encoded = values.dictionary_encode()
    results = [change(value) if value else "" for value in encoded.dictionary.to_pylist()]
    return pa.array(results, pa.string()).take(encoded.indices)


def with_reasons(
    values: pa.StringArray,
    codes: NDArray[np.uint8],
    reasons: Sequence[Fault | None],
    kept: NDArray[np.bool_] | None = None,
) -> Normalised:
    """Empty each value whose code stands for a reason; ``reasons[0]`` is None (a good value).

    Such values with ``kept`` set (``bool[n]``) stay as doubtful ones.
    """
    problems = []
    for row in np.flatnonzero(codes):
        reason = reasons[codes[row]]
        if reason is not None:
            problems.append(Problem(int(row), reason))
    if problems:
        good = pa.array(codes == 0)
        doubtful = ""
        if kept is not None and kept.any():
            marked = pc.binary_join_element_wise(DOUBT, values, "")
            doubtful = pc.if_else(pa.array(kept), marked, "")
        values = pc.if_else(good, values, doubtful)
    return Normalised(values, problems)


def _flags(mask: pa.BooleanArray) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = mask.to_numpy(zero_copy_only=False)
    return flags

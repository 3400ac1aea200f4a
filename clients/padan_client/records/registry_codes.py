"""From a provider's columns to the agreement's codes: words, days and numbers, and latest rows.

What the agreement does not map is never guessed: the row gets a problem, and is not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_linkage.advice.columns import folded
from padan_linkage.agreement import Flow
from padan_linkage.normalise import normalise, sound_values
from padan_linkage.schema import Kind

#: A date, then perhaps a time of day with its offset.
_MOMENT = (
    r"^(?P<day>.*?)(?:[ T](?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?(?P<offset> ?(?:Z|WIB|WITA|WIT|[+-]\d{2}(?::?\d{2})?))?)?$"
)

#: Row -> (column, reason).
Problems = dict[int, tuple[str, str]]


@dataclass(frozen=True, repr=False)
class Latest:
    """The latest row of every id: ``table``, ``rows`` int64 where each stood before.

    ``unclear`` are rows of ``table`` for which another could as well be the latest.
    """

    table: pa.Table
    rows: NDArray[np.int64]
    unclear: NDArray[np.int64]


def chosen_columns(
    flow: Flow, table: pa.Table, given: str | Mapping[str, str] | None
) -> dict[str, str]:
    """Registry column of the agreement -> column of the table, that of ``latest_by`` too.

    A plain name stands for the only column that gives codes.
    """
    coded = list(flow.registry_codes)
    if isinstance(given, str):
        if len(coded) != 1:
            raise BadInputError(
                t(
                    f"Alur {flow.id} memetakan kolom {', '.join(coded) or '–'}; sebutkan "
                    "masing-masing: --status nama=KOLOM.",
                    f"Flow {flow.id} maps the columns {', '.join(coded) or '–'}; name each: "
                    "--status name=COLUMN.",
                )
            )
        given = {coded[0]: given}
    named = [*coded, *([flow.latest_by] if flow.latest_by else [])]
    chosen = {name: _called(name, table) for name in named} | dict(given or {})
    if unknown := sorted(set(chosen) - set(named)):
        raise BadInputError(
            t(
                f"Perjanjian tidak memetakan kolom status {', '.join(unknown)}.",
                f"The agreement maps no status column {', '.join(unknown)}.",
            )
        )
    if missing := sorted(c for c in chosen.values() if c not in table.column_names):
        raise BadInputError(
            t(
                f"Kolom status {', '.join(missing)} tidak ada di berkas. Pakai --status.",
                f"The status column {', '.join(missing)} is not in the file. Use --status.",
            )
        )
    return chosen


def _called(name: str, table: pa.Table) -> str:
    """The column of that name; ``Status Pegawai`` is ``status_pegawai`` where nothing else is."""
    alike = [column for column in table.column_names if folded(column) == folded(name)]
    return alike[0] if name not in table.column_names and len(alike) == 1 else name


def latest_rows(table: pa.Table, id_column: str, moment_column: str) -> Latest:
    """Keep the latest row of every id, in the table's order; rows without an id are all kept.

    It is unclear where a moment cannot be read, or two rows that differ share the latest.
    """
    if id_column not in table.column_names:
        return Latest(table, np.arange(table.num_rows), np.zeros(0, np.int64))
    ids = _text(table.column(id_column))
    codes = ids.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    alone = pc.equal(ids, "").to_numpy(zero_copy_only=False)
    codes[alone] = codes.max(initial=0) + 1 + np.flatnonzero(alone)
    moments = _moments(table.column(moment_column))
    rank = pc.rank(moments, "ascending", tiebreaker="min").to_numpy().astype(np.int64)
    order = np.lexsort((np.arange(len(codes)), rank, codes))
    last = np.r_[codes[order][1:] != codes[order][:-1], True]
    rows = np.sort(order[last])
    unread = pc.equal(moments, "").to_numpy(zero_copy_only=False)
    doubtful = _shared(codes, unread) | _tied(table, codes, rank)
    return Latest(table.take(pa.array(rows)), rows, np.flatnonzero(doubtful[rows]))


def row_codes(
    flow: Flow, table: pa.Table, columns: Mapping[str, str], as_of: date | None
) -> tuple[NDArray[np.uint64], Problems]:
    """The code mask of every row, and the rows for which it cannot be told."""
    if not flow.registry_codes:
        return np.full(table.num_rows, _only_code(flow), np.uint64), {}
    masks = np.zeros(table.num_rows, np.uint64)
    problems: Problems = {}
    for name in flow.registry_codes:
        column = columns[name]
        bits, known = _bits(flow, name, table.column(column), as_of)
        problems |= {int(row): (column, "unknown_status") for row in np.flatnonzero(~known)}
        if not flow.several:
            clash = _clash(flow, masks, bits)
            problems |= {int(row): (column, "status_conflict") for row in np.flatnonzero(clash)}
        masks |= bits
    nameless = "; ".join(columns[name] for name in flow.registry_codes)
    for row in np.flatnonzero(masks == 0):
        problems.setdefault(int(row), (nameless, "no_status"))
    return masks, problems


def _only_code(flow: Flow) -> int:
    """Where the agreement maps no column, being in the registry is the answer."""
    if len(flow.codes) > 1:
        raise BadInputError(
            t(
                f"Alur {flow.id} memiliki beberapa kode tetapi perjanjian tidak memetakan kolom "
                "registri. Perjanjian perlu dilengkapi.",
                f"Flow {flow.id} has several codes, but the agreement maps no registry column. "
                "The agreement must be completed.",
            )
        )
    return len(flow.codes)


def _bits(
    flow: Flow, name: str, column: pa.ChunkedArray, as_of: date | None
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Each row's code bit (0 where the cell is empty) and whether its value is understood."""
    coded = _text(column).dictionary_encode()
    values: list[str] = coded.dictionary.to_pylist()
    if name in flow.registry:
        codes = _word_codes(flow.registry[name], values)
    elif name in flow.registry_date:
        codes = _date_codes(flow, name, values, as_of)
    else:
        codes = _number_codes(flow.registry_number[name], values)
    bits = np.array([1 << flow.code_index(c) if c else 0 for c in codes] or [0], np.uint64)
    known = np.array([c is not None for c in codes] or [True])
    rows = coded.indices.to_numpy(zero_copy_only=False)
    return bits[rows], known[rows]


def _word_codes(mapping: Mapping[str, str], values: list[str]) -> list[str | None]:
    """The code of every distinct value, "" for an empty one, None for an unmapped one."""
    exact = {value.strip(): code for value, code in mapping.items()}
    folded = {value.casefold(): code for value, code in exact.items()}
    unambiguous = len(folded) == len(exact)
    return [
        exact.get(v) or (folded.get(v.casefold()) if unambiguous else None) if v else ""
        for v in values
    ]


def _date_codes(flow: Flow, name: str, values: list[str], as_of: date | None) -> list[str | None]:
    if as_of is None:
        raise BadInputError(
            t(
                f"Alur {flow.id} menjawab menurut tanggal; sebutkan keadaan per tanggal berapa.",
                f"Flow {flow.id} answers by date; say as of which day.",
            )
        )
    codes = flow.registry_date[name]
    read = sound_values(normalise(Kind.DATE, pa.array(values, pa.string())).values).to_pylist()
    day = as_of.isoformat()
    return [
        "" if not value else (codes.until if iso >= day else codes.after) if iso else None
        for value, iso in zip(values, read, strict=True)
    ]


def _number_codes(mapping: Mapping[str, str], values: list[str]) -> list[str | None]:
    """The code of the largest threshold that a number reaches, "" below the smallest."""
    steps = sorted((int(least), code) for least, code in mapping.items())
    return ["" if not value else _step(steps, value) for value in values]


def _step(steps: list[tuple[int, str]], value: str) -> str | None:
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        return None
    return next((code for least, code in reversed(steps) if int(value) >= least), "")


def _clash(flow: Flow, masks: NDArray[np.uint64], bits: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows that would get two different codes of one group."""
    clash = np.zeros(masks.shape, np.bool_)
    for members in map(np.uint64, flow.code_groups.values()):
        ours, theirs = masks & members, bits & members
        clash |= (ours != 0) & (theirs != 0) & (ours != theirs)
    return clash


def _moments(column: pa.ChunkedArray) -> pa.StringArray:
    """``YYYY-MM-DD HH:MM:SS.fffffffff``, which sorts by time; "" where there is no readable one.

    Times of several offsets do not sort by their digits, so then no time is readable.
    """
    parts = pc.extract_regex(_text(column), _MOMENT)
    written = normalise(Kind.DATE, pc.fill_null(pc.struct_field(parts, "day"), "")).values
    days = sound_values(written)
    clock = [
        pc.utf8_lpad(pc.struct_field(parts, name), 2, "0") for name in ("hour", "minute", "second")
    ]
    fraction = pc.utf8_rpad(pc.struct_field(parts, "fraction"), 9, "0")
    clock_text = pc.binary_join_element_wise(*clock, ":")
    moments = pc.binary_join_element_wise(days, clock_text, " ")
    moments = pc.binary_join_element_wise(moments, fraction, ".")
    timed = pc.not_equal(pc.struct_field(parts, "hour"), "")
    offsets = pc.unique(pc.struct_field(parts, "offset").filter(timed))
    unclear = pc.equal(days, "")
    if len(offsets) > 1:
        unclear = pc.or_(unclear, pc.fill_null(timed, False))
    return pc.if_else(unclear, "", moments)


def _shared(codes: NDArray[np.int64], marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of ids with several rows of which one is marked."""
    several = np.bincount(codes) > 1
    touched = np.bincount(codes, marked) > 0
    return (several & touched)[codes]


def _tied(table: pa.Table, codes: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows of ids whose latest moment belongs to rows that differ."""
    latest = np.zeros(codes.max(initial=0) + 1, np.int64)
    np.maximum.at(latest, codes, rank)
    top = np.flatnonzero(rank == latest[codes])
    counts = np.bincount(codes[top], minlength=len(latest))
    tied = np.zeros(len(latest), np.bool_)
    several = top[counts[codes[top]] > 1]
    seen: dict[int, tuple[object, ...]] = {}
    rows = table.take(pa.array(several)).to_pylist() if len(several) else []
    for code, row in zip(codes[several].tolist(), rows, strict=True):
        tied[code] |= seen.setdefault(code, tuple(row.values())) != tuple(row.values())
    return tied[codes]


def _text(column: pa.ChunkedArray) -> pa.StringArray:
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    return trimmed.combine_chunks()

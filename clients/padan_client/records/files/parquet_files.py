"""Parquet: typed columns to the text that an officer would have written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.files.layout import check_names
from padan_client.records.files.workbooks import TOO_LONG, whole_text

_BATCH_ROWS = 1 << 17
#: Doubles hold every whole number below this, so a column of them can be read back.
_EXACT_DOUBLE = 2.0**53
#: What Arrow raises of a damaged file; a name that is no UTF-8 is a ValueError.
_BROKEN = (pa.ArrowException, OSError, ValueError)


def open_parquet(path: Path) -> pa.parquet.ParquetFile:
    """The opened file, its names checked. Raises BadInputError."""
    try:
        file = pa.parquet.ParquetFile(path)
    except _BROKEN as e:
        raise _broken(path) from e
    check_names(path, dict(enumerate(file.schema_arrow.names)))
    return file


def read_parquet(path: Path) -> pa.Table:
    """The whole file as strings; a null stays one. Raises BadInputError."""
    file = open_parquet(path)
    try:
        table = file.read()
    except _BROKEN as e:
        raise _broken(path) from e
    return pa.table(
        {n: _as_text(path, n, table.column(n).combine_chunks()) for n in table.column_names}
    )


def parquet_batches(path: Path, file: pa.parquet.ParquetFile) -> Iterator[pa.Table]:
    """The same piece by piece."""
    names = file.schema_arrow.names
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            yield pa.table({n: _as_text(path, n, batch.column(n)) for n in names})
    except _BROKEN as e:
        raise _broken(path) from e


def _broken(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Berkas {path.name} bukan Parquet yang utuh.",
            f"The file {path.name} is no whole Parquet file.",
        )
    )


def _as_text(path: Path, name: str, column: pa.Array) -> pa.Array:
    """A column as strings that are UTF-8, which Arrow does not look at. Raises BadInputError."""
    try:
        text = _text(column)
        text.validate(full=True)
    except pa.ArrowException as e:
        raise BadInputError(
            t(
                f"Berkas {path.name}, kolom {name}: jenis {column.type} tidak dapat dibaca sebagai "
                "teks, atau ada nilai yang bukan UTF-8 atau di luar rentangnya. Simpan ulang kolom "
                "itu sebagai teks.",
                f"The file {path.name}, column {name}: type {column.type} cannot be read as text, "
                "or a value is no UTF-8 or out of range. Save the column again as text.",
            )
        ) from e
    return text


def _text(column: pa.Array) -> pa.Array:
    """Whole doubles as integers, dates and times in ISO form. Raises ArrowException."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_floating(kind) and _is_whole(column):
        return _whole_numbers(column.cast(pa.int64()))
    if pa.types.is_timestamp(kind):
        return _moments(column)
    return column.cast(pa.string())


def _whole_numbers(column: pa.Array) -> pa.Array:
    """Digits; where all numbers that a spreadsheet would have rounded end in 0, it has."""
    written = column.cast(pa.string())
    long = pc.fill_null(pc.greater_equal(pc.abs(column), TOO_LONG), False)
    ends = pc.utf8_slice_codeunits(written.filter(long), -1)
    if not len(ends) or pc.any(pc.not_equal(ends, "0")).as_py():
        return written
    rounded = [whole_text(number) for number in column.filter(long).to_pylist()]
    return pc.replace_with_mask(written, long, pa.array(rounded, pa.string()))


def _moments(column: pa.Array) -> pa.Array:
    """Midnights of no zone are days; other moments keep their time, and the zone that they have."""
    written = column.cast(pa.string())
    if column.type.tz is not None:
        return written
    return pc.replace_substring_regex(written, r"[ T]00:00:00(\.0+)?$", "")


def _is_whole(column: pa.Array) -> bool:
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT_DOUBLE))
    return bool(pc.all(whole, min_count=0).as_py())

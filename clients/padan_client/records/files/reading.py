"""CSV and Parquet files to tables of strings.

A file is read whole or refused: a row that does not fit its header means that a quote or a
separator is wrong somewhere, and then no row can be trusted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from padan_client.base.errors import BadInputError
from padan_client.base.language import system_reason, t

_SEPARATORS = ",;\t|"
_CHUNK = 1 << 22
#: The longest CSV cell that can be read at all, bytes; longer ones are a quote that never closes.
_BLOCK = 1 << 25
#: The same for files read piece by piece, and rows of a piece of Parquet.
_SMALL_BLOCK, _BATCH_ROWS = 1 << 23, 1 << 17
_HEAD = 1 << 20
_MOST_ROWS_NAMED = 10
#: Doubles hold every whole number below this, so a column of them can be read back.
_EXACT_DOUBLE = 2.0**53

_FOREIGN = (
    (b"PK\x03\x04", "Excel/ZIP"),
    (b"\xd0\xcf\x11\xe0", "Excel"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "PDF"),
)
#: In a first line, a sign that it is a record: a number of a person, or a date.
_DATA = re.compile(r"\d{8}|\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

#: Rows as they are given: a table of strings, or what reads one (nobody holds it longer than it is
#: needed).
TableSource: TypeAlias = "pa.Table | Callable[[], pa.Table]"


def read_table(path: Path | str, *, rows_expected: bool = True) -> pa.Table:
    """Read a CSV (separated by ``,`` ``;`` ``|`` or tabs; UTF-8, BOM or not) or Parquet file.

    Every column comes as strings; a cell of a CSV is never null, a null of Parquet stays one.
    Blank lines of a CSV are no rows. Raises BadInputError, which says what is wrong and where: no
    such file, empty, header only (where ``rows_expected``), no header, another encoding, a column
    name twice or empty, rows that differ from the header in length, an open quote, an Excel
    workbook.
    """
    path = Path(path)
    head = _head(path)
    table = _parquet(path) if head.startswith(b"PAR1") else _csv(path, head)
    if rows_expected and table.num_rows == 0:
        raise BadInputError(
            t(
                f"Berkas {path.name} hanya berisi judul kolom, tanpa baris data.",
                f"The file {path.name} has column names only and no data row.",
            )
        )
    return table


def _head(path: Path) -> bytes:
    """The file's first bytes, some of which say something."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as e:
        raise BadInputError(
            t(
                f"Berkas {path.name} tidak dapat dibuka: {system_reason(e)}.",
                f"The file {path.name} cannot be opened: {system_reason(e)}.",
            )
        ) from e
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise BadInputError(t(f"Berkas {path.name} kosong.", f"The file {path.name} is empty."))
    return head


@dataclass
class Batches:
    """A file read piece by piece: ``names`` of the columns, ``size`` of the file in bytes.

    Iterating gives tables of strings as :func:`read_table` would; ``ragged`` fills up with the
    numbers, from 1, of data rows that do not fit the header and are in no table.
    """

    names: list[str]
    size: int
    tables: Iterator[pa.Table]
    ragged: list[int] = field(default_factory=list)


def open_batches(path: Path | str) -> Batches:
    """Open a file that :func:`read_table` reads, for one pass in constant memory.

    Raises BadInputError as that does, but for rows that differ from the header in length; while
    iterating, for a file that breaks off.
    """
    path = Path(path)
    head = _head(path)
    if head.startswith(b"PAR1"):
        return _parquet_batches(path)
    separator, names = _checked_csv(path, head)
    batches = Batches(names, path.stat().st_size, iter(()))
    options = _csv_options(separator, names, batches.ragged, _SMALL_BLOCK)
    batches.tables = _csv_batches(path, options)
    return batches


def _csv_batches(path: Path, options: dict[str, Any]) -> Iterator[pa.Table]:
    try:
        with pa.csv.open_csv(path, **options) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except pa.ArrowInvalid as e:
        raise _open_quote(path) from e


def _parquet_batches(path: Path) -> Batches:
    try:
        file = pa.parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as e:
        raise _broken_parquet(path) from e
    names = file.schema_arrow.names
    _check_names(path, names)

    def tables() -> Iterator[pa.Table]:
        try:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                yield pa.table({n: _as_text(path, n, batch.column(n)) for n in names})
        except (pa.ArrowException, OSError) as e:
            raise _broken_parquet(path) from e

    return Batches(names, path.stat().st_size, tables())


def _checked_csv(path: Path, head: bytes) -> tuple[str, list[str]]:
    """Separator and column names of a CSV whose bytes are text."""
    _refuse_foreign(path, head)
    _check_text(path)
    return _header(path, head)


def _csv_options(separator: str, names: list[str], ragged: list[int], block: int) -> dict[str, Any]:
    """How Arrow reads: strings only; rows of another length are left out and their numbers kept."""

    def skip(row: pa.csv.InvalidRow) -> str:
        # Rows are counted with the header as the first.
        ragged.append((row.number or 0) - 1)
        return "skip"

    return {
        # One thread, because only then are the numbers of wrong rows known.
        "read_options": pa.csv.ReadOptions(
            use_threads=False, block_size=block, column_names=names, skip_rows_after_names=1
        ),
        "parse_options": pa.csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=skip
        ),
        "convert_options": pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    }


def _csv(path: Path, head: bytes) -> pa.Table:
    separator, names = _checked_csv(path, head)
    ragged: list[int] = []
    try:
        table = pa.csv.read_csv(path, **_csv_options(separator, names, ragged, _BLOCK))
    except pa.ArrowInvalid as e:
        raise _open_quote(path) from e
    if ragged:
        _refuse_ragged(path, ragged, len(names))
    return table


def _open_quote(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Berkas {path.name} bukan CSV yang utuh: mungkin tanda kutip tidak ditutup.",
            f"The file {path.name} is no whole CSV: a quote may never close.",
        )
    )


def _refuse_foreign(path: Path, head: bytes) -> None:
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise BadInputError(
                t(
                    f"Berkas {path.name} adalah {what}, bukan CSV atau Parquet. Simpan sebagai "
                    "«CSV UTF-8».",
                    f"The file {path.name} is {what}, not CSV or Parquet. Save it as «CSV UTF-8».",
                )
            )
    if head.startswith(_UTF16) or head.count(0) > len(head) // 4:
        raise BadInputError(
            t(
                f"Berkas {path.name} memakai UTF-16. Simpan sebagai «CSV UTF-8».",
                f"The file {path.name} is in UTF-16. Save it as «CSV UTF-8».",
            )
        )


def _check_text(path: Path) -> None:
    """Refuse bytes that are no UTF-8, naming the line, and a quote that never closes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    quotes = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_CHUNK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as e:
                line = lines + e.object[: e.start].count(b"\n")
                raise BadInputError(
                    t(
                        f"Berkas {path.name}, baris teks {line}: bukan UTF-8 (mungkin Windows-1252 "
                        "atau Latin-1). Simpan sebagai «CSV UTF-8».",
                        f"The file {path.name}, text line {line}: not UTF-8 (perhaps Windows-1252 "
                        "or Latin-1). Save it as «CSV UTF-8».",
                    )
                ) from None  # the cause would show the bytes
            if not block:
                break
            lines += block.count(b"\n")
            quotes += block.count(b'"')
    if quotes % 2:
        raise BadInputError(
            t(
                f'Berkas {path.name}: jumlah tanda kutip (") ganjil, jadi ada yang tidak ditutup.',
                f'The file {path.name} has an odd number of quotes ("): one never closes.',
            )
        )


def _header(path: Path, head: bytes) -> tuple[str, list[str]]:
    """The separator and the column names."""
    text = head.decode("utf-8-sig", errors="ignore").lstrip("\r\n")
    first = text.splitlines()[0]
    unquoted = "".join(first.split('"')[::2])
    separator = max(_SEPARATORS, key=unquoted.count)
    try:
        row = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as e:
        raise BadInputError(
            t(
                f"Judul kolom berkas {path.name} tidak dapat dibaca.",
                f"The column names of {path.name} cannot be read.",
            )
        ) from e
    names = [name.strip() for name in row]
    _check_names(path, names)
    return separator, names


def _check_names(path: Path, names: list[str]) -> None:
    if any(_DATA.search(name) for name in names):
        # Checked first: no message may repeat the values.
        raise BadInputError(
            t(
                f"Baris pertama berkas {path.name} berisi data. Tambahkan judul kolom.",
                f"The first row of {path.name} holds data. Add the column names.",
            )
        )
    empty = [i + 1 for i, name in enumerate(names) if not name]
    if empty:
        where = ", ".join(map(str, empty[:_MOST_ROWS_NAMED]))
        raise BadInputError(
            t(
                f"Berkas {path.name}: kolom ke-{where} tidak bernama. Beri nama atau hapus.",
                f"The file {path.name}: column number {where} has no name. Name it or remove it.",
            )
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInputError(
            t(
                f"Berkas {path.name}: nama kolom muncul lebih dari sekali: {', '.join(twice)}.",
                f"The file {path.name}: column names occur more than once: {', '.join(twice)}.",
            )
        )


def _refuse_ragged(path: Path, rows: list[int], width: int) -> None:
    where = ", ".join(map(str, rows[:_MOST_ROWS_NAMED]))
    more = "" if len(rows) <= _MOST_ROWS_NAMED else ", …"
    raise BadInputError(
        t(
            f"Berkas {path.name}: {len(rows)} baris tidak memiliki {width} kolom seperti judulnya. "
            f"Baris data {where}{more}. Periksa pemisah dan tanda kutip.",
            f"The file {path.name}: {len(rows)} rows do not have {width} columns like the header. "
            f"Data rows {where}{more}. Check separators and quotes.",
        )
    )


def _parquet(path: Path) -> pa.Table:
    try:
        table = pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as e:
        raise _broken_parquet(path) from e
    names = table.column_names
    _check_names(path, names)
    return pa.table({n: _as_text(path, n, table.column(n).combine_chunks()) for n in names})


def _broken_parquet(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Berkas {path.name} bukan Parquet yang utuh.",
            f"The file {path.name} is no whole Parquet file.",
        )
    )


def _as_text(path: Path, name: str, column: pa.Array) -> pa.Array:
    """A Parquet column as strings: whole doubles as integers, dates and times in ISO form."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_floating(kind) and _is_whole(column):
        column = column.cast(pa.int64())
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.date32(), safe=False)
    try:
        return column.cast(pa.string())
    except pa.ArrowException as e:
        raise BadInputError(
            t(
                f"Berkas {path.name}, kolom {name}: jenis {kind} tidak dapat dibaca sebagai teks.",
                f"The file {path.name}, column {name}: type {kind} cannot be read as text.",
            )
        ) from e


def _is_whole(column: pa.Array) -> bool:
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT_DOUBLE))
    return bool(pc.all(whole, min_count=0).as_py())

"""Results, quarantine and encodings to files, whole or not at all, for their owner's eyes alone."""

from __future__ import annotations

import codecs
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.files import require_name, write_private
from padan_client.base.formats import PLAIN, TableFormat, TableStyle
from padan_client.base.language import system_reason, t
from padan_client.records.inert import inert_table, original_table

#: Names that promise what is not written.
_FOREIGN = frozenset({".xls", ".xlsm", ".xlsb", ".ods"})
_TABLES = frozenset({".xlsx", ".parquet"})
#: How CSVs of ours begin whose cells were made inert: with a byte order mark, a separator that
#: spreadsheets have, or a first name without quotes, as any spreadsheet that keeps one leaves it.
_INERT = re.compile(rb'\xef\xbb\xbf|"row"[^,]|row\b')


def write_table(path: Path, table: pa.Table, style: TableStyle = PLAIN) -> int:
    """Write ``table`` in the format that its name says, else the style's; mode 0600.

    Returns how many cells are written as others, so that they order nothing.
    """
    format_ = style.format_of(path)
    if format_ is TableFormat.XLSX:
        from padan_client.records.workbook import write_workbook

        write_workbook(path, table)
        return 0
    sink, changed = pa.BufferOutputStream(), 0
    if format_ is TableFormat.PARQUET:
        pa.parquet.write_table(table, sink)
    else:
        changed = _write_csv(sink, table, style)
    write_private(path, memoryview(sink.getvalue()))
    return changed


def _write_csv(sink: pa.BufferOutputStream, table: pa.Table, style: TableStyle) -> int:
    changed, plain = 0, not (style.exact or style.for_spreadsheet)
    if style.bom:
        sink.write(codecs.BOM_UTF8)
    if not style.exact:
        table, changed = inert_table(table)
    if plain:
        first, *others = table.column_names
        quoted = (f'"{name.replace(chr(34), chr(34) * 2)}"' for name in others)
        first = first if first.isidentifier() else f'"{first}"'
        sink.write((style.separator.join((first, *quoted)) + "\n").encode())
    options = pa.csv.WriteOptions(include_header=not plain, delimiter=style.separator)
    pa.csv.write_csv(table, sink, options)
    return changed


def read_result(path: Path) -> pa.Table:
    """A result as it was before it was written. Raises BadInputError as ``read_table`` does."""
    from padan_client.records.files import read_table

    table = read_table(path)
    with path.open("rb") as file:
        head = file.read(6)
    return original_table(table) if _INERT.match(head) else table


def write_or_remove(path: Path, table: pa.Table, style: TableStyle = PLAIN) -> int:
    """Write ``table``; where it has no row there is no file, not one of an earlier run either.

    Returns what :func:`write_table` does.
    """
    if table.num_rows:
        return write_table(path, table, style)
    path.unlink(missing_ok=True)
    return 0


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write ``array`` as .npy; mode 0600."""
    sink = pa.BufferOutputStream()
    with pa.PythonFile(sink, mode="w") as stream:
        np.save(stream, array)
    write_private(path, memoryview(sink.getvalue()))


def require_writable(
    *paths: Path | None, reads: Iterable[Path | None] = (), tables: bool = False
) -> None:
    """Raise BadInputError, before anything is asked, if a result could not be written later.

    A result replaces what stood there, so devices, pipes and folders are refused; so are names
    that promise another format than will be written (``tables``: any of TableFormat), a file of
    ``reads`` under whatever name it goes, and one file for two results. What else stands there is
    the caller's to ask about (:func:`standing`).
    """
    wanted = [path for path in paths if path is not None]
    given = [path for path in reads if path is not None]
    for number, path in enumerate(wanted):
        problem = (
            _unwritable(path)
            or _an_agencys(path)
            or _misnamed(path, tables=tables)
            or _taken(path, given, wanted[:number])
        )
        if problem:
            raise BadInputError(problem)


def standing(*paths: Path | None) -> list[Path]:
    """Those of ``paths`` at which something stands already, a broken link too."""
    return [path for path in paths if path is not None and os.path.lexists(path)]


def beside(path: Path, word: str, suffix: str | None = None) -> Path:
    """The name of a file that accompanies ``path``: ``codes.csv`` has ``codes.karantina.csv``.

    Raises BadInputError for a path that names no file.
    """
    require_name(path)
    return path.with_name(f"{path.stem}.{word}{path.suffix if suffix is None else suffix}")


def same_file(one: Path, other: Path) -> bool:
    """Whether both are one file, through links, other spellings and letters of another size.

    Names that differ in the size of letters alone count as one where neither is there yet: on
    some disks they will be.
    """
    if one.exists() or other.exists():
        return one.exists() and other.exists() and one.samefile(other)
    one, other = one.resolve(), other.resolve()
    return _folded(one.name) == _folded(other.name) and (
        one.parent == other.parent
        or (one.parent.exists() and other.parent.exists() and one.parent.samefile(other.parent))
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _taken(path: Path, reads: list[Path], written: list[Path]) -> str | None:
    if any(same_file(path, other) for other in reads):
        return t(
            f"Hasil tidak dapat ditulis ke {path}: itu berkas masukan. Pilih nama lain.",
            f"The result cannot be written to {path}: that is an input file. Choose another name.",
        )
    if any(same_file(path, other) for other in written):
        return t(
            f"{path} diminta untuk dua hasil, dan yang satu akan menghapus yang lain. Beri nama "
            "yang berbeda.",
            f"{path} is asked for as two results, of which one would erase the other. Give them "
            "different names.",
        )
    return None


def _unwritable(path: Path) -> str | None:
    folder = path.resolve().parent
    if not folder.is_dir():
        return t(
            f"Folder {path.parent} untuk hasil tidak ada. Buat dahulu.",
            f"The folder {path.parent} for the result does not exist. Make it first.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return t(
            f"Anda tidak berhak menulis ke folder {path.parent}.",
            f"You may not write to the folder {path.parent}.",
        )
    if path.exists() and not path.is_file():
        return t(
            f"Hasil tidak dapat ditulis ke {path}: itu bukan berkas biasa.",
            f"The result cannot be written to {path}: that is no ordinary file.",
        )
    return None


def _an_agencys(path: Path) -> str | None:
    """What a home keeps, and signed agreements, give way to no result, whatever is forced.

    A draft of an agreement may be made and filled in where it lies.
    """
    folder = path.resolve().parent
    draft = path.suffix == ".toml" and path.name != "client.toml"
    at_home = any((above / "identity.json").exists() for above in (folder, folder.parent))
    kept = at_home and path.exists() and not draft
    if kept or (draft and any(folder.glob(f"{path.name}.*.sig"))):
        return t(
            f"Hasil tidak ditulis ke {path}: di sana ada kunci lembaga atau perjanjian yang "
            "ditandatangani. Pilih folder lain.",
            f"No result is written to {path}: an agency's keys or a signed agreement are there. "
            "Choose another folder.",
        )
    return None


def _misnamed(path: Path, *, tables: bool) -> str | None:
    """What a name promises and the file would not be."""
    if path.suffix.lower() not in (_FOREIGN if tables else _FOREIGN | _TABLES):
        return None
    known = ".csv, .xlsx, .parquet" if tables else ".csv"
    return t(
        f"Hasil {path.name} tidak dapat ditulis dalam format itu; akhiran yang dapat: {known}.",
        f"The result {path.name} cannot be written in that format; endings that can be: {known}.",
    )


def read_ids(path: Path) -> list[str]:
    """Record ids, one a line, blank lines left out. Raises BadInputError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInputError(
            t(
                f"Berkas {path} tidak dapat dibaca ({system_reason(error)}).",
                f"The file {path} cannot be read ({system_reason(error)}).",
            )
        ) from None
    except UnicodeDecodeError:
        raise BadInputError(
            t(f"Berkas {path} bukan UTF-8.", f"The file {path} is not UTF-8.")
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]

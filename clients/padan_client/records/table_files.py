"""Results, quarantine and encodings to files, whole or not at all, for their owner's eyes alone."""

from __future__ import annotations

import os
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
from padan_client.base.files import write_private
from padan_client.base.language import system_reason, t

_WORKBOOKS = frozenset({".xlsx", ".xls", ".xlsm", ".ods"})


def write_table(path: Path, table: pa.Table) -> None:
    """Write ``table`` as CSV, or as Parquet where the name ends so; mode 0600."""
    sink = pa.BufferOutputStream()
    if path.suffix.lower() == ".parquet":
        pa.parquet.write_table(table, sink)
    else:
        pa.csv.write_csv(table, sink)
    write_private(path, memoryview(sink.getvalue()))


def write_or_remove(path: Path, table: pa.Table) -> None:
    """Write ``table``; where it has no row there is no file, not one of an earlier run either."""
    if table.num_rows:
        write_table(path, table)
    else:
        path.unlink(missing_ok=True)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write ``array`` as .npy; mode 0600."""
    sink = pa.BufferOutputStream()
    with pa.PythonFile(sink, mode="w") as stream:
        np.save(stream, array)
    write_private(path, memoryview(sink.getvalue()))


def require_writable(*paths: Path | None, reads: Iterable[Path | None] = ()) -> None:
    """Raise BadInputError, before anything is asked, if a result could not be written later.

    A result replaces what stood there, so devices, pipes and folders are refused; so are the name
    of a workbook, which neither format is, a file of ``reads`` under whatever name it goes, and one
    file for two results. What else stands there is the caller's to ask about (:func:`standing`).
    """
    wanted = [path for path in paths if path is not None]
    given = [path for path in reads if path is not None]
    for number, path in enumerate(wanted):
        problem = _unwritable(path) or _taken(path, given, wanted[:number])
        if problem:
            raise BadInputError(problem)


def standing(*paths: Path | None) -> list[Path]:
    """Those of ``paths`` at which something stands already, a broken link too."""
    return [path for path in paths if path is not None and os.path.lexists(path)]


def beside(path: Path, word: str, suffix: str | None = None) -> Path:
    """The name of a file that accompanies ``path``: ``codes.csv`` has ``codes.karantina.csv``."""
    return path.with_name(f"{path.stem}.{word}{path.suffix if suffix is None else suffix}")


def same_file(one: Path, other: Path) -> bool:
    """Whether both are one file, through links, other spellings and letters of another size.

    Names that differ in the size of letters alone count as one where neither is there yet: on
    some disks they will be.
    """
    if one.exists() and other.exists():
        return one.samefile(other)
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
    if path.suffix.lower() in _WORKBOOKS:
        return t(
            f"Hasil {path.name} tidak ditulis sebagai Excel. Pakai nama berakhiran .csv (dapat "
            "dibuka di Excel) atau .parquet.",
            f"The result {path.name} is not written as Excel. Use a name that ends in .csv (Excel "
            "opens it) or .parquet.",
        )
    return None


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

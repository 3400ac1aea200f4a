"""Results, quarantine and encodings to files, whole or not at all, for their owner's eyes alone."""

from __future__ import annotations

import os
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


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write ``array`` as .npy; mode 0600."""
    sink = pa.BufferOutputStream()
    with pa.PythonFile(sink, mode="w") as stream:
        np.save(stream, array)
    write_private(path, memoryview(sink.getvalue()))


def require_writable(*paths: Path | None) -> None:
    """Raise BadInputError, before anything is asked, if a result could not be written later.

    A result replaces what stood there, so devices, pipes and folders are refused; so is the name of
    a workbook, which neither format is.
    """
    for path in paths:
        problem = _unwritable(path) if path is not None else None
        if problem:
            raise BadInputError(problem)


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

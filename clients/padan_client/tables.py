"""Result and quarantine tables to files, whole or not at all, for their owner's eyes alone."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from padan_client.errors import BadInputError
from padan_client.files import write_private
from padan_client.language import t


def write_table(path: Path, table: pa.Table) -> None:
    """Write ``table`` as CSV, or as Parquet where the name ends so; mode 0600."""
    sink = pa.BufferOutputStream()
    if path.suffix.lower() == ".parquet":
        pa.parquet.write_table(table, sink)
    else:
        pa.csv.write_csv(table, sink)
    write_private(path, sink.getvalue().to_pybytes())


def require_writable(*paths: Path | None) -> None:
    """Raise BadInputError, before anything is asked, if a result could not be written later."""
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            raise BadInputError(
                t(
                    f"Folder {path.parent} untuk hasil tidak ada. Buat dahulu.",
                    f"The folder {path.parent} for the result does not exist. Make it first.",
                )
            )


def read_ids(path: Path) -> list[str]:
    """Record ids, one a line, blank lines left out. Raises BadInputError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInputError(
            t(
                f"Berkas {path} tidak dapat dibaca ({error.strerror}).",
                f"The file {path} cannot be read ({error.strerror}).",
            )
        ) from None
    except UnicodeDecodeError:
        raise BadInputError(
            t(f"Berkas {path} bukan UTF-8.", f"The file {path} is not UTF-8.")
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]

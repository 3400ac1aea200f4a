"""How a result is written: as CSV for programs or a spreadsheet, as a workbook, as Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

_SEPARATORS = frozenset(",;|\t")
#: Names of the tab, for shells in which it is hard to type.
_TABS = frozenset({"tab", "\\t"})


class TableFormat(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


@dataclass(frozen=True)
class TableStyle:
    """How tables are written; ``default`` is the format of a file whose name says none.

    ``bom``: a CSV begins with a byte order mark, so that a spreadsheet takes it for UTF-8.
    ``exact``: cells of a CSV are what they are, formulas too; else they order nothing
    (``padan_client.records.inert``).
    """

    default: TableFormat = TableFormat.CSV
    separator: str = ","
    bom: bool = False
    exact: bool = False

    @property
    def for_spreadsheet(self) -> bool:
        """Whether a CSV is meant for a certain spreadsheet."""
        return self.bom or self.separator != ","

    def format_of(self, path: Path) -> TableFormat:
        """The format of a file."""
        return _named(path) or self.default


PLAIN = TableStyle()
#: For programs of Padan's own, which carry nothing out.
EXACT = TableStyle(exact=True)


def style_for(
    path: Path, format_: TableFormat | None, separator: str, *, bom: bool, exact: bool = False
) -> TableStyle:
    """The style that options for the result at ``path`` mean.

    Raises BadInputError where they contradict the file's name or each other.
    """
    named = _named(path)
    if named and format_ and named is not format_:
        raise BadInputError(
            t(
                f"{path.name} tidak berakhiran .{format_}; ganti namanya atau --format.",
                f"{path.name} does not end in .{format_}; change the name or --format.",
            )
        )
    meant = "\t" if separator in _TABS else separator
    if meant not in _SEPARATORS:
        raise BadInputError(
            t(
                f"--separator {separator}: pilih , ; | atau tab.",
                f"--separator {separator}: choose , ; | or tab.",
            )
        )
    style = TableStyle(format_ or named or TableFormat.CSV, meant, bom, exact)
    if style.default is not TableFormat.CSV and style.for_spreadsheet:
        raise BadInputError(
            t(
                f"--separator dan --bom hanya untuk CSV; hasilnya {style.default}.",
                f"--separator and --bom are for CSV alone; the result is {style.default}.",
            )
        )
    if exact and (style.default is not TableFormat.CSV or style.for_spreadsheet):
        raise BadInputError(
            t(
                "--exact hanya untuk CSV biasa, tanpa --separator dan --bom; .xlsx dan .parquet "
                "memang apa adanya.",
                "--exact is for the plain CSV, without --separator and --bom; .xlsx and .parquet "
                "are exact as they are.",
            )
        )
    return style


def _named(path: Path) -> TableFormat | None:
    """The format that a file's name says."""
    suffix = path.suffix.lower().removeprefix(".")
    return TableFormat(suffix) if suffix in set(TableFormat) else None

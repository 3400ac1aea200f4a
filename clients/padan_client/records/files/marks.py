"""Formulas and errors in a workbook's cells, which its reader does not tell apart from values.

XLSX and ODS are archives of XML: what is looked for are marks of cells, not values. In XLS and
XLSB they cannot be seen so, and nothing is said of them.
"""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import unescape

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"([\w:]+)=\"([^\"]*)\"")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ERROR = re.compile(rb"<(?:\w+:)?c\s(?=[^>]*\bt=\"e\")[^>]*\br=\"[A-Z]+(\d+)\"[^>]*>")
_ODS_TABLE = re.compile(rb"<table:table\s[^>]*>")
_ODS_FORMULA = re.compile(rb"\stable:formula=\"")
#: What the library raises of archives: a checksum, a member, a way of packing that it cannot undo.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, OSError, struct.error,
    NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip
#: What a spreadsheet writes into a cell whose formula failed.
ERROR_TEXT = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)|Err:\d{3}")


@dataclass(frozen=True)
class CellMarks:
    """How many cells hold ``formulas``; ``errors``: the sheet row, from 1, of every error."""

    formulas: int = 0
    errors: tuple[int, ...] = ()


def cell_marks(path: Path, sheet: str) -> CellMarks:
    """What is seen of one sheet; nothing where the format hides it.

    Raises ValueError where the archive is damaged, which the workbook's own reader may not notice.
    """
    if not zipfile.is_zipfile(path):
        return CellMarks()
    try:
        with zipfile.ZipFile(path) as archive:
            return _marks_in(archive, sheet)
    except _DAMAGED as e:
        raise ValueError("a damaged archive") from e


def _marks_in(archive: zipfile.ZipFile, sheet: str) -> CellMarks:
    names = set(archive.namelist())
    if "content.xml" in names:
        return CellMarks(len(_ODS_FORMULA.findall(_ods_table(archive, sheet))))
    part = _part(archive, sheet) if "xl/workbook.xml" in names else ""
    if part not in names:
        return CellMarks()
    xml = archive.read(part)
    errors = tuple(int(row) for row in _ERROR.findall(xml))
    return CellMarks(len(_FORMULA.findall(xml)), errors)


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member that holds a sheet of an XLSX; "" where it cannot be found."""
    related = {}
    for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels")):
        of = _attributes(tag)
        related[of.get("Id", "")] = of.get("Target", "")
    for tag in _SHEET.findall(archive.read("xl/workbook.xml")):
        of = _attributes(tag)
        if of.get("name") == sheet:
            return str(PurePosixPath("xl") / related.get(of.get("r:id", ""), "")).lstrip("/")
    return ""


def _ods_table(archive: zipfile.ZipFile, sheet: str) -> bytes:
    """The XML of one sheet of an ODS."""
    xml = archive.read("content.xml")
    starts = [(m.start(), _attributes(m[0]).get("table:name")) for m in _ODS_TABLE.finditer(xml)]
    ends = [start for start, _ in starts[1:]] + [len(xml)]
    for (start, name), end in zip(starts, ends, strict=True):
        if name == sheet:
            return xml[start:end]
    return b""


def _attributes(tag: bytes) -> dict[str, str]:
    quoted = {"&quot;": '"', "&apos;": "'"}
    return {
        name.decode(): unescape(value.decode("utf-8", "replace"), quoted)
        for name, value in _ATTRIBUTE.findall(tag)
    }

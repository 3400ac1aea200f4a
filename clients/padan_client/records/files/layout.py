"""Where in a file its column names stand: behind ``sep=;``, titles and empty lines, or at once.

A line above the names is taken for a title only where that is plain: the names are words that
columns are called (:mod:`padan_linkage.advice.vocabulary`), more of them are filled than on any
line above, and none of them is a person's number or a date. Otherwise the first line in which
something stands has to hold the names.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import listed, t
from padan_client.records.files.counts import Tell
from padan_client.records.files.scan import Scan
from padan_linkage.advice.naming import is_column_word

SEPARATORS = ",;\t|"
#: Records at a file's beginning that are looked at, and how far down the names may stand.
_LOOKED_AT, _DEEPEST = 200, 20
#: Columns of one file: many times what lists of people have.
MOST_COLUMNS = 2_000
_MOST_NAMED = 10
#: In a first line, a sign that it is a record: a number of a person, or a date.
_DATA = re.compile(r"\d{8}|\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
#: What a spreadsheet writes above the names to tell itself the separator.
_SAID = re.compile(r'"?sep=(?P<it>[^"\r\n])"?[,;\t|\s]*', re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """A record near a file's beginning: its cells without outer blanks, its first and last line."""

    cells: tuple[str, ...]
    first: int
    last: int

    @property
    def filled(self) -> int:
        """How many cells hold something."""
        return sum(1 for cell in self.cells if cell)


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV begins: its ``separator``, its ``names`` and the record ``at`` which they stand.

    ``offset``: bytes up to the first row. ``names`` may be empty for columns that have none.
    ``quoted``: every name stands in quotes.
    """

    separator: str
    names: tuple[str, ...]
    at: Record
    offset: int
    quoted: bool

    @property
    def above(self) -> int:
        """Lines above the names."""
        return self.at.first - 1


def csv_layout(path: Path, text: str) -> CsvLayout:
    """The layout of a CSV by its first characters. Raises BadInputError."""
    lines = _LINE.findall(text)
    said = _SAID.fullmatch(lines[0]) if lines else None
    skipped = 1 if said else 0
    rest = lines[skipped:]
    separators = [said["it"]] if said else list(SEPARATORS)
    if not any(line.strip() for line in rest):
        raise BadInputError(t(f"Berkas {path.name} kosong.", f"The file {path.name} is empty."))
    found = [_Reading.of(rest, s, first=skipped + 1) for s in separators]
    best = max((reading for reading in found if reading), key=_Reading.fit, default=None)
    if best is None:
        raise BadInputError(
            t(
                f"Judul kolom berkas {path.name} tidak dapat dibaca.",
                f"The column names of {path.name} cannot be read.",
            )
        )
    _refuse_open_names(path, best, lines, skipped)
    written = "".join(lines[best.names.first - 1 : best.names.last])
    return CsvLayout(
        separator=best.separator,
        names=best.names.cells,
        at=best.names,
        offset=len("".join(lines[: best.names.last]).encode()),
        quoted=_all_quoted(written, best.separator),
    )


@dataclass(frozen=True)
class _Reading:
    """A file's beginning, read with one separator."""

    separator: str
    names: Record
    agreeing: int

    @classmethod
    def of(cls, lines: Sequence[str], separator: str, first: int) -> _Reading | None:
        records = list(_records(lines, separator, first))
        names = find_names(records)
        if names is None:
            return None
        width = len(names.cells)
        agreeing = sum(1 for r in records if r.filled and len(r.cells) == width)
        return cls(separator, names, agreeing)

    def fit(self) -> tuple[bool, int, int]:
        """How well the separator fits: it separates, rows agree, and the names are many."""
        width = len(self.names.cells)
        return width > 1, self.agreeing, width


def _records(lines: Sequence[str], separator: str, first: int) -> Iterator[Record]:
    """The first records; none behind one that cannot be read."""
    reader = csv.reader(lines, delimiter=separator)
    last = first - 1
    try:
        for cells in reader:
            begins, last = last + 1, first - 1 + reader.line_num
            yield Record(tuple(" ".join(cell.split()) for cell in cells), begins, last)
            if reader.line_num >= _LOOKED_AT:
                return
    except csv.Error:
        return


def find_names(records: Sequence[Record]) -> Record | None:
    """The record that holds the column names; None where nothing stands anywhere."""
    full = [record for record in records if record.filled]
    if not full:
        return None
    width = Counter(len(record.cells) for record in full).most_common(1)[0][0]
    for record in full:
        if len(record.cells) == width and record.filled > MOST_COLUMNS:
            return record  # which check_names refuses: no need to look for words in it
    first = full[0]
    known = _known(first.cells)
    if len(first.cells) == width and first.filled == width and known:
        return first
    most = 0
    for above, record in itertools.pairwise(full[: _DEEPEST + 1]):
        most = max(most, above.filled)
        if len(record.cells) == width and record.filled > most and _are_names(record, known):
            return record
    below = full[1] if len(full) > 1 else first
    only_title = not known and len(below.cells) == width and below.filled == first.filled
    return below if only_title and all(map(is_column_word, below.cells)) else first


def _are_names(record: Record, known_above: int) -> bool:
    """Whether a record is plainly one of names: half are words that columns are called."""
    cells = [cell for cell in record.cells if cell]
    known = _known(cells)
    apart = len(set(cells)) == len(cells) and not any(map(_DATA.search, cells))
    return apart and known > known_above and 2 * known >= len(cells)


def _known(cells: Sequence[str]) -> int:
    return sum(map(is_column_word, cells))


def _refuse_open_names(path: Path, reading: _Reading, lines: Sequence[str], skipped: int) -> None:
    """A quote above the rows may swallow some of them; see :mod:`.scan`."""
    scan = Scan(reading.separator, len(reading.names.cells), skipped + 1, quoted_names=False)
    scan.feed("".join(lines[skipped : reading.names.last]).encode())
    scan.close()
    if scan.stray_line:
        raise stray_quote(path, scan.stray_line)
    if scan.unpaired:
        raise unpaired_quote(path, scan.unpaired)


def stray_quote(path: Path, line: int) -> BadInputError:
    """A quote that swallows rows, or that may."""
    return BadInputError(
        t(
            f'Berkas {path.name}, baris teks {line}: tanda kutip (") dibuka dan menelan baris '
            "berikutnya, atau tidak pernah ditutup. Hapus tanda kutip itu, atau simpan ulang "
            "dengan tiap sel dalam satu baris.",
            f'The file {path.name}, text line {line}: a quote (") opens and swallows the lines '
            "behind it, or never closes. Remove the quote, or save the file again with every cell "
            "on one line.",
        )
    )


def unpaired_quote(path: Path, line: int) -> BadInputError:
    """A quote without its fellow, in a file where that may have cut or joined rows."""
    return BadInputError(
        t(
            f'Berkas {path.name}, baris teks {line}: jumlah tanda kutip (") ganjil; satu tidak '
            "berpasangan. Hapus atau lengkapi.",
            f'The file {path.name}, text line {line}: an odd number of quotes ("); one has no '
            "fellow. Remove it or complete the pair.",
        )
    )


def _all_quoted(written: str, separator: str) -> bool:
    """Whether every cell of a record stands in quotes."""
    cells = re.split(re.escape(separator), re.sub(r'"[^"]*"', '""', written.strip("\r\n")))
    return all(cell.startswith('"') for cell in cells)


def check_names(path: Path, placed: Mapping[int, str], line: int = 1) -> None:
    """Refuse names that are data, empty, twice or too many, by their place from 0.

    Raises BadInputError.
    """
    names = list(placed.values())
    where = t(f"Berkas {path.name}, baris {line}", f"The file {path.name}, line {line}")
    if len(names) > MOST_COLUMNS:
        raise BadInputError(
            t(
                f"{where}: lebih dari {MOST_COLUMNS} kolom. Simpan hanya kolom yang diperlukan, "
                "satu orang sebaris.",
                f"{where}: more than {MOST_COLUMNS} columns. Save only the columns that are "
                "needed, a person a row.",
            )
        )
    if any(_DATA.search(name) for name in names):
        # Checked first: no message may repeat the values.
        raise BadInputError(
            t(
                f"{where}: berisi data, padahal mestinya judul kolom. Tambahkan judul kolom.",
                f"{where}: holds data where the column names belong. Add the column names.",
            )
        )
    if empty := [i + 1 for i, name in placed.items() if not name]:
        which = ", ".join(map(str, empty[:_MOST_NAMED]))
        raise BadInputError(
            t(
                f"{where} (judul kolom): kolom ke-{which} tidak bernama. Beri nama atau hapus; "
                "bila baris itu judul halaman, hapus semua baris di atas judul kolom.",
                f"{where} (column names): column number {which} has no name. Name it or remove "
                "it; if the line is a title, remove all lines above the column names.",
            )
        )
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise BadInputError(
            t(
                f"{where} (judul kolom): nama kolom muncul lebih dari sekali: {listed(twice)}.",
                f"{where} (column names): names occur more than once: {listed(twice)}.",
            )
        )


def tell_above(above: int, tell: Tell) -> None:
    """Say that the names do not stand on the first line."""
    if above:
        tell(
            t(
                f"Judul kolom ada di baris {above + 1}; {above} baris di atasnya dilewati.",
                f"The column names stand on line {above + 1}; {above} lines above are left out.",
            )
        )


def tell_end(empty: int, tell: Tell) -> None:
    """Say that the file ends with empty rows."""
    if empty:
        tell(
            t(
                f"{empty} baris kosong di akhir berkas tidak dihitung.",
                f"{empty} empty rows at the end of the file do not count.",
            )
        )

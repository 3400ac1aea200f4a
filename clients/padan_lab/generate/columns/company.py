"""What one agency wrote down about some companies, column by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.columns.common import COMMON, Writer, flags
from padan_lab.generate.columns.contacts import emails
from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Choice, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.noise.dates import written_dates
from padan_lab.generate.noise.names import Noise, double, drop, join, respell, shorten, slip
from padan_lab.generate.population.companies import FORMS, CompanyBlock, company_words
from padan_lab.generate.population.identifiers import digits
from padan_lab.generate.population.places import joined

_NOISE = Noise(
    (
        ("abbreviation", shorten, 40), ("drop", drop, 16), ("spelling", respell, 10),
        ("double", double, 8), ("slip", slip, 14), ("join", join, 12),
    ),
    "company",
)  # fmt: skip
#: Where the legal form stands: front and behind, the usual way first.
_PLACES = (("{} ", ""), ("{}. ", ""), ("", ", {}"), ("", " {}"), ("", ""))
_PLACE = Choice([0, 40, 30, 20, 10])


class _CompanySheet:
    """The names of a file while they are being written."""

    def __init__(self, block: CompanyBlock, pen: Pen) -> None:
        n = len(block.numbers)
        self.slots, self.form = block.names.copy(), block.form
        self.place = np.zeros(n, dtype=np.int64)
        self.upper = np.full(n, pen.style.upper)
        self.branch = np.full(n, -1, dtype=np.int32)

    def text(self, rows: Ints) -> pa.StringArray:
        """Names of some rows."""
        name = company_words().rendered(self.slots[rows])
        upper = pa.array(self.upper[rows])
        name = pc.if_else(upper, pc.utf8_upper(name), pc.utf8_title(name))
        kind = pa.array(self.form[rows] * len(_PLACES) + self.place[rows])
        return joined((_FRONT.take(kind), name, _BEHIND.take(kind)))


def _names(block: CompanyBlock, pen: Pen) -> Cells:
    sheet, keys, draws = _CompanySheet(block, pen), pen.keys, pen.draws
    cells = Cells(sheet.text(np.arange(len(keys))))
    rows = pen.rows("changed", pen.rates.company_changed)
    changed, labels = _NOISE.change(company_words(), sheet.slots[rows], keys[rows], draws)
    sheet.slots[rows] = changed
    for label in np.unique(labels.astype(str)).tolist():
        chosen = rows[labels == label]
        cells.put(chosen, sheet.text(chosen), label)
    rows = pen.rows("branch", pen.rates.branch)
    town = company_words().roles["towns"].draw(draws, "branch town", keys[rows])
    length = (sheet.slots[rows] >= 0).sum(axis=1)
    sheet.slots[rows, length] = company_words().number("cabang")
    sheet.slots[rows, length + 1] = town
    cells.put(rows, sheet.text(rows), "company.branch")
    rows = pen.rows("case", pen.style.other_case)
    sheet.upper[rows] ^= True
    cells.put(rows, sheet.text(rows), "company.case")
    rows = pen.rows("written", pen.style.written)
    sheet.place[rows] = draws.pick("place", keys[rows], _PLACE)
    cells.put(rows, sheet.text(rows), "company.form")
    return cells


def _texts(side: int) -> pa.StringArray:
    """Front or back of a name, by legal form and place."""
    texts = []
    for form in FORMS:
        mark, _, listed = form.partition(" ")
        for place in _PLACES:
            ends = [part.format(mark) if "{}" in part else part for part in place]
            ends[1] += f" {listed}" if listed else ""
            texts.append(ends[side])
    return pa.array(texts, pa.string())


_FRONT, _BEHIND = _texts(0), _texts(1)


def _kblis(block: CompanyBlock, pen: Pen) -> Cells:
    return flags(digits(block.kbli, 5), pen, "kbli")


def _emails(block: CompanyBlock, pen: Pen) -> Cells:
    return emails(block.mailbox, block.numbers, block.draws, pen)


def _founded(block: CompanyBlock, pen: Pen) -> Cells:
    return written_dates(block.founded, block.founded, pen)


COMPANY: dict[str, Writer] = COMMON | {
    "nama_usaha": _names,
    "kbli": _kblis,
    "email": _emails,
    "tanggal_lahir": _founded,
}

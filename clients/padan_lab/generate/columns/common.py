"""Columns that look alike whoever they are about: contacts, and numbers anybody may bear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.columns import contacts
from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Bools, Draws, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.draw.vocabulary import vocabulary
from padan_lab.generate.noise import numbers as number_noise
from padan_lab.generate.population import identifiers
from padan_lab.generate.population.date_texts import ISO, USUAL, date_texts
from padan_lab.generate.population.households import TODAY
from padan_lab.generate.population.identifiers import digits
from padan_lab.generate.population.places import joined


class Anybody(Protocol):
    """What every population's blocks know, int64[n] each."""

    @property
    def numbers(self) -> Ints:
        """Who it is."""
        ...

    @property
    def household(self) -> Ints:
        """With whom the address is shared."""
        ...

    @property
    def district(self) -> Ints:
        """Where, a place of the gazetteer."""
        ...

    @property
    def pensioner(self) -> Bools:
        """Who draws a pension."""
        ...

    @property
    def draws(self) -> Draws:
        """The population's draws."""
        ...


#: Writes a column about a block of a population.
Writer = Callable[[Any, Pen], Cells]


def number(cells: Cells, pen: Pen, prefix: str, *, unheld: bool = False) -> Cells:
    """Break and mistype some of a column's numbers, and leave some out.

    ``unheld``: a number that this side often does not hold at all.
    """
    rates = pen.rates
    number_noise.spoil(
        cells, pen.keys, pen.draws, broken=rates.number_broken, mistyped=rates.number_mistyped,
        prefix=prefix,
    )  # fmt: skip
    missing = rates.number_missing + rates.number_unheld * unheld
    cells.blank(pen.rows("missing", missing), f"{prefix}.missing")
    return cells


def npwps(block: Anybody, pen: Pen) -> Cells:
    """NPWP: with dots, with the sixteenth digit in front, broken or missing."""
    true = identifiers.npwps(block.numbers, block.draws)
    cells = Cells(true)
    rows = pen.rows("dotted", pen.style.written / 2)
    cells.put(rows, _dotted(true.take(pa.array(rows))), "npwp.form")
    number(cells, pen, "npwp")
    rows = pen.rows("sixteen", pen.style.written / 5)
    now = cells.values.take(pa.array(rows))
    sixteen = pc.if_else(
        pc.equal(pc.utf8_length(now), 15), joined((_repeated("0", rows), now)), now
    )
    cells.put(rows, sixteen, "npwp.sixteen")
    return cells


def _dotted(number_: pa.StringArray) -> pa.StringArray:
    parts: list[pa.StringArray] = []
    cuts = ((0, 2, "."), (2, 5, "."), (5, 8, "."), (8, 9, "-"), (9, 12, "."), (12, 15, ""))
    for start, stop, mark in cuts:
        parts += [pc.utf8_slice_codeunits(number_, start, stop), _repeated(mark, number_)]
    return joined(parts)


def _repeated(text: str, like: Ints | pa.StringArray) -> pa.StringArray:
    return pa.repeat(pa.scalar(text, pa.string()), len(like))


def _numbered(width: int, prefix: str, front: str = "", *, unheld: bool = True) -> Writer:
    """A number of so many digits behind a fixed front."""

    def write(block: Anybody, pen: Pen) -> Cells:
        own = digits(identifiers.scattered(block.numbers, width, block.draws, prefix), width)
        return number(Cells(joined((_repeated(front, own), own))), pen, prefix, unheld=unheld)

    return write


def _addresses(block: Anybody, pen: Pen) -> Cells:
    return contacts.addresses(block.household, block.district, block.draws, pen)


def _phones(block: Anybody, pen: Pen) -> Cells:
    return contacts.phones(block.numbers, block.draws, pen)


def _emails(block: Anybody, pen: Pen) -> Cells:
    local = vocabulary().texts.take(pa.array(_tokens(block)))
    return contacts.emails(pc.replace_substring(local, ".", ""), block.numbers, block.draws, pen)


def _tokens(block: Anybody) -> Ints:
    return vocabulary().roles["rare_f"].draw(block.draws, "word", block.numbers).astype(np.int64)


def _texts(block: Anybody, pen: Pen) -> Cells:
    cells = Cells(vocabulary().texts.take(pa.array(_tokens(block))))
    cells.blank(pen.rows("missing", pen.rates.flag_missing), "text.missing")
    return cells


def other_dates(block: Anybody, pen: Pen) -> Cells:
    """Some date within five years, such as of a permit's end."""
    days = TODAY - 1_826 + block.draws.below("some date", block.numbers, 3_652)
    cells = Cells(date_texts(days, ISO if pen.style.iso else USUAL))
    cells.blank(pen.rows("missing", pen.rates.date_missing), "date.missing")
    return cells


def flags(true: pa.StringArray, pen: Pen, prefix: str) -> Cells:
    """A code of few values: a few missing, fewer those of another row."""
    cells = Cells(true)
    rows = pen.rows("wrong", pen.rates.flag_wrong)
    other = true.take(pa.array(pen.draws.below("whose", pen.keys[rows], len(true))))
    cells.put(rows, other, f"{prefix}.wrong")
    cells.blank(pen.rows("missing", pen.rates.flag_missing), f"{prefix}.missing")
    return cells


COMMON: dict[str, Writer] = {
    "alamat": _addresses,
    "telepon": _phones,
    "email": _emails,
    "npwp": npwps,
    "kartu_jkn": _numbered(10, "jkn_card", "000"),
    "nomor_bpjstk": _numbered(11, "bpjstk_number"),
    "nib": _numbered(13, "nib"),
    "kode": _numbered(9, "code", unheld=False),
    "tanggal_lain": other_dates,
    "teks": _texts,
}

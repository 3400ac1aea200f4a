"""What one agency wrote down about some foreigners, column by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.columns.common import COMMON, Writer, flags, number
from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.noise.dates import written_dates
from padan_lab.generate.noise.names import (
    Noise,
    double,
    drop,
    join,
    reorder,
    respell,
    shorten,
    slip,
)
from padan_lab.generate.population.foreigners import ForeignerBlock, nations

_NOISE = Noise(
    (
        ("transliteration", respell, 55), ("reorder", reorder, 16), ("drop", drop, 9),
        ("join", join, 6), ("slip", slip, 7), ("double", double, 3), ("abbreviation", shorten, 4),
    ),
    "name",
)  # fmt: skip


def _names(block: ForeignerBlock, pen: Pen) -> Cells:
    """In capitals; transliterated otherwise, in another order, shortened."""
    words, slots = nations().words, block.names
    cells = Cells(pc.utf8_upper(words.rendered(slots)))
    rows = pen.rows("changed", pen.rates.foreign_changed)
    changed, labels = _NOISE.change(words, slots[rows], pen.keys[rows], pen.draws)
    for label in np.unique(labels.astype(str)).tolist():
        chosen = labels == label
        cells.put(rows[chosen], pc.utf8_upper(words.rendered(changed[chosen])), label)
    rows = pen.rows("hyphen", pen.style.written / 2)
    plain = pc.replace_substring(cells.values.take(pa.array(rows)), "-", " ")
    cells.put(rows, plain, "name.hyphen")
    return cells


def _passports(block: ForeignerBlock, pen: Pen) -> Cells:
    """The present one, a former one, broken or missing."""
    cells = Cells(block.passport)
    rows = pen.rows("former", pen.rates.passport_former)
    cells.put(rows, block.former_passport.take(pa.array(rows)), "passport.former")
    return number(cells, pen, "passport")


def _birth_dates(block: ForeignerBlock, pen: Pen) -> Cells:
    return written_dates(block.birth, block.birth, pen)


def _birthplaces(block: ForeignerBlock, pen: Pen) -> Cells:
    """A town, the country instead, or nothing."""
    cells = Cells(pc.utf8_upper(block.birthplace))
    rows = pen.rows("other", pen.rates.place_other)
    cells.put(rows, block.nationality.take(pa.array(rows)), "place.country")
    cells.blank(pen.rows("missing", pen.rates.flag_missing), "place.missing")
    return cells


FOREIGN: dict[str, Writer] = COMMON | {
    "nama": _names,
    "paspor": _passports,
    "tanggal_lahir": _birth_dates,
    "tempat_lahir": _birthplaces,
    "jenis_kelamin": lambda block, pen: flags(block.sex, pen, "sex"),
    "kewarganegaraan": lambda block, pen: flags(block.nationality, pen, "nationality"),
}

"""How dates are written. A date is an int64 of days since 1970."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from padan_lab.generate.population.households import Days
from padan_lab.generate.population.identifiers import parts

#: The days that have texts: 1900 to 2039.
_FIRST, _LAST = -25_567, 25_567
_LONG = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]
_SHORT = ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"]
#: Forms of dates: ISO, the usual Indonesian one, and what else is found among them.
FORMS = (
    "{y:04d}-{m:02d}-{d:02d}",
    "{d:02d}-{m:02d}-{y:04d}",
    "{d} {long} {y}",
    "{d:02d}/{m:02d}/{yy:02d}",
    "{d} {short} {y}",
    "{d:02d}/{m:02d}/{y}",
    "{y:04d}{m:02d}{d:02d}",
    "{d}-{m}-{y}",
)
ISO, USUAL = 0, 1


@cache
def _texts(form: int) -> pa.StringArray:
    """Every day's text in one form."""
    columns = (c.tolist() for c in parts(np.arange(_FIRST, _LAST)))
    return pa.array(
        [
            FORMS[form].format(y=y, m=m, d=d, yy=y % 100, long=_LONG[m - 1], short=_SHORT[m - 1])
            for y, m, d in zip(*columns, strict=True)
        ],
        pa.string(),
    )


def date_texts(days: Days, form: int) -> pa.StringArray:
    """Dates as text in one of the FORMS."""
    return _texts(form).take(pa.array(days - _FIRST))

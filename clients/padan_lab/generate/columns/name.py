"""Person names as one side writes them: changed, cut off, with titles, in capitals or not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Bools, Choice, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.draw.vocabulary import Slots, vocabulary
from padan_lab.generate.noise.names import PEOPLE, shortened_prophet, with_father
from padan_lab.generate.population import titles
from padan_lab.generate.population.places import joined
from padan_lab.generate.population.titles import Titles

#: Widths of form fields that cut names off.
_WIDTHS = np.array([20, 25, 30, 60])
_WIDTH = Choice([15, 30, 50, 5])
_FRONT_FORM = Choice([0, 40, 15, 15, 15, 15])
_BEHIND_FORM = Choice([0, 24, 10, 12, 8, 10, 10, 16, 10])
_NEVER = 10_000


class _NameSheet:
    """The names of a file while they are being written; ``text`` is what stands there."""

    def __init__(self, slots: Slots, held: Titles, pen: Pen) -> None:
        n = len(slots)
        self.slots = slots.copy()
        self.upper = np.full(n, pen.style.upper)
        self.width = np.full(n, _NEVER)
        shown = pen.style.titled is None
        self.front = held.front * shown
        self.behind = held.behind * shown
        self.front_form, self.behind_form = np.zeros(n, np.int64), np.zeros(n, np.int64)

    def plain(self, rows: Ints) -> pa.StringArray:
        """Names of some rows, without titles."""
        text = vocabulary().rendered(self.slots[rows])
        text = _cased(text, self.upper[rows])
        for width in np.unique(self.width[rows]).tolist():
            if width < _NEVER:
                mask = pa.array(self.width[rows] == width)
                cut = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(text, 0, width))
                text = pc.if_else(mask, cut, text)
        return text

    def text(self, rows: Ints) -> pa.StringArray:
        """Names of some rows, with their titles."""
        plain = self.plain(rows)
        if not (self.front[rows].any() or self.behind[rows].any()):
            return plain
        front = titles.written(self.front[rows], self.front_form[rows], "front")
        behind = titles.written(self.behind[rows], self.behind_form[rows], "behind")
        return joined((front, plain, behind))


def written_names(slots: Slots, fathers: Slots, held: Titles, pen: Pen) -> Cells:
    """Names as a side writes them; see ``rates`` for how often what happens."""
    sheet = _NameSheet(slots, held, pen)
    cells = Cells(sheet.text(np.arange(len(slots))))
    _change(sheet, cells, fathers, pen)
    rows = pen.rows("case", pen.style.other_case)
    sheet.upper[rows] ^= True
    cells.put(rows, sheet.text(rows), "name.case")
    rows = pen.rows("truncated", pen.rates.name_truncated)
    sheet.width[rows] = _WIDTHS[pen.draws.pick("width", pen.keys[rows], _WIDTH)]
    cells.put(rows, sheet.text(rows), "name.truncated")
    _entitle(sheet, cells, held, pen)
    return cells


def _change(sheet: _NameSheet, cells: Cells, fathers: Slots, pen: Pen) -> None:
    keys = pen.keys
    rows = pen.rows("prophet", pen.rates.prophet_changed)
    sheet.slots[rows] = shortened_prophet(sheet.slots[rows], keys[rows], pen.draws)
    cells.put(rows, sheet.text(rows), "name.abbreviation")
    rows = pen.rows("father", pen.rates.name_father)
    sheet.slots[rows] = with_father(sheet.slots[rows], fathers[rows])
    cells.put(rows, sheet.text(rows), "name.father")
    rows = pen.rows("changed", pen.rates.name_changed)
    changed, labels = PEOPLE.change(vocabulary(), sheet.slots[rows], keys[rows], pen.draws)
    sheet.slots[rows] = changed
    for label in np.unique(labels.astype(str)).tolist():
        chosen = rows[labels == label]
        cells.put(chosen, sheet.text(chosen), label)


def _entitle(sheet: _NameSheet, cells: Cells, held: Titles, pen: Pen) -> None:
    """Titles where they are not usual; or left out and written otherwise where they are."""
    draws, keys = pen.draws, pen.keys
    if pen.style.titled is not None:
        rows = pen.rows("titled", pen.style.titled)
        sheet.front[rows], sheet.behind[rows] = held.front[rows], held.behind[rows]
        plain = draws.chance("plain form", keys[rows], 0.5)
        _reform(sheet, rows[~plain], pen)
        cells.put(rows, sheet.text(rows), "name.title")
        return
    rows = pen.rows("untitled", pen.style.untitled)
    which = draws.below("which", keys[rows], 3)
    sheet.front[rows[which != 1]] = 0
    sheet.behind[rows[which != 2]] = 0
    cells.put(rows, sheet.text(rows), "name.title_dropped")
    rows = pen.rows("retitled", pen.style.retitled)
    _reform(sheet, rows, pen)
    cells.put(rows, sheet.text(rows), "name.title_form")


def _reform(sheet: _NameSheet, rows: Ints, pen: Pen) -> None:
    sheet.front_form[rows] = pen.draws.pick("front form", pen.keys[rows], _FRONT_FORM)
    sheet.behind_form[rows] = pen.draws.pick("behind form", pen.keys[rows], _BEHIND_FORM)


def _cased(text: pa.StringArray, upper: Bools) -> pa.StringArray:
    """Capitals where ``upper``, else capital initials."""
    if upper.all():
        return pc.utf8_upper(text)
    title = pc.utf8_title(text)
    return pc.if_else(pa.array(upper), pc.utf8_upper(text), title) if upper.any() else title

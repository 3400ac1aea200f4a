"""What one agency wrote down about some people, column by column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from padan_client.generate import number_noise
from padan_client.generate.cells import Cells
from padan_client.generate.date_noise import written_dates
from padan_client.generate.draws import Ints
from padan_client.generate.identifiers import digits
from padan_client.generate.name_column import written_names
from padan_client.generate.pen import Pen
from padan_client.generate.people import RELIGIONS, Block
from padan_client.generate.places import gazetteer

Writer = Callable[[Block, Pen], Cells]

_RELIGION_FORMS = pa.array(
    ["Islam", "KRISTEN PROTESTAN", "KATHOLIK", "HINDHU", "BUDHA", "KHONGHUCU"], pa.string()
)


def _names(block: Block, pen: Pen) -> Cells:
    return written_names(block.names, block.fathers, block.titles, pen)


def _birth_dates(block: Block, pen: Pen) -> Cells:
    corrected = block.corrected_birth(pen.rates.date_corrected)
    return written_dates(block.birth, corrected, pen.keys, pen.rates, pen.style, pen.draws)


def _niks(block: Block, pen: Pen) -> Cells:
    """Missing, a relative's, a stranger's, broken or mistyped."""
    cells = Cells(digits(block.nik, 16))
    partner = block.home.partner
    rows = pen.rows("swapped", pen.rates.nik_swapped)
    rows = rows[partner[rows] >= 0]
    cells.put(rows, _niks_of(block, partner[rows]), "nik.swapped")
    rows = pen.rows("duplicate", pen.rates.nik_duplicate)
    other = pen.draws.below("whose", pen.keys[rows], block.world.size)
    cells.put(rows, _niks_of(block, other), "nik.duplicate")
    number_noise.spoil(
        cells, pen.keys, pen.draws, broken=pen.rates.nik_broken, mistyped=pen.rates.nik_mistyped,
        prefix="nik",
    )  # fmt: skip
    cells.blank(pen.rows("missing", pen.rates.nik_missing), "nik.missing")
    return cells


def _niks_of(block: Block, people: Ints) -> pa.StringArray:
    return digits(block.world.of(np.minimum(people, block.world.size - 1)).nik, 16)


def number(cells: Cells, pen: Pen, prefix: str, *, unheld: bool = False) -> Cells:
    """Any other number: broken, mistyped, missing, or often not held at all."""
    number_noise.spoil(
        cells, pen.keys, pen.draws, broken=pen.rates.number_broken,
        mistyped=pen.rates.number_mistyped, prefix=prefix,
    )  # fmt: skip
    cells.blank(pen.rows("missing", pen.rates.number_missing), f"{prefix}.missing")
    if unheld:
        cells.blank(pen.rows("unheld", pen.rates.number_unheld), f"{prefix}.missing")
    return cells


def _birthplaces(block: Block, pen: Pen) -> Cells:
    """Another town, an older or a shorter name, another spelling, a rank in front."""
    known, draws, keys = gazetteer(), pen.draws, pen.keys
    place = block.birthplace.copy()
    upper = pen.style.upper
    cells = Cells(known.written("bare", place, upper=upper))
    rows = pen.rows("other", pen.rates.place_other)
    luck = draws.share("how", keys[rows])
    # Of the places that differ: another town near by, anywhere, the district's own town or old
    # name, a spelling, a slip. Guesses; only the sum is measured.
    edges = np.cumsum([0.3, 0.12, 0.33, 0.17])
    kind = np.searchsorted(edges, luck, side="right")
    near, far = rows[kind == 0], rows[kind == 1]
    place[near] = known.neighbour(draws, "near", keys[near], place[near])
    place[far] = known.draw(draws, "far", keys[far])
    for chosen in (near, far):
        cells.put(chosen, known.written("bare", place[chosen], upper=upper), "place.other")
    for number_, form in enumerate(("other", "respelt", "slipped"), start=2):
        chosen = rows[kind == number_]
        label = {"other": "place.renamed", "respelt": "place.spelling", "slipped": "place.slip"}
        cells.put(chosen, known.written(form, place[chosen], upper=upper), label[form])
    rows = np.setdiff1d(pen.rows("ranked", pen.style.ranked), rows)
    cells.put(rows, known.written("full", place[rows], upper=upper), "place.rank")
    return cells


def _sexes(block: Block, pen: Pen) -> Cells:
    cells = Cells(block.sex)
    rows = pen.rows("wrong", pen.rates.flag_wrong)
    opposite = pa.array(np.where(block.female[rows], "L", "P"), pa.string())
    cells.put(rows, opposite, "sex.wrong")
    rows = pen.rows("word", pen.style.written / 10)
    word = np.where(block.female[rows], "Perempuan", "Laki-laki")
    cells.put(rows, pa.array(word, pa.string()), "sex.format")
    cells.blank(pen.rows("missing", pen.rates.flag_missing), "sex.missing")
    return cells


def _religions(block: Block, pen: Pen) -> Cells:
    """Left out, in another wording, or another one."""
    faith = block.religion
    cells = Cells(RELIGIONS.take(pa.array(faith)))
    rows = pen.rows("other", pen.rates.religion_other)
    kind = pen.draws.below("how", pen.keys[rows], 10)
    cells.blank(rows[kind < 5], "religion.missing")
    worded = rows[(kind >= 5) & (kind < 8)]
    cells.put(worded, _RELIGION_FORMS.take(pa.array(faith[worded])), "religion.wording")
    other = rows[kind >= 8]
    faiths = len(RELIGIONS)
    drawn = (faith[other] + 1 + pen.draws.below("which", pen.keys[other], faiths - 1)) % faiths
    cells.put(other, RELIGIONS.take(pa.array(drawn)), "religion.other")
    return cells


WRITERS: dict[str, Writer] = {
    "nama": _names,
    "tanggal_lahir": _birth_dates,
    "nik": _niks,
    "tempat_lahir": _birthplaces,
    "jenis_kelamin": _sexes,
    "agama": _religions,
    "kk": lambda block, pen: number(Cells(digits(block.kk, 16)), pen, "kk"),
    "nip": lambda block, pen: number(Cells(digits(block.nip, 18)), pen, "nip"),
}

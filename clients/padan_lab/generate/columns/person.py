"""What one agency wrote down about some people, column by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.columns.common import COMMON, Writer, flags, number
from padan_lab.generate.columns.name import written_names
from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.draw.vocabulary import vocabulary
from padan_lab.generate.noise import numbers as number_noise
from padan_lab.generate.noise.dates import written_dates
from padan_lab.generate.population import identifiers
from padan_lab.generate.population.identifiers import FORMER, digits
from padan_lab.generate.population.people import RELIGIONS, PersonBlock
from padan_lab.generate.population.places import gazetteer

#: By Member: a brother, sister or twin of the head is another member of the family.
_RELATIONS = pa.array(
    ["KEPALA KELUARGA", "ISTRI", "ANAK", "FAMILI LAIN", "ANAK", "ORANG TUA"], pa.string()
)
_RELIGION_FORMS = pa.array(
    ["Islam", "KRISTEN PROTESTAN", "KATHOLIK", "HINDHU", "BUDHA", "KHONGHUCU"], pa.string()
)


def _names(block: PersonBlock, pen: Pen) -> Cells:
    return written_names(block.names, block.fathers, block.titles, pen)


def _birth_dates(block: PersonBlock, pen: Pen) -> Cells:
    corrected = block.corrected_birth(pen.rates.date_corrected)
    return written_dates(block.birth, corrected, pen)


def _niks(block: PersonBlock, pen: Pen) -> Cells:
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


def _niks_of(block: PersonBlock, people: Ints) -> pa.StringArray:
    return digits(block.world.of(np.minimum(people, block.world.size - 1)).nik, 16)


def _birthplaces(block: PersonBlock, pen: Pen) -> Cells:
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


def _sexes(block: PersonBlock, pen: Pen) -> Cells:
    cells = Cells(block.sex)
    rows = pen.rows("wrong", pen.rates.flag_wrong)
    opposite = pa.array(np.where(block.female[rows], "L", "P"), pa.string())
    cells.put(rows, opposite, "sex.wrong")
    rows = pen.rows("word", pen.style.written / 10)
    word = np.where(block.female[rows], "Perempuan", "Laki-laki")
    cells.put(rows, pa.array(word, pa.string()), "sex.format")
    cells.blank(pen.rows("missing", pen.rates.flag_missing), "sex.missing")
    return cells


def _religions(block: PersonBlock, pen: Pen) -> Cells:
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


def _passports(block: PersonBlock, pen: Pen) -> Cells:
    """Indonesian passports: a former one, broken, or none held."""
    pattern = pa.repeat(pa.scalar("A9999999"), len(pen.keys))
    cells = Cells(identifiers.passports(block.numbers, pattern, block.draws))
    rows = pen.rows("former", pen.rates.passport_former)
    former = identifiers.passports(
        block.numbers[rows] + FORMER, pattern.slice(0, len(rows)), block.draws
    )
    cells.put(rows, former, "passport.former")
    return number(cells, pen, "passport")


def _parents(role: str) -> Writer:
    """A parent's first name, the household's."""

    def write(block: PersonBlock, pen: Pen) -> Cells:
        words = vocabulary()
        token = words.roles[role].draw(block.draws, f"parent {role}", block.household)
        name = words.texts.take(pa.array(token))
        upper = pen.style.upper
        cells = Cells(pc.utf8_upper(name) if upper else pc.utf8_title(name))
        cells.blank(pen.rows("missing", pen.rates.contact_missing), "parent.missing")
        return cells

    return write


def _nationalities(_: PersonBlock, pen: Pen) -> Cells:
    return flags(pa.repeat(pa.scalar("IDN"), len(pen.keys)), pen, "nationality")


def _relations(block: PersonBlock, pen: Pen) -> Cells:
    """What each is to the head of the household."""
    return flags(_RELATIONS.take(pa.array(block.home.member)), pen, "relation")


PERSON: dict[str, Writer] = COMMON | {
    "nama": _names,
    "tanggal_lahir": _birth_dates,
    "nik": _niks,
    "tempat_lahir": _birthplaces,
    "jenis_kelamin": _sexes,
    "agama": _religions,
    "kk": lambda block, pen: number(Cells(digits(block.kk, 16)), pen, "kk"),
    "nip": lambda block, pen: number(Cells(digits(block.nip, 18)), pen, "nip"),
    "paspor": _passports,
    "kewarganegaraan": _nationalities,
    "nama_ayah": _parents("male_first"),
    "nama_ibu": _parents("female_first"),
    "hubungan": _relations,
}

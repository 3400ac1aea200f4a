"""Addresses, phones and e-mail: what agencies hold of them, and how differently."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Draws, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.population.identifiers import FORMER, digits
from padan_lab.generate.population.places import gazetteer, joined

_STREETS = (
    "merdeka sudirman diponegoro ahmad-yani gajah-mada hayam-wuruk pahlawan veteran kartini "
    "imam-bonjol hasanuddin pattimura mawar melati kenanga anggrek cempaka flamboyan dahlia "
    "rajawali merpati garuda kutilang cendrawasih siliwangi majapahit sriwijaya brawijaya "
    "pemuda pelajar pasar stasiun masjid sekolah industri raya-timur raya-barat kebon-jeruk "
    "teuku-umar cut-nyak-dien sisingamangaraja antasari gatot-subroto s-parman mt-haryono "
    "perintis-kemerdekaan proklamasi bhayangkara kemuning teratai bougenville nusa-indah mangga "
    "rambutan durian jambu salak elang kasuari jalak panglima-polim wahid-hasyim agus-salim "
    "otto-iskandardinata dewi-sartika sultan-agung trunojoyo sunan-kalijaga sunan-ampel"
)
_VILLAGES = (
    "sukamaju sukajaya mekarsari karanganyar sidomulyo tanjungsari wonosari cibadak pasirputih "
    "rejosari kampung-baru sumberejo margahayu bojong tegalsari sungai-raya batu-merah sukarame "
    "mulyorejo kebonsari tanjung-harapan bangun-jaya suka-damai karya-maju sidodadi wonorejo "
    "purwosari banjarsari cimanggu pasir-mulya air-hitam lubuk-jaya pulau-panjang muara-jaya"
)
#: The parts of an address, in the usual form and in two others.
_STREET_MARKS = ("Jl. ", "Jalan ", "JL ")
_HOUSE_MARKS = (" No. ", " No.", " Nomor ")
_RT_MARKS = (" RT ", " RT.", " RT")
_RW_MARKS = ("/RW ", "/", " RW ")
_VILLAGE_MARKS = (" Kel. ", " ", " Desa ")
_HOSTS = ("gmail.com", "gmail.com", "yahoo.co.id", "yahoo.com", "outlook.com", "ymail.com")
_PREFIXES = ("0811", "0812", "0813", "0821", "0822", "0852", "0857", "0858", "0878", "0896")


def addresses(home: Ints, district: Ints, draws: Draws, pen: Pen) -> Cells:
    """Addresses of homes: shortened, in other words, an older one, or none."""
    usual = np.zeros(len(home), dtype=np.int64)
    cells = Cells(_address(home, district, usual, draws))
    rows = pen.rows("other", pen.rates.contact_other)
    home, district = home.copy(), district.copy()
    home[rows] += FORMER
    district[rows] = gazetteer().neighbour(draws, "former", home[rows], district[rows])
    cells.put(rows, _address(home[rows], district[rows], usual[rows], draws), "address.former")
    rows = pen.rows("written", pen.style.written)
    form = 1 + pen.draws.below("form", pen.keys[rows], 3)
    cells.put(rows, _address(home[rows], district[rows], form, draws), "address.form")
    cells.blank(pen.rows("missing", pen.rates.contact_missing / 4), "address.missing")
    return cells


def _address(home: Ints, district: Ints, form: Ints, draws: Draws) -> pa.StringArray:
    """Forms 0 to 2 differ in the words; 3 is 1 without the town."""
    words = np.where(form == 3, 1, form)
    street, village = _words(_STREETS), _words(_VILLAGES)
    towns = gazetteer().written("full", district, upper=False)
    return joined(
        (
            _mark(_STREET_MARKS, words),
            street.take(pa.array(draws.below("street", home, len(street)))),
            _mark(_HOUSE_MARKS, words),
            pa.array(draws.below("house", home, 180) + 1).cast(pa.string()),
            _mark(_RT_MARKS, words),
            digits(draws.below("rt", home, 12) + 1, 3),
            _mark(_RW_MARKS, words),
            digits(draws.below("rw", home, 9) + 1, 3),
            _mark(_VILLAGE_MARKS, words),
            village.take(pa.array(draws.below("village", home, len(village)))),
            _mark((", ", ", ", ", ", ""), form),
            pc.if_else(pa.array(form == 3), pa.scalar("", pa.string()), towns),
        )
    )


def _mark(marks: tuple[str, ...], form: Ints) -> pa.StringArray:
    return pa.array(marks, pa.string()).take(pa.array(form))


@cache
def _words(listed: str) -> pa.StringArray:
    return pa.array([word.replace("-", " ").title() for word in listed.split()], pa.string())


def phones(owner: Ints, draws: Draws, pen: Pen) -> Cells:
    """Mobile numbers: missing, a former one, or in the international form."""
    cells = Cells(_local(owner, draws))
    rows = pen.rows("other", pen.rates.contact_other)
    owner = owner.copy()
    owner[rows] += FORMER
    cells.put(rows, _local(owner[rows], draws), "phone.former")
    rows = pen.rows("written", pen.style.written)
    number = _local(owner[rows], draws)
    parts = [pc.utf8_slice_codeunits(number, *cut) for cut in ((1, 4), (4, 8), (8, 12))]
    plus = pa.repeat(pa.scalar("+62 "), len(rows))
    cells.put(rows, joined((plus, joined(parts, "-"))), "phone.form")
    cells.blank(pen.rows("missing", pen.rates.contact_missing), "phone.missing")
    return cells


def _local(owner: Ints, draws: Draws) -> pa.StringArray:
    prefix = draws.below("prefix", owner, len(_PREFIXES))
    return joined(
        (_mark(_PREFIXES, prefix), digits(draws.below("subscriber", owner, 100_000_000), 8))
    )


def emails(local: pa.StringArray, owner: Ints, draws: Draws, pen: Pen) -> Cells:
    """E-mail addresses from their names: missing, or a former one."""
    cells = Cells(_email(local, owner, draws))
    rows = pen.rows("other", pen.rates.contact_other)
    former = _email(local.take(pa.array(rows)), owner[rows] + FORMER, draws)
    cells.put(rows, former, "email.former")
    cells.blank(pen.rows("missing", pen.rates.contact_missing), "email.missing")
    return cells


def _email(local: pa.StringArray, owner: Ints, draws: Draws) -> pa.StringArray:
    tail = digits(draws.below("email tail", owner, 1_000_000), 6)
    at = pa.repeat(pa.scalar("@"), len(owner))
    return joined((local, tail, at, _mark(_HOSTS, draws.below("host", owner, len(_HOSTS)))))

"""Districts: where people live and were born, and how the names of places are written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.draw.draws import Choice, Draws, Ints
from padan_lab.generate.draw.vocabulary import data_lines

#: Names that a district had, or that people still give, by its present one.
_OTHER_NAMES = {
    "Makassar": "Ujung Pandang", "Jayapura": "Hollandia", "Mempawah": "Kab. Pontianak",
    "Kepulauan Siau Tagulandang Biaro": "Sitaro", "Toba": "Toba Samosir",
    "Banyuwangi": "Blambangan",
    "Yogyakarta": "Jogjakarta", "Surakarta": "Solo", "Bogor": "Buitenzorg", "Padang": "Pdg",
    "Banda Aceh": "Kutaraja", "Pekanbaru": "Pakanbaru", "Palembang": "Plaju", "Bandung": "Bdg",
    "Jakarta Pusat": "Jakarta", "Jakarta Selatan": "Jakarta", "Jakarta Timur": "Jakarta",
    "Jakarta Barat": "Jakarta", "Jakarta Utara": "Jakarta", "Surabaya": "Soerabaja",
    "Pasangkayu": "Mamuju Utara", "Kulon Progo": "Wates", "Gunungkidul": "Wonosari",
    "Bantul": "Jogjakarta", "Sleman": "Jogjakarta", "Bengkalis": "Bengkalis Riau",
    "Purwokerto": "Banyumas", "Banyumas": "Purwokerto", "Bulungan": "Tanjung Selor",
    "Tapanuli Selatan": "Padang Sidempuan", "Tapanuli Utara": "Tarutung", "Karo": "Kabanjahe",
    "Simalungun": "Pematang Siantar", "Deli Serdang": "Lubuk Pakam", "Cilacap": "Tjilatjap",
    "Bekasi": "Cikarang", "Tangerang": "Tigaraksa", "Malang": "Kepanjen", "Kediri": "Pare",
    "Jombang": "Djombang", "Jember": "Djember", "Gresik": "Grissee", "Semarang": "Ungaran",
    "Kebumen": "Gombong", "Kudus": "Koedoes", "Pati": "Juwana", "Garut": "Garoet",
    "Sukabumi": "Soekaboemi", "Cianjur": "Tjiandjur", "Cirebon": "Tjirebon", "Manado": "Menado",
    "Minahasa": "Tondano", "Gorontalo": "Limboto", "Bone": "Watampone", "Tana Toraja": "Makale",
    "Luwu": "Palopo", "Ambon": "Amboina", "Kupang": "Koepang", "Sikka": "Maumere",
    "Flores Timur": "Larantuka", "Manggarai": "Ruteng", "Sumba Timur": "Waingapu",
    "Buleleng": "Singaraja", "Badung": "Denpasar", "Lombok Barat": "Mataram", "Banjar": "Martapura",
    "Hulu Sungai Tengah": "Barabai", "Kotawaringin Timur": "Sampit", "Sambas": "Singkawang",
}  # fmt: skip
#: Letters by which places are spelt otherwise.
_FAMILIES = (
    ("u", "oe"), ("j", "dj"), ("c", "tj"), ("o", "u"), ("i", "e"), ("ng", "n"), ("y", "j"),
    ("k", "g"), ("a", "e"),
)  # fmt: skip


class Gazetteer:
    """The districts as arrays; a place is a position in them."""

    def __init__(self) -> None:
        rows = [line.split(" ", 3) for line in data_lines("districts.txt")]
        self.codes: Ints = np.array([int(code) for code, *_ in rows])
        self.subdistricts = [_ranges(subs) for _, subs, _, _ in rows]
        self.counts: Ints = np.array([len(s) for s in self.subdistricts])
        self._starts = np.cumsum(self.counts) - self.counts
        self._numbers: Ints = np.concatenate(self.subdistricts)
        self.provinces = self.codes // 100
        weights = [float(weight) for _, _, weight, _ in rows]
        self._choice = Choice(weights)
        bare = [name.removeprefix("Kab. ").removeprefix("Kota ") for *_, name in rows]
        forms = {
            "full": [name for *_, name in rows],
            "bare": bare,
            "respelt": [_respelt(name) for name in bare],
            "slipped": [_slipped(name) for name in bare],
            "other": [_OTHER_NAMES.get(name, _abbreviated(name)) for name in bare],
        }
        self._forms = {
            (form, upper): pa.array([n.upper() if upper else n for n in names], pa.string())
            for form, names in forms.items()
            for upper in (False, True)
        }
        first = np.searchsorted(self.provinces, self.provinces)
        self._first = first
        self._siblings = np.searchsorted(self.provinces, self.provinces, side="right") - first

    def written(self, form: str, place: Ints, *, upper: bool) -> pa.StringArray:
        """Names of places: full (with the rank), bare, respelt, slipped or other."""
        return self._forms[form, upper].take(pa.array(place))

    def draw(self, draws: Draws, label: str, rows: Ints) -> Ints:
        """Districts by population."""
        return draws.pick(label, rows, self._choice)

    def neighbour(self, draws: Draws, label: str, rows: Ints, place: Ints) -> Ints:
        """Districts of the same province as ``place``."""
        return self._first[place] + draws.below(label, rows, self._siblings[place])

    def subdistrict(self, draws: Draws, label: str, rows: Ints, place: Ints) -> Ints:
        """Six-digit codes of sub-districts of ``place``."""
        at = self._starts[place] + draws.below(label, rows, self.counts[place])
        code: Ints = self.codes[place] * 100 + self._numbers[at]
        return code


@cache
def gazetteer() -> Gazetteer:
    """The one gazetteer."""
    return Gazetteer()


def _ranges(text: str) -> list[int]:
    """``1-3,7`` is 1, 2, 3, 7."""
    numbers: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        numbers += range(int(low), int(high or low) + 1)
    return numbers


def _respelt(name: str) -> str:
    lower = name.lower()
    for a, b in _FAMILIES[len(name) % 3 :]:
        if a in lower and b not in lower:
            return lower.replace(a, b, 1).title()
    return name + "h"


def _slipped(name: str) -> str:
    at = 1 + len(name) % max(1, len(name) - 2)
    return name[:at] + name[at + 1 :]


def _abbreviated(name: str) -> str:
    """The name as people shorten it: a point of the compass by its letter, or the last word."""
    words = name.split()
    if len(words) == 1:
        return name + " Kota" if len(name) % 2 else name[:3] + "."
    compass = {"Utara", "Selatan", "Timur", "Barat", "Tengah", "Daya"}
    return " ".join(words[:-1]) + (f" {words[-1][0]}." if words[-1] in compass else "")


def joined(parts: Sequence[pa.Array], separator: str = "") -> pa.StringArray:
    """Texts side by side, nulls left out."""
    return pc.binary_join_element_wise(*parts, separator, null_handling="skip")

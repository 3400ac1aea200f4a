"""What a column's name names, to the last word: «No. KTP» and «NIK» one thing, «NIK Ibu» another.

:func:`padan_linkage.advice.vocabulary.promised` is content with a phrase somewhere in the name, and
lets the contents decide. Here nothing is asked of the contents, so no word may be left that could
say whose or which: such a name names nothing.
"""

from __future__ import annotations

import re
from functools import cache

from padan_linkage.advice.columns import folded
from padan_linkage.advice.vocabulary import Meaning, phrases

#: Words that are written short.
_WRITTEN_OUT = {
    "nomor": "no", "nmr": "no", "num": "no", "number": "no", "nbr": "no",
    "tgl": "tanggal", "tg": "tanggal", "lhr": "lahir", "kelahiran": "lahir",
    "nm": "nama", "tmp": "tempat", "tmpt": "tempat", "tpt": "tempat",
    "jns": "jenis", "kel": "kelurahan", "thn": "tahun", "bln": "bulan", "alm": "alamat",
    "kab": "kabupaten", "kec": "kecamatan", "prov": "provinsi", "propinsi": "provinsi",
    "telp": "telepon", "tlp": "telepon", "tel": "telepon", "hp": "telepon", "handphone": "telepon",
}  # fmt: skip
#: Words that do not say whose or which: the people of the list, and how a value is written.
_IDLE = frozenset({
    "lengkap", "sesuai", "ktp", "el", "e", "dan", "data", "kolom", "isi", "col", "the", "of",
    "peserta", "pegawai", "penduduk", "penerima", "calon", "pemohon", "anggota", "pekerja",
    "karyawan", "asn", "pns", "orang", "individu", "person", "employee", "recipient",
    "applicant", "dd", "mm", "yyyy", "yy", "ddmmyyyy", "yyyymmdd", "hh", "bb", "tttt", "digit",
    "angka", "16", "18", "asli", "orig", "raw", "clean", "baru",
})  # fmt: skip
#: Meanings that hold several things: their phrases count as one only within a line.
_APART = (
    "nama_ibu ibu_kandung nama_ibu_kandung nama_gadis_ibu mother_name mothers_name",
    "nama_ayah nama_ayah_kandung nama_bapak father_name fathers_name",
    "kota kab kabupaten kab_kota kabkota kabupaten_kota city",
    "kecamatan kec district",
    "kelurahan kel desa desa_kelurahan kel_desa village",
    "provinsi prov propinsi",
)
_SEVERAL = frozenset({
    Meaning.UNKNOWN, Meaning.TRUTH, Meaning.ROW_ID, Meaning.IDENTITY, Meaning.RELATIVE,
    Meaning.PLACE, Meaning.OTHER_DATE, Meaning.CATEGORY,
})  # fmt: skip

#: Words that alone could as well be of something else.
_VAGUE = frozenset({
    "by", "year", "tahun", "bm", "month", "bulan", "bd", "day", "hari", "tanggal", "date",
    "first", "middle", "given", "last", "lahir", "a", "b", "key", "no", "row", "place",
    "tempat", "region", "state", "negara", "country", "title", "unit",
})  # fmt: skip


def thing(name: str) -> str:
    """What a column of this name holds: equal for names of one thing, "" where it is not plain."""
    words, found, aside = _words(name), set[str](), set[str]()
    at = 0
    while at < len(words):
        end = next((e for e in range(len(words), at, -1) if "_".join(words[at:e]) in _things()), 0)
        phrase = words[at : end or at + 1]
        idle = _IDLE.issuperset(phrase)
        if end:
            (aside if idle else found).add(_things()["_".join(phrase)])
        elif not idle:
            return ""
        at += len(phrase)
    plain = found or aside
    return plain.pop() if len(plain) == 1 else ""


def is_column_word(name: str) -> bool:
    """Whether a name is, to the last word, one that columns have."""
    return bool(thing(name)) or folded(name) in phrases()


def _words(name: str) -> list[str]:
    spelled = folded(re.sub(r"(?i)\bl\s*/\s*p\b", "l_p", name))
    return [_WRITTEN_OUT.get(word, word) for word in spelled.split("_") if word]


@cache
def _things() -> dict[str, str]:
    """Phrase, its words written out, to what it names."""
    apart = {"_".join(_words(phrase)): line for line in _APART for phrase in line.split()}
    found = {}
    for phrase, meaning in phrases().items():
        written = "_".join(_words(phrase))
        one = written if meaning in _SEVERAL else meaning.value
        if written not in _VAGUE and meaning is not Meaning.TRUTH:
            found[written] = apart.get(written, one)
    return found

"""Places and addresses."""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import is_missing, joined_acronyms, plain, words
from padan_linkage.normalise.outcome import Reason
from padan_linkage.normalise.spelling import modern

_WORD = re.compile(r"[a-z]+")
_WORD_OR_NUMBER = re.compile(r"[a-z]+|[0-9]+")

#: What a place is called by its rank, not by its name.
_RANKS = words(
    "kab kabupaten kota kotamadya kodya kotif kec kecamatan prov prop provinsi propinsi adm "
    "administrasi administratif dki di daerah istimewa khusus ibukota"
)
#: Towns that have the word Kota in their own name.
_KOTA_OWN = words("baru agung bumi pinang raya mobagu waringin gajah")
#: Old, short and second names of one place.
_PLACES = {
    "jkt": "jakarta", "batavia": "jakarta", "jakpus": "jakarta pusat", "jaksel": "jakarta selatan",
    "jaktim": "jakarta timur", "jakbar": "jakarta barat", "jakut": "jakarta utara",
    "ujung pandang": "makassar", "ujungpandang": "makassar", "makasar": "makassar",
    "jogjakarta": "yogyakarta", "jogyakarta": "yogyakarta", "yogya": "yogyakarta",
    "jogja": "yogyakarta", "jogya": "yogyakarta", "surabaja": "surabaya", "sby": "surabaya",
    "solo": "surakarta", "bdg": "bandung", "mdn": "medan", "smg": "semarang", "bks": "bekasi",
    "buitenzorg": "bogor", "telukbetung": "bandar lampung", "teluk betung": "bandar lampung",
    "tanjung karang": "bandar lampung", "tanjungkarang": "bandar lampung",
    "pematangsiantar": "pematang siantar", "p siantar": "pematang siantar",
    "tanjungpinang": "tanjung pinang", "tanjungbalai": "tanjung balai",
    "pangkalpinang": "pangkal pinang", "palangkaraya": "palangka raya",
    "bandarlampung": "bandar lampung", "hollandia": "jayapura", "kotabaru": "kota baru",
    "pakanbaru": "pekanbaru", "pekan baru": "pekanbaru", "tulung agung": "tulungagung",
    "muara bungo": "bungo", "kota bumi": "kotabumi", "kotamobagu": "kota mobagu",
}  # fmt: skip

_LABELS = words(
    "jl jln jalan jalanan no nomor nmr nr kel kelurahan ds desa kec kecamatan kab kabupaten kota "
    "kotamadya kodya prov provinsi propinsi kodepos pos indonesia dki"
)
_ADDRESS_WORDS = {
    "gg": "gang", "gng": "gang", "kp": "kampung", "kpg": "kampung", "kamp": "kampung",
    "kampong": "kampung", "dsn": "dusun", "dus": "dusun", "blk": "blok", "lt": "lantai",
    "kav": "kavling", "kavl": "kavling", "perum": "perumahan", "perumnas": "perumahan",
    "prm": "perumahan", "prum": "perumahan", "komp": "perumahan", "kompl": "perumahan",
    "komplek": "perumahan", "kompleks": "perumahan", "apt": "apartemen", "apartment": "apartemen",
    "lingk": "lingkungan", "lk": "lingkungan", "ruko": "ruko", "ged": "gedung", "gdg": "gedung",
    "raya": "raya", "st": "street", "rd": "road", "ave": "avenue",
}  # fmt: skip


def parse_place(value: str) -> str:
    """A place by its present name, without its rank; a Reason if no letter is left."""
    if is_missing(value):
        return ""
    words = [modern(w) for w in _WORD.findall(joined_acronyms(plain(value)))]
    if not words:
        return Reason.UNREADABLE
    named = [
        w
        for w, following in zip(words, [*words[1:], ""], strict=True)
        if w not in _RANKS or (w == "kota" and following in _KOTA_OWN)
    ]
    name = " ".join(named or words)
    return _PLACES.get(name, name)


def parse_address(value: str) -> str:
    """An address as tokens: street, house number, ``rt1``, ``rw2``, names; labels left out."""
    if is_missing(value):
        return ""
    tokens = _WORD_OR_NUMBER.findall(plain(value))
    result: list[str] = []
    label = ""
    for token in tokens:
        if token in {"rt", "rw"}:
            label = token
        elif token[0].isdigit():
            number = token.lstrip("0") or "0"
            result.append(label + number)
            # RT 001/002: the second number is the RW.
            label = "rw" if label == "rt" else ""
        else:
            label = ""
            if token not in _LABELS:
                result.append(_ADDRESS_WORDS.get(token, token))
    return " ".join(result) or Reason.UNREADABLE

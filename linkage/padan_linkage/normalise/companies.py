"""Names of companies: core words, then the legal form as the last token.

``PT. Maju Jaya (Persero) Tbk`` and ``Maju Jaya, PT`` both become ``maju jaya pt``. The form stays,
because ``PT Maju Jaya`` and ``CV Maju Jaya`` are two companies; derived keys leave it out.
"""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import is_missing, joined_acronyms, plain, words
from padan_linkage.normalise.outcome import Reason

_FORMS = {
    "pt": "pt", "cv": "cv", "ud": "ud", "pd": "pd", "fa": "fa", "firma": "fa", "po": "po",
    "koperasi": "koperasi", "kop": "koperasi", "kopkar": "koperasi", "ksp": "koperasi",
    "ksu": "koperasi", "kud": "koperasi", "yayasan": "yayasan", "yys": "yayasan",
    "perum": "perum", "perumda": "perumda", "bumdes": "bumdes", "bumdesa": "bumdes",
    "toko": "toko", "tk": "toko", "tb": "tb", "ltd": "ltd", "limited": "ltd", "llc": "llc",
    "inc": "inc", "incorporated": "inc", "corp": "corp", "corporation": "corp", "gmbh": "gmbh",
    "sdn": "bhd", "bhd": "bhd", "pte": "ltd", "co": "ltd",
}  # fmt: skip
#: Legal forms as they stand at the end of a normal form.
FORMS = frozenset(_FORMS.values())
#: Foreign forms stand behind only; in front these are words of the name.
_ONLY_BEHIND = words("ltd limited llc inc incorporated corp corporation gmbh sdn bhd pte co")
_QUALIFIERS = frozenset({"tbk", "persero", "perseroda"})
_PHRASES = (
    (re.compile(r"\bperseroan terbatas\b"), "pt"),
    (re.compile(r"\bperusahaan umum daerah\b"), "perumda"),
    (re.compile(r"\bperusahaan umum\b"), "perum"),
    (re.compile(r"\b(?:perusahaan|usaha) dagang\b"), "ud"),
    (re.compile(r"\bperusahaan daerah\b"), "pd"),
)
_WORDS = {"and": "dan", "intl": "international", "mfg": "manufacturing"}
_TOKEN = re.compile(r"[a-z0-9]+")


def parse_company(value: str) -> str:
    """Normal form of a company name, or the Reason why there is none."""
    if is_missing(value):
        return ""
    text = joined_acronyms(plain(value).replace("&", " dan ").replace("+", " dan "))
    for phrase, form in _PHRASES:
        text = phrase.sub(form, text)
    tokens = [_WORDS.get(t, t) for t in _TOKEN.findall(text) if t not in _QUALIFIERS]
    if not any(t[0].isalpha() for t in tokens):
        return Reason.UNREADABLE
    form = ""
    while len(tokens) > 1 and tokens[-1] in _FORMS:
        form = _FORMS[tokens.pop()]
    while len(tokens) > 1 and tokens[0] in _FORMS and tokens[0] not in _ONLY_BEHIND:
        form = _FORMS[tokens.pop(0)]
    return " ".join([*tokens, form] if form else tokens)

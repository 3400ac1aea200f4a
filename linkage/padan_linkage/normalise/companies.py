"""Names of companies: core words, then the legal form as the last token.

``PT. Maju Jaya (Persero) Tbk`` and ``Maju Jaya, PT`` both become ``maju jaya pt``. The form stays,
because ``PT Maju Jaya`` and ``CV Maju Jaya`` are two companies; derived keys leave it out.
"""

from __future__ import annotations

import re

from padan_linkage.normalise.facts import table
from padan_linkage.normalise.latin import has_lost, is_missing, joined_acronyms, plain
from padan_linkage.normalise.normalised import Doubtful, Fault

_TABLE = table("companies.txt")
_FORMS = {word: form.split(",")[0] for word, form in _TABLE["forms"].items()}
#: Legal forms as they stand at the end of a normal form.
FORMS = frozenset(_FORMS.values())
#: Foreign forms stand behind only; in front these are words of the name.
_ONLY_BEHIND = frozenset(_TABLE["forms-behind"])
_FORMS |= {word: form.split(",")[0] for word, form in _TABLE["forms-behind"].items()}
FORMS |= frozenset(_FORMS.values())
_QUALIFIERS = frozenset(_TABLE["qualifiers"])
#: Several words that are one, the longest first.
_PHRASES = re.compile(
    r"\b(?:" + "|".join(sorted(_TABLE["phrases"], key=len, reverse=True)) + r")\b"
)
_WORDS = _TABLE["words"]
_TOKEN = re.compile(r"[a-z0-9]+")


def parse_company(value: str) -> str | Doubtful:
    """Normal form of a company name, or the Fault why there is none; doubtful with two forms."""
    if is_missing(value):
        return ""
    text = joined_acronyms(plain(value).replace("&", " dan ").replace("+", " dan "))
    text = _PHRASES.sub(lambda m: _TABLE["phrases"][m[0]], text)
    spelled = " ".join(_WORDS.get(t, t) for t in _TOKEN.findall(text) if t not in _QUALIFIERS)
    tokens = spelled.split(" ") if spelled else []
    if not any(t[0].isalpha() for t in tokens):
        return Fault.UNREADABLE
    forms: list[str] = []
    while len(tokens) > 1 and tokens[-1] in _FORMS:
        forms.append(_FORMS[tokens.pop()])
    while len(tokens) > 1 and tokens[0] in _FORMS and tokens[0] not in _ONLY_BEHIND:
        forms.append(_FORMS[tokens.pop(0)])
    name = " ".join([*tokens, *forms[-1:]])
    if len(set(forms)) > 1:
        return Doubtful(name, Fault.TWO_READINGS)
    return Doubtful(name, Fault.PARTLY_READ) if has_lost(text) else name

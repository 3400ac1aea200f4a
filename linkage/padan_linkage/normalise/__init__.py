"""Normalising: every value of a field in one form, so that equal things are equal.

Start at :func:`normalise`; :func:`derive` makes the keys that passes name after a colon. Nothing
here raises on data: what cannot be used becomes "" and a Problem. Both sides must use one version
of these rules, so the version travels with every upload. May import ``schema`` and ``compiled``.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from padan_linkage.normalise.addresses import parse_address
from padan_linkage.normalise.companies import parse_company
from padan_linkage.normalise.contacts import (
    parse_bpjstk_number,
    parse_code,
    parse_email,
    parse_passport,
    parse_phone,
    parse_sex,
    parse_text,
)
from padan_linkage.normalise.dates import parse_dates
from padan_linkage.normalise.derive import FILLED_APART, OF_DAMAGED, derive, exact_values
from padan_linkage.normalise.names.name_columns import parse_names
from padan_linkage.normalise.names.pieces import buffers as text_buffers
from padan_linkage.normalise.nationality import parse_nationality
from padan_linkage.normalise.normalised import (
    DOUBTS,
    MAX_CHARACTERS,
    Fault,
    Normalised,
    Parser,
    Problem,
    as_strings,
    parse_distinct,
    screen,
    similar_values,
    sound_values,
)
from padan_linkage.normalise.numbers import RULES, parse_numbers
from padan_linkage.normalise.places import parse_place
from padan_linkage.schema import Kind

__all__ = [
    "DOUBTS",
    "FILLED_APART",
    "MAX_CHARACTERS",
    "NORMALISER_VERSION",
    "OF_DAMAGED",
    "Fault",
    "Normalised",
    "Problem",
    "derive",
    "exact_values",
    "normalise",
    "similar_values",
    "sound_values",
    "text_buffers",
]

#: Goes up with any change of a rule: two versions must not meet in one run.
NORMALISER_VERSION = "id-3"

#: Kinds whose columns are parsed as wholes.
_COLUMNS: dict[Kind, Callable[[pa.StringArray], Normalised]] = {
    Kind.PERSON_NAME: parse_names,
    Kind.DATE: parse_dates,
}
#: A maker of parsers for each kind that is not a plain number; one parser serves one column.
_PARSERS: dict[Kind, Callable[[], Parser]] = {
    Kind.PASSPORT: lambda: parse_passport,
    Kind.BPJSTK_NUMBER: lambda: parse_bpjstk_number,
    Kind.COMPANY_NAME: lambda: parse_company,
    Kind.PLACE: lambda: parse_place,
    Kind.ADDRESS: lambda: parse_address,
    Kind.PHONE: lambda: parse_phone,
    Kind.EMAIL: lambda: parse_email,
    Kind.SEX: lambda: parse_sex,
    Kind.NATIONALITY: lambda: parse_nationality,
    Kind.CODE: lambda: parse_code,
    Kind.TEXT: lambda: parse_text,
}


def normalise(kind: Kind, values: pa.Array | pa.ChunkedArray) -> Normalised:
    """Normalise a column of strings (nulls allowed) holding ``kind``.

    Gives as many values as came in, "" for missing and for unusable ones, and a Problem for each of
    the latter. What was not read whole or could be read in another way, and a NIK, KK or NIP that
    is only damaged, has a Problem too and is kept as a doubtful value (:class:`Normalised`): it
    counts for similarity and never for equality (:func:`exact_values`). Raises TypeError if the
    column holds no strings.

    Normal forms: numbers are their digits (NPWP 16, JKN card 13, with leading zeros); passport, KPJ
    and codes upper-case letters and digits; names, places, addresses and texts lower-case ASCII
    tokens joined by one space; dates ``YYYY-MM-DD``; sex ``L``/``P``; phones digits with the
    country code; nationalities ISO 3166-1 alpha-3.
    """
    strings, unfit = screen(as_strings(values))
    if kind in RULES:
        result = parse_numbers(kind, strings)
    elif kind in _COLUMNS:
        result = _COLUMNS[kind](strings)
    else:
        result = parse_distinct(strings, _PARSERS[kind]())
    if not unfit:
        return result
    problems = sorted([*unfit, *result.problems], key=lambda p: p.row)
    return Normalised(result.values, problems)

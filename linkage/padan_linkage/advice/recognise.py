"""What a column holds: what its name promises, as far as its contents keep the promise."""

from __future__ import annotations

from dataclasses import dataclass

from padan_linkage.advice.columns import SampledColumn, folded
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.vocabulary import KINDS, Meaning, promised
from padan_linkage.schema import Kind

#: A promise is kept if so many filled values are of that kind.
_KEPT = 0.5
#: Without a promise, contents must be this clear.
_CLEAR = 0.9
#: Fewer filled values than this share make a column useless.
_LEAST_FILLED = 0.02
#: In fewer rows one value says nothing about the column.
_ENOUGH_ROWS = 5
#: An unnamed column with more effective values than this is no category.
_MOST_CATEGORIES = 200
_PLAUSIBLE_YEARS = range(1880, 2041)
_INITIAL_LENGTH = 2.0
#: More words than this, on average, are sentences.
_FEW_WORDS = 3.0
#: Fewer different words than this are a category.
_MANY_WORDS = 50

_SHORT_NUMBER = r"^[0-9]{1,2}$"
_AGE_NUMBER = r"^[0-9]{1,3}(\.0)?$"
_YEAR_NUMBER = r"^(1[89]|20)[0-9]{2}(\.0)?$"
_DATE_FORM = (
    r"^\d{1,4}[-/. ]\s?(\d{1,2}|[A-Za-z]{3,9})[-/. ]\s?\d{2,4}|\d{1,2}\s+[A-Za-z]{3,9}\s+\d{4}"
)
_PLACE_AND_DATE = r"^\p{L}[\p{L} .'()\-]*[,/;]?\s*\d{1,2}[-/. ]"
_MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_MOBILE = r"^(\+?62[ -]?|0)8[0-9\- ]{7,13}$"
_STREET = r"\d.*\p{L}|\p{L}.*\d"


@dataclass(frozen=True)
class Recognised:
    """A column with its role and, if it makes a field, its kind; why in one sentence."""

    column: SampledColumn
    role: Meaning
    kind: Kind | None
    said: Remark

    @property
    def name(self) -> str:
        """The column's name in the file."""
        return self.column.name


def recognise(column: SampledColumn, told: Kind | None = None) -> Recognised:
    """The role of ``column``; ``told`` overrules name and contents."""
    name = column.name
    if told is not None:
        said = Remark(f"{name}: Anda menyebutnya {told}.", f"{name}: you said it is {told}.")
        return Recognised(column, _role_of_told(told, promised(folded(name))), told, said)
    role = promised(folded(name))
    # Spec 45, "Fields", step 1.
    refused = _refused(column, role)
    if refused is not None:
        return Recognised(column, role, None, refused)
    if role is Meaning.BIRTH_DATE and not keeps(column, role) and keeps(column, Meaning.BIRTH_DAY):
        role = Meaning.BIRTH_DAY  # «tgl_lahir» beside «bln_lahir» and «thn_lahir»
    if role is not Meaning.UNKNOWN and keeps(column, role):
        return Recognised(column, role, _kind_of(column, role), _because(column, role, named=True))
    guess = _by_contents(column)
    if guess is Meaning.UNKNOWN:
        return Recognised(column, guess, None, _unclear(column))
    return Recognised(column, guess, _kind_of(column, guess), _because(column, guess, named=False))


def _role_of_told(kind: Kind, named: Meaning) -> Meaning:
    """The role that goes with a kind that the user named: the column's own where it fits."""
    if KINDS.get(named) is kind:
        return named
    by_kind = {k: role for role, k in reversed(KINDS.items())}
    preferred = {
        Kind.PERSON_NAME: Meaning.FULL_NAME,
        Kind.DATE: Meaning.BIRTH_DATE,
        Kind.CODE: Meaning.IDENTITY,
        Kind.PLACE: Meaning.PLACE,
    }
    return preferred.get(kind, by_kind.get(kind, Meaning.CATEGORY))


def _refused(column: SampledColumn, role: Meaning) -> Remark | None:
    """Why a column can be of no use, whatever its kind."""
    name = column.name
    if role is Meaning.TRUTH:
        return Remark(
            f"{name}: tampaknya kunci jawaban, tidak pernah dipakai.",
            f"{name}: looks like the answer key, never used.",
        )
    if role is Meaning.ROW_ID:
        return Remark(
            f"{name}: nomor baris milik berkas ini, bukan milik orangnya.",
            f"{name}: numbers this file's rows, not the people.",
        )
    if column.share_filled < _LEAST_FILLED:
        return Remark(f"{name}: hampir selalu kosong.", f"{name}: almost always empty.")
    if column.distinct == 1 and len(column.values) >= _ENOUGH_ROWS:
        return Remark(f"{name}: selalu bernilai sama.", f"{name}: always has the same value.")
    return None


def keeps(column: SampledColumn, role: Meaning) -> bool:  # noqa: PLR0911 (a test for each family of roles)
    """Whether the contents are what the name promises."""
    if role in {Meaning.BIRTH_MONTH, Meaning.BIRTH_DAY}:
        return column.share(_SHORT_NUMBER) >= _KEPT
    if role is Meaning.BIRTH_YEAR:
        return column.share(_YEAR_NUMBER) >= _KEPT
    if role is Meaning.AGE:
        return column.share(_AGE_NUMBER) >= _KEPT
    if role is Meaning.PLACE_AND_DATE:
        return column.share(_PLACE_AND_DATE) >= _KEPT
    if role is Meaning.CATEGORY:
        return True
    if (
        role in {Meaning.PLACE, Meaning.BIRTHPLACE, Meaning.COMPANY}
        or KINDS[role] is Kind.PERSON_NAME
    ):
        # A column of codes may bear the name of what the codes stand for.
        return column.share(r"\p{L}") >= _KEPT
    if role is Meaning.NATIONALITY:
        return column.fits(Kind.NATIONALITY) >= _KEPT
    return column.fits(KINDS[role]) >= _KEPT


def _by_contents(column: SampledColumn) -> Meaning:  # noqa: PLR0911 (one line for each thing it may be)
    """The role that the contents alone make clear."""
    if column.share(_MAIL) >= _CLEAR:
        return Meaning.EMAIL
    if column.share(r"^\d{16}$") >= _CLEAR and column.fits(Kind.NIK) >= _CLEAR:
        return Meaning.NIK
    if column.share(_DATE_FORM) >= _CLEAR and _holds_dates(column):
        return Meaning.OTHER_DATE
    if column.share(_PLACE_AND_DATE) >= _CLEAR:
        return Meaning.PLACE_AND_DATE
    if column.share(_MOBILE) >= _CLEAR:
        return Meaning.PHONE
    if column.letters >= _CLEAR:
        return _of_letters(column)
    if column.words >= 2 and column.share(_STREET) >= _KEPT and column.share_distinct > 0.2:
        return Meaning.ADDRESS
    return _if_few(column)


def _holds_dates(column: SampledColumn) -> bool:
    fits = column.fits_where(Kind.DATE, lambda date: int(date[:4]) in _PLAUSIBLE_YEARS)
    return fits >= _CLEAR


def _of_letters(column: SampledColumn) -> Meaning:
    """Sexes, whole names, or something with returning values."""
    few = column.distinct <= 4
    if few and column.length > 0 and column.fits(Kind.SEX) >= _CLEAR:
        return Meaning.SEX
    if column.share_distinct > 0.5 and 1.5 <= column.words <= 6:
        return Meaning.FULL_NAME
    return _if_few(column)


def _if_few(column: SampledColumn) -> Meaning:
    """A category if its values keep returning; what has many values must be named to be used."""
    few = column.chance_equal * _MOST_CATEGORIES >= 1
    return Meaning.CATEGORY if few else Meaning.UNKNOWN


def _kind_of(column: SampledColumn, role: Meaning) -> Kind | None:
    if role is Meaning.CATEGORY and column.digits >= _KEPT:
        return Kind.CODE
    if role is Meaning.MIDDLE_NAME and column.length < _INITIAL_LENGTH:
        return Kind.TEXT
    return KINDS.get(role)


def _because(column: SampledColumn, role: Meaning, *, named: bool) -> Remark:
    kind = _kind_of(column, role)
    shown = f"{role}" if kind is None or kind.value == role.value else f"{role} ({kind})"
    empty = f"{1 - column.share_filled:.1%}"
    id_way, en_way = ("nama kolomnya dan isinya", "its name and contents") if named else (
        "isinya", "its contents")  # fmt: skip
    key_id, key_en = (", hampir unik", ", almost unique") if column.share_distinct > _CLEAR else (
        "", "")  # fmt: skip
    return Remark(
        f"{column.name}: {shown} menurut {id_way}; kosong {empty}{key_id}.",
        f"{column.name}: {shown} by {en_way}; {empty} empty{key_en}.",
    )


def _unclear(column: SampledColumn) -> Remark:
    return Remark(
        f"{column.name}: isinya tidak dikenal; kalau ini data orangnya, sebutkan dengan --kind.",
        f"{column.name}: contents not known; if it describes the person, say so with --kind.",
    )


def is_wordy(found: Recognised) -> bool:
    """Whether nothing is known of the column but that it holds short words, and many."""
    column = found.column
    return (
        found.role in {Meaning.UNKNOWN, Meaning.CATEGORY}
        and promised(folded(column.name)) is Meaning.UNKNOWN
        and column.distinct >= _MANY_WORDS
        and column.letters >= _CLEAR
        and column.length >= _INITIAL_LENGTH
        and column.words < _FEW_WORDS
    )


def guessed(found: Recognised, role: Meaning) -> Recognised:
    """``found`` taken for ``role``, by its contents alone."""
    said = _because(found.column, role, named=False)
    return Recognised(found.column, role, KINDS[role], said)

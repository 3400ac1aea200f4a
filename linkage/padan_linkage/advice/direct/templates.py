"""Keys that could be made of the fields at hand, each with what it forgives.

Spec 45, "Direct keys".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from padan_linkage.advice.direct.subjects import BUSINESS, DATE, NAME, PLACE, Subjects
from padan_linkage.advice.remarks import Remark
from padan_linkage.direct.schema import DirectKey
from padan_linkage.schema import Kind

_SLUGS = {
    Kind.JKN_CARD: "kartu-jkn", Kind.BPJSTK_NUMBER: "bpjstk", Kind.PASSPORT: "paspor",
}  # fmt: skip
#: Numbers that say a birth date, or a district: beside that they are checked by nothing.
_TELLING_DATES = frozenset({Kind.NIK, Kind.NIP})


@dataclass(frozen=True)
class Candidate:
    """A key over roles, and what it forgives; ``unchecked``: a guessed number opens it."""

    key: DirectKey
    said: Remark
    unchecked: bool = False


def candidates(subjects: Subjects) -> list[Candidate]:
    """All keys that the fields allow: identifiers first, then weak ones, then unchecked ones."""
    found = [*_checked(subjects), *_weak(subjects), *_unchecked(subjects)]
    return [c for c in found if {*c.key.named, *c.key.without} <= {*subjects.chosen}]


def slug(kind: Kind) -> str:
    """How ids of keys call a number."""
    return _SLUGS.get(kind, kind.value)


def _checked(s: Subjects) -> Iterator[Candidate]:
    """A number beside something that it does not say."""
    for number in s.identifiers:
        kind = s.kinds[number]
        yield _key(
            f"{slug(kind)}-nama", (number, f"{NAME}:words"), "nama yang ditulis lain atau kurang "
            "satu kata", "names in another form, or short of a word", values=2,
        )  # fmt: skip
        yield _key(
            f"{slug(kind)}-depan", (number, f"{NAME}:phonetic_first"), "kata selain yang pertama",
            "words other than the first",
        )  # fmt: skip
        if not s.companies:
            yield _key(
                f"{slug(kind)}-paruh", (number, f"{NAME}:halves"), "satu huruf salah dalam nama",
                "a letter wrong in the name",
            )  # fmt: skip
        if kind not in _TELLING_DATES:
            yield _key(
                f"{slug(kind)}-lahir", (number, DATE), "nama yang sama sekali lain",
                "another name altogether",
            )  # fmt: skip
            yield _key(
                f"{slug(kind)}-bulan", (number, f"{DATE}:year_month"), "nama lain, dan hari lahir",
                "another name, and the day of birth",
            )  # fmt: skip
        yield _key(
            f"{slug(kind)}-kbli", (number, BUSINESS), "nama usaha yang sama sekali lain",
            "another name altogether",
        )  # fmt: skip


def _weak(s: Subjects) -> Iterator[Candidate]:
    """Two or more things that people share, and few share together."""
    date = "|".join([DATE, *(f"{r}:birth_date" for r in s.identifiers
                             if s.kinds[r] in _TELLING_DATES)])  # fmt: skip
    whole, words, pairs, place = f"{NAME}:phonetic", f"{NAME}:words", f"{NAME}:pairs", (
        f"{PLACE}:phonetic")  # fmt: skip
    month, area, address = f"{DATE}:year_month", "nik:area", "address:sorted"
    if not s.companies:
        yield _weak_key("wilayah-bulan", (area, whole, month), "NIK rusak di belakang, hari lahir",
                        "a NIK damaged in its later digits, the day of birth")  # fmt: skip
        yield _weak_key("wilayah-lahir", (area, whole, DATE), "NIK rusak di belakang",
                        "a NIK damaged in its later digits")  # fmt: skip
        yield _weak_key("nama-tempat", (words, date, place), "nomor, dan kata nama",
                        "the number, and words of the name", values=2)  # fmt: skip
        yield _weak_key("nama-lahir", (pairs, date), "nomor dan tempat, dan kata nama",
                        "number and place, and words of the name", values=2)  # fmt: skip
        yield _weak_key("nama-bulan", (whole, month, place), "nomor dan hari lahir",
                        "the number and the day of birth")  # fmt: skip
        yield _weak_key("nama-tanggal", (whole, DATE), "nomor dan tempat", "number and place")
        yield _weak_key("nama-kelamin", (whole, DATE, place, "sex"), "nomor", "the number")
        yield _weak_key("nama-negara", (words, DATE, "nationality"), "nomor, dan kata nama",
                        "the number, and words of the name", values=2)  # fmt: skip
        yield _weak_key("lahir-alamat", (whole, DATE, address), "nomor", "the number")
        yield _weak_key("paspor-mirip", ("passport:edits", DATE, "nationality"),
                        "satu huruf paspor, dan nama",
                        "a character of the passport, and the name")  # fmt: skip
    yield _weak_key("telepon-nama", ("phone", words), "nomor identitas, dan kata nama",
                    "the identifier, and words of the name", values=2)  # fmt: skip
    yield _weak_key("email-nama", ("email", words), "nomor identitas, dan kata nama",
                    "the identifier, and words of the name", values=2)  # fmt: skip
    if s.companies:
        yield _weak_key("alamat-nama", (address, words), "nomor, dan kata nama",
                        "numbers, and words of the name", values=2)  # fmt: skip
        yield _weak_key("nama-kbli", (pairs, BUSINESS), "nomor, dan kata nama",
                        "numbers, and words of the name", values=2)  # fmt: skip


def _unchecked(s: Subjects) -> Iterator[Candidate]:
    """A number alone, or beside what it says itself: for rows that have nothing else."""
    checks = [r for r in (NAME, DATE, BUSINESS, "nationality") if r in s]
    for number in s.identifiers:
        kind = s.kinds[number]
        said = ("apa pun: baris tanpa ruas lain", "anything: rows that hold nothing else")
        if kind in _TELLING_DATES and NAME in s:
            yield _key(f"{slug(kind)}-bulan", (number, f"{DATE}:year_month"), *said,
                       without=(NAME,))  # fmt: skip
        if kind is Kind.PASSPORT:
            yield _key("paspor-negara", (number, "nationality"), *said,
                       without=tuple(c for c in checks if c != "nationality"))  # fmt: skip
        yield _key(slug(kind), (number,), *said, without=tuple(checks))


def _key(
    key_id: str, exact: tuple[str, ...], id_text: str, en_text: str, *,
    values: int | None = None, without: tuple[str, ...] = (),
) -> Candidate:  # fmt: skip
    key = DirectKey(id=key_id, exact=exact, values=values, without=without)
    return Candidate(key, Remark(id_text, en_text), bool(without))


def _weak_key(
    key_id: str, exact: tuple[str, ...], id_text: str, en_text: str, *, values: int | None = None
) -> Candidate:
    key = DirectKey(id=key_id, exact=exact, values=values, weak=True)
    return Candidate(key, Remark(id_text, en_text))

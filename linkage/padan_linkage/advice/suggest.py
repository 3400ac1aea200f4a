"""The schema advisor: from one or two files to a linkage schema, with a reason for everything.

It looks at column names and at counts of values on the caller's own machine; nothing of it leaves
the house but the schema that it proposes. Spec: ``proto/spec/45-advice.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from padan_linkage.advice.alone import alone
from padan_linkage.advice.fields import FieldChoice, Fields, LeftOut, choose_fields
from padan_linkage.advice.groups import SampledKeys
from padan_linkage.advice.passes import (
    PassBasis,
    PassChoice,
    Size,
    choose_passes,
    record_bytes,
    schema_of,
)
from padan_linkage.advice.profiles import PROFILES, Profile, ProfileName
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.segments import few_of
from padan_linkage.advice.weights import worth_beside, worthless, worths
from padan_linkage.agreement import Finding, schema_findings, signed_findings
from padan_linkage.schema import Kind, Schema


class NoAdviceError(ValueError):
    """The files have nothing that a pass could be made of; ``said`` says what is missing."""

    def __init__(self, said: Remark) -> None:
        self.said = said
        super().__init__(said.en_text)


@dataclass(frozen=True)
class Wishes:
    """What the user asks for.

    ``kinds``: column to kind, overruling the guess; ``only``: columns to look at, all if empty;
    ``rows``: size of the whole registry, if the files are only samples. ``own_files``: both files
    are the user's own, and the schema is never signed (:class:`.passes.PassBasis`).
    """

    profile: ProfileName = ProfileName.KETAT
    size: Size = Size.THOROUGH
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    only: Iterable[str] = ()
    rows: int | None = None
    own_files: bool = False


@dataclass(frozen=True)
class Suggestion:
    """A schema with its reasons.

    ``fields``, ``left_out``, ``passes`` and ``passed_over`` explain every choice; ``record_bytes``
    is what a record takes over all passes on the provider's side; ``rows`` the size it is made for;
    ``measured`` the effective number of values of fields whose kind says little about it;
    ``own_files``: it is for two files of one's own, and no agreement can hold it.
    """

    schema: Schema
    profile: Profile
    size: Size
    rows: int
    fields: tuple[FieldChoice, ...]
    left_out: tuple[LeftOut, ...]
    passes: tuple[PassChoice, ...]
    passed_over: tuple[Remark, ...]
    record_bytes: int
    measured: dict[str, float]
    own_files: bool = False

    def findings(self) -> list[Finding]:
        """What the linter says to the suggestion: nothing, or it is a defect.

        Judged by what was counted here and, where it can be signed, as an agreement is.
        """
        counted = schema_findings(self.schema, self.rows, measured=self.measured)
        return counted if self.own_files else counted + signed_findings(self.schema, self.rows)

    @property
    def likened(self) -> list[str]:
        """The passes that compare by likeness: an agreement has to accept them by name."""
        return [p.id for p in self.schema.passes if p.similar]

    def signing(self) -> Remark:
        """What an agreement has to say so that both sides can sign the schema."""
        if self.own_files:
            return Remark(
                "Hanya untuk berkas sendiri: dengan beberapa segmen per jalur, peminta membaca isi "
                "registri dari jawaban (peramal peminta), sehingga tidak ada perjanjian yang dapat "
                "memuat skema ini.",
                "For files of your own alone: with several segments a pass a requester reads the "
                "registry from the answers (the requester's oracle), so no agreement can hold this "
                "schema.",
            )
        if self.likened:
            return Remark(
                'Perjanjian harus memuat accepts = ["filters"]: jalur '
                f"{', '.join(self.likened)} membandingkan kemiripan, sehingga satu baris buatan "
                "peminta dapat mengenai beberapa nama yang mirip sekaligus. Profil ketat tidak "
                f"memerlukannya. {self._size('id')}",
                'The agreement has to say accepts = ["filters"]: the passes '
                f"{', '.join(self.likened)} compare by likeness, so one row that a requester makes "
                "up can stand for several names that are alike. Profile ketat does without. "
                f"{self._size('en')}",
            )
        return Remark(
            "Semua jalur exact: perjanjian tidak perlu menerima risiko apa pun karenanya. "
            f"{self._size('id')}",
            "All passes are exact: an agreement has nothing to accept for them. "
            f"{self._size('en')}",
        )

    def _size(self, language: str) -> str:
        """For how many rows it can be signed: the linter judges groups by the larger side."""
        rows = f"{self.rows}"
        if language == "id":
            return (
                f"Dibuat untuk expected_records dan records_per_list sampai {rows}; untuk lebih "
                "banyak baris, sarankan lagi dengan --rows."
            )
        return (
            f"Made for expected_records and records_per_list of up to {rows}; for more rows, ask "
            "again with --rows."
        )


def suggest(a: pa.Table, b: pa.Table | None, wishes: Wishes) -> Suggestion:
    """Propose a schema for list ``a`` and registry ``b``, or for ``a`` with itself.

    Tables of strings, as :func:`padan_client.records.read_table` reads them. Raises NoAdviceError
    if no pass can be made, KeyError if ``wishes`` names a column that neither table has.
    """
    _check_named(a, b, wishes)
    profile = PROFILES[wishes.profile]
    fields = choose_fields(a, b, wishes.kinds, wishes.only)
    if not fields.chosen:
        raise NoAdviceError(_nothing_common(fields))
    rows = wishes.rows or max(a.num_rows, 0 if b is None else b.num_rows)
    registry, side = (a, "A") if b is None else (b, "B")
    keys = SampledKeys.of(registry, fields.chosen, rows, side)
    worth = {} if b is None else worths(fields, SampledKeys.of(a, fields.chosen, rows, "A"), keys)
    if not wishes.only:
        fields = fields.without(worthless(fields, worth), _tells_nothing, two=b is not None)
    beside = worth_beside(few_of(fields), worth)
    asked = PassBasis(fields, keys, profile, wishes.size, beside, wishes.own_files)
    passes, passed_over = choose_passes(asked)
    if not passes:
        raise NoAdviceError(_no_pass(fields))
    if b is not None:
        passes += alone(fields, a, passes)
    schema = schema_of(fields, passes, profile)
    used = {f.name for f in schema.fields}
    return Suggestion(
        schema=schema,
        profile=profile,
        size=wishes.size,
        rows=rows,
        fields=tuple(f for f in fields.chosen if f.name in used),
        left_out=(*fields.left_out, *_unused(fields, used, two=b is not None)),
        passes=tuple(passes),
        passed_over=tuple(passed_over),
        record_bytes=record_bytes(schema),
        measured={n: v for n, v in asked.measured.items() if n in used},
        own_files=wishes.own_files,
    )


def _check_named(a: pa.Table, b: pa.Table | None, wishes: Wishes) -> None:
    present = {*a.column_names, *(b.column_names if b is not None else ())}
    for name in (*wishes.kinds, *wishes.only):
        if name not in present:
            raise KeyError(name)


def _unused(fields: Fields, used: set[str], *, two: bool) -> list[LeftOut]:
    """Columns that were understood, and that no pass uses."""
    left = []
    for f in fields.chosen:
        if f.name in used:
            continue
        said = Remark(
            f"{f.name}: tidak dipakai jalur mana pun; nilainya terlalu sedikit, atau ruas lain "
            "lebih menentukan.",
            f"{f.name}: no pass uses it; it has too few values, or other fields tell more.",
        )
        sides = [("A", f.columns_a), *([("B", f.columns_b)] if two else [])]
        left += [LeftOut(side, column, said) for side, columns in sides for column in columns]
    return left


def _tells_nothing(column: str) -> Remark:
    return Remark(
        f"{column}: pada orang yang sama nilainya hampir sama seringnya berbeda seperti pada orang "
        "lain; sebutkan dengan --fields bila tetap dipakai.",
        f"{column}: in likely matches it agrees little more than by chance; name it with --fields "
        "to use it all the same.",
    )


def _nothing_common(fields: Fields) -> Remark:
    seen = ", ".join(sorted({f.column for f in fields.left_out}))
    return Remark(
        f"Tidak ada kolom yang dikenal di kedua berkas (yang ada: {seen}). Sebutkan dengan "
        "--kind kolom=jenis.",
        f"No column is known in both files (there are: {seen}). Name them with --kind column=kind.",
    )


def _no_pass(fields: Fields) -> Remark:
    seen = ", ".join(f.name for f in fields.chosen)
    return Remark(
        f"Kolom yang sama ({seen}) terlalu umum untuk mengenali orang. Perlu nomor identitas, atau "
        "nama dan tanggal lahir.",
        f"The common columns ({seen}) are too common to tell people apart. An identity number, or "
        "name and birth date, are needed.",
    )

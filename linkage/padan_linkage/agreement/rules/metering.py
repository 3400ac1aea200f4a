"""Rules on how much may be asked about one person: what a requester could read out of answers."""

from __future__ import annotations

from collections.abc import Iterator

from padan_linkage.agreement.findings import Finding, error, warning
from padan_linkage.agreement.model import Agreement, Flow, Mode, Quota
from padan_linkage.agreement.oracle import OracleBound
from padan_linkage.agreement.rules.structure import Rule, confirmations

#: Twice the questions that the most repetitive honest list was measured to need (spec 32).
MANY_QUESTIONS = 16
#: A list a week, for a year.
MANY_LISTS = 52


def questions(a: Agreement) -> Iterator[Finding]:
    """Limits on questions about one registry row fit each other, and are tight."""
    for where, _, quota in _through_units(a):
        if quota.questions_per_row_epoch < quota.questions_per_row:
            yield error(
                "questions-order",
                f"{where}.quota.questions_per_row_epoch",
                "Satu epok mengizinkan lebih sedikit pertanyaan tentang seseorang daripada satu "
                "daftar di dalamnya.",
                "An epoch allows fewer questions about one person than one list of it.",
            )
        if quota.questions_per_row > MANY_QUESTIONS:
            yield warning(
                "questions-many",
                f"{where}.quota.questions_per_row",
                f"Lebih dari {MANY_QUESTIONS} pertanyaan berlainan tentang satu orang: peminta "
                "dapat membaca NIK atau nama dengan vektor buatannya sendiri (serangan orakel).",
                f"More than {MANY_QUESTIONS} distinct questions about one person: a requester can "
                "read a number or a name by vectors of its own making (oracle attack).",
            )


def lists(a: Agreement) -> Iterator[Finding]:
    """Lists of an epoch are few, and fit the year."""
    for where, _, quota in _through_units(a):
        if quota.lists_per_epoch > MANY_LISTS:
            yield warning(
                "lists-many",
                f"{where}.quota.lists_per_epoch",
                f"Lebih dari {MANY_LISTS} daftar per epok: yang berulang dari daftar ke daftar "
                "dapat dibedakan dari samaran.",
                f"More than {MANY_LISTS} lists an epoch: what recurs from list to list can be told "
                "from cover.",
            )
        if quota.lists_per_epoch > quota.lists_per_year:
            yield warning(
                "lists-over-year",
                f"{where}.quota.lists_per_epoch",
                "Satu epok mengizinkan lebih banyak daftar daripada satu tahun.",
                "An epoch allows more lists than a year.",
            )


def bound(a: Agreement) -> Iterator[Finding]:
    """What one charged row can tell of one person is no more than the agreement states."""
    for where, flow, quota in _through_units(a):
        told, stated = OracleBound.of(flow).per_record, quota.bits_per_record
        if stated is not None and told > stated:
            yield warning(
                "oracle-bound",
                f"{where}.quota.bits_per_record",
                f"Satu baris yang dibayar dapat memberi tahu {told:.2f} bit tentang seseorang, "
                f"lebih dari {stated:g} yang dinyatakan; kecilkan questions_per_row atau "
                "perbanyak minimum_batch.",
                f"A charged row can tell {told:.2f} bits of one person, more than the {stated:g} "
                "stated; lower questions_per_row or raise minimum_batch.",
            )


def _through_units(a: Agreement) -> Iterator[tuple[str, Flow, Quota]]:
    """The flows that a unit answers, each with its place and its quota."""
    for where, flow in confirmations(a):
        if Mode.UNIT in flow.modes and flow.schema is not None and flow.quota is not None:
            yield where, flow, flow.quota


METERING: tuple[Rule, ...] = (questions, lists, bound)

"""What a confirmation brought home, as ``padan confirm`` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.common import out, say
from padan_client.cli.views import estimates as shares
from padan_client.cli.views.sheet import Sheet
from padan_client.results.wording import outcome_texts, reason_texts
from padan_linkage.answering.outcomes import (
    BROKEN_LABEL,
    CHECK_WORDS,
    DIFFERENT,
    EMPTY,
    REASON_WORDS,
)

if TYPE_CHECKING:
    from padan_client.base.place import FlowPlace
    from padan_client.results.table import ConfirmResult, KeyCounts
    from padan_linkage.agreement import Flow
    from padan_linkage.answering.answers import PassCounts
    from padan_linkage.answering.estimates import Expected


def show(place: FlowPlace, result: ConfirmResult) -> None:
    """The tables for a reader, and what is to be expected of the answers."""
    out.print(_counts_table(place.flow, result))
    if result.reasons:
        out.print(_reasons_table(result))
    if place.flow.confirm:
        out.print(_fields_table(place, result))
    if result.expected is not None:
        _say_expected(result.expected)
    if result.cover:
        _say_cover(result)
    if result.charged:
        _say_charged(result)
    if result.edition:
        say(t(f"Edisi registri {result.edition}.", f"Edition of the registry {result.edition}."))
    if result.tables:
        say(t(f"Sidik tabel {result.tables}.", f"Fingerprint of the tables {result.tables}."))


def _say_cover(result: ConfirmResult) -> None:
    """That a short list was filled up."""
    cover = number(result.cover)
    say(
        t(
            f"Daftar lebih pendek daripada minimum perjanjian: ditambah {cover} rekaman samaran.",
            f"The list is shorter than the agreement's minimum: {cover} records of cover were "
            "added.",
        )
    )


def _say_charged(result: ConfirmResult) -> None:
    """What the list cost; cover is answered too, so it is charged."""
    charged = number(result.charged)
    say(
        t(
            f"Kuota terpakai {charged} baris: baris daftar dan samarannya.",
            f"{charged} rows charged to the quota: the list's and its cover.",
        )
    )


def _say_expected(expected: Expected) -> None:
    """How right the answers are; nothing where nobody was found."""
    if expected.precision.value is not None:
        precision = shares.with_bounds(expected.precision)
        say(t(f"Taksiran presisi {precision}.", f"Estimated precision {precision}."))


def below_demand(flow: Flow, result: ConfirmResult) -> bool:
    """Whether fewer of the codes are expected to be right than the agreement asks for."""
    told = result.expected.precision.value if result.expected else None
    return told is not None and told < flow.match.min_precision


def warn(flow: Flow, result: ConfirmResult) -> None:
    """Say, before anything is written, what is wrong with the answers as a whole.

    Labels that are broken, or a list with too many strangers for its codes.
    """
    if broken := result.reasons.get(REASON_WORDS[BROKEN_LABEL], 0):
        _say_broken(broken)
    if result.expected is None or not below_demand(flow, result):
        return
    told, asked = (
        shares.with_bounds(result.expected.precision),
        decimal(flow.match.min_precision, 4),
    )
    say(
        t(
            f"Taksiran presisi {told} di bawah {asked} yang diminta perjanjian: pada daftar yang "
            "sedikit anggotanya terdaftar, kode yang keliru lebih terasa. Persempit daftar kepada "
            "orang yang mungkin terdaftar, lengkapi NIK, atau periksa kode sebelum dipakai.",
            f"The estimated precision {told} is below {asked}, which the agreement asks for: where "
            "few of a list are registered, wrong codes weigh more. Narrow the list to people who "
            "may be registered, complete the numbers, or check codes before you use them.",
        )
    )


def _say_broken(rows: int) -> None:
    """That the provider's table is wrong, and that a complaint would tell it about whom."""
    broken = number(rows)
    say(
        t(
            f"PERINGATAN: label penyedia untuk {broken} baris rusak, dan baris itu tidak dijawab. "
            "Jangan sebutkan barisnya kepada penyedia, jangan pula langsung setelah menanyakan "
            "daftar ini: keluhan dapat memberi tahu siapa yang ditanyakan. Minta tabel baru dan "
            "periksa dengan rekaman kontrol (--controls).",
            f"WARNING: the provider's labels for {broken} rows are broken, and those rows are not "
            "answered. Do not tell the provider which, nor right after asking this list: a "
            "complaint can say who was asked about. Demand a new table, and check with control "
            "records (--controls).",
        )
    )


def as_json(result: ConfirmResult, flow: Flow) -> dict[str, object]:
    """The keys that scripts rely on."""
    from padan_client.records.preparing import noted_rows
    from padan_client.results.corrections import summarise

    report = result.controls
    return {
        "run": result.run,
        "edition": result.edition or None,
        "tables": result.tables or None,
        "rows": result.table.num_rows,
        "counts": dict(result.counts),
        "reasons": result.reasons,
        "quarantined": noted_rows(result.quarantine),
        "unopened": result.unopened,
        "unopened_by_pass": dict(result.unopened_by_pass),
        "cover": result.cover,
        "charged": result.charged,
        "closed": result.closed,
        **shares.as_json(result.expected),
        "below_min_precision": below_demand(flow, result),
        "fields": {f.field: f.as_json() for f in summarise(flow, result.table)},
        "passes": [
            *(_pass_json("direct", key.key_id, key) for key in result.keys),
            *(_pass_json("unit", p.pass_id, p) for p in result.passes),
        ],
        "ways": _ways(result),
        "evaluated": result.evaluated,
        "skipped": result.skipped,
        "controls": {"asked": report.planted, "wrong": list(report.wrong)} if report else None,
    }


def _pass_json(mode: str, name: str, rows: KeyCounts | PassCounts) -> dict[str, object]:
    """A pass of the unit, or a key of direct mode."""
    return {
        "pass": name,
        "mode": mode,
        "matched_rows": rows.matched_rows,
        "ambiguous_rows": rows.ambiguous_rows,
    }


def _ways(result: ConfirmResult) -> dict[str, int]:
    """Rows by the way they were answered; empty in unit mode, which has one way."""
    if "cara" not in result.table.column_names:
        return {}
    counted = result.table["cara"].value_counts().to_pylist()
    return {entry["values"]: entry["counts"] for entry in counted if entry["values"]}


def _fields_table(place: FlowPlace, result: ConfirmResult) -> Sheet:
    """Confirmed fields: how many differ, and where they are to be corrected."""
    from padan_client.results.corrections import summarise

    table = Sheet()
    table.add_column(t("ruas", "field"))
    for check in (DIFFERENT, EMPTY):
        table.add_column(CHECK_WORDS[check], justify="right")
    table.add_column(t("perbaiki di", "correct at"))
    for f in summarise(place.flow, result.table):
        party = place.party_names.get(f.correct_at, "–")
        table.add_row(f.field, number(f.differs), number(f.empty), party)
    return table


def _reasons_table(result: ConfirmResult) -> Sheet:
    """Why rows are undecided, and how many for each reason."""
    texts = reason_texts()
    table = Sheet()
    table.add_column(t("alasan", "reason"))
    table.add_column(t("penjelasan", "explanation"))
    table.add_column(t("baris", "rows"), justify="right")
    for reason, rows in result.reasons.items():
        table.add_row(reason, texts[reason], number(rows))
    return table


def _counts_table(flow: Flow, result: ConfirmResult) -> Sheet:
    """Codes, their wording, and how many rows got each."""
    texts = outcome_texts() | {code.code: code.text for code in (*flow.codes, *flow.written)}
    table = Sheet()
    table.add_column(t("kode", "code"))
    table.add_column(t("keterangan", "wording"))
    table.add_column(t("baris", "rows"), justify="right")
    table.add_column("%", justify="right")
    for code, rows in result.counts.items():
        share = rows / max(1, result.table.num_rows)
        table.add_row(
            code,
            texts.get(code, ""),
            number(rows),
            decimal(100 * share, 1),
        )
    return table

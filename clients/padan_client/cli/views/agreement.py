"""Agreements as tables for people and as JSON for scripts. Indonesian first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.views.sheet import Sheet
from padan_linkage.agreement import (
    JAKARTA,
    Agreement,
    AgreementError,
    AgreementState,
    Due,
    Finding,
    Flow,
    FlowKind,
    Mode,
    Quota,
    Severity,
    SignedAgreement,
    Standing,
    due_dates,
    load_agreement,
    standing_of,
    term,
)
from padan_linkage.agreement.oracle import OracleBound
from padan_linkage.schema import Pass, Schema, Segment

DRAFT = "draft"
UNREADABLE = "unreadable"
#: Findings that one table shows.
_MOST_FINDINGS = 200
_STYLES = {
    AgreementState.IN_FORCE.value: "bold green",
    AgreementState.PENDING.value: "cyan",
    DRAFT: "cyan",
    UNREADABLE: "bold red",
}


def state_word(state: str) -> str:
    """The state in the user's language."""
    return {
        "pending": t("belum berlaku", "not yet in force"),
        "in_force": t("berlaku", "in force"),
        "suspended": t("ditangguhkan", "suspended"),
        "expired": t("berakhir", "expired"),
        "superseded": t("digantikan", "superseded"),
        DRAFT: t("draf", "draft"),
        UNREADABLE: t("tidak terbaca", "unreadable"),
    }[state]


def findings_table(findings: Iterable[Finding]) -> Sheet:
    """Lint findings, one a row, the first two hundred where there are more."""
    findings = list(findings)
    table = _table(
        t("Temuan", "Findings"),
        t("tingkat", "severity"),
        t("kode", "code"),
        t("tempat", "place"),
        t("penjelasan", "explanation"),
    )
    for f in findings[:_MOST_FINDINGS]:
        word = t("galat", "error") if f.severity is Severity.ERROR else t("peringatan", "warning")
        style = "bold red" if f.severity is Severity.ERROR else "yellow"
        _row(table, Text(word, style), f.code, f.where, t(f.id_text, f.en_text))
    if (more := len(findings) - _MOST_FINDINGS) > 0:
        _row(table, "", "", "", t(f"… dan {more} lagi", f"… and {more} more"))
    return table


def finding_json(f: Finding) -> dict[str, str]:
    """One finding for scripts."""
    return {
        "severity": f.severity.value,
        "code": f.code,
        "where": f.where,
        "text": t(f.id_text, f.en_text),
    }


def status_entry(
    signed: SignedAgreement, now: datetime, suspended_by: Collection[str] = ()
) -> dict[str, Any]:
    """One agreement's dates at ``now``, for scripts and for :func:`status_table`.

    A file that not all parties signed yet is a draft; its dates are shown as if they had.
    """
    entry: dict[str, Any] = {"agreement": signed.id, "signed_by": sorted(signed.signatures)}
    try:
        agreement = signed.agreement or load_agreement(signed.document)
    except AgreementError as e:
        return entry | {"state": UNREADABLE, "problems": [finding_json(f) for f in e.findings]}
    standing = standing_of(agreement, now, suspended_by, signed.successors)
    today = now.astimezone(JAKARTA).date()
    left = (agreement.in_force_until - today).days + 1
    return entry | {
        "state": standing.state.value if signed.agreement else DRAFT,
        "state_by_dates": standing.state.value,
        "article": standing.article,
        "replaced_by": standing.replaced_by,
        "suspended_by": sorted(suspended_by),
        "in_force_from": agreement.in_force_from.isoformat(),
        "in_force_until": agreement.in_force_until.isoformat(),
        "days_left": max(0, left) if standing.state is not AgreementState.SUPERSEDED else 0,
        "due": [due_json(d) for d in due_dates(agreement, now)],
        "problems": [finding_json(f) for f in signed.problems],
    }


def due_json(d: Due) -> dict[str, Any]:
    """One date for scripts."""
    return {
        "kind": d.kind,
        "text": d.text,
        "on": d.on.isoformat(),
        "article": d.article,
        "overdue": d.overdue,
    }


def status_table(entries: Iterable[Mapping[str, Any]]) -> Sheet:
    """The dashboard of dates."""
    table = _table(
        t("Perjanjian dan tanggalnya", "Agreements and their dates"),
        t("perjanjian", "agreement"),
        t("keadaan", "state"),
        t("dasar", "basis"),
        t("hari terakhir", "last day"),
        t("sisa hari", "days left"),
        t("berikutnya", "next"),
    )
    for e in entries:
        state = Text(state_word(e["state"]), _STYLES.get(e["state"], "red"))
        if e["state"] == DRAFT:
            state.append(f" ({state_word(e['state_by_dates'])})")
        if e["state"] == UNREADABLE:
            _row(table, e["agreement"], state, "", "", "", _problem_lines(e["problems"]))
            continue
        lines = [_due_line(d) for d in e["due"]]
        if e["suspended_by"]:
            parties = ", ".join(e["suspended_by"])
            lines.append(Text(t(f"ditangguhkan {parties}", f"suspended by {parties}"), "bold red"))
        if e["replaced_by"]:
            newer = e["replaced_by"]
            lines.append(Text(t(f"digantikan {newer}", f"replaced by {newer}")))
        if e["problems"]:
            lines.append(_problem_lines(e["problems"]))
        _row(
            table,
            e["agreement"],
            state,
            e["article"],
            e["in_force_until"],
            str(e["days_left"]),
            Text("\n").join(lines),
        )
    return table


def agreement_view(agreement: Agreement, standing: Standing) -> RenderableType:
    """The whole agreement: head, parties, and per flow its codes, passes and articles."""
    return Group(
        _head(agreement, standing),
        _parties(agreement),
        _servers(agreement),
        _duties(agreement),
        *(part for f in agreement.flows for part in _flow(f)),
    )


def agreement_json(
    agreement: Agreement, digest: bytes, standing: Standing, signed_by: Iterable[str]
) -> dict[str, Any]:
    """The agreement with its file's own keys, its digest and where it stands."""
    start, end = term(agreement)
    return {
        "digest": digest.hex(),
        "signed_by": sorted(signed_by),
        "state": standing.state.value,
        "article": standing.article,
        "start_time": start.isoformat(),
        "end_time": end.isoformat(),
        "agreement": agreement.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _table(title: str, *columns: str) -> Sheet:
    table = Sheet(title)
    for c in columns:
        table.add_column(c)
    return table


def _row(table: Sheet, *cells: str | Text) -> None:
    """Add a row whose cells are taken literally: a document's text is never markup."""
    table.add_row(*(Text(c) if isinstance(c, str) else c for c in cells))


def _head(a: Agreement, standing: Standing) -> Sheet:
    table = Sheet(a.title, show_header=False)
    rows = [
        (t("nomor", "numbers"), "; ".join(a.numbers) or a.numbers_note or ""),
        (t("ditandatangani", "signed"), a.signed_on.isoformat()),
        (t("berlaku", "in force"), f"{a.in_force_from} – {a.in_force_until} ({a.term_article})"),
        (t("keadaan", "state"), f"{state_word(standing.state.value)} ({standing.article})"),
        (t("menggantikan", "supersedes"), "; ".join(a.supersedes)),
        (t("mengubah", "amends"), a.amends or ""),
        (t("kerahasiaan", "confidentiality"), _confidentiality(a)),
        (t("keadaan kahar", "force majeure"), a.force_majeure.article if a.force_majeure else ""),
    ]
    for name, value in rows:
        if value:
            _row(table, name, value)
    return table


def _confidentiality(a: Agreement) -> str:
    c = a.confidentiality
    outlives = (
        t(
            f" Tetap berlaku setelah berakhir ({c.survival_article}).",
            f" Outlives the agreement ({c.survival_article}).",
        )
        if c.survives_end
        else ""
    )
    return f"{c.text} ({', '.join(c.articles)}){outlives}"


def _parties(a: Agreement) -> Sheet:
    table = _table(
        t("Para pihak", "Parties"),
        "id",
        t("nama", "name"),
        t("diwakili", "represented by"),
        t("penghubung", "liaison"),
        t("alamat", "contact"),
        t("kunci", "keys"),
    )
    for p in a.parties:
        present = t("ada", "present") if p.sign_key and p.exchange_key else t("belum", "missing")
        _row(
            table,
            p.id,
            f"{p.name} ({p.called})",
            p.represented_by,
            p.liaison or "–",
            p.contact,
            present,
        )
    return table


def _servers(a: Agreement) -> Sheet:
    """Whom clients speak to, and the keys that they are known by."""
    table = _table(
        t("Server", "Servers"),
        t("server", "server"),
        t("dijalankan oleh", "run by"),
        t("sidik kunci (SHA-256)", "key pins (SHA-256)"),
    )
    missing = t("belum", "missing")
    if a.needs_unit or a.unit:
        name, operator = (a.unit.name, a.unit.operator) if a.unit else ("unit", "")
        _row(table, name, operator or "–", "\n".join(a.unit_pins) or missing)
    for p in a.parties:
        if p.server_pins or p.id in a.direct_providers:
            direct = t(f"mode langsung {p.id}", f"direct mode of {p.id}")
            _row(table, direct, p.known_as, "\n".join(p.server_pins) or missing)
    return table


def _duties(a: Agreement) -> Sheet:
    table = _table(
        t("Kewajiban berkala dan tenggat", "Recurring duties and notices"),
        t("kewajiban", "duty"),
        t("kapan", "when"),
        t("oleh", "by"),
        t("dasar", "basis"),
    )
    for c in a.cadences:
        often = (
            t(f"{c.per_year} kali setahun", f"{c.per_year} times a year")
            if c.per_year
            else t("setiap kejadian", "at each event")
        )
        _row(table, c.text, often, ", ".join(c.by), c.article)
    if n := a.notice:
        before = (
            t(f"{n.months} bulan", f"{n.months} months")
            if n.months
            else t(f"{n.days} hari", f"{n.days} days")
        )
        _row(
            table,
            n.text,
            t(f"{before} sebelum berakhir", f"{before} before the end"),
            "",
            n.article,
        )
    return table


def _flow(f: Flow) -> list[RenderableType]:
    mark = t(" [usulan]", " [proposed]") if f.proposed else ""
    head = Sheet(f"{t('Alur', 'Flow')} {f.id}{mark}", show_header=False)
    arrow = "↔" if f.both_ways else "→"
    _row(head, t("arah", "direction"), f"{f.provider} {arrow} {f.requester}")
    _row(head, t("tujuan", "purpose"), f.purpose)
    _row(head, t("dasar", "basis"), "; ".join(f.basis))
    _row(head, t("jenis", "kind"), f.kind.value)
    if f.kind is FlowKind.AGGREGATE:
        _row(head, t("yang dihitung", "counted"), f.measure or "–")
        _row(head, t("dimensi", "dimensions"), ", ".join(f.dimensions))
        for table in f.tables:
            _row(head, t("tabel", "table"), " × ".join(table))
        _row(head, t("sel terkecil", "smallest cell"), str(f.minimum_cell))
    for r in f.references:
        _row(head, t("referensi", "reference"), f"{r.name} ({r.provider}, {r.article})")
        _row(head, t("kolom", "columns"), ", ".join(r.columns))
    if p := f.release:
        _row(
            head,
            t("rilis", "releases"),
            t(
                f"{p.per_year} kali setahun; paling banyak {p.per_day} sehari",
                f"{p.per_year} a year; at most {p.per_day} a day",
            ),
        )
    if f.kind is not FlowKind.CONFIRMATION:
        return [head]
    _row(head, t("mode", "modes"), _modes(f))
    if f.quota:
        _quota_rows(head, f, f.quota)
    _row(head, t("masa simpan", "retention"), f"{f.retention_days} {t('hari', 'days')}")
    if f.confirm:
        _row(head, t("konfirmasi per ruas", "confirmed fields"), ", ".join(f.confirm))
    for field, party in f.field_authority.items():
        _row(head, t("acuan", "authority"), f"{field}: {party}")
    return [head, _codes(f), *([_passes(f)] if f.schema else [])]


def _modes(f: Flow) -> str:
    """The modes, and the risks that the parties accept."""
    accepted = t(f"; menerima {', '.join(f.accepts)}", f"; accepts {', '.join(f.accepts)}")
    return ", ".join(f.modes) + (accepted if f.accepts else "")


def _quota_rows(head: Sheet, f: Flow, q: Quota) -> None:
    """How much may be asked, and what the answers can tell."""
    day, list_, fewest = map(number, (q.records_per_day, q.records_per_list, q.minimum_batch))
    _row(
        head,
        t("kuota", "quota"),
        t(
            f"{day} sehari, {list_} sedaftar, paling sedikit {fewest}",
            f"{day} a day, {list_} a list, at least {fewest}",
        ),
    )
    if q.minimum_batch > 1:
        _row(head, t("daftar pendek", "short lists"), _short_lists(q))
    if f.schema is not None and Mode.UNIT in f.modes:
        _row(head, t("batas tanya", "limits on asking"), _limits(q, f.schema))
        _row(head, t("terbaca paling banyak", "told at most"), _told(f))


def _limits(quota: Quota, schema: Schema) -> str:
    """How many lists, and how many questions about one person where passes have filters."""
    epoch, year, epochs = map(
        number, (quota.lists_per_epoch, quota.lists_per_year, quota.epochs_per_year)
    )
    said = t(
        f"{epoch} daftar per epok, {year} daftar dan {epochs} epok setahun",
        f"{epoch} lists an epoch, {year} lists and {epochs} epochs a year",
    )
    if not schema.filtered:
        return said
    list_, all_ = map(number, (quota.questions_per_row, quota.questions_per_row_epoch))
    return said + t(
        f"; {list_} pertanyaan berlainan tentang satu orang per daftar, {all_} per epok",
        f"; {list_} distinct questions about one person a list, {all_} an epoch",
    )


def _told(flow: Flow) -> str:
    """What answers can tell of one person beyond the code, at the very most."""
    bound = OracleBound.of(flow)
    row, year = decimal(bound.per_record, 2), number(round(bound.of_year(bound.smallest)))
    return t(
        f"{row} bit tentang satu orang per baris kuota, {year} bit setahun (batas teoretis)",
        f"{row} bits about one person a row of quota, {year} bits a year (ceiling)",
    )


def _short_lists(quota: Quota) -> str:
    """What becomes of a list below the minimum."""
    if quota.top_up:
        return t("ditambah rekaman samaran", "filled up with cover")
    return t("ditolak", "refused")


def _codes(f: Flow) -> Sheet:
    table = _table(
        t("Kode jawaban", "Answer codes"),
        t("kode", "code"),
        t("bunyi", "wording"),
        t("arti", "gloss"),
        t("dari registri", "from the registry"),
    )
    sources: dict[str, list[str]] = {}
    for column, values in f.registry.items():
        for value, code in values.items():
            sources.setdefault(code, []).append(f"{column} = {value}")
    for column, by_date in f.registry_date.items():
        day = t("hari terbit", "day of publishing")
        sources.setdefault(by_date.until, []).append(f"{column} ≥ {day}")
        sources.setdefault(by_date.after, []).append(f"{column} < {day}")
    for column, steps in f.registry_number.items():
        for least, code in steps.items():
            sources.setdefault(code, []).append(f"{column} ≥ {least}")
    for c in (*f.codes, *f.written):
        mark = t(" (usulan)", " (proposed)") if c.proposed else ""
        _row(table, c.code, f"«{c.text}»{mark}", c.gloss, "; ".join(sources.get(c.code, [])))
    return table


def _passes(f: Flow) -> Sheet:
    table = _table(
        t("Jalur pemadanan", "Linkage passes"),
        t("jalur", "pass"),
        t("harus sama", "must agree"),
        t("boleh mirip", "may be alike"),
        t("konfirmasi", "confirms"),
    )
    passes: tuple[Pass, ...] = f.schema.passes if f.schema else ()
    for p in passes:
        _row(
            table,
            p.id,
            exact_text(p),
            ", ".join(map(_segment, p.similar)) or "–",
            ", ".join(p.confirm) or "–",
        )
    return table


def exact_text(p: Pass) -> str:
    """What must agree in a pass, and which fields a list's row must not have."""
    lacking = t("tanpa", "without")
    return " + ".join(p.exact) + (f" ({lacking} {', '.join(p.without)})" if p.without else "")


def _segment(s: Segment) -> str:
    return f"{s.shown} (m={s.bits} T={s.weight} t={s.diffusion})"


def _due_line(d: Mapping[str, Any]) -> Text:
    late = t(" TERLEWAT", " OVERDUE") if d["overdue"] else ""
    return Text(f"{d['on']}{late} {d['text']} ({d['article']})", "bold red" if late else "")


def _problem_lines(problems: Iterable[Mapping[str, str]]) -> Text:
    places: dict[str, list[str]] = {}
    for p in problems:
        places.setdefault(p["text"], []).append(p["where"])
    return Text("\n".join(f"{', '.join(at)}: {text}" for text, at in places.items()), "red")

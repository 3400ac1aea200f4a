"""What a lawyer would object to: dates, articles, duties, and what the document leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from padan_linkage.agreement.findings import Finding, error, warning
from padan_linkage.agreement.model import Agreement, FlowKind
from padan_linkage.agreement.rules.structure import Rule, confirmations
from padan_linkage.agreement.standing import last_day, notice_day

#: Longer retention than a matching and its objections need (UU 27/2022 Ps 16(2)f, 43).
LONG_RETENTION_DAYS = 90
#: Counts over fewer rows say much about each.
FEW_COUNTED = 100


def stated_duration(a: Agreement) -> Iterator[Finding]:
    """The last day is the eve of the anniversary that the duration names."""
    if a.duration is None:
        return
    expected = last_day(a.in_force_from, a.duration.total_months)
    if a.in_force_until != expected:
        yield error(
            "term-duration",
            "in_force_until",
            f"{a.duration.article} menyebut {a.duration.total_months} bulan, jadi hari "
            f"terakhirnya {expected}, bukan {a.in_force_until}.",
            f"{a.duration.article} says {a.duration.total_months} months, so the last day "
            f"is {expected}, not {a.in_force_until}.",
        )


def retroactive(a: Agreement) -> Iterator[Finding]:
    """A term that starts before the signing wants an article of its own."""
    if a.in_force_from < a.signed_on:
        yield warning(
            "term-before-signing",
            "in_force_from",
            "Perjanjian berlaku surut: mulai sebelum ditandatangani. Apakah disengaja?",
            "The agreement is retroactive: it starts before its signing. Intended?",
        )


def notice_fits(a: Agreement) -> Iterator[Finding]:
    """The notice can still be given inside the term."""
    on = notice_day(a)
    if a.notice is None:
        yield warning(
            "notice-missing",
            "notice",
            "Tidak ada tenggat pemberitahuan perpanjangan atau pengakhiran.",
            "No notice period for extending or ending is given.",
        )
    elif on is not None and on < a.in_force_from:
        yield error(
            "notice-too-long",
            "notice",
            "Tenggat pemberitahuan lebih panjang daripada masa berlaku.",
            "The notice period is longer than the term.",
        )


def evaluated(a: Agreement) -> Iterator[Finding]:
    """Something recurs: evaluation, report or update."""
    if not any(c.per_year for c in a.cadences):
        yield warning(
            "cadence-missing",
            "cadence",
            "Tidak ada evaluasi, laporan atau pemutakhiran berkala.",
            "No periodic evaluation, report or update is given.",
        )


def based(a: Agreement) -> Iterator[Finding]:
    """Every flow rests on an article."""
    for f in a.flows:
        if not f.basis:
            yield error(
                "flow-no-basis",
                f"flow[{f.id}].basis",
                "Alur tanpa dasar hukum: sebutkan pasal, ayat dan hurufnya.",
                "A flow without legal basis: name article, paragraph and letter.",
            )


def surviving(a: Agreement) -> Iterator[Finding]:
    """Confidentiality that outlives the agreement names the article that says so."""
    if a.confidentiality.survives_end and a.confidentiality.survival_article is None:
        yield error(
            "confidentiality-no-article",
            "confidentiality",
            "Kerahasiaan dikatakan tetap berlaku setelah berakhir, tetapi tanpa pasal.",
            "Confidentiality is said to outlive the agreement, but by no article.",
        )


def addendum(a: Agreement) -> Iterator[Finding]:
    """An agreement cannot supersede itself."""
    if set(a.supersedes) & set(a.numbers):
        yield error(
            "supersedes-itself",
            "supersedes",
            "Perjanjian menyatakan dirinya sendiri tidak berlaku.",
            "The agreement supersedes itself.",
        )


def numbered(a: Agreement) -> Iterator[Finding]:
    """Both document numbers are given, or a note says why not."""
    if not a.numbers and not a.numbers_note:
        yield warning(
            "numbers-missing",
            "numbers",
            "Nomor dokumen tidak disebut; jelaskan pada numbers_note bila memang tidak ada.",
            "No document number is given; say why in numbers_note if there is none.",
        )


def reachable(a: Agreement) -> Iterator[Finding]:
    """Both sides can be written to."""
    for p in a.parties:
        if not p.contact.strip():
            yield warning(
                "contact-missing",
                f"party[{p.id}].contact",
                "Tidak ada alamat surat untuk pihak ini.",
                "This party has no address for letters.",
            )


def keys_present(a: Agreement) -> Iterator[Finding]:
    """Every party has both keys."""
    for p in a.parties:
        for name in ("sign_key", "exchange_key"):
            if not getattr(p, name):
                yield error(
                    "key-missing",
                    f"party[{p.id}].{name}",
                    "Kunci publik belum diisi; gunakan `padan agreement new --party`.",
                    "Public key not filled in; use `padan agreement new --party`.",
                )


def servers_known(a: Agreement) -> Iterator[Finding]:
    """Whoever is sent encodings, or is asked in direct mode, is known by its key."""
    if a.needs_unit and not a.unit_pins:
        yield error(
            "pin-missing",
            "unit.pins",
            "Kunci unit pemadanan belum diisi, jadi siapa pun dengan sertifikat yang sah dapat "
            "menggantikannya dan membaca daftar; gunakan `padan agreement new --unit`.",
            "The linkage unit's key is not filled in, so anybody with a valid certificate could "
            "stand in for it and read the lists; use `padan agreement new --unit`.",
        )
    for p in a.parties:
        if p.id in a.direct_providers and not p.server_pins:
            yield error(
                "pin-missing",
                f"party[{p.id}].server_pins",
                "Kunci server pihak ini untuk mode langsung belum diisi; gunakan "
                "`padan agreement new --server`.",
                "The key of this party's server of direct mode is not filled in; use "
                "`padan agreement new --server`.",
            )


def retained(a: Agreement) -> Iterator[Finding]:
    """Encodings do not stay longer than a matching needs, and nothing longer than the term."""
    for f in a.flows:
        where = f"flow[{f.id}]"
        encoded = f.kind is FlowKind.CONFIRMATION
        if encoded and f.retention_days and f.retention_days > LONG_RETENTION_DAYS:
            yield warning(
                "retention-long",
                f"{where}.retention_days",
                f"Disimpan lebih dari {LONG_RETENTION_DAYS} hari; pengodean tetap data "
                "pribadi (UU 27/2022).",
                f"Kept for more than {LONG_RETENTION_DAYS} days; encodings remain "
                "personal data (UU 27/2022).",
            )
        term_days = (a.in_force_until - a.in_force_from + timedelta(days=1)).days
        if f.retention_days and f.retention_days > term_days > 0:
            yield error(
                "retention-over-term",
                f"{where}.retention_days",
                "Masa simpan lebih panjang daripada masa berlaku perjanjian.",
                "Retention is longer than the agreement's term.",
            )


def counted(a: Agreement) -> Iterator[Finding]:
    """Counts that both sides read are of many rows."""
    for where, f in confirmations(a):
        if f.minimum_counted < FEW_COUNTED:
            yield warning(
                "counted-few",
                f"{where}.minimum_counted",
                f"Berita acara merinci jawaban sejak {f.minimum_counted} baris. Dari hitungan "
                "yang kecil penyedia dapat mengetahui siapa yang ditanyakan.",
                f"Minutes count answers from {f.minimum_counted} rows up. From small counts the "
                "provider can learn whom it was asked about.",
            )


def quotas(a: Agreement) -> Iterator[Finding]:
    """Quotas let something through, and fit each other."""
    for where, f in confirmations(a):
        q = f.quota
        if q is None:
            continue
        if not q.records_per_day or not q.records_per_list or not q.minimum_batch:
            yield error(
                "quota-zero",
                f"{where}.quota",
                "Kuota nol: alur ini tidak akan pernah menjawab.",
                "A quota of zero: this flow would never answer.",
            )
        if q.minimum_batch > q.records_per_list:
            yield error(
                "batch-over-list",
                f"{where}.quota.minimum_batch",
                "Daftar paling sedikit lebih besar daripada daftar paling banyak.",
                "The minimum batch is larger than the largest list.",
            )
        if not q.top_up and f.real_time:
            yield warning(
                "top-up-real-time",
                f"{where}.quota.top_up",
                "Daftar pendek ditolak (top_up = false), padahal satu rekaman boleh ditanyakan "
                "seketika (real_time).",
                "Short lists are refused (top_up = false) although single records may be asked "
                "about in real time (real_time).",
            )
        if not q.top_up and q.minimum_batch <= 1:
            yield warning(
                "top-up-idle",
                f"{where}.quota.top_up",
                "top_up = false tidak ada artinya: daftar sependek apa pun diterima.",
                "top_up = false means nothing: a list of any length is taken.",
            )
        listed = q.records_per_list
        if max(listed, f.schema.charged_records(listed) if f.schema else 0) > q.records_per_day:
            yield warning(
                "list-over-day",
                f"{where}.quota.records_per_list",
                "Satu daftar, dengan baris samarannya, boleh melebihi kuota sehari, jadi tidak "
                "akan pernah selesai.",
                "One list, with its cover, may exceed the quota of a day, so it could never run.",
            )


def mapped(a: Agreement) -> Iterator[Finding]:
    """Every code is given by some value of the registry."""
    for where, f in confirmations(a):
        columns = f.registry_codes
        given = {code for codes in columns.values() for code in codes}
        for code in (c.code for c in f.codes if c.code not in given):
            yield error(
                "code-unmapped",
                f"{where}.code[{code}]",
                "Tidak ada nilai registri yang menghasilkan kode ini.",
                "No value of the registry leads to this code.",
            )
        for group in sorted({c.group for c in f.codes}):
            own = {c.code for c in f.codes if c.group == group}
            overlapping = [name for name, codes in columns.items() if own & set(codes)]
            if len(overlapping) > 1 and not f.several:
                yield error(
                    "registry-columns-overlap",
                    f"{where}.registry",
                    f"Kolom {', '.join(overlapping)} dapat memberi dua kode sekaligus; "
                    "nyatakan several = true atau pisahkan grupnya.",
                    f"Columns {', '.join(overlapping)} could give two codes at once; say "
                    "several = true or part their groups.",
                )


def authorities(a: Agreement) -> Iterator[Finding]:
    """If any field's authority is named, so is that of every confirmed field, and a side of it."""
    for where, f in confirmations(a):
        for name in sorted(set(f.confirm) - set(f.field_authority)) if f.field_authority else ():
            yield warning(
                "authority-missing",
                f"{where}.field_authority",
                f"Bila ruas {name} berbeda, tidak jelas siapa yang harus memperbaiki.",
                f"Where the field {name} differs, nobody is named to correct it.",
            )
        for name, party in f.field_authority.items():
            if party not in {f.provider, f.requester} or name not in f.confirm:
                yield error(
                    "authority-idle",
                    f"{where}.field_authority.{name}",
                    "Ruas ini tidak dikonfirmasi, atau pihaknya bukan salah satu sisi alur.",
                    "The field is not confirmed, or the party is neither side of the flow.",
                )


LAW: tuple[Rule, ...] = (
    stated_duration,
    retroactive,
    notice_fits,
    evaluated,
    based,
    surviving,
    addendum,
    numbered,
    reachable,
    keys_present,
    servers_known,
    retained,
    quotas,
    counted,
    mapped,
    authorities,
)

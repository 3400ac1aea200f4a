"""Residual risks that the parties of a flow take by name: said plainly, and never taken unnamed."""

from __future__ import annotations

from collections.abc import Iterator

from padan_linkage.agreement.findings import Finding, error, warning
from padan_linkage.agreement.model import Agreement, Flow, Mode, Risk
from padan_linkage.agreement.rules.structure import Rule, confirmations

#: What each of them means, and where it means something.
_SENTENCES = {
    Risk.AUTO_ROWS: (
        "Pada mode auto unit melihat berapa dan baris mana yang tidak terjawab langsung; "
        "penyedia yang bekerja sama dengan unit dapat membuang label seseorang untuk "
        "melihat barisnya muncul di sana. Tanpa auto-rows seluruh daftar dikirim.",
        "In mode auto the unit sees how many rows, and which, direct mode did not answer; "
        "a provider that works with the unit can leave a person's label out to see the row "
        "turn up there. Without auto-rows the whole list is sent.",
    ),
    Risk.REPEATS: (
        "Beberapa daftar dalam satu epok: unit melihat baris mana yang berulang, dan baris dua "
        "jalur yang muncul dalam daftar yang sama mungkin milik orang yang sama. Tanpa repeats "
        "setiap daftar mendapat epoknya sendiri.",
        "Several lists in one epoch: the unit sees which rows recur, and rows of two passes that "
        "occur in the same lists may be of one person. Without repeats every list has an epoch of "
        "its own.",
    ),
    Risk.DELTAS: (
        "Pembaruan registri dalam satu epok: unit melihat baris mana yang berubah pada hari yang "
        "sama di semua jalur, orang dan umpan bersama-sama. Tanpa deltas registri diterbitkan utuh "
        "di epok baru.",
        "Deltas within an epoch: the unit sees which rows change on one day in all passes, people "
        "and cover together. Without deltas the registry is published whole in a new epoch.",
    ),
    Risk.FILTERS: (
        "Isi filter dibandingkan menurut kemiripan: peminta memegang kunci, jadi dapat membuat "
        "satu baris yang mirip empat sampai lima nama sekaligus, dan membaca nama seseorang yang "
        "tidak ada dalam daftarnya sekitar lima kali lebih cepat daripada dengan menebak satu "
        "nama per baris. Tanpa filters semua jalur exact: satu baris menebak satu nilai sejalur.",
        "What a filter holds is compared by likeness: the requester holds the key, so it can make "
        "one row that is like four to five names at once, and reads the name of somebody who is "
        "not on its list about five times faster than by guessing a name a row. Without filters "
        "every pass is exact: a row guesses one value a pass.",
    ),
}


def accepted(a: Agreement) -> Iterator[Finding]:
    """What the parties accept is said, and is something that the flow can do."""
    for where, f in confirmations(a):
        for risk in f.accepts:
            if _possible(f, risk):
                yield warning(f"accepts-{risk}", f"{where}.accepts", *_SENTENCES[risk])
            else:
                yield warning(
                    "accepts-unused",
                    f"{where}.accepts",
                    f"{risk} tidak berarti apa pun pada alur ini.",
                    f"{risk} means nothing in this flow.",
                )


def _possible(f: Flow, risk: Risk) -> bool:
    """Whether the flow could do what the risk is about."""
    if risk is Risk.AUTO_ROWS:
        return {Mode.DIRECT, Mode.UNIT} <= set(f.modes)
    if risk is Risk.REPEATS:
        return Mode.UNIT in f.modes and (f.quota is None or f.quota.lists_per_epoch > 1)
    if risk is Risk.FILTERS:
        return bool(_filtered(f))
    return Mode.UNIT in f.modes


def _filtered(f: Flow) -> list[str]:
    """The passes that compare by likeness."""
    return [p.id for p in f.schema.filtered] if f.schema else []


def unaccepted(a: Agreement) -> Iterator[Finding]:
    """More lists than one an epoch, and passes with a filter, have to be taken by name."""
    for where, f in confirmations(a):
        several = f.quota is not None and f.quota.lists_per_epoch > 1
        if several and Mode.UNIT in f.modes and Risk.REPEATS not in f.accepts:
            yield error(
                "repeats-unaccepted",
                f"{where}.quota.lists_per_epoch",
                *_unnamed(Risk.REPEATS, "Lebih dari satu daftar per epok", "More lists an epoch"),
            )
        if _filtered(f) and Risk.FILTERS not in f.accepts:
            named = ", ".join(_filtered(f))
            yield error(
                "filters-unaccepted",
                f"{where}.schema.passes",
                *_unnamed(Risk.FILTERS, f"Jalur dengan similar ({named})", f"Filters ({named})"),
            )


def _unnamed(risk: Risk, what_id: str, what_en: str) -> tuple[str, str]:
    indonesian, english = _SENTENCES[risk]
    return (
        f'{what_id} hanya dengan accepts = ["{risk}"]. {indonesian}',
        f'{what_en} only with accepts = ["{risk}"]. {english}',
    )


ACCEPTED: tuple[Rule, ...] = (accepted, unaccepted)

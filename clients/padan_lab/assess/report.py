"""The findings as one HTML file that needs nothing else, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from html import escape

from padan_client.base.language import t
from padan_lab.assess.assessing import Assessment, PassFindings
from padan_lab.assess.plots import rates_plot
from padan_lab.assess.suite import Rate
from padan_lab.assess.words import attack_name, interval, percent, verdict, view_name

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
  color: #1c2430; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .9rem;
  font-variant-numeric: tabular-nums; line-height: 1.35; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid #d9dee6;
  vertical-align: top; }
td { white-space: nowrap; } th { font-weight: 600; background: #f4f6f9; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
td:first-child { white-space: normal; min-width: 11rem; }
.wide { overflow-x: auto; }
.verdict { padding: .8rem 1rem; border-left: 6px solid #2a7d4f; background: #eef7f1; }
.verdict.bad { border-color: #b3261e; background: #fdeeed; }
.above { color: #b3261e; font-weight: 600; } .note { color: #55606e; font-size: .92rem; }
svg { width: 100%; height: auto; }
@page { margin: 14mm; }
@media print { html { font-size: 11px; } body { margin: 0; max-width: none; padding: 0; }
  h2, thead { break-after: avoid; } tr { break-inside: avoid; } .wide { overflow: visible; } }
"""


def as_json(found: Assessment) -> dict[str, object]:
    """What scripts rely on: verdict, and every rate by pass."""
    return {
        "within_limits": found.within(),
        "controls_fell": found.sound(),
        "population": found.population,
        "encoded_anew": found.made,
        "profile": "seimbang" if found.schema.presence else "ketat",
        "keys": found.effort.keys,
        "passes": [_pass_json(p) for p in found.passes],
        "victims": found.effort.victims,
        "across_passes": [_rate_json(r) for r in found.alignment],
        "controls": [
            {"encoding": c.kind, "least": c.least, **_rate_json(c.rate)} for c in found.controls
        ],
        "without": [
            {"part": i.without or None, "pass": i.pass_id, **_rate_json(i.rate)}
            for i in found.ingredients
        ],
    }


def _pass_json(p: PassFindings) -> dict[str, object]:
    return {
        "id": p.p.id,
        "persons": p.persons,
        "rows": p.rows,
        "group_median": p.groups[0],
        "group_largest": p.groups[1],
        "limits": dict(p.limits),
        "within_limit": not p.above(),
        "enough_persons": p.telling(),
        "rates": [
            {**_rate_json(r), "limit": p.limits[r.view], "standing": p.standing(r)} for r in p.rates
        ],
        "null": [_rate_json(r) for r in p.null],
    }


def _rate_json(rate: Rate) -> dict[str, object]:
    low, high = rate.interval
    return {**asdict(rate), "persons": rate.persons, "low": low, "high": high}


def render(found: Assessment) -> str:
    """The report: a page of HTML with inline plots and no external resource."""
    title = t("Uji serangan atas sandi", "Attacks on the encodings")
    first, *rest = verdict(found)
    good = found.sound() and found.within()
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict{"" if good else " bad"}">{escape(first)}</p>',
        *(f"<p>{escape(line)}</p>" for line in rest),
        _assumptions(found),
        f'<div role="img" aria-label="{escape(_plot_label())}">{rates_plot(found)}</div>',
        *(_pass_section(p) for p in found.passes),
        _across(found),
        _without(found),
        _controls(found),
    ]
    language = t("id", "en")
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _plot_label() -> str:
    return t(
        "Orang yang dikenali kembali menurut jalur dan serangan; angkanya ada pada tabel di bawah.",
        "Persons re-identified by pass and attack; the figures are in the tables below.",
    )


def _assumptions(found: Assessment) -> str:
    text = t(
        f"Penyerang: unit pemadan yang ingin tahu. Ia memegang tabel persis seperti yang "
        f"diterimanya, mengenal seluruh populasi ({found.population} orang) tanpa kesalahan, "
        f"mengetahui skema dan semua parameternya kecuali kunci, dan menyandikan populasi itu "
        f"dengan {found.effort.keys} kunci buatannya sendiri. Ia mencoba {found.effort.victims} "
        f"sandi orang yang sama; selang di belakang angka adalah selang 99 %. Angka di bawah "
        f"adalah batas bawah kemampuan penyerang, bukan batas atas.",
        f"The attacker: a curious linkage unit. It holds the tables exactly as it gets them, knows "
        f"the whole population ({found.population} persons) without an error and the schema with "
        f"all its parameters but not the key, and has encoded that population under "
        f"{found.effort.keys} keys of its own. It tries {found.effort.victims} encodings of the "
        f"same people; behind a figure stands its 99 % interval. The figures below bound an "
        f"attacker's power from below, not from above.",
    )
    return f"<p>{escape(text)}</p>"


def _pass_section(p: PassFindings) -> str:
    facts = t(
        f"{p.persons} orang dalam {p.rows} baris; orang per garam: tengah {p.groups[0]}, terbanyak "
        f"{p.groups[1]}.",
        f"{p.persons} persons in {p.rows} rows; persons a salt: median {p.groups[0]}, most "
        f"{p.groups[1]}.",
    )
    null = {(r.attack, r.view): r.persons for r in p.null}
    above = set(map(id, p.above()))
    rows = [
        _row(r, null.get((r.attack, r.view)), p.limits[r.view], above=id(r) in above)
        for r in p.rates
    ]
    heading = f"{t('Jalur', 'Pass')} {p.p.id}"
    return f'<h2>{escape(heading)}</h2><p class="note">{escape(facts)}</p>{_table(rows)}'


def _across(found: Assessment) -> str:
    if not found.alignment:
        return ""
    heading = t("Antarjalur", "Across passes")
    note = t(
        "Baris pertama adalah andaian: unit tidak melihat baris mana dari dua jalur milik orang "
        "yang sama. Itulah sebabnya tiap jalur dikirim sebagai tabel tersendiri.",
        "The first line is a supposition: the unit does not see which rows of two passes are one "
        "person. That is why every pass is sent as a table of its own.",
    )
    rows = [_row(r, None, None, above=False) for r in found.alignment]
    return f'<h2>{escape(heading)}</h2><p class="note">{escape(note)}</p>{_table(rows)}'


def _without(found: Assessment) -> str:
    """What each part of the encoding is worth."""
    if not found.ingredients:
        return ""
    names = {
        "": t("utuh", "whole"),
        "salt": t("tanpa garam", "without salt"),
        "diffusion": t("tanpa difusi", "without diffusion"),
        "merging": t("segmen terpisah", "fields in segments of their own"),
        "decoys": t("tanpa umpan", "without decoys"),
    }
    heading = t("Tanpa salah satu bagian", "Without one of its parts")
    note = t(
        f"Jalur {found.ingredients[0].pass_id}, orang dan benih yang sama seperti di atas, disandi "
        "ulang; serangan yang menemukan paling banyak (FREQ, SIG, SEED atau GRP).",
        f"Pass {found.ingredients[0].pass_id}, the same people and seed as above, encoded anew; "
        "the attack that finds most (FREQ, SIG, SEED or GRP).",
    )
    head = "".join(
        f"<th>{escape(h)}</th>"
        for h in (t("sandi", "encoding"), t("serangan", "attack"), t("dikenali", "found"))
    )
    rows = "".join(
        f"<tr><td>{escape(names[i.without])}</td><td>{i.rate.attack}</td>"
        f"<td>{interval(i.rate)}</td></tr>"
        for i in found.ingredients
    )
    return (
        f'<h2>{escape(heading)}</h2><p class="note">{escape(note)}</p>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _controls(found: Assessment) -> str:
    heading = t("Pembanding", "Controls")
    note = t(
        "Serangan yang sama atas sandi yang lemah: di sini ia harus berhasil, kalau tidak, angka "
        "nol di atas tidak berarti. Kolom «populasi lain» pada tiap jalur adalah kebalikannya: "
        "penyerang yang mengenal orang lain tidak boleh menemukan siapa pun.",
        "The same attacks on weak encodings: here they must succeed, or the zeros above mean "
        "nothing. The column “another population” of every pass is the opposite: an attacker who "
        "knows other people must find nobody.",
    )
    kinds = {
        "plain": t("satu filter polos per rekaman", "one plain filter a record"),
        "unsalted": t("segmen tanpa garam", "segments without salt"),
        "salted": t("garam tanpa difusi", "salt without diffusion"),
    }
    rows = "".join(
        f"<tr><td>{escape(kinds[c.kind])}</td><td>{c.rate.attack}</td>"
        f"<td>{percent(c.rate.persons)}</td><td>≥ {percent(c.least)}</td></tr>"
        for c in found.controls
    )
    head = "".join(
        f"<th>{escape(h)}</th>"
        for h in (
            t("sandi", "encoding"), t("serangan", "attack"), t("dikenali", "found"),
            t("harus", "must"),
        )
    )  # fmt: skip
    return (
        f'<h2>{escape(heading)}</h2><p class="note">{escape(note)}</p>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _table(rows: list[str]) -> str:
    names = (
        t("serangan", "attack"), t("yang terlihat", "what is seen"), t("orang", "persons"),
        t("batas", "limit"), t("tebakan", "guess"), t("populasi lain", "another population"),
        t("kelompok", "groups"), t("kelompok diketahui", "group known"),
    )  # fmt: skip
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(rate: Rate, null: float | None, limit: float | None, *, above: bool) -> str:
    mark = ' class="above"' if above else ""
    name = f"{rate.attack} · {attack_name(rate.attack)}"
    return (
        f"<tr><td>{escape(name)}</td><td>{escape(view_name(rate.view))}</td>"
        f"<td{mark}>{interval(rate)}</td><td>{percent(limit)}</td>"
        f"<td>{percent(rate.guess)}</td>"
        f"<td>{percent(null)}</td><td>{percent(rate.groups)}</td>"
        f"<td>{percent(rate.known)}</td></tr>"
    )

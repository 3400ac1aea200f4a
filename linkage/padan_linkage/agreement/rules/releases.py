"""What aggregate and reference flows must say of what they release."""

from __future__ import annotations

from collections.abc import Iterator

from padan_linkage.agreement.findings import Finding, error, warning
from padan_linkage.agreement.model import Agreement, Flow, FlowKind
from padan_linkage.agreement.rules.structure import Rule, repeated

#: Counts under LEAST_CELL are refused as a minimum, under USUAL_CELL doubted.
LEAST_CELL, USUAL_CELL = 3, 10
#: Tables of more dimensions are mostly small cells.
LARGE_TABLE = 4


def releases(a: Agreement) -> Iterator[Finding]:
    """A flow that releases says of what, in which tables or lists, how often, how long it stays."""
    for f in a.flows:
        if f.kind is FlowKind.CONFIRMATION:
            continue
        where = f"flow[{f.id}]"
        if f.release is None:
            yield error(
                "release-missing",
                f"{where}.release",
                "Tidak disebut berapa kali setahun rilis diterbitkan.",
                "It is not said how many times a year there is a release.",
            )
        if f.retention_days is None:
            yield error(
                "retention-missing",
                f"{where}.retention_days",
                "Masa simpan tidak ditetapkan, jadi rilis tidak pernah dimusnahkan.",
                "No retention is set, so releases would never be destroyed.",
            )
        for name in repeated([*f.dimensions, *(r.id for r in f.references)]):
            yield error(
                "release-duplicate",
                where,
                f"{name} disebut dua kali.",
                f"{name} is named twice.",
            )
        yield from _release_tables(f, where)


def _release_tables(f: Flow, where: str) -> Iterator[Finding]:
    for number, table in enumerate(f.tables, 1):
        if unknown := sorted(set(table) - set(f.dimensions)):
            yield error(
                "dimension-unknown",
                f"{where}.tables[{number}]",
                f"Tabel memakai {', '.join(unknown)}, yang bukan dimensi alur ini.",
                f"The table uses {', '.join(unknown)}, no dimension of this flow.",
            )
        if (
            not table
            or repeated(table)
            or any(set(table) <= set(other) for other in f.tables if other is not table)
        ):
            yield error(
                "table-needless",
                f"{where}.tables[{number}]",
                "Tabel kosong, memuat dimensi dua kali, atau bagian dari tabel lain.",
                "The table is empty, has a dimension twice, or is part of another.",
            )
    for r in f.references:
        for name in repeated(r.columns):
            yield error(
                "release-duplicate",
                f"{where}.reference[{r.id}].columns",
                f"Kolom {name} disebut dua kali.",
                f"The column {name} is named twice.",
            )
        if r.provider not in {f.provider, f.requester}:
            yield error(
                "party-unknown",
                f"{where}.reference[{r.id}]",
                f"{r.provider} bukan salah satu sisi alur ini.",
                f"{r.provider} is neither side of this flow.",
            )


def aggregates(a: Agreement) -> Iterator[Finding]:
    """Counts say of what and by what, and suppress small cells; tables can be protected."""
    for f in a.flows:
        if f.kind is not FlowKind.AGGREGATE:
            continue
        where = f"flow[{f.id}]"
        if not f.dimensions:
            yield error(
                "dimensions-missing",
                f"{where}.dimensions",
                "Agregat tanpa dimensi.",
                "An aggregate without dimensions.",
            )
        if f.measure is None:
            yield error(
                "measure-missing",
                f"{where}.measure",
                "Tidak disebut apa yang dihitung.",
                "It is not said what is counted.",
            )
        yield from _small_cells(f, where)
        for number, table in enumerate(f.tables or (f.dimensions,), 1):
            if len(table) > LARGE_TABLE:
                yield warning(
                    "table-large",
                    f"{where}.tables[{number}]",
                    f"Tabel dengan {len(table)} dimensi: hampir semua selnya akan kecil dan "
                    f"ditutup. Pecah menjadi tabel berdimensi paling banyak {LARGE_TABLE}.",
                    f"A table of {len(table)} dimensions: nearly all cells will be small and "
                    f"withheld. Split it into tables of at most {LARGE_TABLE}.",
                )
        for name in sorted(set(f.dimensions) - {n for t in f.tables or (f.dimensions,) for n in t}):
            yield warning(
                "dimension-unused",
                f"{where}.dimensions",
                f"Dimensi {name} tidak dipakai tabel mana pun.",
                f"No table uses the dimension {name}.",
            )


def _small_cells(f: Flow, where: str) -> Iterator[Finding]:
    if f.minimum_cell is None:
        yield error(
            "cell-missing",
            f"{where}.minimum_cell",
            "Tanpa batas sel kecil, angka 1 menunjuk satu orang.",
            "Without suppression of small cells a count of 1 points at a person.",
        )
    elif f.minimum_cell < LEAST_CELL:
        yield error(
            "cell-small",
            f"{where}.minimum_cell",
            f"Batas sel {f.minimum_cell}: dua orang yang saling mengenal dapat menghitung orang "
            f"ketiga. Paling sedikit {LEAST_CELL}.",
            f"A minimum cell of {f.minimum_cell}: two who know each other can work out a third. "
            f"At least {LEAST_CELL}.",
        )
    elif f.minimum_cell < USUAL_CELL:
        yield warning(
            "cell-small",
            f"{where}.minimum_cell",
            f"Batas sel {f.minimum_cell} di bawah yang lazim ({USUAL_CELL}).",
            f"A minimum cell of {f.minimum_cell} is below what is usual ({USUAL_CELL}).",
        )


def reference_lists(a: Agreement) -> Iterator[Finding]:
    """A reference flow names its lists; both directions where it says so."""
    for f in a.flows:
        if f.kind is not FlowKind.REFERENCE:
            continue
        if not f.references:
            yield error(
                "reference-missing",
                f"flow[{f.id}].reference",
                "Alur referensi tanpa daftar referensi.",
                "A reference flow without a list.",
            )
        ways = len({r.provider for r in f.references})
        if f.references and f.both_ways != (ways > 1):
            yield error(
                "reference-ways",
                f"flow[{f.id}].both_ways",
                "both_ways tidak sesuai dengan penyedia daftar-daftarnya.",
                "both_ways does not fit the lists' providers.",
            )


RELEASE_STRUCTURE: tuple[Rule, ...] = (releases,)
RELEASES: tuple[Rule, ...] = (aggregates, reference_lists)

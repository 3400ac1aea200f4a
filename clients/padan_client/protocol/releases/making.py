"""What a release carries, made of the publisher's table: protected counts, or a reference list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_linkage.agreement import Flow, FlowKind
from padan_linkage.release import reference
from padan_linkage.release.aggregate import (
    Published,
    previous_counts,
    publishable,
    read_aggregate,
    write_aggregate,
)
from padan_linkage.release.counting import CountingError, tabulate
from padan_linkage.release.protecting import ProtectionError, protect, verify
from padan_linkage.release.reference import Difference, ListError


@dataclass(frozen=True, repr=False)
class Made:
    """Content of a release. ``rows`` of the CSV, ``withheld`` of them without a count.

    ``counted`` is how many rows the table had, ``sensitive`` how many counts had to be withheld,
    ``folded`` the rare categories by dimension; ``changes`` of a list against the version before.
    """

    content: bytes
    rows: int
    withheld: int = 0
    counted: int = 0
    sensitive: int = 0
    folded: Mapping[str, int] = field(default_factory=dict)
    changes: Difference | None = None


def columns_of(flow: Flow, line: str) -> tuple[str, ...]:
    """The columns that the publisher's table must have."""
    if flow.kind is FlowKind.AGGREGATE:
        return flow.dimensions
    return next(tuple(r.columns) for r in flow.references if r.id == line)


def make(
    flow: Flow,
    line: str,
    table: pa.Table,
    columns: Mapping[str, str] | None,
    id_column: str | None,
    before: bytes | None,
) -> Made:
    """The content for ``table`` (strings); ``before`` is that of the last version.

    ``columns`` maps agreed columns to the table's; with ``id_column``, a repeated id is refused.
    Raises BadInputError.
    """
    chosen = _chosen(columns_of(flow, line), table, columns)
    if id_column is not None:
        _require_distinct(table, id_column)
    if flow.kind is FlowKind.AGGREGATE:
        return _aggregate(flow, chosen, before)
    return _reference(tuple(chosen), chosen, before)


def published(flow: Flow, content: bytes) -> Published:
    """The aggregate in a content; AggregateError if it is not as agreed."""
    return read_aggregate(content, flow.dimensions, flow.tables, flow.minimum_cell or 1)


def _aggregate(flow: Flow, columns: dict[str, pa.StringArray], before: bytes | None) -> Made:
    minimum = flow.minimum_cell or 1
    last = None if before is None else published(flow, before)
    try:
        # Spec 70, step 1: an aggregate.
        counted = tabulate(
            columns, flow.dimensions, flow.tables, minimum, last.named if last else None
        )
        earlier = previous_counts(last, counted) if last else None
        protected = protect(counted.tables, counted.counts, minimum, earlier)
    except CountingError as error:
        raise _uncountable(error) from None
    except ProtectionError as error:
        raise _unprotected([flow.dimensions[d] for d in error.dims], minimum) from None
    # Spec 70, step 2.
    verify(counted.tables, counted.counts, protected)
    shown = publishable(counted, protected)
    return Made(
        content=write_aggregate(shown),
        rows=shown.cells,
        withheld=shown.withheld,
        counted=counted.rows,
        sensitive=protected.sensitive,
        folded=counted.folded,
    )


def _reference(
    names: tuple[str, ...], columns: dict[str, pa.StringArray], before: bytes | None
) -> Made:
    cells = zip(*(columns[name].to_pylist() for name in names), strict=True)
    try:
        # Spec 70, step 1: a list.
        rows = reference.list_rows(names, [tuple(cell or "" for cell in row) for row in cells])
    except ListError as error:
        raise _unlistable(error) from None
    old = {} if before is None else reference.read_reference(before, names)
    return Made(
        content=reference.write_reference(names, rows),
        rows=len(rows),
        counted=len(rows),
        changes=reference.difference(old, rows) if before is not None else None,
    )


def _chosen(
    wanted: Sequence[str], table: pa.Table, columns: Mapping[str, str] | None
) -> dict[str, pa.StringArray]:
    given = dict(columns or {})
    if unknown := sorted(set(given) - set(wanted)):
        shown, known = ", ".join(unknown), ", ".join(wanted)
        raise BadInputError(
            t(
                f"--map menyebut {shown}, yang bukan kolom menurut perjanjian ({known}).",
                f"--map names {shown}, no column of the agreement ({known}).",
            )
        )
    names = {name: given.get(name, name) for name in wanted}
    if missing := sorted(c for c in names.values() if c not in table.column_names):
        shown = ", ".join(missing)
        raise BadInputError(
            t(
                f"Kolom {shown} tidak ada di berkas. Pakai --map nama=KOLOM.",
                f"The column {shown} is not in the file. Use --map name=COLUMN.",
            )
        )
    if not table.num_rows:
        raise BadInputError(t("Berkas tidak berisi baris.", "The file has no rows."))
    return {
        name: pc.fill_null(table.column(column).cast(pa.string()), "").combine_chunks()
        for name, column in names.items()
    }


def _require_distinct(table: pa.Table, id_column: str) -> None:
    if id_column not in table.column_names:
        raise BadInputError(
            t(
                f"Kolom id {id_column} tidak ada di berkas.",
                f"The id column {id_column} is not in the file.",
            )
        )
    repeated = table.num_rows - pc.count_distinct(table.column(id_column), mode="all").as_py()
    if repeated:
        raise BadInputError(
            t(
                f"{repeated} baris mengulang id baris lain: yang sama akan terhitung dua kali. "
                "Hapus dahulu gandanya.",
                f"{repeated} rows repeat another's id: the same would be counted twice. Remove the "
                "repetitions first.",
            )
        )


def _uncountable(error: CountingError) -> BadInputError:
    if error.dimension:
        return BadInputError(
            t(
                f"Kolom {error.dimension} memuat nilai yang berbunyi seperti istilah Padan "
                "sendiri, (semua) atau (lainnya). Ganti nilainya.",
                f"The column {error.dimension} has a value that reads like Padan's own words, "
                "(semua) or (lainnya). Change it.",
            )
        )
    return BadInputError(
        t(
            "Tabelnya terlalu banyak selnya. Pakai kategori yang lebih kasar, atau sepakati tabel "
            "dengan dimensi lebih sedikit.",
            "The tables have too many cells. Use coarser categories, or agree on tables of fewer "
            "dimensions.",
        )
    )


def _unprotected(dimensions: Sequence[str], minimum: int) -> BadInputError:
    where = " × ".join(dimensions) or t("jumlah seluruhnya", "the grand total")
    return BadInputError(
        t(
            f"Hitungan kecil pada {where} tidak dapat disembunyikan: terlalu sedikit kategori, "
            f"atau sejak rilis terakhir berubah kurang dari {minimum}. Gabungkan kategori, atau "
            "terbitkan setelah lebih banyak yang berubah.",
            f"Small counts by {where} cannot be hidden: there are too few categories, or less than "
            f"{minimum} has changed since the last release. Join categories, or release when more "
            "has changed.",
        )
    )


def _unlistable(error: ListError) -> BadInputError:
    texts = {
        "no-key": t("kolom kunci kosong", "the key column is empty"),
        "key-twice": t("kunci ini sudah ada di baris lain", "another row has this key"),
        "unprintable": t(
            "ada huruf yang tidak tercetak, atau isi terlalu panjang",
            "an unprintable character, or too long a cell",
        ),
        "formula": t(
            "sebuah sel akan dijalankan lembar kerja sebagai rumus (=, +, - atau @ di depan)",
            "a spreadsheet would carry out a cell as a formula (=, +, - or @ in front)",
        ),
    }
    text = texts.get(error.reason, t("bentuknya salah", "malformed"))
    return BadInputError(
        t(
            f"Daftar referensi, baris {error.row}: {text}.",
            f"Reference list, row {error.row}: {text}.",
        )
    )

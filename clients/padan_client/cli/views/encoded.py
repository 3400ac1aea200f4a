"""One record's encoding on the screen: it is the agency's own, and no key is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.cli.common import out, print_json
from padan_client.cli.views.sheet import Sheet
from padan_linkage.schema import TAG_BYTES, Pass

if TYPE_CHECKING:
    from padan_linkage.encoding import RowBits

Rows = list[tuple[Pass, "RowBits | None"]]


def tell_record(rows: Rows, record_id: str, epoch: int | None, *, json_: bool) -> None:
    """Print what would leave the house of one record, pass by pass; ``epoch`` None: no real key."""
    if json_:
        passes = [_as_object(p, row) for p, row in rows]
        print_json({"id": record_id, "epoch": epoch, "passes": passes})
        return
    for p, row in rows:
        out.print(_title(p, row), markup=False, highlight=False, soft_wrap=True)
        if row is not None:
            if row.segments:
                out.print(_segments(p, row))
            for name, value in _others(p, row).items():
                out.print(f"  {name}: {value}", markup=False, highlight=False, soft_wrap=True)


def _as_object(p: Pass, row: RowBits | None) -> dict[str, object]:
    if row is None:
        return {"id": p.id, "stand_in": True}
    segments = [
        {
            "fields": segment.shown,
            "length": len(bits),
            "set": bits.count(),
            "present": None if row.present is None else row.present[n],
            "bits": bits.to01(),
        }
        for n, (segment, bits) in enumerate(zip(p.similar, row.segments, strict=True))
    ]
    key = {"bucket": _bucket(row)} if p.similar else {"token": row.key.hex()}
    return {"id": p.id, "stand_in": False, **key, "segments": segments, **_others(p, row)}


def _title(p: Pass, row: RowBits | None) -> str:
    if row is None:
        return t(
            f"{p.id}: isian wajib jalur ini tidak ada; sebagai gantinya keluar baris pengecoh",
            f"{p.id}: lacks the pass's exact fields; a stand-in leaves in its place",
        )
    if not p.similar:
        return f"{p.id}: token {row.key.hex()}"
    number, buckets = _bucket(row), 1 << p.bucket_bits
    return t(f"{p.id}: ember {number} dari {buckets}", f"{p.id}: bucket {number} of {buckets}")


def _bucket(row: RowBits) -> int:
    return int.from_bytes(row.key, "little")


def _segments(p: Pass, row: RowBits) -> Sheet:
    table = Sheet()
    table.add_column(t("ruas", "segment"), no_wrap=True)
    table.add_column(t("bit 1", "bits set"), justify="right")
    if row.present is not None:
        table.add_column(t("terisi", "given"))
    table.add_column(t("bit, dari bit 0", "bits, from bit 0"))
    for n, (segment, bits) in enumerate(zip(p.similar, row.segments, strict=True)):
        given = [] if row.present is None else [t("ya", "yes") if row.present[n] else "–"]
        table.add_row(segment.shown, f"{bits.count()} / {len(bits)}", *given, bits.to01())
    return table


def _others(p: Pass, row: RowBits) -> dict[str, object]:
    """The further columns in hexadecimal; tags by field."""
    shown: dict[str, object] = {name: value.hex() for name, value in row.others.items()}
    if "tags" in row.others:
        tags = row.others["tags"]
        shown["tags"] = {
            name: tags[n * TAG_BYTES : (n + 1) * TAG_BYTES].hex()
            for n, name in enumerate(p.confirm)
        }
    return shown

"""What was set aside, and where the officer finds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.common import say
from padan_client.records.preparing import noted_rows
from padan_linkage.answering.outcomes import OUTCOME_WORDS, QUARANTINED

if TYPE_CHECKING:
    import pyarrow as pa

#: What stands in the default name of the file: ``codes.karantina.csv``.
FILE_WORD = OUTCOME_WORDS[QUARANTINED]


def say_quarantine(quarantine: pa.Table, path: Path | None) -> None:
    """Say how many rows are in it and which file it is, None where it was not written."""
    notes, rows = number(quarantine.num_rows), number(noted_rows(quarantine))
    where = t("tulis dengan --quarantine BERKAS", "write them with --quarantine FILE")
    say(
        t(
            f"Karantina: {notes} catatan tentang {rows} baris, {f'di {path}' if path else where}.",
            f"Quarantine: {notes} notes on {rows} rows, {f'in {path}' if path else where}.",
        )
    )

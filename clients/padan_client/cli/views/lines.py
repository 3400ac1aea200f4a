"""What is told of a file that was read: sentences as it is read, its lines counted at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.common import say

if TYPE_CHECKING:
    from padan_client.records import FileCounts


class SayOnce:
    """Says a sentence to standard error; the same one never again, though a file is read twice."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, sentence: str) -> None:
        """Say it, unless it was said."""
        if sentence not in self._said:
            self._said.add(sentence)
            say(sentence)


def say_lines(counts: FileCounts) -> None:
    """Where every line of the file went."""
    parts = (
        (counts.above, t("di atas judul kolom", "above the column names")),
        (counts.names, t("judul kolom", "of column names")),
        (counts.rows, t("baris data", "data rows")),
        (counts.inside, t("di dalam sel", "inside cells")),
        (counts.end, t("kosong di akhir", "empty at the end")),
    )
    told = " + ".join(f"{number(count)} {what}" for count, what in parts if count)
    say(
        t(
            f"Berkas: {number(counts.lines)} baris = {told}.",
            f"The file: {number(counts.lines)} lines = {told}.",
        )
    )


def say_rows(rows: int, answered: int) -> None:
    """What came of every data row of a list."""
    say(
        t(
            f"{number(rows)} baris data = {number(answered)} dipadankan + "
            f"{number(rows - answered)} karantina.",
            f"{number(rows)} data rows = {number(answered)} matched against the registry + "
            f"{number(rows - answered)} quarantined.",
        )
    )

"""What is told of a file that was read: sentences as it is read, its lines counted at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.common import say
from padan_linkage.answering.outcomes import OUTCOME_WORDS, QUARANTINED

if TYPE_CHECKING:
    from padan_client.records import FileCounts
    from padan_client.results.table import ConfirmResult


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


def say_rows(result: ConfirmResult) -> None:
    """What came of every data row of a list."""
    rows, empty = result.table.num_rows, result.counts.get(OUTCOME_WORDS[QUARANTINED], 0)
    lacking = rows - result.usable - empty
    told = [t(f"{number(result.usable)} dipadankan", f"{number(result.usable)} matched")]
    if lacking:
        told.append(t(f"{number(lacking)} kurang ruas", f"{number(lacking)} lacking fields"))
    told.append(t(f"{number(empty)} karantina", f"{number(empty)} quarantined"))
    data = t(f"{number(rows)} baris data", f"{number(rows)} data rows")
    say(f"{data} = {' + '.join(told)}.")


def say_inert(cells: int, *, exact: str = "--exact") -> None:
    """How many cells were written as others so that they order nothing; ``exact``: how not to."""
    if cells:
        say(
            t(
                f"{number(cells)} sel akan dijalankan lembar kerja atau terminal, jadi ditulis "
                f"tak berdaya (' di depan rumus, gambar untuk tanda kendali). Apa adanya: {exact}.",
                f"{number(cells)} cells would be carried out by a spreadsheet or terminal, so they "
                f"are inert (' before a formula, pictures of controls). As they are: {exact}.",
            )
        )

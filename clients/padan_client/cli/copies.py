"""What a publication says of copies: the count, the file that lists them, and the consent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import agree
from padan_client.cli.common import say
from padan_client.cli.views.lines import say_inert

if TYPE_CHECKING:
    from padan_client.records.persons import CopyCounts, Persons

#: Word in the default name of the file.
SALINAN = "salinan"


@dataclass
class CopyList:
    """Where copies are listed, None for nowhere; ``agreed``: people may be set aside.

    ``written``: the file, once there is one.
    """

    path: Path | None
    agreed: bool
    written: Path | None = None

    def hear(self, persons: Persons) -> bool:
        """Tell of the copies and list them, before anything is encoded, and ask for consent.

        Raises BadInputError where it is not given.
        """
        from padan_client.records.table_files import write_table

        table, counts = persons.table(), persons.counts
        if table.num_rows and self.path:
            say_inert(write_table(self.path, table), exact="--copies NAME.parquet")
            self.written = self.path
        if counts.merged:
            say(_of_merged(counts))
        if table.num_rows:
            say(t("Daftarnya: ", "They are listed in ") + str(self.written or "–"))
        if counts.set_aside:
            agree(_of_set_aside(counts), given=self.agreed, option="--yes")
        return True


def _of_merged(counts: CopyCounts) -> str:
    merged, people = number(counts.merged), number(counts.merged_into)
    return t(
        f"{merged} baris adalah salinan dari {people} orang; digabungkan.",
        f"{merged} rows are copies of {people} people; they were merged.",
    )


def _of_set_aside(counts: CopyCounts) -> str:
    rows, people = number(counts.set_aside), number(counts.set_aside_people)
    return t(
        f"{rows} baris dari {people} orang memuat kode yang berlainan; mereka dijawab «ganda», "
        "kecuali barisnya diperbaiki atau perjanjian menetapkan kode yang berlaku "
        "(copies.prevails).",
        f"{rows} rows of {people} people hold different codes; they are answered «ambiguous», "
        "unless the rows are corrected or the agreement says which code prevails "
        "(copies.prevails).",
    )

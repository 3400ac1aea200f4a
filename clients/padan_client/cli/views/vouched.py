"""What a provider's keys find, by the fields that a row has, as ``padan publish`` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.common import out
from padan_client.cli.views import estimates as shares
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    from padan_linkage.direct.manifest import KeyedFields


def show_found(given: Sequence[KeyedFields]) -> None:
    """A row for each combination of fields that some key is for; the others are undecided.

    And one for each number of keys, where names of one word are asked for under fewer.
    """
    table = Sheet(t("Yang ditemukan", "Who is found"))
    table.add_column(t("ruas baris", "fields of a row"))
    headings = (
        t("kunci", "keys"),
        t("ditanyakan", "asked"),
        t("sama", "alike"),
        t("rusak", "damaged"),
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    for each in given:
        if each.keys:
            table.add_row(
                " + ".join(each.fields),
                number(len(each.keys)),
                number(each.asked),
                shares.shown(each.found),
                shares.shown(each.damaged),
            )
    out.print(table)
    out.print(
        t(
            "Bagian orang terdaftar yang ditemukan bila nilainya sama, dan bila rusak seperti "
            "lazimnya. Baris dengan ruas lain dijawab belum dapat dipastikan.",
            "Share of registered people who are found where values agree, and where they are "
            "damaged as is usual. Rows with other fields are undecided.",
        ),
        style="dim",
    )

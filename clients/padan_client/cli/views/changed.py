"""Answers that changed, as ``padan correct`` shows them, and which registry answers now."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.common import out, say
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    import pyarrow as pa

    from padan_client.base.place import FlowPlace
    from padan_client.results.changes import EarlierResult, RegistryFacts
    from padan_client.results.table import ConfirmResult


def before_asking(
    earlier: EarlierResult, present: tuple[RegistryFacts, ...], place: FlowPlace
) -> str:
    """What is known before a row is asked about, and what asking again costs."""
    then = ", ".join(sorted(by.edition for by in earlier.answered_by)) or "–"
    rows, party = number(earlier.table.num_rows), place.party_names[place.flow.provider]
    return t(
        f"Hasil ini dijawab registri terdahulu, edisi {then}; yang berlaku kini edisi "
        f"{_named(present)}. Baris mana yang berubah baru diketahui bila {rows} baris itu "
        f"ditanyakan lagi kepada {party}, dan itu memakai kuota seperti daftar baru.",
        f"An earlier registry answered this result, edition {then}; what answers now is edition "
        f"{_named(present)}. Which rows changed is known only when the {rows} rows are asked of "
        f"{party} again, which uses quota as a new list does.",
    )


def still_answered_by(present: tuple[RegistryFacts, ...]) -> str:
    """That nothing can have changed."""
    return t(
        f"Tidak ada yang berubah: yang berlaku masih edisi {_named(present)}. Tidak ada yang "
        "ditanyakan.",
        f"Nothing changed: what answers is still edition {_named(present)}. Nothing was asked.",
    )


def show(changed: pa.Table) -> None:
    """The changes for a reader: from which answer to which, why that may be, how many rows."""
    from padan_client.results.changes import cause_texts, summarise

    changes = summarise(changed)
    if not changes:
        say(
            t(
                "Registri berubah, tetapi tidak satu pun jawaban atas daftar ini.",
                "The registry changed, but no answer to this list did.",
            )
        )
        return
    texts = cause_texts()
    table = Sheet()
    for heading in (t("dahulu", "before"), t("kini", "now"), t("sebab", "cause")):
        table.add_column(heading)
    table.add_column(t("baris", "rows"), justify="right")
    for change in changes:
        why = "; ".join(texts[word] for word in change.causes.split("; ") if word)
        table.add_row(change.before, change.now, why, number(change.rows))
    out.print(table)


def as_json(
    place: FlowPlace,
    way: str,
    earlier: EarlierResult,
    result: ConfirmResult | None,
    changed: pa.Table | None,
) -> dict[str, object]:
    """The keys that scripts rely on; without a result nothing was asked."""
    from padan_client.results.changes import summarise

    changes = [] if changed is None else summarise(changed)
    return {
        "agreement": place.agreement.id,
        "flow": place.flow.id,
        "mode": way,
        "rows": earlier.table.num_rows,
        "asked": result is not None,
        "editions_before": sorted(by.edition for by in earlier.answered_by),
        "edition": result.edition if result else None,
        "charged": result.charged if result else 0,
        "changed": sum(change.rows for change in changes),
        "changes": [asdict(change) for change in changes],
    }


def _named(present: tuple[RegistryFacts, ...]) -> str:
    """Editions and since when they answer, to the minute in UTC."""
    return ", ".join(
        t(
            f"{registry.by.edition} (sejak {registry.since:%Y-%m-%d %H:%M} UTC)",
            f"{registry.by.edition} (since {registry.since:%Y-%m-%d %H:%M} UTC)",
        )
        for registry in present
    ) or t("belum ada", "none")

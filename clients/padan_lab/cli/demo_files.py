"""``padan demo --registry … --list …``: what is given, and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.common import number, out, say
from padan_client.cli.options import pairs, statuses
from padan_lab.cli.shares import share
from padan_linkage.answering.outcomes import OUTCOME_WORDS

if TYPE_CHECKING:
    from padan_lab.demo.own_files import AnsweredList, OwnFiles, PlayedFiles


def own_files(
    registry: Path | None,
    lists: list[Path] | None,
    truths: list[Path] | None,
    columns: list[str] | None,
    status: list[str] | None,
    id_column: str | None,
    *,
    again: bool,
    restart: bool,
) -> OwnFiles | None:
    """The files given; None for generated people. Raises BadInputError for one without the rest."""
    from padan_lab.demo.own_files import OwnFiles

    if registry is None and not (lists or truths):
        return None
    if registry is None or not lists:
        raise BadInputError(
            t(
                "--registry dan --list diberikan bersama.",
                "--registry and --list are given together.",
            )
        )
    named = [next(iter((pairs([item], "--map") or {}).items())) for item in columns or []]
    return OwnFiles(
        registry,
        tuple(lists),
        tuple(truths or ()),
        tuple(named),
        statuses(status),
        id_column,
        again=again,
        restart=restart,
    )


def show(played: PlayedFiles) -> None:
    """A line a list, by outcome, and how right it was where the truth is known."""
    site = played.site
    title = t(
        f"{site.provider.upper()} menjawab {site.requester.upper()}, alur {site.flow_id}",
        f"{site.provider.upper()} answers {site.requester.upper()}, flow {site.flow_id}",
    )
    table = Table(title=title, title_justify="left")
    table.add_column(t("Daftar", "List"))
    titles = (t("Baris", "Rows"), *(word.replace("_", " ") for word in OUTCOME_WORDS))
    for name in (*titles, t("presisi", "precision"), t("perolehan", "recall"), t("Detik", "s")):
        table.add_column(name, justify="right")
    for asked in played.asked:
        table.add_row(*_cells(asked))
    out.print(table)
    for asked in played.asked:
        for line in _remarks(asked):
            say(f"{asked.list.name}: {line}")
    say(t(f"Semuanya di {site.folder}.", f"Everything is in {site.folder}."))


def _cells(asked: AnsweredList) -> list[str]:
    counts = [number(asked.outcomes.get(word, 0)) for word in OUTCOME_WORDS]
    score = asked.judgement.score if asked.judgement else None
    shares = [share(score.precision), share(score.recall)] if score else ["–", "–"]
    return [asked.list.name, number(asked.rows), *counts, *shares, f"{asked.seconds:.1f}"]


def _remarks(asked: AnsweredList) -> list[str]:
    """What a reader should know beside the counts."""
    said = [asked.error] if asked.error else []
    if moved := asked.before.get("differing"):
        rows = asked.before["rows"]
        said.append(
            t(
                f"{number(moved)} dari {number(rows)} baris yang sudah pernah ditanyakan dijawab "
                "lain.",
                f"{number(moved)} of {number(rows)} rows that were asked before are answered "
                "differently.",
            )
        )
    if asked.again is not None:
        said.append(
            t(
                f"ditanyakan lagi: {number(asked.again)} baris dijawab lain.",
                f"asked again: {number(asked.again)} rows are answered differently.",
            )
        )
    return said

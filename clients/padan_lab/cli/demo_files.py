"""``padan demo --registry … --list …``: what is given, and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.common import out, say
from padan_client.cli.options import pairs, statuses
from padan_lab.cli.shares import share
from padan_linkage.answering.outcomes import OUTCOME_WORDS

if TYPE_CHECKING:
    from padan_lab.demo.given_files import OwnFiles
    from padan_lab.demo.own_files import AnsweredList, PlayedFiles


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
    from padan_lab.demo.given_files import OwnFiles

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
    """What came of each list, by outcome, and how right it was where the truth is known."""
    site = played.site
    provider, requester = site.provider.upper(), site.requester.upper()
    say(
        t(
            f"{provider} menjawab {requester}, alur {site.flow_id}",
            f"{provider} answers {requester}, flow {site.flow_id}",
        )
    )
    for asked in played.asked:
        rows = t(f"{number(asked.rows)} baris", f"{number(asked.rows)} rows")
        _print(f"{asked.list.name}: {rows}, {decimal(asked.seconds, 1)} s")
        for line in (*_results(asked), *_remarks(asked)):
            _print(f"  {line}")
    if played.chosen.widened:
        _print(_why_widened(played))
    say(t(f"Semuanya di {site.folder}.", f"Everything is in {site.folder}."))


def _why_widened(played: PlayedFiles) -> str:
    """What the agreement was changed to, so that all lists go to one publication."""
    quota = played.chosen.flow.quota
    lists = number(quota.lists_per_epoch if quota else 0)
    accepted = ", ".join(risk.value for risk in played.chosen.flow.accepts)
    return t(
        f"Agar semua daftar ditanyakan kepada satu pengumuman registri, perjanjian peragaan ini "
        f"mengizinkan {lists} daftar tiap epok dan menerima risikonya (accepts: {accepted}): orang "
        "yang berulang dalam satu epok mengaitkan barisnya antarjalur di unit. Tanpa itu setiap "
        "daftar memerlukan epok dan pengumuman baru (proto/spec/11-cover.md).",
        f"So that all lists go to one publication of the registry, this demonstration's agreement "
        f"allows {lists} lists an epoch and accepts what that risks (accepts: {accepted}): people "
        "who recur in one epoch tie their rows of several passes together at the unit. Without it "
        "every list needs a new epoch and publication (proto/spec/11-cover.md).",
    )


def _print(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _results(asked: AnsweredList) -> list[str]:
    """The outcomes, and the shares that are right."""
    counts = [(word, asked.outcomes[word]) for word in OUTCOME_WORDS if word in asked.outcomes]
    lines = [", ".join(f"{word.replace('_', ' ')} {number(rows)}" for word, rows in counts)]
    if asked.judgement:
        score, wrong = asked.judgement.score, asked.judgement.wrong_per_stranger
        lines.append(
            t(
                f"presisi {share(score.precision)}, perolehan {share(score.recall)}, salah tiap "
                f"orang asing {share(wrong)}",
                f"precision {share(score.precision)}, recall {share(score.recall)}, wrong a "
                f"stranger {share(wrong)}",
            )
        )
    return lines


def _remarks(asked: AnsweredList) -> list[str]:
    """What a reader should know beside the counts."""
    said = [asked.error] if asked.error else []
    if asked.without:
        missing = ", ".join(asked.without)
        said.append(t(f"tidak memuat {missing}.", f"has no {missing}."))
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

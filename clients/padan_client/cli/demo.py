"""``padan demo``: the whole thing on this machine, on generated people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from padan_client.cli.common import JsonFlag, err, number, out, print_json, reports_errors
from padan_client.language import current_language, t

if TYPE_CHECKING:
    from padan_client.demo.play import Played


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="demo")(demo)


@reports_errors
def demo(
    *,
    agreement: Annotated[
        str, typer.Option(help="Perjanjian contoh. / Example agreement.")
    ] = "kemnaker-bkn-2024",
    flow: Annotated[str, typer.Option(help="Alur. / Flow.")] = "asn-status",
    mode: Annotated[str, typer.Option("--mode", help="unit | direct | auto")] = "unit",
    population: Annotated[
        int, typer.Option(min=1, help="Baris registri. / Registry rows.")
    ] = 200_000,
    candidates: Annotated[
        int, typer.Option(min=1, help="Baris daftar. / Rows of the list.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Benih data buatan. / Seed.")] = 1,
    folder: Annotated[
        Path, typer.Option("--out", help="Folder hasil. / Folder for everything.")
    ] = Path("padan-demo"),
    json_: JsonFlag = False,
) -> None:
    """Peragaan: satu unit, dua instansi, orang buatan. / Demonstration on generated people."""
    from padan_client.demo.play import play

    def announce(line: str) -> None:
        if not json_:
            err.print(f"[green]✓[/] {line}", highlight=False)

    played = play(
        agreement,
        flow,
        mode=mode,
        population=population,
        candidates=candidates,
        seed=seed,
        folder=folder,
        announce=announce,
    )
    if json_:
        print_json(played.as_json())
    else:
        _show(played)


def _show(played: Played) -> None:
    stage = played.stage
    provider, requester = stage.provider.upper(), stage.requester.upper()
    title = t(
        f"{provider} menjawab {requester} menurut {stage.agreement_id}, alur {stage.flow_id}",
        f"{provider} answers {requester} under {stage.agreement_id}, flow {stage.flow_id}",
    )
    table = Table(title=title, title_justify="left")
    table.add_column(t("Jawaban", "Answer"))
    table.add_column(t("Baris", "Rows"), justify="right")
    for code, rows in played.confirmed["counts"].items():
        table.add_row(_wording(played, code), number(int(rows)))
    out.print(table)
    if ways := played.confirmed["ways"]:
        shown = ", ".join(f"{way} {number(int(rows))}" for way, rows in ways.items())
        out.print(t(f"Cara: {shown}.", f"Ways: {shown}."), highlight=False)
    score = played.score
    out.print(
        t(
            f"{number(played.candidates)} calon × {number(played.population)} baris registri; "
            f"{number(score.in_registry)} calon memang terdaftar.",
            f"{number(played.candidates)} candidates × {number(played.population)} registry "
            f"rows; {number(score.in_registry)} candidates really are in it.",
        ),
        highlight=False,
    )
    out.print(
        t(
            f"Ketepatan {_share(score.precision)}, kelengkapan {_share(score.recall)} "
            f"(peragaan ini tahu kebenarannya), {sum(played.seconds.values()):.0f} detik.",
            f"Precision {_share(score.precision)}, recall {_share(score.recall)} "
            f"(the demonstration knows the truth), {sum(played.seconds.values()):.0f} seconds.",
        ),
        highlight=False,
    )
    if stage.simulated_time:
        out.print(
            t(
                f"Perjanjian ini tidak sedang berlaku: jam unit disimulasikan mulai "
                f"{stage.simulated_time:%Y-%m-%d}.",
                f"This agreement is not in force now: the unit's clock was simulated from "
                f"{stage.simulated_time:%Y-%m-%d}.",
            ),
            highlight=False,
        )
    out.print(
        t(
            f"Di {stage.folder}: codes.csv (jawaban), agreement/ (perjanjian bertanda tangan), "
            f"{_seen(played, 'semua yang dilihat')}, logs/.",
            f"In {stage.folder}: codes.csv (answers), agreement/ (signed agreement), "
            f"{_seen(played, 'all it saw')}, logs/.",
        ),
        highlight=False,
    )


def _seen(played: Played, remark: str) -> str:
    """The data folders of the servers that ran."""
    servers = {"unit": ["unit"], "direct": ["provider"]}.get(played.mode, ["unit", "provider"])
    return ", ".join(f"{server}/data/ ({remark})" for server in servers)


def _wording(played: Played, code: str) -> str:
    """The agreement's own words for a code; ours for the outcomes that no code names."""
    flow = played.flow
    known = {c.code: c for c in (*flow.codes, flow.not_found, flow.ambiguous) if c is not None}
    if code in known:
        named = known[code]
        return f"«{named.text}»" + (f" ({named.gloss})" if current_language() == "en" else "")
    own = {
        "ganda": t("ganda: lebih dari satu baris cocok", "ambiguous: several rows match"),
        "karantina": t("karantina: baris tidak dapat dipakai", "quarantined: unusable row"),
    }
    return own.get(code, code)


def _share(value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{100 * value:.2f} %"
    return text if current_language() == "en" else text.replace(".", ",")

"""``padan games``: whole epochs are played; can trained classifiers tell two worlds apart?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.language import t
from padan_client.cli.asking import claim
from padan_client.cli.common import Exit, err, out, print_json, reports_errors
from padan_client.cli.options import ForceFlag, JsonFlag
from padan_client.cli.views.sheet import Sheet
from padan_lab.cli import PANEL

if TYPE_CHECKING:
    from padan_lab.games import Bench


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(games)


@reports_errors
def games(
    *,
    quick: Annotated[
        bool, typer.Option(help="Seribu permainan, belasan menit. / A thousand plays, minutes.")
    ] = False,
    game: Annotated[
        list[str] | None, typer.Option(help="Hanya permainan ini. / This game alone.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Orang dan pilihan lain. / Other people.")] = 1,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Laporan HTML. / HTML report.")
    ] = None,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Mainkan: dapatkah satu pihak membedakan dua dunia? / Can a party tell two worlds apart?"""
    from padan_client.base.files import write_private
    from padan_lab.demo.demonstration import require_server
    from padan_lab.games import as_json, play, render
    from padan_lab.games.program import FULL, QUICK

    require_server()
    claim(out_file, reads=[], force=force)
    with err.status(t("bermain", "playing")) as status:
        bench = play(
            game or [],
            QUICK if quick else FULL,
            seed,
            lambda what: status.update(t(f"bermain: {what}", f"playing: {what}")),
        )
    if out_file is not None:
        write_private(out_file, render(bench).encode())
    if json_:
        print_json(as_json(bench))
    else:
        _show(bench)
    if not bench.held:
        raise typer.Exit(Exit.DEFECT)


def _show(bench: Bench) -> None:
    """The worst part of every game, its control, and the verdict."""
    from padan_client.base.numbers import decimal
    from padan_lab.games.report import verdict

    sheet = Sheet(t("Siapa dapat membedakan apa", "Who can tell what apart"))
    sheet.add_column(t("permainan", "game"), no_wrap=True)
    for name in (
        t("pemain", "player"),
        t("bagian terburuk", "worst part"),
        "AUC",
        t("interval 99,9 %", "99.9 % interval"),
        t("pembanding dari", "control from"),
    ):
        sheet.add_column(name)
    for name, outcome in bench.games.items():
        area = outcome.parts[outcome.worst].area
        interval = f"{decimal(area.low, 3)}–{decimal(area.high, 3)}"
        sheet.add_row(
            name, outcome.party, outcome.worst, decimal(area.auc, 3), interval,
            decimal(outcome.control, 3),
        )  # fmt: skip
    out.print(sheet)
    for name, bound in bench.bounds.items():
        told = f"{name}: {decimal(bound.bits, 4)} ≤ {decimal(bound.limit, 4)} bit"
        out.print(f"{told} ({t('tanpa batas', 'unbounded')} {decimal(bound.control, 4)})")
    out.print(verdict(bench))

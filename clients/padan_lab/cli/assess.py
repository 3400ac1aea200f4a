"""``padan assess``: what a curious linkage unit could do with one's own encodings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from padan_client.base.language import t
from padan_client.cli.asking import claim
from padan_client.cli.common import Exit, err, fail, out, print_json, reports_errors
from padan_client.cli.options import ForceFlag, JsonFlag, MapOption, pairs
from padan_client.cli.views.sheet import Sheet
from padan_lab.cli import PANEL

if TYPE_CHECKING:
    from padan_lab.assess import Assessment
    from padan_lab.assess.suite import Rate


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(assess)


@reports_errors
def assess(
    encodings: Annotated[
        Path,
        typer.Argument(
            help="Folder dari rehearse --dump-encodings atau encode. / Folder of either command."
        ),
    ],
    *,
    population: Annotated[
        Path | None,
        typer.Option(
            help="Apa yang diketahui penyerang; bawaan: orang yang disandikan. / What the attacker "
            "knows; by default the encoded persons."
        ),
    ] = None,
    side: Annotated[
        str, typer.Option(help="a: daftar, b: registri. / a: list, b: registry.")
    ] = "a",
    map_: MapOption = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Laporan HTML. / HTML report.")
    ] = None,
    quick: Annotated[
        bool, typer.Option(help="Kecil, satu dua menit. / Small, a minute or two.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Agar terulang persis. / To repeat it.")] = 1,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Serang sandi sendiri seperti unit pemadan yang ingin tahu. / Attack your own encodings."""
    from padan_client.base.files import write_private

    _require_extra()
    if side not in {"a", "b"}:
        raise typer.BadParameter("a | b", param_hint="--side")
    claim(out_file, reads=[population], force=force)
    from padan_lab.assess import as_json, render
    from padan_lab.assess import assess as run

    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(t("menyerang", "attacking"), total=None)

        def tell(what: str, done: int, steps: int) -> None:
            said = t(f"menyerang: {what}", f"attacking: {what}")
            bar.update(task, description=said, completed=done, total=steps)

        found = run(
            encodings,
            population,
            side=side,
            columns=pairs(map_, "--map"),
            quick=quick,
            seed=seed,
            progress=tell,
        )
    if out_file is not None:
        write_private(out_file, render(found).encode())
    if json_:
        print_json(as_json(found))
    else:
        _show(found)


def _require_extra() -> None:
    if any(find_spec(name) is None for name in ("scipy", "matplotlib")):
        fail(
            Exit.BAD_INPUT,
            t(
                "Perintah ini memerlukan scipy dan matplotlib: pasang padan[assess].",
                "This command needs scipy and matplotlib: install padan[assess].",
            ),
        )


def _show(found: Assessment) -> None:
    """The rates a pass, then what they mean."""
    from padan_lab.assess.words import percent, verdict

    table = Sheet(t("Orang yang dikenali kembali", "Persons re-identified"))
    table.add_column(t("jalur", "pass"), no_wrap=True)
    for name in (
        t("serangan", "attack"),
        t("yang terlihat", "sees"),
        t("orang", "persons"),
        t("tebakan", "guess"),
        t("batas", "limit"),
        t("kelompok", "groups"),
        t("kelompok diketahui", "group known"),
    ):
        table.add_column(name)
    for p in found.passes:
        for rate in p.rates:
            _row(table, p.p.id, rate, p.limits[rate.view])
    for rate in found.alignment:
        _row(table, "*", rate, None)
    out.print(table)
    fallen = Sheet(t("Pembanding yang harus jatuh", "Controls that must fall"))
    for name in (t("sandi", "encoding"), t("serangan", "attack"), t("orang", "persons")):
        fallen.add_column(name)
    for control in found.controls:
        fallen.add_row(control.kind, control.rate.attack, percent(control.rate.persons))
    out.print(fallen)
    if found.ingredients:
        out.print(_without(found))
    for line in verdict(found):
        out.print(line)


def _without(found: Assessment) -> Sheet:
    """What each part of the encoding is worth."""
    from padan_lab.assess.words import interval

    title = t(
        "Tanpa salah satu bagian, orang dan benih yang sama",
        "Without one of its parts, the same people and seed",
    )
    sheet = Sheet(f"{title}: {found.ingredients[0].pass_id}")
    for name in (t("tanpa", "without"), t("serangan", "attack"), t("orang", "persons")):
        sheet.add_column(name)
    for i in found.ingredients:
        sheet.add_row(i.without or "–", i.rate.attack, interval(i.rate))
    return sheet


def _row(table: Sheet, name: str, rate: Rate, limit: float | None) -> None:
    from padan_lab.assess.words import interval, percent, view_name

    table.add_row(
        name, rate.attack, view_name(rate.view), interval(rate), percent(rate.guess),
        percent(limit), percent(rate.groups), percent(rate.known),
    )  # fmt: skip

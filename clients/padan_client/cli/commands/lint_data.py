"""``padan lint-data``: what is wrong with a file, before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.asking import claim
from padan_client.cli.common import err, out, print_json, reports_errors
from padan_client.cli.options import (
    ForceFlag,
    JsonFlag,
    MapOption,
    SheetOption,
    TableArgument,
    pairs,
)
from padan_client.cli.views.lines import SayOnce
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    from padan_client.lint import LintReport
    from padan_client.lint.report import DataFinding
    from padan_linkage.schema import Schema

_STYLES = {"ditolak": "red", "periksa": "yellow", "catatan": "dim"}
_VERDICTS = {
    "wajar": "within usual",
    "di atas wajar": "above usual",
    "jauh di atas wajar": "far above usual",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lint-data")(lint_data)


@reports_errors
def lint_data(
    file: TableArgument,
    *,
    flow: Annotated[
        str | None,
        typer.Option("--flow", "-f", help="Periksa untuk alur ini. / Check for this flow."),
    ] = None,
    agreement: Annotated[
        str | None,
        typer.Option(
            "--agreement",
            "-a",
            help="Id contoh perjanjian, atau berkasnya. / Id of an example agreement, or its file.",
        ),
    ] = None,
    map_: MapOption = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Tanpa alur: KOLOM=jenis. / Without a flow: COLUMN=kind."),
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="CSV baris yang perlu dilihat. / CSV of rows to look at."),
    ] = None,
    sheet: SheetOption = None,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Periksa berkas sebelum dipakai; isinya tidak diubah. / Check a file before its use."""
    from rich.progress import Progress

    from padan_client.lint import fields_of_file, fields_of_schema, lint

    claim(quarantine, reads=[file], force=force)
    columns = pairs(map_, "--map")
    schema = None if flow is None else _schema(flow, agreement)
    kinds, said = pairs(kind, "--kind") or {}, SayOnce()
    with Progress(console=err, disable=not err.is_terminal) as bars:
        bar = bars.add_task(t("memeriksa", "checking"), total=None)
        report = lint(
            file,
            lambda head: (
                fields_of_file(head, kinds)
                if schema is None
                else fields_of_schema(schema, head, columns, said)
            ),
            quarantine=quarantine,
            sheet=sheet,
            tell=said,
            progress=lambda done, total: bars.update(bar, completed=done, total=total),
        )
    if json_:
        print_json(report.as_json())
    else:
        _show(report, quarantine)


def _schema(flow: str, agreement: str | None) -> Schema:
    """The flow's schema, from an agreement file or example; from any example if none is named."""
    from padan_client.home.agreement_files import parsed, template
    from padan_linkage.agreement import EXAMPLE_IDS

    sources = [agreement] if agreement is not None else list(EXAMPLE_IDS)
    flows = [f for source in sources for f in parsed(template(source)).flows]
    found = [f for f in flows if f.id == flow and f.schema is not None]
    if len(found) == 1 and found[0].schema is not None:
        return found[0].schema
    known = ", ".join(f.id for f in flows if f.schema is not None)
    raise BadInputError(
        t(
            f"Alur {flow} dengan skema tidak ditemukan. Yang ada: {known}.",
            f"No flow {flow} with a schema. There are: {known}.",
        )
    )


def _show(report: LintReport, quarantine: Path | None) -> None:
    columns = Sheet(t("Kolom, terburuk dahulu", "Columns, worst first"))
    for name in (
        t("ruas", "field"), t("kolom", "column"), t("terisi", "filled"), t("kosong", "empty"),
        t("perlu dilihat", "to look at"), "%",
    ):  # fmt: skip
        columns.add_column(name)
    for c in report.worst_first():
        columns.add_row(
            c.field, c.column, number(c.filled), number(report.rows - c.filled),
            number(c.troubled), _percent(c.troubled / max(1, c.filled)),
        )  # fmt: skip
    out.print(columns)
    found = Sheet(t("Temuan", "Findings"))
    for name in (
        t("kolom", "column"), t("temuan", "finding"), t("jumlah", "count"), "%",
        t("wajar", "usual"), t("penilaian", "verdict"), t("saran", "advice"),
    ):  # fmt: skip
        found.add_column(name)
    for f in sorted(report.findings, key=lambda f: (list(_STYLES).index(f.severity), -f.share)):
        found.add_row(*_cells(f), style=_STYLES[f.severity])
    out.print(found)
    _say_rest(report, quarantine)


def _cells(f: DataFinding) -> tuple[str, ...]:
    usual = "–" if f.expected is None else f"≤ {_percent(f.expected)}"
    verdict = t(f.verdict.value, _VERDICTS.get(f.verdict.value, f.verdict.value))
    return f.column, f.text, number(f.count), _percent(f.share), usual, verdict, f.advice


def _say_rest(report: LintReport, quarantine: Path | None) -> None:
    rows, noted, notes = map(number, (report.rows, report.quarantined, report.notes))
    lines = [t(f"{rows} baris diperiksa; berkas tidak diubah.",
               f"{rows} rows checked; the file is unchanged.")]  # fmt: skip
    if report.absent:
        names = ", ".join(report.absent)
        lines.append(
            t(
                f"Tidak ada kolom untuk: {names}. Sebutkan dengan --map ruas=KOLOM bila ada.",
                f"No column for: {names}. If there is one, name it with --map field=COLUMN.",
            )
        )
    if quarantine is not None:
        lines.append(
            t(
                f"{notes} catatan tentang {noted} baris di {quarantine} (tanpa nilai; nomor baris "
                "data dari 1).",
                f"{notes} notes on {noted} rows in {quarantine} (no values; data rows numbered "
                "from 1).",
            )
        )
    elif report.quarantined:
        lines.append(
            t(
                f"{notes} catatan tentang {noted} baris: tulis dengan --out karantina.csv.",
                f"{notes} notes on {noted} rows: write them with --out quarantine.csv.",
            )
        )
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _percent(share: float) -> str:
    return decimal(100 * share, 2)

"""``padan confirm``: a list in, a file of codes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.table import Table

from padan_client.cli.common import (
    Exit,
    HomeOption,
    JsonFlag,
    default_home,
    fail,
    number,
    out,
    print_json,
    reports_errors,
)
from padan_client.cli.opening import (
    AgreementOption,
    FlowOption,
    MapOption,
    ModeOption,
    QuarantineOption,
    open_home,
    pairs,
    say,
)
from padan_client.cli.progress import progress_bars
from padan_client.language import t

if TYPE_CHECKING:
    from padan_client.results import ConfirmResult
    from padan_linkage.agreement import Flow

_HOME = default_home()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(confirm)


@reports_errors
def confirm(
    file: Annotated[Path, typer.Argument(help="CSV atau Parquet. / CSV or Parquet.")],
    agreement: AgreementOption,
    flow: FlowOption,
    out_file: Annotated[
        Path, typer.Option("--out", "-o", help="Berkas kode. / File of codes (.csv, .parquet).")
    ],
    *,
    id_column: Annotated[
        str | None, typer.Option("--id", help="Kolom id baris. / Column that names the rows.")
    ] = None,
    map_: MapOption = None,
    mode: ModeOption = None,
    controls: Annotated[
        Path | None,
        typer.Option(
            "--controls",
            help="Rekaman kontrol dengan kolom kode, dicampurkan. / Control records to mix in.",
        ),
    ] = None,
    hide_found: Annotated[
        bool,
        typer.Option(
            "--hide-found",
            help="Mode langsung: sembunyikan jumlah yang ditemukan; lebih banyak kuota. / "
            "Direct mode: hide how many are found; takes more quota.",
        ),
    ] = False,
    quarantine: QuarantineOption = None,
    home: HomeOption = _HOME,
    json_: JsonFlag = False,
) -> None:
    """Minta kode konfirmasi untuk sebuah daftar. / Ask the confirmation codes of a list."""
    from padan_client.controls import ControlError
    from padan_client.records import read_table
    from padan_client.requester import RequesterClient, chosen_mode
    from padan_client.tables import require_writable, write_table

    require_writable(out_file, quarantine)
    table = read_table(file)

    def deliver(result: ConfirmResult) -> None:
        if quarantine:
            write_table(quarantine, result.quarantine)
        write_table(out_file, result.table)

    known = read_table(controls) if controls else None
    opened = open_home(home)
    place = opened.place(agreement, flow)
    dishonest: ControlError | None = None
    with progress_bars() as report, RequesterClient(opened, agreement, flow) as client:
        try:
            result = client.confirm(
                table,
                mode=mode,
                columns=pairs(map_, "--map"),
                id_column=id_column,
                controls=known,
                hide_found=hide_found,
                deliver=deliver,
                progress=report,
            )
        except ControlError as error:
            result, dishonest = error.result, error
    if json_:
        print_json(
            {
                **_as_json(result, out_file, quarantine),
                "agreement": agreement,
                "flow": flow,
                "mode": chosen_mode(place, mode),
            }
        )
    else:
        out.print(_counts_table(place.flow, result))
        say(t(f"Kode ditulis ke {out_file}.", f"Codes written to {out_file}."))
        if result.skipped:
            say(result.skipped)
    if dishonest:
        raise dishonest
    if not result.run:
        _fail_without_a_row()


def _fail_without_a_row() -> NoReturn:
    fail(
        Exit.BAD_INPUT,
        t(
            "Tidak ada satu pun baris yang dapat dipadankan; lihat karantina (--quarantine).",
            "Not one row can be matched; see the quarantine (--quarantine).",
        ),
    )


def _as_json(result: ConfirmResult, out_file: Path, quarantine: Path | None) -> dict[str, object]:
    report = result.controls
    return {
        "run": result.run,
        "rows": result.table.num_rows,
        "counts": dict(result.counts),
        "quarantined": result.quarantine.num_rows,
        "unopened": result.unopened,
        "out": str(out_file),
        "quarantine": str(quarantine) if quarantine else None,
        "passes": [
            {
                "pass": p.pass_id,
                "mode": p.mode,
                "matched_rows": p.matched_rows,
                "ambiguous_rows": p.ambiguous_rows,
                "estimated_precision": p.precision,
                "estimated_recall": p.recall,
            }
            for p in result.passes
        ],
        "ways": _ways(result),
        "evaluated": dict(result.evaluated),
        "skipped": result.skipped,
        "controls": {"asked": report.asked, "wrong": list(report.wrong)} if report else None,
    }


def _ways(result: ConfirmResult) -> dict[str, int]:
    """Rows by the way they were answered; empty in unit mode, which has one way."""
    if "cara" not in result.table.column_names:
        return {}
    counted = result.table["cara"].value_counts().to_pylist()
    return {entry["values"]: entry["counts"] for entry in counted if entry["values"]}


def _counts_table(flow: Flow, result: ConfirmResult) -> Table:
    """Codes, their wording, and how many rows got each."""
    own = {
        "ganda": t("lebih dari satu orang cocok; periksa", "more than one person fits; look"),
        "karantina": t("tidak diproses; lihat karantina", "not processed; see the quarantine"),
    }
    texts = {code.code: code.text for code in (*flow.codes, flow.not_found, flow.ambiguous) if code}
    table = Table()
    table.add_column(t("kode", "code"))
    table.add_column(t("keterangan", "wording"))
    table.add_column(t("baris", "rows"), justify="right")
    table.add_column("%", justify="right")
    for code, rows in result.counts.items():
        share = 100 * rows / max(1, result.table.num_rows)
        table.add_row(
            code,
            texts.get(code, own.get(code, "")),
            number(rows),
            t(f"{share:.1f}".replace(".", ","), f"{share:.1f}"),
        )
    return table

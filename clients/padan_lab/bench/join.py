"""``padan bench join``: rows of equal tokens, beside DuckDB and pyarrow."""

from __future__ import annotations

from typing import Annotated

import typer

from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.report import BenchReport, PlotOption, RoundsOption, announce, pinned


@reports_errors
def command(
    *,
    rows: Annotated[
        int, typer.Option(min=16, help="Baris registri. / Registry rows.")
    ] = 10_000_000,
    list_rows: Annotated[
        int, typer.Option("--asked", min=16, help="Baris daftar. / Rows of the list.")
    ] = 1_000_000,
    width: Annotated[
        int,
        typer.Option("--bytes", min=16, max=32, help="Panjang token: 16, 24, 32. / Its length."),
    ] = 16,
    rounds: RoundsOption = 3,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Token yang sama di dua tabel: Padan, DuckDB, pyarrow. / Equal tokens of two tables."""
    from padan_lab.bench.rates.join_rates import one_core, workload

    announce(json_, t("membuat token", "making tokens"))
    shape = {"rows": rows, "asked": list_rows, "bytes": width // 8 * 8, "rounds": rounds}
    report = BenchReport("join", dict(shape))
    with pinned(1):
        work = workload(rows, list_rows, width // 8)
        announce(json_, t("mengukur", "measuring"))
        one_core(report, work, rounds)
    report.publish(json_=json_, plot=plot)

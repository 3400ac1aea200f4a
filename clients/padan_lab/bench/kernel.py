"""``padan bench kernel``: all pairs with Dice ≥ t, beside anonlink and faiss."""

from __future__ import annotations

from typing import Annotated

import typer

from padan_client.base.language import t
from padan_client.cli.common import JsonFlag, reports_errors
from padan_lab.bench.report import PlotOption, Report, RoundsOption, announce, pinned


@reports_errors
def command(
    *,
    rows: Annotated[int, typer.Option(min=16, help="Baris tabel. / Rows of a table.")] = 16_384,
    bits: Annotated[int, typer.Option(min=64, help="Panjang filter. / Filter length.")] = 1024,
    rounds: RoundsOption = 5,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Semua pasangan dengan Dice ≥ t: Padan, anonlink, faiss. / All pairs with Dice ≥ t."""
    from padan_lab.bench.rates.kernel_rates import (
        THRESHOLDS,
        one_core,
        start_up,
        two_cores,
        workload,
    )

    announce(json_, t("membuat filter", "making filters"))
    work = workload(rows, bits)
    report = Report("kernel", {"rows": rows, "bits": bits, "rounds": rounds, **work.shape()})
    with pinned(1):
        for threshold in THRESHOLDS:
            announce(json_, f"Dice ≥ {threshold}")
            one_core(report, work, threshold, rounds)
    announce(json_, t("dua inti", "two cores"))
    two_cores(report, work, rounds)
    announce(json_, t("panggilan pertama", "first call"))
    start_up(report)
    report.publish(json_=json_, plot=plot)

"""``padan bench kernel``: candidates of a pass as a run finds them, beside anonlink and faiss."""

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
    rows: Annotated[int, typer.Option(min=16, help="Baris tabel. / Rows of a table.")] = 8192,
    bits: Annotated[
        int, typer.Option(min=64, max=4096, help="Panjang filter. / Filter length.")
    ] = 1024,
    rounds: RoundsOption = 5,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Calon pasangan satu tahap, dengan kode suatu run. / Candidates of a pass, by a run's code."""
    from padan_lab.bench.rates.filters import weight_of
    from padan_lab.bench.rates.kernel_rates import one_core, start_up, two_cores, workloads

    bits = bits // 64 * 64
    announce(json_, t("membuat filter", "making filters"))
    shape = {"rows": rows, "bits": bits, "weight": weight_of(bits), "rounds": rounds}
    report = BenchReport("kernel", dict(shape))
    with pinned(1):
        for name, work in workloads(rows, bits).items():
            announce(json_, t(f"satu inti, {name}", f"one core, {name}"))
            one_core(report, name, work, rounds)
    announce(json_, t("dua inti", "two cores"))
    two_cores(report, rows, bits, rounds)
    announce(json_, t("panggilan pertama", "first call"))
    start_up(report)
    report.publish(json_=json_, plot=plot)

"""``padan bench voprf``: direct mode beside its library's bare loop, and end to end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.report import BenchReport, PlotOption, RoundsOption, announce, usable_cores


@reports_errors
def command(
    *,
    elements: Annotated[
        int, typer.Option(min=1024, help="Elemen tiap putaran. / Elements a round.")
    ] = 8192,
    rounds: RoundsOption = 3,
    population: Annotated[
        int, typer.Option(min=100, help="Baris registri. / Registry rows.")
    ] = 50_000,
    candidates: Annotated[
        int, typer.Option(min=100, help="Baris daftar. / Rows of the list.")
    ] = 20_000,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder kerja baru. / New folder to work in.")
    ] = None,
    psi: Annotated[
        Path | None,
        typer.Option(
            "--with-psi",
            help="Folder lingkungan OpenMined PSI; dibuat bila belum ada. / Its environment.",
        ),
    ] = None,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Mode langsung: laju, skala, dari registri sampai kode. / Rates, scaling, end to end."""
    from padan_lab.bench.peers.psi import measure
    from padan_lab.bench.rates.direct_rates import whole_way
    from padan_lab.bench.rates.voprf_rates import primitives, scaling
    from padan_lab.demo.demonstration import claim_folder

    cores = usable_cores()
    measured: dict[str, object] = {"elements": elements, "rounds": rounds}
    announce(json_, t("operasi dasar", "primitives"))
    rates = primitives(elements, rounds)
    over = rates.pop("ours_over_library")
    assert isinstance(over, dict)
    measured |= rates
    announce(json_, t("skala", "scaling"))
    measured["scaling"] = scaling(elements, rounds)
    announce(json_, t("dari registri sampai kode", "end to end"))
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "bench"
        claim_folder(place)
        measured["end_to_end"] = whole_way(place, population, candidates, cores)
    if psi:
        announce(json_, "OpenMined PSI")
        measured["openmined_psi"] = measure(psi, elements, elements)
    ratios = {f"voprf_{name}_vs_library": ratio for name, ratio in over.items()}
    BenchReport("voprf", measured, ratios).publish(json_=json_, plot=plot)

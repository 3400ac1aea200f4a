"""``padan bench``: measurements on this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from padan_client.cli.common import JsonFlag, err, out, print_json, reports_errors
from padan_client.language import t

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Pengukuran di mesin ini. / Measurements on this machine."""


@app.command()
@reports_errors
def voprf(
    *,
    elements: Annotated[
        int, typer.Option(min=1024, help="Elemen tiap putaran. / Elements a round.")
    ] = 8192,
    rounds: Annotated[int, typer.Option(min=1, help="Putaran. / Rounds.")] = 3,
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
) -> None:
    """Mode langsung: laju, skala, dari registri sampai kode. / Rates, scaling, end to end."""
    from padan_client.bench.direct import whole_way
    from padan_client.bench.psi_peer import measure
    from padan_client.bench.voprf import primitives, scaling
    from padan_client.demo.play import claim_folder

    def announce(text: str) -> None:
        if not json_:
            err.print(f"… {text}", highlight=False)

    cores = len(os.sched_getaffinity(0))
    measured: dict[str, object] = {"cores": cores, "elements": elements, "rounds": rounds}
    announce(t("operasi dasar", "primitives"))
    measured |= primitives(elements, rounds)
    announce(t("skala", "scaling"))
    measured["scaling"] = scaling(elements, rounds)
    announce(t("dari registri sampai kode", "end to end"))
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "bench"
        claim_folder(place)
        measured["end_to_end"] = whole_way(place, population, candidates, cores)
    if psi:
        announce("OpenMined PSI")
        measured["openmined_psi"] = measure(psi, elements, elements)
    if json_:
        print_json(measured)
    else:
        for name, value in measured.items():
            if isinstance(value, dict):
                out.print(_shown(name, value))


def _shown(title: str, values: dict[str, object]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in values.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    return table

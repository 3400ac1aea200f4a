"""``padan bench voprf``: direct mode's steps beside their peers, and the whole way."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.report import (
    BenchReport,
    PlotOption,
    RoundsOption,
    announce,
    pinned,
    rounded,
    usable_cores,
)


@reports_errors
def command(
    *,
    elements: Annotated[
        int, typer.Option(min=1024, help="Elemen tiap putaran. / Elements a round.")
    ] = 8192,
    rounds: RoundsOption = 5,
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
    """Mode langsung di samping pesaingnya, dan seluruhnya. / Direct mode, its peers, all of it."""
    if find_spec("voprf") is None:
        raise BadInputError(
            t(
                "Perintah ini memerlukan voprf: pasang padan[bench].",
                "This command needs voprf: install padan[bench].",
            )
        )
    from padan_lab.bench.rates.direct_rates import whole_way
    from padan_lab.bench.rates.ifma_limit import multiplication
    from padan_lab.bench.rates.voprf_scaling import two_over_one
    from padan_lab.demo.demonstration import claim_folder

    report = BenchReport("voprf", {"elements": elements, "rounds": rounds})
    with pinned(1):
        announce(json_, t("satu inti", "one core"))
        _one_core(report, elements, rounds)
        if psi:
            announce(json_, "OpenMined PSI")
        _beside_psi(report, elements, psi)
        announce(json_, t("satu perkalian skalar", "one scalar multiplication"))
        report.measured["multiplication"] = multiplication(rounds)
    announce(json_, t("dua inti", "two cores"))
    if usable_cores() < 2:
        report.absent.append(t("hanya satu inti", "only one core: nothing to scale over"))
    else:
        scaled = two_over_one(elements, rounds)
        report.ratios |= {f"{step}_2c_over_1c": ratio for step, ratio in scaled.items()}
    announce(json_, t("dari registri sampai kode", "end to end"))
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "bench"
        claim_folder(place)
        report.measured["end_to_end"] = whole_way(place, population, candidates, usable_cores())
    report.publish(json_=json_, plot=plot)


def _one_core(report: BenchReport, elements: int, rounds: int) -> None:
    """Padan and the libraries in turns, on every backend that this processor can run."""
    from padan_lab.bench.rates.voprf_rates import LIBRARY, SODIUM, STEPS, OneCore, other_backend

    used = OneCore.measure(elements, rounds)
    report.measured["backend"] = used.described()
    report.measured["per_second_1c"] = used.per_second()
    for peer in (LIBRARY, SODIUM):
        for step in STEPS:
            if peer in used.seconds[step]:
                report.ratios[f"{step}_vs_{peer}"] = used.ratio(step, peer)
    if SODIUM not in used.seconds["build"]:
        report.absent.append(
            t(
                "libsodium dengan ristretto255 tidak ada di mesin ini, jadi tidak dibandingkan",
                "libsodium with ristretto255 is not on this machine, so it is left out",
            )
        )
    other = other_backend(elements, rounds)
    if other is None:
        return
    report.measured[f"per_second_1c_{other.backend}"] = other.per_second()
    for step in STEPS:
        report.ratios[f"{step}_{other.backend}_vs_{LIBRARY}"] = other.ratio(step, LIBRARY)


def _beside_psi(report: BenchReport, elements: int, folder: Path | None) -> None:
    """OpenMined PSI's steps that do the same work on a set: setup, request, response."""
    from padan_lab.bench.peers.psi import measure

    if folder is None:
        report.absent.append(
            t(
                "OpenMined PSI tidak dibandingkan: --with-psi FOLDER memasangnya tersendiri",
                "OpenMined PSI is left out: --with-psi FOLDER installs it apart",
            )
        )
        return
    theirs = report.measured["openmined_psi"] = measure(folder, elements, elements)
    ours = report.measured["per_second_1c"]
    assert isinstance(ours, dict)
    for step, name in (("build", "setup"), ("blind", "request"), ("evaluate", "response")):
        rate = theirs.get(f"{name}_per_second")
        if isinstance(rate, int):
            report.ratios[f"{step}_vs_openmined_psi"] = rounded(ours[step]["padan"] / rate)

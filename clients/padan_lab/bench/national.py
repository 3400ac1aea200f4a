"""``padan bench national``: a whole matching of national size on this machine, stage by stage.

The very commands that two agencies run, against a unit of its own: generate, publish (encode, seal,
upload), confirm (encode, upload, run, download, merge, open), compare with the truth.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.rates.measuring import Lap, Meter, folder_gib
from padan_lab.bench.rates.workbench import AGREEMENT, FLOW, lean_document
from padan_lab.bench.report import BenchReport, announce, rounded
from padan_lab.demo.deployment import Deployment, prepare, running
from padan_lab.generate import FileRequest, Format, Level, PopulationProfile, write_files
from padan_linkage.agreement import load_agreement


@reports_errors
def command(
    *,
    requester: Annotated[int, typer.Option(min=1, help="Baris daftar. / List rows.")] = 200_000,
    provider: Annotated[
        int, typer.Option(min=1, help="Baris registri. / Registry rows.")
    ] = 100_000,
    overlap: Annotated[
        float,
        typer.Option(min=0, max=1, help="Bagian daftar yang terdaftar. / Share of the list in it."),
    ] = 0.5,
    copies: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=0.9,
            help="Bagian baris registri yang salinan hampir sama; bawaan: seperti biasanya. / "
            "Share of registry rows that are near copies; default: what is usual.",
        ),
    ] = None,
    agreement: Annotated[str, typer.Option(help="Contoh perjanjian. / Example.")] = AGREEMENT,
    flow: Annotated[str, typer.Option(help="Alur. / Flow.")] = FLOW,
    profile: Annotated[
        PopulationProfile, typer.Option(help="Jenis berkas. / Kind of files.")
    ] = PopulationProfile.ASN,
    passes: Annotated[
        str, typer.Option(help="Hanya jalur ini, dipisah koma. / Only these passes.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Folder kerja baru. / New folder to work in.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Benih. / Seed.")] = 1,
    json_: JsonFlag = False,
) -> None:
    """Pemadanan seukuran nasional, dari awal sampai akhir. / A national matching, end to end."""
    from padan_lab.demo.demonstration import claim_folder, require_server

    require_server()
    wanted = tuple(name for name in passes.split(",") if name)
    document = lean_document(wanted, agreement, flow, endless=False)
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "national"
        claim_folder(place)
        meter = Meter(lambda text: announce(json_, text))
        with meter.lap("generate", t("orang-orang buatan", "generated people")):
            request = FileRequest(
                profile, provider, seed, Level.REAL, requester, overlap, Format.PARQUET, copies
            )
            write_files(request, place / "people", lambda _done, _total: None)
        site = prepare(place, agreement, flow, document, dt.datetime.now(dt.UTC))
        result = _play(site, meter)
        report = _report(site, meter, requester + provider, document)
        asked = {"requester": requester, "provider": provider, "overlap": overlap, "copies": copies}
        report.measured = asked | report.measured | result
        (place / "national.json").write_text(json.dumps(report.envelope(), indent=2), "utf-8")
    report.publish(json_=json_)


def _play(site: Deployment, meter: Meter) -> dict[str, object]:
    """Publish and confirm against a running unit; what was answered, and what the unit took."""
    where = "--agreement", site.agreement_id, "--flow", site.flow_id, "--mode", "unit"
    people = site.folder / "people"
    with running(site, "unit") as pid, meter.watching(pid) as unit:
        for party in (site.provider, site.requester):
            site.run(party, "keys", "rotate", *where)
        with meter.lap("publish", t("registri diterbitkan", "registry published")) as lap:
            command = ("publish", str(people / "registry.parquet"), *where, "--id", "id")
            quarantine = str(site.folder / "registry-quarantine.csv")
            _run(site, lap, site.provider, *command, "--quarantine", quarantine, "--yes")
        with meter.lap("confirm", t("daftar dikonfirmasi", "list confirmed")) as lap:
            command = ("confirm", str(people / "list.parquet"), *where, "--id", "id")
            out = str(site.folder / "codes.parquet")
            quarantine = str(site.folder / "list-quarantine.csv")
            results = "--out", out, "--quarantine", quarantine
            told = _run(site, lap, site.requester, *command, *results)
    run = [e for e in map(json.loads, site.log("unit").open()) if e.get("event") == "run_ended"]
    took = {
        "run_seconds": rounded(float(run[-1]["seconds"])),
        "peak_gib": unit.peak_gib,
        "peak_own_gib": unit.own_gib,
        "cpu_seconds": unit.cpu_seconds,
    }
    answers = {name: told[name] for name in ("counts", "passes", "unopened_by_pass")}
    return answers | {"edition": told.get("edition"), "unit": took}


def _run(site: Deployment, lap: Lap, party: str, *arguments: str) -> dict[str, Any]:
    line, environment = site.command(party, *arguments, "--json")
    return dict(json.loads(lap.run(line, environment, site.folder / "logs" / f"{party}.log")))


def _report(site: Deployment, meter: Meter, rows: int, document: bytes) -> BenchReport:
    from padan_lab.bench.rates.correctness import right_of

    flow = load_agreement(document).flow(site.flow_id)
    seconds = {name: lap.seconds for name, lap in meter.laps.items()}
    moved = sum(seconds[name] for name in ("publish", "confirm"))
    found = right_of(site.folder, flow)
    return BenchReport(
        "national",
        measured={
            "stages": {name: lap.shown() for name, lap in meter.laps.items()},
            "end_to_end_seconds": rounded(moved),
            "disk_gib": folder_gib(site.folder),
            **found,
        },
        ratios={
            "seconds_per_million_rows": rounded(1e6 * moved / rows),
            **{f"share_{name}": rounded(seconds[name] / sum(seconds.values())) for name in seconds},
            **{n: v for n in ("precision", "recall") if (v := found[n]) is not None},
        },
    )

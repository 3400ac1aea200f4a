"""``padan bench upload``: a table on its way to the unit beside a bare stream of bytes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import grpc
import numpy as np
import typer

from padan.v1 import dataset_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client.base.effects import Steps, call
from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_client.protocol.unit.datasets import describe
from padan_client.protocol.unit.uploading import PIECE_BYTES, upload_table
from padan_lab.bench.rates.bytestream import METHOD
from padan_lab.bench.rates.workbench import (
    AgencyAtUnit,
    Workbench,
    lean_document,
    random_table,
    unit_stand,
)
from padan_lab.bench.report import BenchReport, PlotOption, RoundsOption, announce, rounded
from padan_lab.demo.deployment import own_environment
from padan_linkage.tables import PassTable

_TABLE = "lahir-depan"
_DEADLINE = 600.0


@reports_errors
def command(
    *,
    rows: Annotated[
        int, typer.Option(min=1000, help="Baris tabel. / Rows of the table.")
    ] = 1_000_000,
    rounds: RoundsOption = 3,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder kerja baru. / New folder to work in.")
    ] = None,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Unggahan, di samping aliran gRPC polos. / An upload beside a bare gRPC stream."""
    from padan_lab.demo.demonstration import claim_folder, require_server

    require_server()
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "bench"
        claim_folder(place)
        announce(json_, t("unit dan dua instansi", "a unit and two agencies"))
        with unit_stand(place, lean_document((_TABLE,))) as bench:
            report = _measure(bench, rows, rounds, json_)
    report.publish(json_=json_, plot=plot)


def _measure(bench: Workbench, rows: int, rounds: int, json_: bool) -> BenchReport:
    schema = bench.provider.session.schema
    table = random_table(
        schema, schema.passes[0], schema.padded_rows(rows), np.random.default_rng(1), provider=True
    )
    size = len(table) * table.layout.row_bytes
    spent: dict[str, list[float]] = {"padan": [], "bare": []}
    with _bare(bench) as bare:
        for number in range(rounds + 1):
            announce(json_, t(f"putaran {number}", f"round {number}"))
            name = bench.provider.link.run(_open(bench.provider, rows))
            took = _timed(partial(bench.provider.link.run, _send(bench.provider, name, table)))
            alone = _timed(lambda: _stream(bare, size))
            if number:  # the first only warms up
                spent["padan"].append(took)
                spent["bare"].append(alone)
    best = {name: min(seconds) for name, seconds in spent.items()}
    measured: dict[str, object] = {
        "rows": len(table),
        "bytes_per_row": table.layout.row_bytes,
        "message_bytes": PIECE_BYTES,
        "rates": {
            name: {
                "seconds": rounded(seconds),
                "rows_per_second": rounded(len(table) / seconds),
                "megabytes_per_second": rounded(size / seconds / 1e6),
            }
            for name, seconds in best.items()
        },
    }
    ratio = rounded(best["bare"] / best["padan"])
    return BenchReport("upload", measured=measured, ratios={"upload_vs_bare_stream": ratio})


def _open(side: AgencyAtUnit, records: int) -> Steps[str]:
    """Open a dataset; its table's name."""
    session = side.session
    wanted = describe(
        session, resources_pb2.ROLE_PROVIDER, records, session.schema.padded_rows(records)
    )
    wanted.seal.seal_id, wanted.seal.encapsulated_key = uuid.uuid4().bytes, bytes(32)
    created = yield from call(
        "DatasetService.CreateDataset",
        pb.CreateDatasetRequest(parent=session.place.name, dataset=wanted),
        pb.Dataset,
        side.home.patience,
    )
    return f"{created.name}/tables/{_TABLE}"


def _send(side: AgencyAtUnit, name: str, table: PassTable) -> Steps[None]:
    yield from upload_table(name, table, side.home.patience, lambda _: None)


@contextlib.contextmanager
def _bare(bench: Workbench) -> Iterator[Any]:
    """A call that streams bytes to a server that does nothing else, over the same TLS."""
    tls = bench.site.folder / "tls"
    files = [str(tls / name) for name in ("ca.pem", "unit.pem", "unit.key")]
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [sys.executable, "-m", "padan_lab.bench.rates.bytestream", *files],
        env=own_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        mine = [(tls / f"{bench.site.provider}.{kind}").read_bytes() for kind in ("key", "pem")]
        credentials = grpc.ssl_channel_credentials((tls / "ca.pem").read_bytes(), *mine)
        with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
            yield channel.stream_unary(METHOD)
    finally:
        process.kill()
        process.wait()


def _stream(call_: Any, size: int) -> None:
    """Send ``size`` bytes in messages as large as an upload's."""
    message = bytes(PIECE_BYTES)
    taken = call_((message for _ in range(-(-size // PIECE_BYTES))), timeout=_DEADLINE)
    if int(taken) < size:
        raise AssertionError("the bare stream lost bytes")


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began

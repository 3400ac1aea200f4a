"""``padan bench encode``: plain filters beside clkhash, and what hardening costs.

The plain filters are clkhash's kind (keyed, bigrams, one filter a record, not salted, not diffused)
of the same columns; the hardened ones are the passes of an example agreement, decoys and all. On
one core, speeds are per second of processor time: other work on the machine is not counted.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.bench.report import (
    PlotOption,
    Report,
    RoundsOption,
    Timing,
    alternately,
    announce,
    faster,
    pinned,
    rounded,
    usable_cores,
)
from padan_client.cli.common import JsonFlag, reports_errors
from padan_client.language import t

if TYPE_CHECKING:
    import pyarrow as pa

    from padan_linkage.agreement import Flow

BITS, POSITIONS = 1024, 10
_AGREEMENT, _FLOW = "kemnaker-bpjskes-2020", "pekerja-jkn"
_COLUMNS = ("nama", "tanggal_lahir", "alamat", "nik")
#: clkhash gets this many records a round: it has a fiftieth of our speed.
_PEER_RECORDS = 4_000


@reports_errors
def command(
    *,
    records: Annotated[int, typer.Option(min=1000, help="Baris. / Records.")] = 200_000,
    rounds: RoundsOption = 5,
    peers: Annotated[
        Path | None,
        typer.Option(
            "--clkhash",
            help="Lingkungan clkhash; dibuat bila belum ada. / Its environment, made if missing.",
        ),
    ] = None,
    without: Annotated[
        bool, typer.Option("--no-peers", help="Tanpa clkhash. / Without clkhash.")
    ] = False,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Penyandian: filter polos dan jalur yang dikeraskan. / Encoding, plain and hardened."""
    from padan_client.bench.clkhash_peer import environment
    from padan_client.generate import generate_demo
    from padan_linkage.agreement import example, load_agreement

    flow = load_agreement(example(_AGREEMENT)).flow(_FLOW)
    announce(json_, t("orang-orang buatan", "generated people"))
    made = generate_demo(flow, records, min(records, 1000), seed=1).registry
    report = Report("encode", {"records": records, "rounds": rounds, "bits": BITS})
    announce(json_, t("filter polos", "plain filters"))
    folder = None if without else peers or environment()
    _plain(report, made.select(_COLUMNS), rounds, folder)
    announce(json_, t("jalur yang dikeraskan", "hardened passes"))
    _hardened(report, flow, made, rounds)
    report.publish(json_=json_, plot=plot)


@dataclass
class _Peer:
    """A peer that times itself: its rounds take turns with ours."""

    run: Callable[[], dict[str, float]]
    seconds: list[float]
    fill: float = 0.0

    def __call__(self) -> None:
        answer = self.run()
        self.seconds.append(answer["seconds"])
        self.fill = answer["fill"]


def _plain(report: Report, table: pa.Table, rounds: int, folder: Path | None) -> None:
    """Plain filters from Arrow and from lists, on one core and on two, beside clkhash."""
    import numpy as np
    import pyarrow as pa

    from padan_client.bench.clkhash_peer import PACKAGE, Clkhash
    from padan_linkage.encoding.plain import encode_plain

    columns = [table[name].combine_chunks() for name in _COLUMNS]
    lists = [column.to_pylist() for column in columns]
    key = bytes(64)

    def encode(arrays: list[pa.Array], threads: int = 1) -> object:
        return encode_plain(arrays, key, bits=BITS, positions=POSITIONS, threads=threads)

    tasks: dict[str, Callable[[], object]] = {
        "arrow": lambda: encode(columns),
        "lists": lambda: encode([pa.array(values) for values in lists]),
    }
    filters = encode_plain(columns, key, bits=BITS, positions=POSITIONS)
    fill = {"padan": rounded(float(np.bitwise_count(filters).mean() / 64))}
    with ExitStack() as stack:
        stack.enter_context(pinned(1))
        if folder is not None:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _write(scratch / "records.csv", table.slice(0, _PEER_RECORDS))
            try:
                worker = stack.enter_context(
                    Clkhash(folder, scratch / "records.csv", bits=BITS, positions=POSITIONS)
                )
                tasks["clkhash"] = _Peer(worker.run, [])
            except (OSError, subprocess.CalledProcessError) as error:
                report.absent.append(f"{PACKAGE}: {type(error).__name__}")
        timings = alternately(tasks, rounds)
    if usable_cores() > 1:
        with pinned(2):
            both = {"arrow": tasks["arrow"], "arrow, 2 cores": lambda: encode(columns, 2)}
            scaled = alternately(both, rounds)
        report.ratios["encode_2c_over_1c"] = faster(scaled, "arrow, 2 cores", "arrow")
    speeds = {name: len(table) / min(timing.cpus) for name, timing in timings.items()}
    peer = tasks.get("clkhash")
    if isinstance(peer, _Peer):
        counted = min(_PEER_RECORDS, len(table))
        speeds["clkhash"] = counted / min(peer.seconds[1:])
        fill["clkhash"] = rounded(peer.fill)
        for name in ("arrow", "lists"):
            report.ratios[f"encode_{name}_vs_clkhash"] = rounded(speeds[name] / speeds["clkhash"])
    report.measured["plain_records_per_second"] = {k: round(v) for k, v in speeds.items()}
    report.measured["plain_fill"] = fill


def _write(file: Path, table: pa.Table) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True))


def _hardened(report: Report, flow: Flow, table: pa.Table, rounds: int) -> None:
    """Every pass of the flow on one core, from normalised columns to the requester's table."""
    from padan_client.records import prepare
    from padan_linkage.encoding.table import PassEncoder
    from padan_linkage.keys import LinkageKey
    from padan_linkage.randomness import Drbg

    schema = flow.schema
    assert schema is not None
    fields = prepare(table, schema, None, "id").fields
    key = LinkageKey(bytes(range(32)), schema.digest(), flow.id, 1)
    rows = schema.padded_rows(len(table))
    encoders = {p.id: PassEncoder(schema, p, key) for p in schema.passes}

    def task(pass_id: str) -> Callable[[], object]:
        return lambda: encoders[pass_id].encode(fields, rows=rows, drbg=Drbg(bytes(32)))

    with pinned(1):
        timings = alternately({name: task(name) for name in encoders}, rounds)
    report.measured["hardened"] = {
        p.id: _speeds(timings[p.id], len(table), rows, p.filter_bits) for p in schema.passes
    }


def _speeds(timing: Timing, records: int, rows: int, bits: int) -> dict[str, object]:
    return {
        "filter_bits": bits,
        "records_per_second": round(records / min(timing.cpus)),
        "rows_per_second": round(rows / min(timing.cpus)),
    }

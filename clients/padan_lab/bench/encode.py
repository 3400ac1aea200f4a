"""``padan bench encode``: plain filters beside clkhash, and what hardening costs.

The plain filters are clkhash's kind (keyed, bigrams, one filter a record, not salted, not diffused)
of the same columns; the hardened ones are the passes of the agreements' first flow and those of
a lean schema that the advisor proposes, decoys and all. On one core, speeds are per second of
processor time: other work on the machine is not counted.
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.report import (
    BenchReport,
    PlotOption,
    RoundsOption,
    alternately,
    announce,
    faster,
    pinned,
    rounded,
    usable_cores,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from padan_linkage.agreement import Flow
    from padan_linkage.schema import Schema

BITS, POSITIONS = 1024, 10
#: Whose registry has the columns of the plain filters, and whose passes are encoded.
_PLAIN = "kemnaker-bpjskes-2020", "pekerja-jkn"
_HARDENED = "kemnaker-bkn-2024", "asn-status"
_COLUMNS = ("nama", "tanggal_lahir", "alamat", "nik")
#: clkhash gets this many records a round: it has a fiftieth of our speed.
_PEER_RECORDS = 4_000
#: Records that the advisor looks at.
_ADVISED = 20_000


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
    from padan_lab.bench.peers.clkhash import environment

    announce(json_, t("orang-orang buatan", "generated people"))
    (_, people), (flow, made) = (_registry(*each, records) for each in (_PLAIN, _HARDENED))
    report = BenchReport("encode", {"records": records, "rounds": rounds, "bits": BITS})
    announce(json_, t("filter polos", "plain filters"))
    folder = None if without else peers or environment()
    peer = _plain(report, people.select(_COLUMNS), rounds, folder)
    announce(json_, t("jalur yang dikeraskan", "hardened passes"))
    _hardened(report, _schemas(flow, made), made, rounds, peer)
    report.publish(json_=json_, plot=plot)


def _registry(agreement: str, flow_id: str, records: int) -> tuple[Flow, pa.Table]:
    """A flow of an example agreement, and a registry of generated people for it."""
    from padan_lab.generate import generate_demo
    from padan_linkage.agreement import example, load_agreement

    flow = load_agreement(example(agreement)).flow(flow_id)
    return flow, generate_demo(flow, records, min(records, 1000), seed=1).registry


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


def _plain(report: BenchReport, table: pa.Table, rounds: int, folder: Path | None) -> float | None:
    """Plain filters from Arrow and from lists, on one core and on two, beside clkhash.

    Gives clkhash's records a second, None without it.
    """
    import numpy as np
    import pyarrow as pa

    from padan_lab.bench.peers.clkhash import PACKAGE, Clkhash
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
    return speeds.get("clkhash")


def _write(file: Path, table: pa.Table) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True))


def _schemas(flow: Flow, table: pa.Table) -> dict[str, Schema]:
    """The flow's own schema, and the strict lean one that the advisor makes for its registry."""
    from padan_linkage.advice import Size, Wishes, suggest
    from padan_linkage.advice.profiles import ProfileName

    assert flow.schema is not None
    wishes = Wishes(ProfileName.KETAT, Size.LEAN, rows=len(table))
    return {flow.id: flow.schema, "lean": suggest(table.slice(0, _ADVISED), None, wishes).schema}


def _hardened(
    report: BenchReport,
    schemas: dict[str, Schema],
    table: pa.Table,
    rounds: int,
    peer: float | None,
) -> None:
    """Every pass of the schemas on one core, from normalised columns to the requester's table."""
    speeds: dict[str, dict[str, int]] = {}
    for name, schema in schemas.items():
        for pass_id, speed in _passes(schema, table, rounds).items():
            speeds[f"{name} {pass_id}"] = speed
    report.measured["hardened"] = speeds
    slowest: dict[int, int] = {}
    for speed in speeds.values():
        segments, found = speed["segments"], speed["records_per_second"]
        slowest[segments] = min(found, slowest.get(segments, found))
    report.measured["hardened_slowest_by_segments"] = {str(n): slowest[n] for n in sorted(slowest)}
    if peer is not None:
        for segments in sorted(slowest):
            name = f"hardened_{segments}_segments_vs_plain_clkhash"
            report.ratios[name] = rounded(slowest[segments] / peer)


def _passes(schema: Schema, table: pa.Table, rounds: int) -> dict[str, dict[str, int]]:
    """Speeds of a schema's passes by their ids, in chunks as an upload has them made.

    A row is a person of the list or a cover person.
    """
    from padan_client.records import prepare
    from padan_linkage.cover import with_cover
    from padan_linkage.crypto.keys import LinkageKey
    from padan_linkage.crypto.randomness import Drbg
    from padan_linkage.encoding.table import PassEncoder
    from padan_linkage.tables import chunk_of

    fields = prepare(table, schema, None, "id").fields
    key = LinkageKey(bytes(range(32)), schema.digest(), "bench", 1)
    rows = schema.padded_rows(len(table))
    covered = with_cover(schema, fields, rows, Drbg(bytes(32)))
    encoders = {p.id: PassEncoder(schema, p, key) for p in schema.passes}

    def encode(encoder: PassEncoder) -> None:
        made = encoder.arrange(covered, people=len(table), drbg=Drbg(bytes(32)))
        for number in range(chunk_of(rows - 1) + 1):
            made.chunk(number)

    with pinned(1):
        tasks = {name: partial(encode, encoder) for name, encoder in encoders.items()}
        timings = alternately(tasks, rounds)
    return {
        p.id: {
            "segments": len(p.similar),
            "filter_bits": p.filter_bits,
            "records_per_second": round(len(table) / timings[p.id].best_cpu),
            "rows_per_second": round(rows / timings[p.id].best_cpu),
        }
        for p in schema.passes
    }

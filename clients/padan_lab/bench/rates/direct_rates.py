"""Direct mode from a registry to codes, timed: build, download, ask; and the same per million."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pyarrow as pa

from padan_client.home.folder import Home
from padan_client.protocol.progress import Progress, Stage
from padan_client.provider import ProviderClient
from padan_client.requester import RequesterClient
from padan_lab.demo.deployment import prepare, running
from padan_lab.generate import ID_COLUMN, generate_demo
from padan_linkage.agreement import example, load_agreement
from padan_linkage.direct.manifest import TablePublication
from padan_linkage.direct.table import ROW_BYTES

_AGREEMENT, _FLOW = "kemnaker-bkn-2024", "asn-status"
_MILLION = 1_000_000
_SINGLES = 40


class _Laps:
    """When each stage was first and last reported, in seconds."""

    def __init__(self) -> None:
        self._spans: dict[Stage, tuple[float, float]] = {}

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        begin, _ = self._spans.get(progress.stage, (now, now))
        self._spans[progress.stage] = begin, now

    def seconds(self, site: Stage) -> float:
        """From the first report of a stage to its last."""
        begin, end = self._spans.get(site, (0.0, 0.0))
        return end - begin


def whole_way(folder: Path, population: int, candidates: int, processes: int) -> dict[str, object]:
    """Publish ``population`` generated rows and confirm ``candidates`` over loopback mutual TLS.

    ``folder`` is new or empty. The provider's server is a process of its own.
    """
    document = example(_AGREEMENT)
    flow = load_agreement(document).flow(_FLOW)
    demo = generate_demo(flow, population, candidates, seed=1)
    site = prepare(folder, _AGREEMENT, _FLOW, document, dt.datetime.now(dt.UTC))
    provider, requester = (Home.open(site.home(p)) for p in (site.provider, site.requester))
    names = (site.agreement_id, site.flow_id)
    build = _Clock()
    with ProviderClient(provider, *names, threads=processes) as publisher:
        published = publisher.publish_table(
            demo.registry,
            id_column=ID_COLUMN,
            status_column={name: name for name in flow.registry},
        )
    built = build.seconds()
    folder_of = provider.folder / provider.config.tables_dir / published.dataset
    manifest = TablePublication.read(folder_of).manifest
    size = manifest.rows * ROW_BYTES
    with running(site, "provider"), RequesterClient(requester, *names) as client:
        timed = _timed(client, demo.requests)
        singles = _singles(client, demo.requests)
    per_million = {
        "build_seconds": round(built * _MILLION / population, 1),
        "confirm_seconds": round(timed["ask_seconds"] * _MILLION / candidates, 1),
    }
    return {
        "population": population,
        "candidates": candidates,
        "processes": processes,
        "table_rows": manifest.rows,
        "table_bytes": size,
        "build_seconds": round(built, 1),
        **{name: round(value, 1) for name, value in timed.items()},
        "download_bytes_per_second": round(size / max(timed["download_seconds"], 1e-3)),
        "confirm_one_milliseconds": singles,
        "per_million_records": per_million,
    }


def _timed(client: RequesterClient, requests: pa.Table) -> dict[str, float]:
    """Confirm the list; the time without the download is the time to ask."""
    laps, clock = _Laps(), _Clock()
    result = client.confirm(requests, mode="direct", id_column=ID_COLUMN, progress=laps)
    total, download = clock.seconds(), laps.seconds(Stage.DOWNLOAD)
    return {
        "evaluations": float(sum(result.evaluated.values())),
        "download_seconds": download,
        "evaluate_seconds": laps.seconds(Stage.EVALUATE),
        "ask_seconds": total - download,
    }


def _singles(client: RequesterClient, requests: pa.Table) -> dict[str, float]:
    """Milliseconds of one record in real time, against the cached table: median and worst."""
    rows = requests.slice(0, _SINGLES).drop_columns([ID_COLUMN]).to_pylist()
    client.confirm_one(rows[0], mode="direct")
    spent = []
    for row in rows:
        clock = _Clock()
        client.confirm_one(row, mode="direct")
        spent.append(1000 * clock.seconds())
    spent.sort()
    return {"median": round(spent[len(spent) // 2], 1), "worst": round(spent[-1], 1)}


class _Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()

    def seconds(self) -> float:
        """So far."""
        return time.perf_counter() - self._begin

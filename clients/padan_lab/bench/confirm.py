"""``padan bench confirm``: one question in real time beside an empty call on the same channel."""

from __future__ import annotations

import gc
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import grpc
import numpy as np
import typer
from numpy.typing import NDArray

from padan.v1 import confirmation_service_pb2 as pb
from padan.v1 import confirmation_service_pb2_grpc as pb_grpc
from padan.v1 import resources_pb2
from padan_client.base.language import t
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.rates.workbench import FLOW, Workbench, lean_document, random_table, unit_stand
from padan_lab.bench.report import BenchReport, PlotOption, announce, rounded
from padan_linkage.schema import Layout, Pass
from padan_linkage.tables import PassTable

#: A pass of tokens alone and one with a filter, of the flow's schema.
PASSES = ("nik-depan", "lahir-depan")
_DEADLINE = 60.0
_WARM = 200
#: Clients at once of which the throughput is measured.
_CROWDS = (1, 2, 4, 16)
#: Those that the throughput of most is compared with.
_FEW = 4
#: Rounds of each crowd; the middle one counts.
_ROUNDS = 7
#: Bits of a filter that differ between a question and the row it is of.
_TYPOS = 20


@reports_errors
def command(
    *,
    registry: Annotated[
        int, typer.Option(min=1000, help="Rekaman registri. / Records of the registry.")
    ] = 1_000_000,
    calls: Annotated[int, typer.Option(min=100, help="Panggilan. / Calls of each kind.")] = 4000,
    clients: Annotated[
        int, typer.Option(min=4, max=256, help="Klien serentak terbanyak. / Most clients at once.")
    ] = 64,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder kerja baru. / New folder to work in.")
    ] = None,
    json_: JsonFlag = False,
    plot: PlotOption = None,
) -> None:
    """Satu pertanyaan waktu nyata, di samping panggilan kosong. / One question, an empty call."""
    from padan_lab.demo.demonstration import claim_folder, require_server

    require_server()
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch) / "bench"
        claim_folder(place)
        announce(json_, t("unit dan dua instansi", "a unit and two agencies"))
        with unit_stand(place, lean_document(PASSES)) as bench:
            announce(json_, t("menerbitkan registri", "publishing the registry"))
            questions = publish_random(bench, registry)
            report = BenchReport("confirm", measured={"registry": registry, "calls": calls})
            for pass_id, rows in questions.items():
                announce(json_, t(f"pass {pass_id}", f"pass {pass_id}"))
                _measure(bench, rows, calls, clients, report)
    report.publish(json_=json_, plot=plot)


def publish_random(bench: Workbench, records: int) -> dict[str, PassTable]:
    """Publish a registry of random rows; gives questions by pass: its rows, bits changed."""
    schema, rng = bench.provider.session.schema, np.random.default_rng(1)
    rows = schema.padded_rows(records)
    tables = {p.id: random_table(schema, p, rows, rng, provider=True) for p in schema.passes}
    bench.provider.publish(records, tables)
    return {p.id: _questions(bench, p, tables[p.id], rng) for p in schema.passes}


def _questions(bench: Workbench, p: Pass, table: PassTable, rng: np.random.Generator) -> PassTable:
    layout = Layout.of(bench.requester.session.schema, p, provider=False)
    chosen = rng.integers(0, len(table), 4096)
    columns = {name: table.columns[name][chosen].copy() for name, _ in layout.columns()}
    if p.similar:
        bits = rng.integers(0, p.filter_bits, (len(chosen), _TYPOS))
        for at in bits.T:
            columns["filters"][np.arange(len(chosen)), at // 8] ^= (1 << (at % 8)).astype(np.uint8)
    return PassTable(p.id, layout, columns)


def _measure(
    bench: Workbench, rows: PassTable, calls: int, clients: int, report: BenchReport
) -> None:
    """Latency of question and empty call by turns, then questions a second."""
    with bench.requester.channel() as channel:
        questions, empty = Questions(bench, channel, rows), _empty(channel)
        for _ in range(_WARM):
            questions.ask()
            empty()
        question, nothing = _by_turns(questions.ask, empty, calls)
        crowds = _crowds(bench, questions, calls, sorted({*_CROWDS, clients}))
    report.measured[rows.pass_id] = {
        "question_us": _percentiles(question),
        "empty_us": _percentiles(nothing),
        **{f"questions_per_second_{n}": _median(each.rates) for n, each in crowds.items()},
        **{f"unit_us_{n}": _median([1e6 / c for c in e.per_cpu]) for n, e in crowds.items()},
    }
    name = "tokens" if "filters" not in rows.columns else "filter"
    many, few = crowds[clients], crowds[_FEW]
    for label, of_many, of_few in (
        ("", many.rates, few.rates),
        ("_by_processor", many.per_cpu, few.per_cpu),
    ):
        ratios = [m / f for m, f in zip(of_many, of_few, strict=True)]
        report.ratios[f"confirm_{name}_at_{clients}_vs_{_FEW}{label}"] = _median(ratios)
    for percent in (50, 99):
        ratio = np.percentile(question, percent) / np.percentile(nothing, percent)
        report.ratios[f"confirm_{name}_p{percent}_vs_empty_unary"] = rounded(float(ratio))
    told = dict(report.ratios)
    report.ratios["confirm_p99_vs_empty_unary"] = max(
        value for key, value in told.items() if key.endswith("p99_vs_empty_unary")
    )
    report.ratios[f"at_{clients}_vs_{_FEW}"] = min(
        value for key, value in told.items() if key.endswith(f"_at_{clients}_vs_{_FEW}")
    )


@dataclass
class _Crowd:
    """Of each round: questions a second by the clock, and by the unit's processor time."""

    rates: list[float] = field(default_factory=list)
    per_cpu: list[float] = field(default_factory=list)


def _crowds(
    bench: Workbench, questions: Questions, calls: int, sizes: Sequence[int]
) -> dict[int, _Crowd]:
    """Rounds of each size in turn, to and fro: what disturbs one of a round disturbs the others."""
    crowds = {size: _Crowd() for size in sizes}
    each = max(size for size in sizes) + calls // _ROUNDS
    for turn in range(_ROUNDS):
        for size in sizes[:: -1 if turn % 2 else 1]:
            busy, began = bench.unit_seconds(), time.perf_counter()
            questions.ask_at_once(each, size)
            crowds[size].rates.append(each / (time.perf_counter() - began))
            crowds[size].per_cpu.append(each / max(1e-9, bench.unit_seconds() - busy))
    return crowds


class Questions:
    """Calls that ask about one row, another each time, and check that it was found."""

    def __init__(self, bench: Workbench, channel: grpc.Channel, rows: PassTable) -> None:
        session = bench.requester.session
        self._stub = pb_grpc.ConfirmationServiceStub(channel)
        self._turn = cycle(
            pb.ConfirmRecordsRequest(
                parent=session.place.name,
                encoding=session.encoding(),
                pass_id=rows.pass_id,
                rows=resources_pb2.TableRows(row_count=1, **rows.rows(number, number + 1)),
            )
            for number in range(len(rows))
        )

    def ask(self) -> None:
        """Ask one, and wait for the answer."""
        _require_found(self._stub.ConfirmRecords(self._next(), timeout=_DEADLINE))

    def ask_at_once(self, calls: int, at_once: int) -> None:
        """Ask so many, of which so many are under way: from one thread, however many they are.

        A thread for each would take the interpreter of this process from the others, which says
        nothing of the unit.
        """
        room, faults = threading.Semaphore(at_once), list[BaseException]()

        def answered(call: Any) -> None:
            try:
                _require_found(call.result())
            except Exception as fault:  # noqa: BLE001 - raised below, on the thread that asks
                faults.append(fault)
            room.release()

        for _ in range(calls):
            room.acquire()
            call = self._stub.ConfirmRecords.future(self._next(), timeout=_DEADLINE)
            call.add_done_callback(answered)
        for _ in range(at_once):
            room.acquire()
        if faults:
            raise faults[0]

    def _next(self) -> pb.ConfirmRecordsRequest:
        request = next(self._turn)
        request.request_id = str(uuid.uuid4())
        return request


def _require_found(answer: pb.ConfirmRecordsResponse) -> None:
    if answer.rows.outcomes != bytes([resources_pb2.OUTCOME_MATCHED]):
        raise AssertionError(f"{FLOW}: a row of the registry was not found")


def _empty(channel: grpc.Channel) -> Callable[[], object]:
    """The smallest call there is: a health check, without this package's messages."""
    check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
    return lambda: check(b"", timeout=_DEADLINE)


def _by_turns(
    first: Callable[[], object], second: Callable[[], object], calls: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds of ``calls`` calls of each, alternately: what disturbs one disturbs the other."""
    spent = np.empty((calls, 2))
    gc.collect()
    for turn in range(calls):
        began = time.perf_counter()
        first()
        between = time.perf_counter()
        second()
        spent[turn] = between - began, time.perf_counter() - between
    return spent[:, 0], spent[:, 1]


def _median(values: Sequence[float]) -> float:
    return rounded(statistics.median(values))


def _percentiles(seconds: NDArray[np.float64]) -> dict[str, float]:
    return {f"p{q}": rounded(float(np.percentile(seconds, q) * 1e6)) for q in (50, 90, 99)}
